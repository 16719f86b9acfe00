-- Sign-in to the web console through identity providers.

-- Whether people sign in to the console through the provider; the sealed settings say how.
ALTER TABLE provider_settings ADD COLUMN console BIGINT NOT NULL DEFAULT 0;

-- Where people sign in at the provider (SingleSignOnService of the HTTP-Redirect binding). Null: the metadata names
-- no such place, or it was uploaded before this column was there.
ALTER TABLE iam_saml_providers ADD COLUMN sign_on_url TEXT;

-- The unique id of the identity provider that began the session; null for other ways.
ALTER TABLE console_sessions ADD COLUMN provider TEXT;

-- Sign-ins that came back from a provider: each can come back once, on whatever node.
CREATE TABLE console_sign_ins (
  -- Drawn when the sign-in began; only the browser and the provider know it.
  id TEXT NOT NULL PRIMARY KEY,
  account TEXT NOT NULL,
  -- What the provider said, while the person chooses a role; null otherwise.
  sealed BYTES,
  ends_at BIGINT NOT NULL
);
CREATE INDEX console_sign_ins_by_account ON console_sign_ins (account, ends_at);
