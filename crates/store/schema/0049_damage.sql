-- Since when the bytes of a stored copy are known to be lost or damaged. Null: not known to be. A push of the digest
-- stores another copy and takes the mark away.
ALTER TABLE blobs ADD COLUMN damaged_at BIGINT;

-- When a copy was last known to be whole: when it was stored, or read and compared with its digest.
ALTER TABLE blobs ADD COLUMN verified_at BIGINT NOT NULL DEFAULT 0;

UPDATE blobs SET verified_at = stored_at;

CREATE INDEX blobs_by_verification ON blobs (verified_at, digest, encryption);

CREATE INDEX blobs_damaged ON blobs (digest) WHERE damaged_at IS NOT NULL;

-- Since when a manifest's bytes are known not to be those of its digest.
ALTER TABLE images ADD COLUMN damaged_at BIGINT;
