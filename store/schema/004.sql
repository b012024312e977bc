-- Our own campaigns: what they send (see queue.go).
CREATE TABLE plan (
  campaign INTEGER PRIMARY KEY,
  state    TEXT    NOT NULL,           -- importing, draft, ready, running, cancelled
  first    INTEGER NOT NULL,           -- recipients of the list, in the order in which they are sent to:
  rows     INTEGER NOT NULL,           -- so many from first on
  next     INTEGER NOT NULL,           -- the first that was never looked at
  body     TEXT    NOT NULL            -- the rest, as JSON of wa.Plan
);

-- One row a message to be sent. A list's rows lie in the order of sending, so
-- that a claim reads and writes neighbours, whatever the size of the list.
CREATE TABLE recipient (
  id       INTEGER PRIMARY KEY,
  campaign INTEGER NOT NULL,
  phone    TEXT    NOT NULL,           -- digits without the plus
  state    INTEGER NOT NULL,           -- 0 waiting, 1 set aside, 2 claimed, 3 unknown, 4 cancelled, 5 refused, 6 handed over
  again    INTEGER NOT NULL,           -- waits, and is not reached by going on through the list
  due      INTEGER NOT NULL,           -- and not before this moment
  tries    INTEGER NOT NULL,           -- how often it has gone back to waiting
  message  INTEGER NOT NULL,           -- of the latest attempt; 0 = none
  retry_of INTEGER NOT NULL,           -- the failed message that this is a new attempt for; 0 = none
  line     INTEGER NOT NULL,           -- in the list
  reason   TEXT    NOT NULL,           -- why it is cancelled or waits again
  vals     TEXT    NOT NULL            -- JSON array, by the plan's columns
);
CREATE INDEX recipient_again ON recipient (campaign, due, id) WHERE again = 1;
CREATE INDEX recipient_open ON recipient (campaign, state) WHERE state IN (2, 3);
CREATE INDEX recipient_retry ON recipient (retry_of) WHERE retry_of <> 0;

-- Every attempt, on disk before its request leaves. Its message has a row once it
-- is handed over or refused.
CREATE TABLE attempt (
  message   INTEGER PRIMARY KEY,
  recipient INTEGER NOT NULL,
  number    INTEGER NOT NULL,
  template  INTEGER NOT NULL,          -- Meta's id
  at        INTEGER NOT NULL
);

CREATE TABLE rejected (
  campaign INTEGER NOT NULL,
  line     INTEGER NOT NULL,
  value    TEXT    NOT NULL,
  reason   TEXT    NOT NULL
);
CREATE INDEX rejected_campaign ON rejected (campaign, line);

CREATE TABLE gate (
  scope  TEXT    NOT NULL,
  id     TEXT    NOT NULL,
  closed INTEGER NOT NULL,
  by     TEXT    NOT NULL,
  reason TEXT    NOT NULL,
  since  INTEGER NOT NULL,
  opens_at INTEGER NOT NULL,           -- by itself; 0 = it does not
  PRIMARY KEY (scope, id)
) WITHOUT ROWID;

ALTER TABLE campaign ADD COLUMN waiting INTEGER NOT NULL DEFAULT 0;
ALTER TABLE campaign ADD COLUMN set_aside INTEGER NOT NULL DEFAULT 0;
ALTER TABLE campaign ADD COLUMN claimed INTEGER NOT NULL DEFAULT 0;
ALTER TABLE campaign ADD COLUMN unknown INTEGER NOT NULL DEFAULT 0;
ALTER TABLE campaign ADD COLUMN cancelled INTEGER NOT NULL DEFAULT 0;
ALTER TABLE campaign ADD COLUMN refused INTEGER NOT NULL DEFAULT 0;
ALTER TABLE campaign ADD COLUMN paced INTEGER NOT NULL DEFAULT 0;
ALTER TABLE pulse ADD COLUMN refused INTEGER NOT NULL DEFAULT 0;
ALTER TABLE pulse ADD COLUMN paced INTEGER NOT NULL DEFAULT 0;

-- Campaigns of other systems that an operator declared (see watch.go).
CREATE TABLE watch (
  campaign INTEGER PRIMARY KEY,
  number   INTEGER NOT NULL,
  started  INTEGER NOT NULL,           -- takes messages from here on; 0 = is still being declared
  listed   INTEGER NOT NULL,           -- only messages to people who have a recipient row (state 7)
  template TEXT    NOT NULL
);

-- What our own side did, in the order in which it was done among the posts: with
-- them it tells again how our own campaigns went (see journal.go). It names people
-- by row ids only.
CREATE TABLE journal (
  id       INTEGER PRIMARY KEY,
  post     INTEGER NOT NULL,           -- the latest post before it
  at       INTEGER NOT NULL,
  campaign INTEGER NOT NULL,           -- 0 = none alone
  body     TEXT    NOT NULL            -- JSON of a Deed
);
