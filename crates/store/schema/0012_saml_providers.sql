-- SAML providers are entities; these are the columns of their own. Issuer and keys are those of the
-- metadata: a sign-in reads them, and never the metadata, which may have ten million characters.
CREATE TABLE iam_saml_providers (
  entity BIGINT NOT NULL PRIMARY KEY REFERENCES iam_entities (id) ON DELETE CASCADE,
  uuid TEXT NOT NULL,
  metadata TEXT NOT NULL,
  issuer TEXT NOT NULL,
  -- A JSON list of RSA public keys in base64.
  signing_keys TEXT NOT NULL,
  -- Null: it was never set.
  encryption_mode TEXT
);

-- Keys that open encrypted assertions, sealed; the newest is tried first.
CREATE TABLE iam_saml_private_keys (
  id BIGSERIAL PRIMARY KEY,
  provider BIGINT NOT NULL REFERENCES iam_saml_providers (entity) ON DELETE CASCADE,
  key_id TEXT NOT NULL,
  sealed BYTES NOT NULL,
  uploaded_at BIGINT NOT NULL
);

CREATE INDEX iam_saml_private_keys_provider ON iam_saml_private_keys (provider, id);

-- Assertions that were used, of providers whose assertions hold once, until nobody could use them.
CREATE TABLE iam_saml_assertions (
  provider BIGINT NOT NULL REFERENCES iam_saml_providers (entity) ON DELETE CASCADE,
  assertion_id TEXT NOT NULL,
  usable_until BIGINT NOT NULL,
  PRIMARY KEY (provider, assertion_id)
);
