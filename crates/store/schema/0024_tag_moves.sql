-- Every move of a tag, written in the transaction that moves it. Rows of a deleted repository go with it.
CREATE TABLE tag_moves (
  id BIGSERIAL PRIMARY KEY,
  repository_id BIGINT NOT NULL REFERENCES repositories (id) ON DELETE CASCADE,
  tag TEXT NOT NULL,
  moved_at BIGINT NOT NULL,
  method TEXT NOT NULL,
  from_digest TEXT,
  to_digest TEXT,
  principal TEXT,
  session_name TEXT,
  service TEXT,
  request_id TEXT
);

CREATE INDEX tag_moves_by_repository ON tag_moves (repository_id, id);
CREATE INDEX tag_moves_by_tag ON tag_moves (repository_id, tag, id);
CREATE INDEX tag_moves_to ON tag_moves (repository_id, to_digest, id);
CREATE INDEX tag_moves_from ON tag_moves (repository_id, from_digest, id);
