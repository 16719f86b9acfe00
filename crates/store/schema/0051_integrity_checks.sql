-- Checks of the integrity of metadata and layers: how far the one that runs is, and what each found.
CREATE TABLE integrity_checks (
  number BIGSERIAL PRIMARY KEY,
  id TEXT NOT NULL,
  status TEXT NOT NULL,
  repair BIGINT NOT NULL,
  -- Where it goes on, and what it looked at so far, as JSON.
  progress TEXT NOT NULL,
  started_at BIGINT NOT NULL,
  ended_at BIGINT,
  found BIGINT NOT NULL,
  repaired BIGINT NOT NULL,
  -- The number of findings by kind, as JSON.
  counts TEXT NOT NULL,
  reason TEXT
);

CREATE UNIQUE INDEX integrity_checks_by_id ON integrity_checks (id);

-- One runs at a time.
CREATE UNIQUE INDEX integrity_checks_running ON integrity_checks (status) WHERE status = 'RUNNING';

-- What a check found, the first thousand of it.
CREATE TABLE integrity_findings (
  number BIGINT NOT NULL REFERENCES integrity_checks (number) ON DELETE CASCADE,
  position BIGINT NOT NULL,
  kind TEXT NOT NULL,
  object TEXT NOT NULL,
  detail TEXT NOT NULL,
  repaired BIGINT NOT NULL,
  PRIMARY KEY (number, position)
);
