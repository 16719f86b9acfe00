-- Each stored copy of a blob has a key of its own, which the row names: no file is found or deleted by its
-- digest. Files of version 0.1 stay where they are; their path becomes their key.
ALTER TABLE blobs ADD COLUMN object_key TEXT NOT NULL DEFAULT '';

UPDATE blobs SET object_key =
  substr(digest, 1, 6) || '/' || substr(digest, 8, 2) || '/' || substr(digest, 8);

CREATE UNIQUE INDEX blobs_by_key ON blobs (object_key);

-- How the copy is encrypted. Null: not at all. A version that does not know the word refuses to read it.
ALTER TABLE blobs ADD COLUMN encryption TEXT;
