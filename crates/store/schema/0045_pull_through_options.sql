-- What is set beside a rule of the pull through cache, as JSON; null for nothing.
ALTER TABLE pull_through_rules ADD COLUMN options TEXT;
