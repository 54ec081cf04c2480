-- How old missing updates are, and how fast they are closed.

-- +goose Up
-- What each software lacked on each day on which it was read, as a reading. A day without a row was not read, which is
-- different from a day on which nothing had changed.
CREATE TABLE reading_days (
    tenant   TEXT NOT NULL,
    software TEXT NOT NULL,
    day      BIGINT NOT NULL, -- days since 1970 in UTC
    at_ms    BIGINT NOT NULL, -- of the last reading of the day
    hash     BIGINT NOT NULL,
    PRIMARY KEY (tenant, software, day)
);
CREATE INDEX reading_days_at ON reading_days (at_ms);
-- Of the days before, the first and the last of each reading are known.
INSERT INTO reading_days (tenant, software, day, at_ms, hash)
SELECT tenant, software, first_ms / 86400000, first_ms, hash FROM readings WHERE first_ms > 0
ON CONFLICT (tenant, software, day) DO UPDATE SET at_ms = excluded.at_ms, hash = excluded.hash WHERE reading_days.at_ms < excluded.at_ms;
INSERT INTO reading_days (tenant, software, day, at_ms, hash)
SELECT tenant, software, last_ms / 86400000, last_ms, hash FROM readings WHERE last_ms > 0
ON CONFLICT (tenant, software, day) DO UPDATE SET at_ms = excluded.at_ms, hash = excluded.hash WHERE reading_days.at_ms < excluded.at_ms;

-- When an update was first seen missing, and when its software was read before, without it; 0 if it never was.
ALTER TABLE updates ADD COLUMN first_ms BIGINT NOT NULL DEFAULT 0;
ALTER TABLE updates ADD COLUMN before_ms BIGINT NOT NULL DEFAULT 0;
-- What is missing now is at least as old as the newest reading.
UPDATE updates SET first_ms = COALESCE((
    SELECT read_ms FROM software WHERE software.tenant = updates.tenant AND software.software = updates.software
), 0) WHERE missing;

-- A subscription may post how patching goes in place of what is missing.
ALTER TABLE subscriptions ADD COLUMN report BOOLEAN NOT NULL DEFAULT FALSE;

-- +goose Down
ALTER TABLE subscriptions DROP COLUMN report;
ALTER TABLE updates DROP COLUMN before_ms;
ALTER TABLE updates DROP COLUMN first_ms;
DROP TABLE reading_days;
