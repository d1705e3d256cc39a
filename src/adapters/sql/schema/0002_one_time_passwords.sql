-- A password that an operator had made: good for signing in until then, and to be changed at the first sign-in. NULL: the user's own.
ALTER TABLE accounts ADD COLUMN password_expires_at BIGINT;
