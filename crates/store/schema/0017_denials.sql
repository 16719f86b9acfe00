-- Denied requests, for explanations.
CREATE TABLE denials (
  account TEXT NOT NULL,
  request_id TEXT NOT NULL,
  at BIGINT NOT NULL,
  document TEXT NOT NULL,
  PRIMARY KEY (account, request_id)
);
CREATE INDEX denials_by_time ON denials (account, at);
