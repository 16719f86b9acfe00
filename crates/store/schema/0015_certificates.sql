-- SSH public keys of users. Nothing of Berth takes them: they are kept, shown and revoked.
CREATE TABLE iam_ssh_public_keys (
  id TEXT NOT NULL PRIMARY KEY,
  account TEXT NOT NULL REFERENCES accounts (id),
  user_id BIGINT NOT NULL REFERENCES iam_entities (id),
  -- As it was uploaded.
  body TEXT NOT NULL,
  -- The same key as `ssh-rsa AAAA…`, however it was written.
  ssh_form TEXT NOT NULL,
  active BIGINT NOT NULL,
  uploaded_at BIGINT NOT NULL,
  UNIQUE (user_id, ssh_form)
);

CREATE INDEX iam_ssh_public_keys_user ON iam_ssh_public_keys (user_id, uploaded_at, id);

-- Signing certificates of users, and of root users where `user_id` is null.
CREATE TABLE iam_signing_certificates (
  id TEXT NOT NULL PRIMARY KEY,
  account TEXT NOT NULL REFERENCES accounts (id),
  user_id BIGINT REFERENCES iam_entities (id),
  body TEXT NOT NULL,
  -- Of the certificate in DER, SHA-256.
  digest TEXT NOT NULL,
  active BIGINT NOT NULL,
  uploaded_at BIGINT NOT NULL,
  UNIQUE (account, digest)
);

CREATE INDEX iam_signing_certificates_user ON iam_signing_certificates (user_id, uploaded_at, id);

CREATE INDEX iam_signing_certificates_account
  ON iam_signing_certificates (account, uploaded_at, id);

-- Server certificates are entities; these are the columns of their own.
CREATE TABLE iam_server_certificates (
  entity BIGINT NOT NULL PRIMARY KEY REFERENCES iam_entities (id) ON DELETE CASCADE,
  body TEXT NOT NULL,
  -- Null: it was uploaded without one.
  chain TEXT,
  -- Never shown.
  sealed_private_key BYTES NOT NULL,
  expires_at BIGINT NOT NULL
);
