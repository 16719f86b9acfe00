-- What another node needs to go on with an unfinished upload: whose it is, and the sha256 of its first
-- bytes. Those bytes do not change any more, so a state that an older version does not renew stays right.
ALTER TABLE uploads ADD COLUMN owner TEXT;

ALTER TABLE uploads ADD COLUMN size BIGINT NOT NULL DEFAULT 0;

ALTER TABLE uploads ADD COLUMN hash_state BYTES;
