-- What people do after a message reached them, and when we answered (see answers.go).
-- Rows of before have no step: of them nothing is told.
ALTER TABLE inbound ADD COLUMN step TEXT NOT NULL DEFAULT '';         -- wa.Step…; '' = is none
ALTER TABLE inbound ADD COLUMN label TEXT NOT NULL DEFAULT '';        -- of the button or list row: foreign text
ALTER TABLE inbound ADD COLUMN reply_to TEXT NOT NULL DEFAULT '';     -- wamid of ours
ALTER TABLE inbound ADD COLUMN answered_at INTEGER NOT NULL DEFAULT 0; -- 0 = not yet, -1 = asks for no answer
ALTER TABLE inbound ADD COLUMN message INTEGER NOT NULL DEFAULT 0;    -- of ours, that it belongs to
CREATE INDEX inbound_step ON inbound (campaign, person, at, answered_at, step, label, message) WHERE step <> '' AND campaign <> 0;
-- Someone's latest are looked at with each of their messages, however many they wrote.
DROP INDEX inbound_person;
CREATE INDEX inbound_person ON inbound (person, at);

-- What people of the business wrote to customers by hand, of the latest days: an
-- answer may be told of before what it answers.
CREATE TABLE echo (
  person INTEGER NOT NULL,
  number INTEGER NOT NULL,
  at     INTEGER NOT NULL,
  PRIMARY KEY (person, number, at)
) WITHOUT ROWID;
