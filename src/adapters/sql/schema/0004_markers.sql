-- 'everybody': every session that was opened up to then, also of accounts that are not here. A number without a row is a change that ended
-- nothing, such as a first number.
CREATE TABLE feed_with_everybody (
    number BIGINT PRIMARY KEY,
    at BIGINT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('session', 'account', 'activated', 'everybody')),
    subject TEXT,
    epoch BIGINT
);
INSERT INTO feed_with_everybody (number, at, kind, subject, epoch) SELECT number, at, kind, subject, epoch FROM feed;
DROP TABLE feed;
ALTER TABLE feed_with_everybody RENAME TO feed;
CREATE INDEX feed_by_time ON feed (at);
