-- Replications of images that were there before replication was configured: one row for each that was asked for.
CREATE TABLE replication_backfills (
  id TEXT NOT NULL PRIMARY KEY,
  -- The source.
  account TEXT NOT NULL,
  region TEXT NOT NULL,
  -- `account region`.
  destination TEXT NOT NULL,
  -- `PREPARING`, `IN_PROGRESS`, `COMPLETE`, `FAILED`, `STOPPING`, `STOPPED`.
  status TEXT NOT NULL,
  failure_code TEXT,
  started_at BIGINT NOT NULL,
  ended_at BIGINT,
  -- Where the look for images goes on: a repository, an image in it, and a tag of that.
  at_repository TEXT NOT NULL,
  at_image BIGINT NOT NULL,
  at_tag TEXT NOT NULL,
  -- The number of images and tags; unknown while they are looked for.
  total BIGINT,
  completed BIGINT NOT NULL,
  failed BIGINT NOT NULL,
  -- Why replications failed: each code once, one a line.
  failure_codes TEXT NOT NULL
);

CREATE INDEX replication_backfills_by_time ON replication_backfills (account, region, started_at, id);
CREATE INDEX replication_backfills_by_end ON replication_backfills (ended_at);

-- An image and a tag of it, or an image without tags.
CREATE TABLE replication_backfill_items (
  id BIGSERIAL PRIMARY KEY,
  backfill_id TEXT NOT NULL REFERENCES replication_backfills (id) ON DELETE CASCADE,
  repository_id BIGINT NOT NULL,
  repository TEXT NOT NULL,
  digest TEXT NOT NULL,
  -- Empty for none.
  tag TEXT NOT NULL,
  -- `WAITING`, `QUEUED` (it has a task), `COMPLETE`, `FAILED`.
  status TEXT NOT NULL,
  -- Why it failed, or why the last attempt did.
  failure_code TEXT,
  -- The codes of a list's images, one a line.
  sub_failure_codes TEXT NOT NULL
);

CREATE INDEX replication_backfill_items_in_order ON replication_backfill_items (backfill_id, id);
CREATE INDEX replication_backfill_items_by_status ON replication_backfill_items (backfill_id, status, id);

-- The part of a backfill that a task does.
ALTER TABLE replication_tasks ADD COLUMN backfill_item BIGINT;

CREATE INDEX replication_tasks_by_backfill_item ON replication_tasks (backfill_item);
