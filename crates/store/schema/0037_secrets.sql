-- Secrets: credentials that the server uses at other registries, with their versions. Values are sealed.
CREATE TABLE secrets (
  id BIGSERIAL PRIMARY KEY,
  account TEXT NOT NULL,
  region TEXT NOT NULL,
  name TEXT NOT NULL,
  suffix TEXT NOT NULL,
  description TEXT NOT NULL,
  kms_key_id TEXT,
  tags TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  changed_at BIGINT NOT NULL,
  accessed_at BIGINT,
  deleted_at BIGINT,
  purge_at BIGINT,
  UNIQUE (account, region, name)
);

CREATE INDEX secrets_purge_at ON secrets (purge_at);

CREATE TABLE secret_versions (
  secret_id BIGINT NOT NULL REFERENCES secrets (id) ON DELETE CASCADE,
  version_id TEXT NOT NULL,
  stages TEXT NOT NULL,
  sealed BYTES NOT NULL,
  created_at BIGINT NOT NULL,
  PRIMARY KEY (secret_id, version_id)
);
