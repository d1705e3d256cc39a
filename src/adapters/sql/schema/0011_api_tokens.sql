-- With which programs use the admin API. `hash` is SHA-256 of 32 random bytes; a revoked token has no row. `last_used_at` is to the minute.
CREATE TABLE api_tokens (
    id TEXT PRIMARY KEY,
    name {ASCII} NOT NULL UNIQUE,
    role TEXT NOT NULL CHECK (role IN ('helpdesk', 'admin')),
    hash {BYTES} NOT NULL UNIQUE,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    last_used_at BIGINT
);
