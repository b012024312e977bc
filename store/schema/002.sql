-- Whose a number is, so that news of an account's limits reaches its numbers;
-- and those limits, for numbers that are told of later.
ALTER TABLE number ADD COLUMN account TEXT NOT NULL DEFAULT '';
CREATE TABLE account (
  id        TEXT PRIMARY KEY,
  msg_limit TEXT    NOT NULL,
  limit_at  INTEGER NOT NULL
) WITHOUT ROWID;

ALTER TABLE template ADD COLUMN category_at INTEGER NOT NULL DEFAULT 0;

-- Phones and BSUIDs that people had until they took others. A phone is given to
-- somebody else in time, so each goes with the moment until which it was theirs.
CREATE TABLE former_name (
  name   TEXT    NOT NULL,
  until  INTEGER NOT NULL,
  person INTEGER NOT NULL,
  PRIMARY KEY (name, until)
) WITHOUT ROWID;
CREATE INDEX former_name_person ON former_name (person);

-- The notice that tells of an inbound message, so that both can go when its
-- sender deletes it. Kinds of notice since: components, number_name, security,
-- capability, alert, action, deleted.
ALTER TABLE inbound ADD COLUMN notice INTEGER NOT NULL DEFAULT 0;

-- Finds what Meta repeats.
CREATE INDEX notice_standing ON notice (kind, at) WHERE kind NOT IN ('inbound', 'preference');
