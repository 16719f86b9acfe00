-- Repository creation templates: settings of repositories that are created by a push, a replication or a cache.
CREATE TABLE repository_templates (
  account TEXT NOT NULL,
  region TEXT NOT NULL,
  prefix TEXT NOT NULL,
  settings TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  PRIMARY KEY (account, region, prefix)
);
