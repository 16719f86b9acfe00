-- Since when no image needs a layer, as far as the collection has found out. Null: one does, or nobody looked yet.
ALTER TABLE layers ADD COLUMN unused_since BIGINT;

-- The runs of the collection: what they found, and where the one that runs goes on.
CREATE TABLE collections (
  number BIGSERIAL PRIMARY KEY,
  id TEXT NOT NULL,
  status TEXT NOT NULL,
  dry_run BIGINT NOT NULL,
  forced BIGINT NOT NULL,
  with_files BIGINT NOT NULL,
  stage TEXT NOT NULL,
  place TEXT NOT NULL,
  started_at BIGINT NOT NULL,
  ended_at BIGINT,
  examined BIGINT NOT NULL,
  deleted BIGINT NOT NULL,
  deleted_bytes BIGINT NOT NULL,
  -- Files of which there is a row, and of which there is none.
  known_files BIGINT NOT NULL,
  unknown_files BIGINT NOT NULL,
  reason TEXT
);

CREATE UNIQUE INDEX collections_by_id ON collections (id);

-- One runs at a time.
CREATE UNIQUE INDEX collections_running ON collections (status) WHERE status = 'RUNNING';
