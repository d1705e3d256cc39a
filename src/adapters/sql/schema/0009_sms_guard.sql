-- What the caps on messages go by: a keyed hash of the number's first seven digits (hexadecimal), its dial code, and whether it went to a newcomer:
-- somebody who had never signed in, or a number that was on no account yet. After a change of the data keys prefixes are counted anew.
ALTER TABLE sms_sends ADD COLUMN prefix TEXT;
ALTER TABLE sms_sends ADD COLUMN dial_code BIGINT;
ALTER TABLE sms_sends ADD COLUMN newcomer BIGINT NOT NULL DEFAULT 0 CHECK (newcomer IN (0, 1));
CREATE INDEX sms_sends_by_prefix ON sms_sends (prefix, at);
CREATE INDEX sms_sends_by_dial_code ON sms_sends (dial_code, at);
CREATE INDEX sms_sends_by_newcomer ON sms_sends (newcomer, at);

-- Prefixes that newcomers get no messages at, because their codes were not entered. The digits are in clear, for operators: seven of a number.
-- What was sent before counted_from does not count against them again.
CREATE TABLE sms_blocks (
    prefix TEXT PRIMARY KEY,
    digits TEXT NOT NULL,
    blocked_at BIGINT NOT NULL,
    counted_from BIGINT NOT NULL,
    judged BIGINT NOT NULL,
    entered BIGINT NOT NULL
);
CREATE INDEX sms_blocks_by_digits ON sms_blocks (digits);

-- What was told about caps that fill up, so that it is told once an hour at most
CREATE TABLE sms_alarms (
    subject TEXT NOT NULL,
    percent BIGINT NOT NULL,
    at BIGINT NOT NULL,
    PRIMARY KEY (subject, percent)
);
