-- Sessions of the web console.
CREATE TABLE console_sessions (
  -- The session's name, which its credentials carry. It opens nothing, and stays when the secret changes.
  id TEXT NOT NULL PRIMARY KEY,
  -- SHA-256 of the secret in the browser's cookie.
  secret_hash BYTES NOT NULL UNIQUE,
  account TEXT NOT NULL,
  -- The unique id of the user or role that signed in; the account's id for the root user.
  principal TEXT NOT NULL,
  -- What the session's credentials are made from.
  sealed BYTES NOT NULL,
  -- The access key that signed in; null for other ways.
  access_key_id TEXT,
  -- When the password that signed in was set; null for other ways.
  password_changed_at BIGINT,
  created_at BIGINT NOT NULL,
  used_at BIGINT NOT NULL,
  ends_at BIGINT NOT NULL
);
CREATE INDEX console_sessions_by_principal ON console_sessions (account, principal, created_at);

-- One-time links that sign the root user in.
CREATE TABLE console_links (
  token_hash BYTES NOT NULL PRIMARY KEY,
  account TEXT NOT NULL,
  ends_at BIGINT NOT NULL
);
CREATE INDEX console_links_by_account ON console_links (account);
