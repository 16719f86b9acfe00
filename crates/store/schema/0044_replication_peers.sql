-- Registries of other servers that are destinations of replication.
CREATE TABLE replication_peers (
  -- The source.
  account TEXT NOT NULL,
  region TEXT NOT NULL,
  -- `account region` of the destination.
  destination TEXT NOT NULL,
  endpoint TEXT NOT NULL,
  access_key_id TEXT NOT NULL,
  -- Sealed.
  secret BYTES NOT NULL,
  -- PEM.
  certificate_authority TEXT,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  last_success_at BIGINT,
  last_failure_at BIGINT,
  last_failure TEXT,
  PRIMARY KEY (account, region, destination)
);

CREATE INDEX replication_tasks_by_destination ON replication_tasks (destination, repository_id);
