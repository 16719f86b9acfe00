-- Where a registry's events are sent.
CREATE TABLE event_targets (
  id BIGSERIAL PRIMARY KEY,
  account TEXT NOT NULL,
  region TEXT NOT NULL,
  name TEXT NOT NULL,
  url TEXT NOT NULL,
  -- Which events, in the form of EventBridge's event patterns.
  pattern TEXT NOT NULL,
  -- What signs the requests, sealed; and what signed them before, until it is over.
  secret BYTES NOT NULL,
  previous_secret BYTES,
  previous_until BIGINT,
  -- 1: events are queued and sent.
  enabled BIGINT NOT NULL,
  disabled_reason TEXT,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  -- Failures since the last success, and the time before which nothing is sent.
  failures BIGINT NOT NULL,
  not_before BIGINT NOT NULL,
  lease_holder TEXT,
  lease_until BIGINT,
  UNIQUE (account, region, name)
);

-- Events that no queue has yet, each written in the transaction of the change that it tells of. Only those
-- that a target asks for are written.
CREATE TABLE events (
  id BIGSERIAL PRIMARY KEY,
  account TEXT NOT NULL,
  region TEXT NOT NULL,
  repository TEXT NOT NULL,
  source TEXT NOT NULL,
  detail_type TEXT NOT NULL,
  -- The ARN that `resources` lists; null where it is empty.
  resource TEXT,
  detail TEXT NOT NULL,
  occurred_at BIGINT NOT NULL
);
