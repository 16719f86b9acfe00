-- AWS Organizations: what groups the accounts of this server.
--
-- The e-mail address of an account's owner, in lower case where it is compared; and when an account was
-- closed. Its principals are refused from then on.
ALTER TABLE accounts ADD COLUMN email TEXT;

ALTER TABLE accounts ADD COLUMN email_folded TEXT;

ALTER TABLE accounts ADD COLUMN closed_at BIGINT;

CREATE UNIQUE INDEX accounts_email ON accounts (email_folded);

CREATE TABLE organizations (
  id TEXT NOT NULL PRIMARY KEY,
  management_account TEXT NOT NULL UNIQUE REFERENCES accounts (id),
  feature_set TEXT NOT NULL,
  root_id TEXT NOT NULL UNIQUE,
  created_at BIGINT NOT NULL,
  -- The delegation policy (PutResourcePolicy).
  resource_policy_id TEXT,
  resource_policy TEXT,
  -- The features of central root access, of IAM.
  root_credentials BIGINT NOT NULL,
  root_sessions BIGINT NOT NULL
);

-- A parent is the root's id or a unit's.
CREATE TABLE organization_units (
  id TEXT NOT NULL PRIMARY KEY,
  organization TEXT NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
  parent TEXT NOT NULL,
  name TEXT NOT NULL,
  UNIQUE (parent, name)
);

CREATE INDEX organization_units_organization ON organization_units (organization, id);

CREATE TABLE organization_accounts (
  account TEXT NOT NULL PRIMARY KEY REFERENCES accounts (id),
  organization TEXT NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
  parent TEXT NOT NULL,
  joined_method TEXT NOT NULL,
  joined_at BIGINT NOT NULL
);

CREATE INDEX organization_accounts_organization ON organization_accounts (organization, account);

CREATE INDEX organization_accounts_parent ON organization_accounts (parent, account);

CREATE TABLE organization_policy_types (
  organization TEXT NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
  policy_type TEXT NOT NULL,
  PRIMARY KEY (organization, policy_type)
);

CREATE TABLE organization_policies (
  id TEXT NOT NULL PRIMARY KEY,
  organization TEXT NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
  policy_type TEXT NOT NULL,
  name TEXT NOT NULL,
  description TEXT NOT NULL,
  content TEXT NOT NULL,
  UNIQUE (organization, name)
);

-- Of policies to a root, units and accounts. AWS's own policies have the same id in every organization
-- and no row above.
CREATE TABLE organization_attachments (
  organization TEXT NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
  target TEXT NOT NULL,
  policy TEXT NOT NULL,
  policy_type TEXT NOT NULL,
  PRIMARY KEY (organization, target, policy)
);

CREATE INDEX organization_attachments_policy ON organization_attachments (organization, policy, target);

CREATE TABLE organization_tags (
  organization TEXT NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
  resource TEXT NOT NULL,
  key TEXT NOT NULL,
  value TEXT NOT NULL,
  PRIMARY KEY (organization, resource, key)
);

CREATE TABLE organization_services (
  organization TEXT NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
  principal TEXT NOT NULL,
  enabled_at BIGINT NOT NULL,
  PRIMARY KEY (organization, principal)
);

CREATE TABLE organization_administrators (
  organization TEXT NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
  account TEXT NOT NULL,
  principal TEXT NOT NULL,
  enabled_at BIGINT NOT NULL,
  PRIMARY KEY (organization, account, principal)
);

-- Requests of CreateAccount, which are asked for by their id afterwards.
CREATE TABLE organization_account_requests (
  id TEXT NOT NULL PRIMARY KEY,
  organization TEXT NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
  account_name TEXT NOT NULL,
  state TEXT NOT NULL,
  requested_at BIGINT NOT NULL,
  account TEXT,
  failure TEXT
);

CREATE INDEX organization_account_requests_organization
  ON organization_account_requests (organization, id);

-- Invitations outlive the organization, so that who was invited still finds them.
CREATE TABLE organization_handshakes (
  id TEXT NOT NULL PRIMARY KEY,
  organization TEXT NOT NULL,
  management_account TEXT NOT NULL,
  action TEXT NOT NULL,
  state TEXT NOT NULL,
  requested_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL,
  -- The request to enable all features that this asks a member's consent to.
  parent TEXT,
  -- Who is invited: the account, and how the request named it (its id or its e-mail address).
  account TEXT NOT NULL,
  party_type TEXT NOT NULL,
  party_id TEXT NOT NULL,
  notes TEXT,
  -- A JSON list of keys and values, set on the account when it joins.
  tags TEXT NOT NULL
);

CREATE INDEX organization_handshakes_organization ON organization_handshakes (organization, id);

CREATE INDEX organization_handshakes_account ON organization_handshakes (account, id);
