-- Small facts about this Berth itself, and the counters that tell nodes of changes.
CREATE TABLE settings (
  name TEXT NOT NULL PRIMARY KEY,
  value TEXT NOT NULL
);

CREATE TABLE changes (
  topic TEXT NOT NULL PRIMARY KEY,
  generation BIGINT NOT NULL
);

INSERT INTO changes (topic, generation) VALUES ('identity', 1), ('registry', 1);
