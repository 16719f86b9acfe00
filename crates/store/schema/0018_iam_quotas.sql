-- Quotas that an administrator of the server set for an account, by their names in AWS's messages.
CREATE TABLE iam_quotas (
  account TEXT NOT NULL REFERENCES accounts (id),
  name TEXT NOT NULL,
  value BIGINT NOT NULL,
  PRIMARY KEY (account, name)
);
