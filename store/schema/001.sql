-- Raw bodies, as they were signed. Nothing that a provider sent is thrown away.
CREATE TABLE raw (
  id          INTEGER PRIMARY KEY,
  received_at INTEGER NOT NULL,           -- milliseconds, as all times here
  source      TEXT    NOT NULL,
  body        BLOB    NOT NULL
);

-- One row a campaign, with its running totals.
CREATE TABLE campaign (
  id            INTEGER PRIMARY KEY,
  key           TEXT    NOT NULL UNIQUE,  -- what people and scripts call its id
  name          TEXT    NOT NULL,
  kind          TEXT    NOT NULL,         -- key: by callback data; run: a number's messages without a key
  number        INTEGER NOT NULL,         -- number of the first message
  first_message INTEGER NOT NULL,
  run_from      INTEGER NOT NULL DEFAULT 0,
  run_to        INTEGER NOT NULL DEFAULT 0,
  latest        INTEGER NOT NULL DEFAULT 0, -- latest clock of a message
  messages      INTEGER NOT NULL DEFAULT 0,
  sent          INTEGER NOT NULL DEFAULT 0,
  delivered     INTEGER NOT NULL DEFAULT 0,
  read          INTEGER NOT NULL DEFAULT 0,
  failed        INTEGER NOT NULL DEFAULT 0,
  withheld      INTEGER NOT NULL DEFAULT 0,
  refusers      INTEGER NOT NULL DEFAULT 0,
  opt_outs      INTEGER NOT NULL DEFAULT 0
);

CREATE TABLE campaign_number (
  campaign INTEGER NOT NULL,
  number   INTEGER NOT NULL,
  PRIMARY KEY (campaign, number)
) WITHOUT ROWID;

-- Callback data seen on one message only, of numbers whose callback data is
-- unique to each message: no campaign yet.
CREATE TABLE lone_key (
  key     TEXT PRIMARY KEY,
  message INTEGER NOT NULL
) WITHOUT ROWID;

-- The message's id is sequential: news of recent messages then lands on
-- neighbouring pages, whatever the size of the table.
CREATE TABLE message (
  id           INTEGER PRIMARY KEY,
  campaign     INTEGER NOT NULL,
  number       INTEGER NOT NULL,
  person       INTEGER NOT NULL,          -- 0 = the webhooks did not say
  wamid        TEXT    NOT NULL,
  wamid_key    INTEGER NOT NULL,          -- 64-bit hash of wamid
  seen         INTEGER NOT NULL,
  state        INTEGER NOT NULL,
  sent_at      INTEGER NOT NULL,
  delivered_at INTEGER NOT NULL,
  read_at      INTEGER NOT NULL,
  failed_at    INTEGER NOT NULL,
  code         INTEGER NOT NULL,
  code_at      INTEGER NOT NULL
);
CREATE INDEX message_wamid ON message (wamid_key);
CREATE INDEX message_person ON message (person, id);
CREATE INDEX message_failed ON message (campaign, code, id) WHERE state = 2;

CREATE TABLE failure_text (
  message INTEGER PRIMARY KEY,
  details TEXT NOT NULL
);
CREATE TABLE code_title (
  code  INTEGER PRIMARY KEY,
  title TEXT NOT NULL
);

-- Receipts of single members, for messages to a group.
CREATE TABLE group_receipt (
  message     INTEGER NOT NULL,
  participant TEXT    NOT NULL,
  seen        INTEGER NOT NULL,
  PRIMARY KEY (message, participant)
) WITHOUT ROWID;

-- Every status that was news, in order of receipt.
CREATE TABLE status_event (
  seq     INTEGER PRIMARY KEY,
  raw     INTEGER NOT NULL,
  message INTEGER NOT NULL,
  status  INTEGER NOT NULL,
  at      INTEGER NOT NULL,
  code    INTEGER NOT NULL
);

-- Everything else that was news, as JSON of our own vocabulary.
CREATE TABLE notice (
  seq  INTEGER PRIMARY KEY,
  raw  INTEGER NOT NULL,
  kind TEXT    NOT NULL,                  -- inbound, preference, template, number, account, fault
  at   INTEGER NOT NULL,
  body TEXT    NOT NULL
);

-- What became of the messages whose clock started in one second.
CREATE TABLE pulse (
  campaign     INTEGER NOT NULL,
  second       INTEGER NOT NULL,          -- Unix seconds
  messages     INTEGER NOT NULL,
  delivered    INTEGER NOT NULL,
  failed       INTEGER NOT NULL,
  withheld     INTEGER NOT NULL,
  within_5     INTEGER NOT NULL,          -- delivered within 5 s of their own clock, and so on
  within_30    INTEGER NOT NULL,
  within_60    INTEGER NOT NULL,
  within_300   INTEGER NOT NULL,
  within_1800  INTEGER NOT NULL,
  failed_1800  INTEGER NOT NULL,          -- failed, and not delivered, within 30 min
  withheld_1800 INTEGER NOT NULL,
  PRIMARY KEY (campaign, second)
) WITHOUT ROWID;

