-- The name of an MFA device is unique at its path: it is found by both.
UPDATE iam_entities SET name_folded = lower(substr(path, 2) || name) WHERE kind = 'mfa' AND path <> '/';
