-- What all accounts store together is summed over their own rows alone.
CREATE INDEX usage_stored_by_subject ON usage_stored (subject, stored);
