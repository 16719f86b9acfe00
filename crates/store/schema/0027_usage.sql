-- Who pulled which image on which day. Written in batches from what nodes noted.
CREATE TABLE image_pulls (
  repository_id BIGINT NOT NULL REFERENCES repositories (id) ON DELETE CASCADE,
  day BIGINT NOT NULL,
  digest TEXT NOT NULL,
  principal TEXT NOT NULL,
  pulls BIGINT NOT NULL,
  last_at BIGINT NOT NULL,
  PRIMARY KEY (repository_id, day, digest, principal)
);

CREATE INDEX image_pulls_by_image ON image_pulls (repository_id, digest, day);
CREATE INDEX image_pulls_by_day ON image_pulls (day);

-- What was transferred on a day, by account, repository and principal, and what was stored at its end where
-- that changed on the day. Rows of deleted repositories stay: they count in the account.
CREATE TABLE usage_days (
  registry TEXT NOT NULL,
  subject TEXT NOT NULL,
  day BIGINT NOT NULL,
  received BIGINT NOT NULL,
  sent BIGINT NOT NULL,
  pulls BIGINT NOT NULL,
  pushes BIGINT NOT NULL,
  stored BIGINT,
  PRIMARY KEY (registry, subject, day)
);

CREATE INDEX usage_days_by_day ON usage_days (day);

-- What is stored now, and what of it other repositories of the account have as well.
CREATE TABLE usage_stored (
  registry TEXT NOT NULL,
  subject TEXT NOT NULL,
  stored BIGINT NOT NULL,
  shared BIGINT NOT NULL,
  PRIMARY KEY (registry, subject)
);

-- The layers and manifests that the counters above include.
CREATE TABLE usage_objects (
  registry TEXT NOT NULL,
  digest TEXT NOT NULL,
  repository_id BIGINT NOT NULL,
  size BIGINT NOT NULL,
  PRIMARY KEY (registry, digest, repository_id)
);

CREATE INDEX usage_objects_by_repository ON usage_objects (repository_id, digest);

-- Layers and manifests that came or went since. A row is written in the transaction of the change; an empty
-- digest stands for a deleted repository. Counting removes rows, so that no push waits for a counter.
CREATE TABLE usage_changes (
  id BIGSERIAL PRIMARY KEY,
  repository_id BIGINT NOT NULL,
  digest TEXT NOT NULL
);

INSERT INTO usage_changes (repository_id, digest) SELECT repository_id, digest FROM layers;

INSERT INTO usage_changes (repository_id, digest) SELECT repository_id, digest FROM images;
