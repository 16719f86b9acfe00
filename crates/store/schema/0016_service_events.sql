-- Audit events of work that no request asked for: first start, commands, jobs. A row is written in the
-- transaction of the change it tells of. A server moves the rows to its audit log.
CREATE TABLE service_events (
  id BIGSERIAL PRIMARY KEY,
  occurred_at BIGINT NOT NULL,
  -- Who did it (`invokedBy`), and what, as `eventSource` and `eventName`.
  service TEXT NOT NULL,
  source TEXT NOT NULL,
  name TEXT NOT NULL,
  -- Twelve digits; null for what belongs to no account.
  account TEXT,
  -- `serviceEventDetails`, as JSON.
  details TEXT NOT NULL,
  -- Until when the server that took the row has time to write it.
  claimed_until BIGINT NOT NULL
);

-- Sessions of the root user that were issued before this time are over.
ALTER TABLE accounts ADD COLUMN root_sessions_from BIGINT;
