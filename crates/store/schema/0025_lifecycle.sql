-- The storage class of images, and when it changed. `ACTIVE`, `ARCHIVED`, or `ACTIVATING` while an archived
-- image is restored.
ALTER TABLE images ADD COLUMN status TEXT NOT NULL DEFAULT 'ACTIVE';
ALTER TABLE images ADD COLUMN archived_at BIGINT;
ALTER TABLE images ADD COLUMN activated_at BIGINT;

-- Lists are of one status unless they ask for all: a page reads no row of another one.
CREATE INDEX images_by_status ON images (repository_id, status, id);

CREATE TABLE lifecycle_policies (
  repository_id BIGINT NOT NULL PRIMARY KEY REFERENCES repositories (id) ON DELETE CASCADE,
  -- As it was given.
  policy TEXT NOT NULL,
  -- Of the events that tell of its runs; a changed policy has the same id and the next version.
  policy_id TEXT NOT NULL,
  version BIGINT NOT NULL,
  -- Null: never.
  evaluated_at BIGINT
);

-- What Berth adds to lifecycle policies. A repository without a row has nothing of it.
CREATE TABLE lifecycle_options (
  repository_id BIGINT NOT NULL PRIMARY KEY REFERENCES repositories (id) ON DELETE CASCADE,
  -- Images that were pulled in the last days do not expire.
  pulled_within_days BIGINT,
  -- One a line.
  protected_tag_patterns TEXT NOT NULL,
  dry_run BIGINT NOT NULL
);

-- The last preview of a repository. `IN_PROGRESS`, `COMPLETE`, `FAILED`.
CREATE TABLE lifecycle_previews (
  repository_id BIGINT NOT NULL PRIMARY KEY REFERENCES repositories (id) ON DELETE CASCADE,
  policy TEXT NOT NULL,
  status TEXT NOT NULL,
  started_at BIGINT NOT NULL,
  completed_at BIGINT,
  expiring BIGINT NOT NULL,
  archiving BIGINT NOT NULL
);

CREATE TABLE lifecycle_preview_images (
  repository_id BIGINT NOT NULL REFERENCES lifecycle_previews (repository_id) ON DELETE CASCADE,
  position BIGINT NOT NULL,
  digest TEXT NOT NULL,
  -- A JSON array.
  tags TEXT NOT NULL,
  pushed_at BIGINT NOT NULL,
  rule_priority BIGINT NOT NULL,
  -- `EXPIRE`, `TRANSITION`.
  action TEXT NOT NULL,
  -- `STANDARD`, `ARCHIVE`: where it is.
  storage_class TEXT NOT NULL,
  PRIMARY KEY (repository_id, position)
);

CREATE INDEX lifecycle_preview_images_by_digest ON lifecycle_preview_images (repository_id, digest);
