-- Second attempts by SMS, voice and e-mail (see fallback.go).
CREATE TABLE fallback_run (
  id       INTEGER PRIMARY KEY,
  campaign INTEGER NOT NULL,
  state    TEXT    NOT NULL,
  body     TEXT    NOT NULL            -- JSON of wa.FallbackRun
);

-- One row a person and campaign, whatever the runs: nobody gets two.
CREATE TABLE fallback (
  id          INTEGER PRIMARY KEY,
  run         INTEGER NOT NULL,
  campaign    INTEGER NOT NULL,
  person      INTEGER NOT NULL,
  message     INTEGER NOT NULL,        -- of WhatsApp, that failed or is undelivered
  channel     TEXT    NOT NULL,
  address     TEXT    NOT NULL,        -- E.164 with the plus, or an e-mail address
  language    TEXT    NOT NULL,
  subject     TEXT    NOT NULL,
  body        TEXT    NOT NULL,        -- as it is sent
  token       TEXT    NOT NULL,        -- '' = was never claimed
  state       INTEGER NOT NULL,        -- see fallback.go
  accepted    INTEGER NOT NULL,        -- the provider took it
  doubled     INTEGER NOT NULL,        -- it arrived, and so did the WhatsApp message
  due         INTEGER NOT NULL,        -- waits, and not before this moment
  tries       INTEGER NOT NULL,
  at          INTEGER NOT NULL,        -- of the latest attempt
  told_at     INTEGER NOT NULL,        -- of the latest news
  segments    INTEGER NOT NULL,
  cost        INTEGER NOT NULL,        -- millionths of the currency
  provider_id TEXT    NOT NULL,
  code        TEXT    NOT NULL,        -- the provider's
  reason      TEXT    NOT NULL,        -- the provider's words, or ours
  UNIQUE (campaign, person)
);
CREATE INDEX fallback_waiting ON fallback (run, channel, due, id) WHERE state = 0;
CREATE INDEX fallback_open ON fallback (state) WHERE state IN (1, 2);
CREATE INDEX fallback_provider ON fallback (provider_id) WHERE provider_id <> '';
CREATE INDEX fallback_person ON fallback (person);
