-- What an account that is asked for gets, until it is made; and when a request ended.
ALTER TABLE organization_account_requests ADD COLUMN email TEXT;

ALTER TABLE organization_account_requests ADD COLUMN role_name TEXT;

ALTER TABLE organization_account_requests ADD COLUMN tags TEXT;

ALTER TABLE organization_account_requests ADD COLUMN completed_at BIGINT;

CREATE INDEX organization_account_requests_state
  ON organization_account_requests (organization, state);
