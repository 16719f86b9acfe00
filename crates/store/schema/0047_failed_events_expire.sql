-- What was given up is found by its age, so that it can be deleted when it has been kept long enough.
CREATE INDEX event_deliveries_failed ON event_deliveries (failed_at) WHERE failed_at IS NOT NULL;
