-- Accounts and IAM. Users, groups, roles, customer managed policies and instance
-- profiles are one table with one file of statements each: they share names, paths,
-- unique ids, tags and policies, and a name is unique in its account and kind whatever
-- its letters' case.
CREATE TABLE accounts (
  id TEXT NOT NULL PRIMARY KEY,
  name TEXT NOT NULL,
  alias TEXT UNIQUE,
  created_at BIGINT NOT NULL
);

CREATE TABLE iam_entities (
  id BIGSERIAL PRIMARY KEY,
  account TEXT NOT NULL REFERENCES accounts (id),
  kind TEXT NOT NULL,
  name TEXT NOT NULL,
  name_folded TEXT NOT NULL,
  path TEXT NOT NULL,
  unique_id TEXT NOT NULL UNIQUE,
  created_at BIGINT NOT NULL,
  -- The ARN of a managed policy, customer's or AWS's. Policies are never renamed.
  boundary_arn TEXT,
  UNIQUE (account, kind, name_folded)
);

CREATE INDEX iam_entities_boundary ON iam_entities (boundary_arn, id);

CREATE TABLE iam_roles (
  entity BIGINT NOT NULL PRIMARY KEY REFERENCES iam_entities (id) ON DELETE CASCADE,
  -- With unique ids where the document named users and roles.
  trust_policy TEXT NOT NULL,
  description TEXT,
  max_session_seconds BIGINT NOT NULL,
  last_used_at BIGINT,
  last_used_region TEXT
);

CREATE TABLE iam_policies (
  entity BIGINT NOT NULL PRIMARY KEY REFERENCES iam_entities (id) ON DELETE CASCADE,
  description TEXT,
  default_version BIGINT NOT NULL,
  -- Version numbers are never given twice, so that `v2` always means one text.
  last_version BIGINT NOT NULL,
  updated_at BIGINT NOT NULL
);

CREATE TABLE iam_policy_versions (
  policy BIGINT NOT NULL REFERENCES iam_policies (entity) ON DELETE CASCADE,
  version BIGINT NOT NULL,
  document TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  PRIMARY KEY (policy, version)
);

CREATE TABLE iam_inline_policies (
  entity BIGINT NOT NULL REFERENCES iam_entities (id) ON DELETE CASCADE,
  name TEXT NOT NULL,
  document TEXT NOT NULL,
  PRIMARY KEY (entity, name)
);

CREATE TABLE iam_attachments (
  entity BIGINT NOT NULL REFERENCES iam_entities (id) ON DELETE CASCADE,
  policy_arn TEXT NOT NULL,
  PRIMARY KEY (entity, policy_arn)
);

CREATE INDEX iam_attachments_policy ON iam_attachments (policy_arn, entity);

CREATE TABLE iam_tags (
  entity BIGINT NOT NULL REFERENCES iam_entities (id) ON DELETE CASCADE,
  key TEXT NOT NULL,
  key_folded TEXT NOT NULL,
  value TEXT NOT NULL,
  PRIMARY KEY (entity, key_folded)
);

CREATE TABLE iam_group_members (
  group_id BIGINT NOT NULL REFERENCES iam_entities (id) ON DELETE CASCADE,
  user_id BIGINT NOT NULL REFERENCES iam_entities (id) ON DELETE CASCADE,
  PRIMARY KEY (group_id, user_id)
);

CREATE INDEX iam_group_members_user ON iam_group_members (user_id, group_id);

CREATE TABLE iam_instance_profile_roles (
  profile BIGINT NOT NULL PRIMARY KEY REFERENCES iam_entities (id) ON DELETE CASCADE,
  role BIGINT NOT NULL REFERENCES iam_entities (id)
);

CREATE INDEX iam_instance_profile_roles_role ON iam_instance_profile_roles (role, profile);

CREATE TABLE iam_access_keys (
  id TEXT NOT NULL PRIMARY KEY,
  account TEXT NOT NULL REFERENCES accounts (id),
  -- Null: the account's root user.
  user_id BIGINT REFERENCES iam_entities (id),
  active BIGINT NOT NULL,
  sealed_secret BYTES NOT NULL,
  created_at BIGINT NOT NULL,
  last_used_at BIGINT,
  last_used_service TEXT,
  last_used_region TEXT
);

CREATE INDEX iam_access_keys_user ON iam_access_keys (user_id, id);

CREATE INDEX iam_access_keys_account ON iam_access_keys (account, id);

-- The key ring: each key sealed under the master key, the newest seals, all open.
CREATE TABLE sealing_keys (
  id BIGSERIAL PRIMARY KEY,
  sealed_key BYTES NOT NULL,
  created_at BIGINT NOT NULL
);
