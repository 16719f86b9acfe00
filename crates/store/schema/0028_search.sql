-- Who pushed an image, and what a search finds it by. The row is written in the transaction of the push;
-- the terms follow (`indexed`), because labels and the platform stand in the image's configuration.
CREATE TABLE image_facts (
  image_id BIGINT NOT NULL PRIMARY KEY REFERENCES images (id) ON DELETE CASCADE,
  repository_id BIGINT NOT NULL,
  registry TEXT NOT NULL,
  pushed_at BIGINT NOT NULL,
  pushed_by TEXT,
  pushed_session TEXT,
  platform TEXT,
  indexed BIGINT NOT NULL
);

CREATE INDEX image_facts_waiting ON image_facts (image_id) WHERE indexed = 0;
CREATE INDEX image_facts_by_push ON image_facts (registry, pushed_at, image_id);
CREATE INDEX image_facts_by_pusher ON image_facts (registry, pushed_by, pushed_at, image_id);

CREATE TABLE image_terms (
  registry TEXT NOT NULL,
  kind TEXT NOT NULL,
  term TEXT NOT NULL,
  image_id BIGINT NOT NULL REFERENCES images (id) ON DELETE CASCADE,
  PRIMARY KEY (registry, kind, term, image_id)
);

CREATE INDEX image_terms_by_image ON image_terms (image_id);

INSERT INTO image_facts (image_id, repository_id, registry, pushed_at, indexed)
  SELECT i.id, i.repository_id, r.account || ' ' || r.region, i.pushed_at, 0
  FROM images i JOIN repositories r ON r.id = i.repository_id;

-- Tags are found in a whole registry.
ALTER TABLE image_tags ADD COLUMN registry TEXT NOT NULL DEFAULT '';

UPDATE image_tags SET registry =
  (SELECT account || ' ' || region FROM repositories WHERE repositories.id = image_tags.repository_id);

CREATE INDEX image_tags_by_name ON image_tags (registry, tag, repository_id);
