-- Changes are counted by account, registry and repository. `stamp` orders them for the other nodes: on
-- SQLite a number that grows with each commit, on PostgreSQL the number of the transaction.
ALTER TABLE changes ADD COLUMN stamp BIGINT NOT NULL DEFAULT 0;

CREATE INDEX changes_by_stamp ON changes (stamp);

DELETE FROM changes WHERE topic IN ('identity', 'registry');
