-- Messages that failed and are not in the operator's sheet yet, in the order in
-- which it was told (see sheet.go).
CREATE TABLE sheet_row (
  id      INTEGER PRIMARY KEY,
  message INTEGER NOT NULL,
  post    INTEGER NOT NULL,            -- up to which one the message's row must be caught up with
  at      INTEGER NOT NULL             -- when it was told
);

-- What is known of that sheet, as wa.SheetMark.
CREATE TABLE sheet (
  one    INTEGER PRIMARY KEY CHECK (one = 1),
  target TEXT    NOT NULL,
  row    INTEGER NOT NULL,
  upto   INTEGER NOT NULL,
  rows   INTEGER NOT NULL,
  digest BLOB    NOT NULL
);
INSERT INTO sheet VALUES (1, '', 0, 0, 0, x'');