CREATE TABLE error_minute (
  campaign INTEGER NOT NULL,
  code     INTEGER NOT NULL,
  minute   INTEGER NOT NULL,              -- Unix minutes, of the failure
  messages INTEGER NOT NULL,
  PRIMARY KEY (campaign, code, minute)
) WITHOUT ROWID;

CREATE TABLE person (
  id           INTEGER PRIMARY KEY,
  phone        TEXT NOT NULL,             -- digits without the plus; '' = withheld
  bsuid        TEXT NOT NULL,             -- '' = not told
  opted_out    INTEGER NOT NULL DEFAULT 0, -- asked not to be written to, by their latest word
  opted_at     INTEGER NOT NULL DEFAULT 0  -- when that was
);
CREATE UNIQUE INDEX person_phone ON person (phone) WHERE phone <> '';
CREATE UNIQUE INDEX person_bsuid ON person (bsuid) WHERE bsuid <> '';

CREATE TABLE inbound (
  wamid    TEXT PRIMARY KEY,
  at       INTEGER NOT NULL,
  person   INTEGER NOT NULL,
  number   INTEGER NOT NULL,
  campaign INTEGER NOT NULL,              -- 0 = answers no message of ours
  type     TEXT    NOT NULL
) WITHOUT ROWID;

CREATE INDEX inbound_person ON inbound (person);

-- One row a person and campaign, however often and however they said it.
CREATE TABLE opt_out (
  campaign INTEGER NOT NULL,              -- 0 = no message of ours explains it
  person   INTEGER NOT NULL,
  at       INTEGER NOT NULL,
  via      TEXT    NOT NULL,              -- reply, button, preference
  PRIMARY KEY (campaign, person)
) WITHOUT ROWID;

CREATE INDEX opt_out_person ON opt_out (person);

CREATE TABLE number (
  id        INTEGER PRIMARY KEY,
  number_id TEXT    NOT NULL,             -- phone_number_id; '' until a message webhook names it
  display   TEXT    NOT NULL,             -- digits
  quality   TEXT    NOT NULL DEFAULT '',
  status    TEXT    NOT NULL DEFAULT '',
  msg_limit TEXT    NOT NULL DEFAULT '',
  since     INTEGER NOT NULL DEFAULT 0,
  status_at INTEGER NOT NULL DEFAULT 0,
  limit_at  INTEGER NOT NULL DEFAULT 0,
  folding   INTEGER NOT NULL DEFAULT 0    -- its callback data proved unique to each message
);
CREATE UNIQUE INDEX number_id ON number (number_id) WHERE number_id <> '';

CREATE TABLE template (
  id           INTEGER PRIMARY KEY,       -- Meta's
  name         TEXT    NOT NULL,
  language     TEXT    NOT NULL,
  category     TEXT    NOT NULL,
  status       TEXT    NOT NULL,
  reason       TEXT    NOT NULL,
  quality      TEXT    NOT NULL,
  paused_until INTEGER NOT NULL,
  since        INTEGER NOT NULL,
  status_at    INTEGER NOT NULL,
  quality_at   INTEGER NOT NULL
);

CREATE TABLE feed (
  one            INTEGER PRIMARY KEY CHECK (one = 1),
  commits        INTEGER NOT NULL,
  posts          INTEGER NOT NULL,
  refused        INTEGER NOT NULL,
  not_understood INTEGER NOT NULL,
  updates        INTEGER NOT NULL,
  duplicates     INTEGER NOT NULL,
  last_event_at  INTEGER NOT NULL
);
INSERT INTO feed VALUES (1, 0, 0, 0, 0, 0, 0, 0);

CREATE TABLE alarm (
  id         INTEGER PRIMARY KEY,
  kind       TEXT    NOT NULL,
  severity   TEXT    NOT NULL,
  subject    TEXT    NOT NULL,            -- campaign key, template, host part: what it is about
  campaign   TEXT    NOT NULL,            -- campaign key, or ''
  text       TEXT    NOT NULL,
  advice     TEXT    NOT NULL,
  raised_at  INTEGER NOT NULL,
  acted_at   INTEGER NOT NULL,
  cleared_at INTEGER NOT NULL,
  acked_by   TEXT    NOT NULL
);

CREATE TABLE action (
  id       INTEGER PRIMARY KEY,
  at       INTEGER NOT NULL,
  operator TEXT    NOT NULL,
  verb     TEXT    NOT NULL,
  target   TEXT    NOT NULL,
  reason   TEXT    NOT NULL,
  effect   TEXT    NOT NULL
);
