-- The bytes of the layers that a repository links, counted as they are linked and unlinked: what quotas of bytes
-- are compared with.
ALTER TABLE repositories ADD COLUMN layer_bytes BIGINT NOT NULL DEFAULT 0;

UPDATE repositories SET layer_bytes =
  COALESCE((SELECT SUM(size) FROM layers WHERE layers.repository_id = repositories.id), 0);
