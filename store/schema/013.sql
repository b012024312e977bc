-- E-mail addresses that asked for no more (see unsubscribed.go).
CREATE TABLE unsubscribed (
  hash BLOB    PRIMARY KEY,            -- HMAC-SHA-256 of the address, by the suppression list's key
  at   INTEGER NOT NULL
) WITHOUT ROWID;
