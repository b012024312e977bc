-- Until when a fallback message may wait; 0 = for ever.
ALTER TABLE fallback ADD COLUMN expires INTEGER NOT NULL DEFAULT 0;
UPDATE fallback SET expires = coalesce((SELECT json_extract(r.body, '$.ExpiresAt') FROM fallback_run r WHERE r.id = fallback.run), 0);
