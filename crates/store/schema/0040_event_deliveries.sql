-- The queue of each target, and the events that it did not get. An event stands here once for each target, with
-- its body as it is sent.
CREATE TABLE event_deliveries (
  id BIGSERIAL PRIMARY KEY,
  target_id BIGINT NOT NULL REFERENCES event_targets (id) ON DELETE CASCADE,
  event_id TEXT NOT NULL,
  detail_type TEXT NOT NULL,
  repository TEXT NOT NULL,
  body TEXT NOT NULL,
  size BIGINT NOT NULL,
  occurred_at BIGINT NOT NULL,
  queued_at BIGINT NOT NULL,
  attempts BIGINT NOT NULL,
  due_at BIGINT NOT NULL,
  -- When the server gave up; null while the event waits.
  failed_at BIGINT,
  reason TEXT
);

CREATE INDEX event_deliveries_by_target ON event_deliveries (target_id, failed_at, id);
CREATE INDEX event_deliveries_due ON event_deliveries (target_id, due_at) WHERE failed_at IS NULL;
