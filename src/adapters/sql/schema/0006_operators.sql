-- What an account may do as an operator, and which operator lately gave it a password or a number, until when that counts. NULL: none.
ALTER TABLE accounts ADD COLUMN operator_role TEXT CHECK (operator_role IN ('helpdesk', 'admin'));
ALTER TABLE accounts ADD COLUMN password_given_by TEXT;
ALTER TABLE accounts ADD COLUMN password_given_until BIGINT;
ALTER TABLE accounts ADD COLUMN number_given_by TEXT;
ALTER TABLE accounts ADD COLUMN number_given_until BIGINT;

-- counted ahead of each action, so that one operator does not do too much in an hour
CREATE TABLE operator_actions (
    id {COUNTER},
    operator TEXT NOT NULL,
    at BIGINT NOT NULL
);
CREATE INDEX operator_actions_by_operator ON operator_actions (operator, at);
CREATE INDEX operator_actions_by_time ON operator_actions (at);
