-- Passwords of users, and what an account demands of them.
CREATE TABLE iam_login_profiles (
  user_id BIGINT NOT NULL PRIMARY KEY REFERENCES iam_entities (id),
  -- The hash, sealed: who has the database alone cannot even guess.
  sealed_hash BYTES NOT NULL,
  created_at BIGINT NOT NULL,
  changed_at BIGINT NOT NULL,
  reset_required BIGINT NOT NULL,
  max_signin_seconds BIGINT,
  last_used_at BIGINT,
  -- Wrong passwords in a row, and until when none is looked at.
  failures BIGINT NOT NULL,
  wait_until BIGINT NOT NULL
);

-- Earlier passwords of a user, so that they are not used again.
CREATE TABLE iam_password_history (
  id BIGSERIAL PRIMARY KEY,
  user_id BIGINT NOT NULL REFERENCES iam_login_profiles (user_id) ON DELETE CASCADE,
  sealed_hash BYTES NOT NULL
);

CREATE INDEX iam_password_history_user ON iam_password_history (user_id, id);

CREATE TABLE iam_password_policies (
  account TEXT NOT NULL PRIMARY KEY REFERENCES accounts (id),
  minimum_length BIGINT NOT NULL,
  require_symbols BIGINT NOT NULL,
  require_numbers BIGINT NOT NULL,
  require_uppercase BIGINT NOT NULL,
  require_lowercase BIGINT NOT NULL,
  allow_users_to_change BIGINT NOT NULL,
  max_age_days BIGINT,
  reuse_prevention BIGINT,
  hard_expiry BIGINT
);

-- Service-specific credentials. Their secrets are told once and kept nowhere: no service here takes them.
CREATE TABLE iam_service_credentials (
  id TEXT NOT NULL PRIMARY KEY,
  account TEXT NOT NULL REFERENCES accounts (id),
  user_id BIGINT NOT NULL REFERENCES iam_entities (id),
  service TEXT NOT NULL,
  -- `ServiceUserName`, or `ServiceCredentialAlias` of an API key.
  name TEXT NOT NULL,
  active BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  expires_at BIGINT
);

CREATE INDEX iam_service_credentials_user ON iam_service_credentials (user_id, id);

CREATE INDEX iam_service_credentials_account ON iam_service_credentials (account, id);

-- Deletions of service-linked roles, which are asked for by task.
CREATE TABLE iam_role_deletions (
  id TEXT NOT NULL PRIMARY KEY,
  account TEXT NOT NULL REFERENCES accounts (id),
  created_at BIGINT NOT NULL
);

CREATE INDEX iam_role_deletions_account ON iam_role_deletions (account, created_at);

-- What an account keeps beside its entities: its credential report, its properties, and which tokens the
-- global endpoint gives.
CREATE TABLE iam_credential_reports (
  account TEXT NOT NULL PRIMARY KEY REFERENCES accounts (id),
  content BYTES NOT NULL,
  generated_at BIGINT NOT NULL
);

CREATE TABLE iam_account_properties (
  account TEXT NOT NULL REFERENCES accounts (id),
  name TEXT NOT NULL,
  value TEXT NOT NULL,
  PRIMARY KEY (account, name)
);

CREATE TABLE iam_sts_preferences (
  account TEXT NOT NULL PRIMARY KEY REFERENCES accounts (id),
  token_version BIGINT NOT NULL
);

-- When users and roles last called each service, also where the call was denied.
CREATE TABLE iam_service_uses (
  entity BIGINT NOT NULL REFERENCES iam_entities (id) ON DELETE CASCADE,
  service TEXT NOT NULL,
  used_at BIGINT NOT NULL,
  region TEXT NOT NULL,
  PRIMARY KEY (entity, service)
);

-- Reports of last accesses that were asked for.
CREATE TABLE iam_access_jobs (
  id TEXT NOT NULL PRIMARY KEY,
  account TEXT NOT NULL REFERENCES accounts (id),
  -- The unique id of the user or role that asked, or the account for root.
  requester TEXT NOT NULL,
  -- An ARN, or the path of an entity of an organization.
  subject TEXT NOT NULL,
  action_level BIGINT NOT NULL,
  created_at BIGINT NOT NULL
);

CREATE INDEX iam_access_jobs_account ON iam_access_jobs (account, created_at);

-- Requests for temporary access, which belong to no account until one takes them.
CREATE TABLE iam_delegation_requests (
  id TEXT NOT NULL PRIMARY KEY,
  requestor TEXT NOT NULL REFERENCES accounts (id),
  workflow_id TEXT NOT NULL,
  -- What the requestor said: description, permissions, duration.
  details TEXT NOT NULL,
  owner_account TEXT,
  -- The ARN of the identity that took it.
  owner_id TEXT,
  approver_id TEXT,
  state TEXT NOT NULL,
  notes TEXT,
  rejection_reason TEXT,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL,
  UNIQUE (requestor, workflow_id)
);

CREATE INDEX iam_delegation_requests_owner ON iam_delegation_requests (owner_account, id);
