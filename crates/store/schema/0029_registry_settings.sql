-- Settings of an account's registry in a region: the account settings by their names in the ECR API, and the
-- scanning configuration. What has no row has its default.
CREATE TABLE registry_settings (
  account TEXT NOT NULL,
  region TEXT NOT NULL,
  name TEXT NOT NULL,
  value TEXT NOT NULL,
  PRIMARY KEY (account, region, name)
);

-- Principals whose pulls do not count as the time of an image's last pull.
CREATE TABLE pull_time_exclusions (
  account TEXT NOT NULL,
  region TEXT NOT NULL,
  principal_arn TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  PRIMARY KEY (account, region, principal_arn)
);
