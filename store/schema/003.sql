-- A raw body is a row of its own only where posts is 0. Else the row is a segment:
-- that many posts, packed, with the ids from id on; received_at is the latest one's.
ALTER TABLE raw ADD COLUMN posts INTEGER NOT NULL DEFAULT 0;

-- Where the log ends, and from where on messages' rows lack what it tells (0 = nowhere).
ALTER TABLE feed ADD COLUMN last_raw INTEGER NOT NULL DEFAULT 0;
ALTER TABLE feed ADD COLUMN unsettled INTEGER NOT NULL DEFAULT 0;
ALTER TABLE feed ADD COLUMN store TEXT NOT NULL DEFAULT ''; -- names this store in our own callback data
UPDATE feed SET last_raw = max(
  coalesce((SELECT max(id) FROM raw), 0), coalesce((SELECT max(raw) FROM notice), 0), coalesce((SELECT max(raw) FROM status_event), 0));

-- The raw bodies tell every status, and the message's row what it comes to.
DROP TABLE status_event;

-- Rows are found by sorted runs of (hash, row id): see index.go.
DROP INDEX message_wamid;
DROP INDEX message_person;
DROP INDEX person_phone;
DROP INDEX person_bsuid;
ALTER TABLE message DROP COLUMN wamid_key;
ALTER TABLE message ADD COLUMN accepted_at INTEGER NOT NULL DEFAULT 0; -- by the API; of our own messages

CREATE TABLE index_run (
  id      INTEGER PRIMARY KEY,
  kind    INTEGER NOT NULL,           -- 1 wamid to message, 2 phone or BSUID to person, 3 person to message
  tier    INTEGER NOT NULL,
  state   INTEGER NOT NULL,           -- 0 being written, 1 in use, 2 merged into another
  entries INTEGER NOT NULL,
  fence   BLOB    NOT NULL,           -- first hash of each page
  filter  BLOB    NOT NULL
);
CREATE TABLE index_page (
  id      INTEGER PRIMARY KEY,        -- run << 20 | number of the page
  entries BLOB    NOT NULL            -- sorted pairs of hash and row id, 8 bytes each, big-endian
);
-- Entries of rows that were written before: for those the runs' tail cannot be read off the rows.
CREATE TABLE index_late (
  kind INTEGER NOT NULL,
  hash INTEGER NOT NULL,
  row  INTEGER NOT NULL,
  PRIMARY KEY (kind, hash, row)
) WITHOUT ROWID;
-- Up to which row an index has its entries in runs.
CREATE TABLE index_mark (
  kind INTEGER PRIMARY KEY,
  row  INTEGER NOT NULL
);
