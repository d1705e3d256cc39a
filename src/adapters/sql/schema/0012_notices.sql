-- What people are still to be told of changes to their second factor, written with the change itself. Recipient, user name and the end of the new
-- number are sealed. Nobody else takes a row before due_at; lease names who has it.
CREATE TABLE notices (
    id TEXT PRIMARY KEY,
    account TEXT NOT NULL,
    change TEXT NOT NULL,
    way TEXT NOT NULL CHECK (way IN ('sms', 'mail')),
    site TEXT,
    language TEXT NOT NULL,
    at BIGINT NOT NULL,
    content {BYTES} NOT NULL,
    tries BIGINT NOT NULL DEFAULT 0,
    due_at BIGINT NOT NULL,
    lease TEXT
);
CREATE INDEX notices_by_time ON notices (way, due_at);

-- SMS that hold no code: they count in the totals, and in no limit of an account or a number
ALTER TABLE sms_sends ADD COLUMN notice BIGINT NOT NULL DEFAULT 0 CHECK (notice IN (0, 1));
CREATE INDEX sms_sends_by_notice ON sms_sends (notice, at);
