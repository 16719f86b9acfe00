-- The ARN of the resource that an event is about; its region is the event's. Null: none, and the server's region.
ALTER TABLE service_events ADD COLUMN resource TEXT;
