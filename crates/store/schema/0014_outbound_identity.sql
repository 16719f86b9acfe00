-- Accounts whose principals get identity tokens for other services. The issuer's id is part of its URL and
-- stays when the feature is disabled and enabled again.
CREATE TABLE outbound_issuers (
  account TEXT NOT NULL PRIMARY KEY REFERENCES accounts (id),
  issuer_id TEXT NOT NULL UNIQUE,
  enabled BIGINT NOT NULL
);

-- The keys that sign these tokens: the private key is sealed, the public one is published as it stands.
CREATE TABLE outbound_keys (
  id BIGSERIAL PRIMARY KEY,
  account TEXT NOT NULL REFERENCES accounts (id),
  algorithm TEXT NOT NULL,
  key_id TEXT NOT NULL,
  public_jwk TEXT NOT NULL,
  sealed_key BYTES NOT NULL,
  created_at BIGINT NOT NULL
);

CREATE INDEX outbound_keys_account ON outbound_keys (account, algorithm, id);
