-- What denials are filtered and grouped by. Older rows have empty texts and go within a week.
ALTER TABLE denials ADD COLUMN principal_arn TEXT NOT NULL DEFAULT '';
-- A session's role, so that a filter finds all sessions of it.
ALTER TABLE denials ADD COLUMN issuer_arn TEXT NOT NULL DEFAULT '';
ALTER TABLE denials ADD COLUMN action TEXT NOT NULL DEFAULT '';
ALTER TABLE denials ADD COLUMN resource TEXT NOT NULL DEFAULT '';
ALTER TABLE denials ADD COLUMN cause TEXT NOT NULL DEFAULT '';
CREATE INDEX denials_by_cause ON denials (account, cause, at);
CREATE INDEX denials_by_age ON denials (at);
