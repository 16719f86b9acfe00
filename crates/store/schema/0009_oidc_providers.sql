-- OIDC providers are entities; these are the columns of their own. Both lists are JSON lists of texts:
-- a provider is read and written as a whole.
CREATE TABLE iam_oidc_providers (
  entity BIGINT NOT NULL PRIMARY KEY REFERENCES iam_entities (id) ON DELETE CASCADE,
  client_ids TEXT NOT NULL,
  thumbprints TEXT NOT NULL
);

-- What AWS has no field for, of OIDC and SAML providers: a sealed document, since it may hold the
-- credentials by which an issuer's documents are fetched.
CREATE TABLE provider_settings (
  entity BIGINT NOT NULL PRIMARY KEY REFERENCES iam_entities (id) ON DELETE CASCADE,
  sealed BYTES NOT NULL,
  updated_at BIGINT NOT NULL
);
