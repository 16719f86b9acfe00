-- Hosts with a role, and the invitations by which they join.
CREATE TABLE hosts (
  id TEXT NOT NULL PRIMARY KEY,
  account TEXT NOT NULL REFERENCES accounts (id),
  region TEXT NOT NULL,
  name TEXT,
  -- The instance profile by its unique id. No foreign key: a profile may be deleted, and its hosts
  -- then have no role.
  profile TEXT NOT NULL,
  profile_arn TEXT NOT NULL,
  -- P-256, as an uncompressed point.
  public_key BYTES NOT NULL,
  joined_at BIGINT NOT NULL,
  last_seen_at BIGINT,
  revoked_at BIGINT
);

CREATE INDEX hosts_by_region ON hosts (account, region, id);

CREATE TABLE host_tags (
  host TEXT NOT NULL REFERENCES hosts (id) ON DELETE CASCADE,
  key TEXT NOT NULL,
  value TEXT NOT NULL,
  PRIMARY KEY (host, key)
);

-- What a host has used within the time in which its signature is accepted.
CREATE TABLE host_nonces (
  host TEXT NOT NULL REFERENCES hosts (id) ON DELETE CASCADE,
  nonce TEXT NOT NULL,
  expires_at BIGINT NOT NULL,
  PRIMARY KEY (host, nonce)
);

CREATE TABLE host_invitations (
  id TEXT NOT NULL PRIMARY KEY,
  account TEXT NOT NULL REFERENCES accounts (id),
  region TEXT NOT NULL,
  -- SHA-256 of the code, which has 256 random bits.
  code_hash BYTES NOT NULL UNIQUE,
  profile TEXT NOT NULL,
  -- The only host name that may use it.
  host_name TEXT,
  -- Of the host that joins: a JSON list of pairs.
  tags TEXT NOT NULL,
  expires_at BIGINT NOT NULL,
  used_at BIGINT
);

CREATE INDEX host_invitations_by_account ON host_invitations (account, expires_at);
