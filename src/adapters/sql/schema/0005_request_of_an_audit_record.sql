-- the request that caused it, as pages and the log name it; NULL for the command line
ALTER TABLE audit ADD COLUMN request_id TEXT;
