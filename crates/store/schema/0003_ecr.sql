-- Repositories and what hangs on them. Bytes of layers are in the blob store;
-- manifests are small and stand here, byte for byte.
CREATE TABLE repositories (
  id BIGSERIAL PRIMARY KEY,
  account TEXT NOT NULL,
  region TEXT NOT NULL,
  name TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  tag_mutability TEXT NOT NULL,
  tag_mutability_exclusions TEXT NOT NULL,
  scan_on_push BIGINT NOT NULL,
  policy TEXT,
  image_count BIGINT NOT NULL,
  UNIQUE (account, region, name)
);

CREATE TABLE repository_tags (
  repository_id BIGINT NOT NULL REFERENCES repositories (id) ON DELETE CASCADE,
  tag_key TEXT NOT NULL,
  tag_value TEXT NOT NULL,
  PRIMARY KEY (repository_id, tag_key)
);

CREATE TABLE registry_policies (
  account TEXT NOT NULL,
  region TEXT NOT NULL,
  policy TEXT NOT NULL,
  PRIMARY KEY (account, region)
);

-- Every blob that was ever acknowledged and not collected since. A row is written
-- after its file is durable; whoever deletes it proves in the same transaction that
-- no layer links it.
CREATE TABLE blobs (
  digest TEXT NOT NULL PRIMARY KEY,
  size BIGINT NOT NULL,
  stored_at BIGINT NOT NULL
);

-- Which blobs a repository may show. A blob that no row here names is unreachable.
CREATE TABLE layers (
  repository_id BIGINT NOT NULL REFERENCES repositories (id) ON DELETE CASCADE,
  digest TEXT NOT NULL REFERENCES blobs (digest),
  size BIGINT NOT NULL,
  linked_at BIGINT NOT NULL,
  PRIMARY KEY (repository_id, digest)
);

CREATE INDEX layers_by_digest ON layers (digest);

-- Unfinished uploads that are worth resuming after a restart. Small ones have no
-- row: their id says which repository they belong to.
CREATE TABLE uploads (
  id TEXT NOT NULL PRIMARY KEY,
  repository_id BIGINT NOT NULL REFERENCES repositories (id) ON DELETE CASCADE,
  kept_at BIGINT NOT NULL
);

CREATE INDEX uploads_by_repository ON uploads (repository_id);

CREATE TABLE images (
  id BIGSERIAL PRIMARY KEY,
  repository_id BIGINT NOT NULL REFERENCES repositories (id) ON DELETE CASCADE,
  digest TEXT NOT NULL,
  media_type TEXT NOT NULL,
  artifact_type TEXT,
  subject TEXT,
  annotations TEXT,
  content BYTES NOT NULL,
  content_size BIGINT NOT NULL,
  image_size BIGINT NOT NULL,
  pushed_at BIGINT NOT NULL,
  pulled_at BIGINT,
  UNIQUE (repository_id, digest)
);

CREATE INDEX images_in_order ON images (repository_id, id);
CREATE INDEX images_by_subject ON images (repository_id, subject, id);

CREATE TABLE image_tags (
  repository_id BIGINT NOT NULL REFERENCES repositories (id) ON DELETE CASCADE,
  tag TEXT NOT NULL,
  image_id BIGINT NOT NULL REFERENCES images (id) ON DELETE CASCADE,
  tagged_at BIGINT NOT NULL,
  PRIMARY KEY (repository_id, tag)
);

CREATE INDEX image_tags_by_image ON image_tags (image_id, tag);

-- What an image is made of. While a row here names a layer or a child, neither is
-- deleted from the repository.
CREATE TABLE image_layers (
  image_id BIGINT NOT NULL REFERENCES images (id) ON DELETE CASCADE,
  digest TEXT NOT NULL,
  repository_id BIGINT NOT NULL,
  PRIMARY KEY (image_id, digest)
);

CREATE INDEX image_layers_by_digest ON image_layers (repository_id, digest);

CREATE TABLE image_children (
  image_id BIGINT NOT NULL REFERENCES images (id) ON DELETE CASCADE,
  digest TEXT NOT NULL,
  repository_id BIGINT NOT NULL,
  PRIMARY KEY (image_id, digest)
);

CREATE INDEX image_children_by_digest ON image_children (repository_id, digest);
