-- What polls alone tell of numbers.
ALTER TABLE number ADD COLUMN throughput REAL NOT NULL DEFAULT 0;   -- messages a second; 0 = not told
ALTER TABLE number ADD COLUMN quality_at INTEGER NOT NULL DEFAULT 0;

-- Whether those that a send depends on can take part in it (whatsapp.md §3.7). Kinds
-- of notice since: polled, compared.
CREATE TABLE health (
  kind  TEXT    NOT NULL,
  id    TEXT    NOT NULL,
  since INTEGER NOT NULL,
  body  TEXT    NOT NULL,
  PRIMARY KEY (kind, id)
) WITHOUT ROWID;

-- Finds who has written lately: writing back to them uses nothing of the limit.
CREATE INDEX inbound_at ON inbound (at);
