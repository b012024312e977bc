-- An alarm that an operator has quietened for a while: until when (0 = not, -1 =
-- until it grows), by whom ('' = it is over), and whether it was at act then.
ALTER TABLE alarm ADD COLUMN snoozed_until INTEGER NOT NULL DEFAULT 0;
ALTER TABLE alarm ADD COLUMN snoozed_by TEXT NOT NULL DEFAULT '';
ALTER TABLE alarm ADD COLUMN snoozed_act INTEGER NOT NULL DEFAULT 0;

-- What was sent to whom about which alarm, as wa.Told.
CREATE TABLE told (
  target TEXT    NOT NULL,
  alarm  INTEGER NOT NULL,
  raised INTEGER NOT NULL,             -- of the alarm: ids that were never stored are given again
  stage  INTEGER NOT NULL,
  at     INTEGER NOT NULL,
  PRIMARY KEY (target, alarm)
) WITHOUT ROWID;

-- Counts of reports and blocks that an operator read off WhatsApp Manager, the
-- latest of each campaign (see reported.go).
CREATE TABLE reported (
  campaign INTEGER NOT NULL,
  what     TEXT    NOT NULL,           -- reports, blocks
  people   INTEGER NOT NULL,
  source   TEXT    NOT NULL,
  by       TEXT    NOT NULL,
  at       INTEGER NOT NULL,
  PRIMARY KEY (campaign, what)
) WITHOUT ROWID;
