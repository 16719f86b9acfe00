-- Accounts whose root user may recover a password (CreateLoginProfile in a session of AssumeRoot). No password is
-- kept.
CREATE TABLE iam_root_login_profiles (
  account TEXT NOT NULL PRIMARY KEY REFERENCES accounts (id),
  created_at BIGINT NOT NULL
);
