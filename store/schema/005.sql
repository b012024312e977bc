-- Who must not be written to (see suppress.go). The failed messages of a person, which
-- the rules count: a partial index, so that it is never other than the rows are.
CREATE INDEX message_failing ON message (person, code, code_at) WHERE state = 2;
CREATE INDEX person_opted_out ON person (id) WHERE opted_out;

-- The suppression list: by hand or imported.
CREATE TABLE suppressed (
  id       INTEGER PRIMARY KEY,
  kind     INTEGER NOT NULL,           -- of its name: 0 phone, digits; 1 HMAC-SHA-256 by the store's key; 2 SHA-256
  name     BLOB    NOT NULL,
  channels INTEGER NOT NULL,           -- closed ones, as bits
  since    INTEGER NOT NULL,
  until    INTEGER NOT NULL,           -- 0 = for ever
  by       TEXT    NOT NULL,
  reason   TEXT    NOT NULL
);
-- How many entries of each kind it has, and the key.
CREATE TABLE suppression (
  one    INTEGER PRIMARY KEY CHECK (one = 1),
  phones INTEGER NOT NULL,
  hmacs  INTEGER NOT NULL,
  hashes INTEGER NOT NULL,
  key    BLOB    NOT NULL
);
INSERT INTO suppression VALUES (1, 0, 0, 0, x'');

-- Until when nothing that happened to a person counts for a rule: somebody released
-- them from it then.
CREATE TABLE released (
  person INTEGER NOT NULL,
  rule   TEXT    NOT NULL,
  at     INTEGER NOT NULL,
  PRIMARY KEY (person, rule)
) WITHOUT ROWID;
