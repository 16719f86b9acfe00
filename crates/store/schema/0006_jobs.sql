-- Background work that outlives a restart. A node leases a job while it runs it; where the lease ends
-- without a word of the node, another one takes the job over.
CREATE TABLE jobs (
  id BIGSERIAL PRIMARY KEY,
  kind TEXT NOT NULL,
  -- What the job is about: a kind has one job for each subject.
  subject TEXT NOT NULL,
  payload TEXT NOT NULL,
  -- Grows when the job is asked for again, also while it runs.
  revision BIGINT NOT NULL,
  run_at BIGINT NOT NULL,
  -- In a row, since the last success.
  failures BIGINT NOT NULL,
  last_error TEXT,
  lease_holder TEXT,
  lease_until BIGINT,
  UNIQUE (kind, subject)
);

CREATE INDEX jobs_by_time ON jobs (kind, run_at, id);
