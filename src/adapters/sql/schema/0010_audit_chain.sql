-- Records of what operators do and of what changes security are links of a chain: `number` counts them from 1 without gaps, `hash` is over the record
-- and the hash before it, and `mac` is that hash, keyed with the data key `key_id`. NULL: no link. `user_name`: of the account, as it was then.
ALTER TABLE audit ADD COLUMN user_name {ASCII};
ALTER TABLE audit ADD COLUMN number BIGINT;
ALTER TABLE audit ADD COLUMN hash {BYTES};
ALTER TABLE audit ADD COLUMN key_id TEXT;
ALTER TABLE audit ADD COLUMN mac {BYTES};
CREATE UNIQUE INDEX audit_by_number ON audit (number);

-- one row: the last link; locked, last of all, by whoever adds one
CREATE TABLE audit_head (number BIGINT NOT NULL, hash {BYTES});
INSERT INTO audit_head (number, hash) VALUES (0, NULL);

-- one row: the last link that retention took away, sealed with a data key; number 0: none
CREATE TABLE audit_checkpoint (number BIGINT NOT NULL, hash {BYTES}, at BIGINT, key_id TEXT, seal {BYTES});
INSERT INTO audit_checkpoint (number) VALUES (0);
