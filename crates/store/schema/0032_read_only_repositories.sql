-- The read-only mode of a repository: who changed it when and why, as JSON. Null: it was never changed.
ALTER TABLE repositories ADD COLUMN read_only_mode TEXT;
