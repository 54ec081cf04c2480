-- Accepted risks, and what subscriptions were told between two digests.

-- +goose Up
CREATE TABLE acceptances (
    id          TEXT PRIMARY KEY,
    tenant      TEXT NOT NULL,
    kb          TEXT NOT NULL,
    software    TEXT NOT NULL,   -- empty for all
    name        TEXT NOT NULL,   -- of the update
    reason      TEXT NOT NULL,
    person      TEXT NOT NULL,
    at_ms       BIGINT NOT NULL,
    until_ms    BIGINT NOT NULL,
    places      TEXT NOT NULL,   -- a JSON list: where it was missing, and on how many devices
    listed      TEXT NOT NULL,   -- a JSON list: its CVEs that CISA listed already
    state       TEXT NOT NULL,
    approver    TEXT NOT NULL,
    ended_ms    BIGINT NOT NULL, -- 0 while it is open
    ended_by    TEXT NOT NULL,   -- what ended it
    detail      TEXT NOT NULL
);
-- Of one update and software one acceptance holds at a time, and one request waits.
CREATE UNIQUE INDEX acceptances_open ON acceptances (tenant, kb, software, state) WHERE ended_ms = 0;
CREATE INDEX acceptances_ended ON acceptances (tenant, ended_ms);

-- What a subscription is told between digests; empty for nothing.
ALTER TABLE subscriptions ADD COLUMN alert TEXT NOT NULL DEFAULT '';

-- The updates that a subscription was told of, by a digest or between digests. An empty update says that the ones before
-- the first look are there.
CREATE TABLE alerted (
    subscription TEXT NOT NULL,
    kb           TEXT NOT NULL,
    devices      BIGINT NOT NULL, -- that lacked it then
    at_ms        BIGINT NOT NULL,
    PRIMARY KEY (subscription, kb)
);

-- +goose Down
DROP TABLE alerted;
ALTER TABLE subscriptions DROP COLUMN alert;
DROP TABLE acceptances;
