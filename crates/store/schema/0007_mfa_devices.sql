-- Virtual MFA devices: entities with a sealed seed. An enabled device belongs to a user, or to the
-- account's root user where `user_id` is null.
CREATE TABLE iam_mfa_devices (
  entity BIGINT NOT NULL PRIMARY KEY REFERENCES iam_entities (id) ON DELETE CASCADE,
  account TEXT NOT NULL REFERENCES accounts (id),
  sealed_seed BYTES NOT NULL,
  user_id BIGINT REFERENCES iam_entities (id),
  -- Null: the device is not assigned.
  enabled_at BIGINT,
  -- The last time step whose code was accepted: that code and older ones are not accepted again.
  last_step BIGINT NOT NULL,
  -- How many steps the device's clock is ahead of the server's.
  drift BIGINT NOT NULL,
  -- Wrong codes in a row, and until when no code is looked at.
  failures BIGINT NOT NULL,
  wait_until BIGINT NOT NULL
);

CREATE INDEX iam_mfa_devices_user ON iam_mfa_devices (user_id, entity);

CREATE INDEX iam_mfa_devices_account ON iam_mfa_devices (account, enabled_at, entity);
