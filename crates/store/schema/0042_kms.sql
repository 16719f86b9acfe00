-- Keys that repositories are encrypted under. Their material is sealed under the key ring, and removed with the
-- key; a rotation adds another one. Creating a repository writes `last_used_at`, so that it and the deletion of the key wait for
-- each other.
CREATE TABLE kms_keys (
  id TEXT NOT NULL PRIMARY KEY,
  account TEXT NOT NULL,
  region TEXT NOT NULL,
  description TEXT NOT NULL,
  manager TEXT NOT NULL,
  state TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  deletion_at BIGINT,
  policy TEXT NOT NULL,
  rotation_days BIGINT,
  next_rotation_at BIGINT,
  last_used_at BIGINT
);

CREATE INDEX kms_keys_by_registry ON kms_keys (account, region, id);

CREATE INDEX kms_keys_by_deletion ON kms_keys (deletion_at);

CREATE INDEX kms_keys_by_rotation ON kms_keys (next_rotation_at);

CREATE TABLE kms_materials (
  id TEXT NOT NULL PRIMARY KEY,
  key_id TEXT NOT NULL REFERENCES kms_keys (id) ON DELETE CASCADE,
  number BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  sealed BYTES NOT NULL
);

CREATE UNIQUE INDEX kms_materials_by_key ON kms_materials (key_id, number);

CREATE TABLE kms_aliases (
  account TEXT NOT NULL,
  region TEXT NOT NULL,
  name TEXT NOT NULL,
  key_id TEXT NOT NULL REFERENCES kms_keys (id) ON DELETE CASCADE,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  PRIMARY KEY (account, region, name)
);

CREATE INDEX kms_aliases_by_key ON kms_aliases (key_id);

CREATE TABLE kms_key_tags (
  key_id TEXT NOT NULL REFERENCES kms_keys (id) ON DELETE CASCADE,
  tag_key TEXT NOT NULL,
  tag_value TEXT NOT NULL,
  PRIMARY KEY (key_id, tag_key)
);
