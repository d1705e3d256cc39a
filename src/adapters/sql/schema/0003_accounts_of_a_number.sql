-- one row, locked by whoever enrols a number: the accounts that have it are counted behind the lock
CREATE TABLE enrolment_head (n BIGINT NOT NULL);
INSERT INTO enrolment_head (n) VALUES (0);
CREATE INDEX accounts_by_number ON accounts (phone_hash);
