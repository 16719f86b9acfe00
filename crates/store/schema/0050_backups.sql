-- The backups that were asked for: how far the one is that is being taken, and what became of the others.
CREATE TABLE backups (
  number BIGSERIAL PRIMARY KEY,
  id TEXT NOT NULL,
  -- `RUNNING`, `COMPLETE`, `STOPPED`, `FAILED`.
  status TEXT NOT NULL,
  started_at BIGINT NOT NULL,
  ended_at BIGINT,
  -- The moment that the backup is of; null while the rows are not written.
  taken_at BIGINT,
  -- The stored copies that it names, and the bytes of their contents.
  blob_count BIGINT NOT NULL,
  blob_bytes BIGINT NOT NULL,
  -- How many of them were looked at, and of these the ones that the directory did not have.
  seen_count BIGINT NOT NULL,
  new_count BIGINT NOT NULL,
  new_bytes BIGINT NOT NULL,
  -- Copies that are missing or damaged, so that the backup does not have them.
  fault_count BIGINT NOT NULL,
  reason TEXT
);
CREATE UNIQUE INDEX backups_by_id ON backups (id);
-- One is taken at a time.
CREATE UNIQUE INDEX backups_running ON backups (status) WHERE status = 'RUNNING';
