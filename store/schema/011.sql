-- Messages to the operator's own phones, sent among those of a campaign (see
-- seed.go). They are no messages of it: nothing else here counts them.
CREATE TABLE seed (
  id           INTEGER PRIMARY KEY,
  campaign     INTEGER NOT NULL,
  number       TEXT    NOT NULL,       -- phone_number_id
  phone        TEXT    NOT NULL,       -- digits; '' where a recording tells of it
  after        INTEGER NOT NULL,       -- handed-over messages of the campaign at which it was due
  state        INTEGER NOT NULL,       -- 0 claimed, 1 may have gone out, 2 with Meta, 3 refused, 4 did not go out
  wamid        TEXT    NOT NULL,
  claimed_at   INTEGER NOT NULL,
  seen         INTEGER NOT NULL,       -- and the rest of wa.Progress
  accepted_at  INTEGER NOT NULL,
  sent_at      INTEGER NOT NULL,
  delivered_at INTEGER NOT NULL,
  read_at      INTEGER NOT NULL,
  failed_at    INTEGER NOT NULL,
  code         INTEGER NOT NULL,
  code_at      INTEGER NOT NULL
);
CREATE INDEX seed_campaign ON seed (campaign, id);
CREATE INDEX seed_open ON seed (state) WHERE state = 0;
