-- Each time a provider was asked to send an SMS, in the order in which they were asked. What became of the code that went out there: NULL, not known
-- yet, which after a while means not_entered. Providers and countries are in clear; whose the number is only sms_sends tells.
CREATE TABLE sms_handovers (
    send_id TEXT NOT NULL,
    place BIGINT NOT NULL,
    login_id TEXT NOT NULL,
    provider TEXT NOT NULL,
    country TEXT NOT NULL,
    at BIGINT NOT NULL,
    answer TEXT NOT NULL CHECK (answer IN ('accepted', 'maybe_sent', 'recipient', 'provider', 'transient')),
    fate TEXT CHECK (fate IN ('entered', 'not_entered')),
    PRIMARY KEY (send_id, place)
);
CREATE INDEX sms_handovers_by_login ON sms_handovers (login_id);
CREATE INDEX sms_handovers_by_country ON sms_handovers (country, at);
CREATE INDEX sms_handovers_by_time ON sms_handovers (at);
