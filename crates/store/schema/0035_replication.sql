-- What a repository's images have to become at a destination of its registry's replication: written in the
-- transaction of the change, removed in the transaction that repeats it.
CREATE TABLE replication_tasks (
  id BIGSERIAL PRIMARY KEY,
  repository_id BIGINT NOT NULL REFERENCES repositories (id) ON DELETE CASCADE,
  -- `account region`.
  destination TEXT NOT NULL,
  -- `COPY`, `DELETE_TAG`, `DELETE_IMAGE`.
  action TEXT NOT NULL,
  digest TEXT NOT NULL,
  -- The tags that the change set or removed, one a line.
  tags TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  attempts BIGINT NOT NULL,
  due_at BIGINT NOT NULL,
  last_error TEXT
);

CREATE INDEX replication_tasks_by_time ON replication_tasks (repository_id, destination, due_at, id);

-- What became of an image at a destination.
CREATE TABLE replication_statuses (
  image_id BIGINT NOT NULL REFERENCES images (id) ON DELETE CASCADE,
  destination TEXT NOT NULL,
  -- `IN_PROGRESS`, `COMPLETE`, `FAILED`.
  status TEXT NOT NULL,
  failure_code TEXT,
  -- The row of the replica, where this server has it: its pulls count as pulls of the image.
  replica_id BIGINT,
  updated_at BIGINT NOT NULL,
  PRIMARY KEY (image_id, destination)
);

CREATE INDEX replication_statuses_by_replica ON replication_statuses (replica_id, image_id);
