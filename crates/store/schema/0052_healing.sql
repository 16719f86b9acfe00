-- Damaged manifests, for what fetches them from the registries that they were replicated to.
CREATE INDEX images_damaged ON images (id) WHERE damaged_at IS NOT NULL;
