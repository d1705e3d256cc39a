-- With which an account without a number may be given one: the keyed hash of its ticket, and how often a ticket was tried. Good while the account's
-- enrolment is open, and gone with the number that is kept.
CREATE TABLE enrolment_tickets (
    account TEXT PRIMARY KEY,
    hash {BYTES} NOT NULL,
    tries BIGINT NOT NULL
);
