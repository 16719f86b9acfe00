-- Rules of the pull through cache: whose images a repository prefix caches.
CREATE TABLE pull_through_rules (
  account TEXT NOT NULL,
  region TEXT NOT NULL,
  prefix TEXT NOT NULL,
  settings TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  PRIMARY KEY (account, region, prefix)
);

-- When a cached tag was last compared with its upstream.
CREATE TABLE pull_through_tags (
  repository_id BIGINT NOT NULL REFERENCES repositories (id) ON DELETE CASCADE,
  tag TEXT NOT NULL,
  checked_at BIGINT NOT NULL,
  PRIMARY KEY (repository_id, tag)
);
