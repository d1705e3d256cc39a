-- Times are milliseconds since 1970. Ids are hexadecimal text. {BYTES} columns that hold personal data are sealed with a data key and
-- bound to their row and column.

CREATE TABLE accounts (
    id TEXT PRIMARY KEY,
    user_name {ASCII} NOT NULL UNIQUE,
    name {BYTES},
    email {BYTES},
    phone {BYTES},
    phone_hash {BYTES},
    phone_version BIGINT NOT NULL,
    phone_set_at BIGINT,
    language TEXT,
    status TEXT NOT NULL CHECK (status IN ('active', 'disabled')),
    epoch BIGINT NOT NULL,
    password TEXT NOT NULL,
    password_set_at BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    enrolment_until BIGINT,
    codes_locked BIGINT NOT NULL CHECK (codes_locked IN (0, 1)),
    last_sign_in_at BIGINT,
    CHECK ((phone IS NULL) = (phone_hash IS NULL)),
    CHECK ((phone IS NULL) = (phone_set_at IS NULL)),
    CHECK (phone IS NULL OR enrolment_until IS NULL)
);

-- 'a:<account>' or 'u:<keyed hash of a name that does not exist>'
CREATE TABLE password_failures (
    subject TEXT PRIMARY KEY,
    failures BIGINT NOT NULL,
    wait_until BIGINT NOT NULL,
    at BIGINT NOT NULL
);

-- charged: counted, and wrong as far as is known; cleared: wrong, followed by a sign-in; right: the guess that signed in; forgiven: unlocked by an operator
CREATE TABLE code_attempts (
    login_id TEXT NOT NULL,
    number BIGINT NOT NULL,
    account TEXT NOT NULL,
    at BIGINT NOT NULL,
    outcome TEXT NOT NULL CHECK (outcome IN ('charged', 'cleared', 'right', 'forgiven')),
    PRIMARY KEY (login_id, number)
);
CREATE INDEX code_attempts_by_account ON code_attempts (account, outcome, at);

CREATE TABLE sms_sends (
    id TEXT PRIMARY KEY,
    login_id TEXT NOT NULL,
    account TEXT NOT NULL,
    number_hash {BYTES} NOT NULL,
    country TEXT NOT NULL,
    at BIGINT NOT NULL,
    outcome TEXT NOT NULL CHECK (outcome IN ('charged', 'accepted', 'maybe_sent', 'not_sent'))
);
CREATE INDEX sms_sends_by_login ON sms_sends (login_id);
CREATE INDEX sms_sends_by_account ON sms_sends (account, at);
CREATE INDEX sms_sends_by_number ON sms_sends (number_hash, at);
CREATE INDEX sms_sends_by_time ON sms_sends (at);

-- one row, locked by whoever counts a send
CREATE TABLE sms_head (n BIGINT NOT NULL);
INSERT INTO sms_head (n) VALUES (0);

CREATE TABLE sessions (
    id TEXT PRIMARY KEY,
    login_id TEXT NOT NULL UNIQUE,
    account TEXT NOT NULL,
    site TEXT NOT NULL,
    user_name TEXT NOT NULL,
    name {BYTES},
    email {BYTES},
    epoch BIGINT NOT NULL,
    factors BIGINT NOT NULL,
    opened_at BIGINT NOT NULL,
    password_at BIGINT NOT NULL,
    absolute_end BIGINT NOT NULL,
    ended_at BIGINT,
    end_reason TEXT,
    source TEXT NOT NULL,
    user_agent TEXT,
    CHECK ((ended_at IS NULL) = (end_reason IS NULL))
);
CREATE INDEX sessions_by_account ON sessions (account);
CREATE INDEX sessions_by_end ON sessions (absolute_end);

-- one row, locked by whoever appends to the feed: numbers follow the order of the commits, without gaps
CREATE TABLE feed_head (n BIGINT NOT NULL);
INSERT INTO feed_head (n) VALUES (0);

CREATE TABLE feed (
    number BIGINT PRIMARY KEY,
    at BIGINT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('session', 'account', 'activated')),
    subject TEXT,
    epoch BIGINT
);
CREATE INDEX feed_by_time ON feed (at);

-- only ever added to
CREATE TABLE audit (
    id {COUNTER},
    at BIGINT NOT NULL,
    event TEXT NOT NULL,
    account TEXT,
    actor TEXT NOT NULL,
    site TEXT,
    source TEXT,
    reason TEXT
);
CREATE INDEX audit_by_time ON audit (at);
CREATE INDEX audit_by_account ON audit (account, at);

CREATE TABLE installation (
    key TEXT PRIMARY KEY,
    value TEXT NOT NULL
);
