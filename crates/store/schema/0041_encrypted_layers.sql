-- A layer is stored once for each digest and key: whoever may use one key has no bytes of another one. The
-- word of 0005 becomes part of a blob's identity: the id of the key, or nothing.
CREATE TABLE keyed_blobs (
  digest TEXT NOT NULL,
  encryption TEXT NOT NULL,
  size BIGINT NOT NULL,
  stored_at BIGINT NOT NULL,
  object_key TEXT NOT NULL,
  PRIMARY KEY (digest, encryption)
);

INSERT INTO keyed_blobs (digest, encryption, size, stored_at, object_key)
  SELECT digest, '', size, stored_at, object_key FROM blobs;

CREATE TABLE keyed_layers (
  repository_id BIGINT NOT NULL REFERENCES repositories (id) ON DELETE CASCADE,
  digest TEXT NOT NULL,
  encryption TEXT NOT NULL,
  size BIGINT NOT NULL,
  linked_at BIGINT NOT NULL,
  PRIMARY KEY (repository_id, digest),
  FOREIGN KEY (digest, encryption) REFERENCES keyed_blobs (digest, encryption)
);

INSERT INTO keyed_layers (repository_id, digest, encryption, size, linked_at)
  SELECT repository_id, digest, '', size, linked_at FROM layers;

DROP TABLE layers;

DROP TABLE blobs;

ALTER TABLE keyed_blobs RENAME TO blobs;

ALTER TABLE keyed_layers RENAME TO layers;

CREATE INDEX layers_by_digest ON layers (digest, encryption);

CREATE UNIQUE INDEX blobs_by_key ON blobs (object_key);

-- The ARN of the key that a repository's layers are encrypted under. Null: they are not.
ALTER TABLE repositories ADD COLUMN kms_key TEXT;

CREATE INDEX repositories_by_kms_key ON repositories (kms_key);
