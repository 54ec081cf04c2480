-- One text for SQLite and PostgreSQL. Times are milliseconds since 1970 in UTC, 0 where there is none: both databases
-- compare integers alike, while SQLite would compare times as texts. Ids are made by the program.

-- +goose Up
CREATE TABLE subscriptions (
    id              TEXT PRIMARY KEY,
    tenant          TEXT NOT NULL,
    channel         TEXT NOT NULL,
    owner           TEXT NOT NULL,
    watch           TEXT NOT NULL, -- a JSON list
    min_devices     BIGINT NOT NULL,
    min_cves        BIGINT NOT NULL,
    schedule        TEXT NOT NULL,
    zone            TEXT NOT NULL,
    quiet           TEXT NOT NULL,
    origin          TEXT NOT NULL,
    created_ms      BIGINT NOT NULL,
    next_ms         BIGINT NOT NULL,
    paused          BOOLEAN NOT NULL,
    paused_until_ms BIGINT NOT NULL,
    pause_reason    TEXT NOT NULL,
    failures        BIGINT NOT NULL
);
CREATE INDEX subscriptions_due ON subscriptions (next_ms) WHERE next_ms > 0;
CREATE INDEX subscriptions_channel ON subscriptions (tenant, channel);

-- What was sent, or was decided not to be. The totals make progress and chart without a look at snapshots.
CREATE TABLE deliveries (
    key           TEXT PRIMARY KEY,
    subscription  TEXT NOT NULL,
    tenant        TEXT NOT NULL,
    due_ms        BIGINT NOT NULL,
    channel       TEXT NOT NULL,
    message       TEXT NOT NULL,
    kind          TEXT NOT NULL,
    at_ms         BIGINT NOT NULL,
    kbs           BIGINT NOT NULL,
    gaps          BIGINT NOT NULL,
    worst         BIGINT NOT NULL,
    missing       BIGINT NOT NULL,
    cves          BIGINT NOT NULL
);
CREATE INDEX deliveries_subscription ON deliveries (subscription, at_ms);
CREATE INDEX deliveries_at ON deliveries (at_ms);

-- The patch gap of one software, once per state it was in: subscriptions that watch the same software share it, and
-- polls that find nothing new add nothing. A snapshot is a list of these.
CREATE TABLE readings (
    tenant   TEXT NOT NULL,
    software TEXT NOT NULL,
    hash     BIGINT NOT NULL, -- of the rows
    first_ms BIGINT NOT NULL, -- when it was first and last read so
    last_ms  BIGINT NOT NULL,
    gaps     BYTEA NOT NULL,  -- the rows, compressed
    PRIMARY KEY (tenant, software, hash)
);
CREATE INDEX readings_last ON readings (last_ms);

-- The newest reading of each software. Its row is the lock under which the updates of that software change.
CREATE TABLE software (
    tenant   TEXT NOT NULL,
    software TEXT NOT NULL,
    hash     BIGINT NOT NULL,
    read_ms  BIGINT NOT NULL,
    PRIMARY KEY (tenant, software)
);

-- Every update that a software was ever seen to lack, to tell a gap that comes back from one that is new.
CREATE TABLE updates (
    tenant    TEXT NOT NULL,
    software  TEXT NOT NULL,
    kb        TEXT NOT NULL,
    os_build  TEXT NOT NULL,
    missing   BOOLEAN NOT NULL, -- in the newest reading
    closed_ms BIGINT NOT NULL,  -- when it was last seen before it was gone; 0 while it never was
    PRIMARY KEY (tenant, software, kb, os_build)
);
CREATE INDEX updates_closed ON updates (closed_ms) WHERE closed_ms > 0;

-- What each subscription's newest digest saw, as a list of readings.
CREATE TABLE baselines (
    subscription TEXT PRIMARY KEY,
    tenant       TEXT NOT NULL,
    at_ms        BIGINT NOT NULL, -- of the delivery
    contents     BYTEA NOT NULL   -- compressed
);

CREATE TABLE audits (
    id      TEXT PRIMARY KEY,
    at_ms   BIGINT NOT NULL,
    tenant  TEXT NOT NULL,
    person  TEXT NOT NULL,
    action  TEXT NOT NULL,
    subject TEXT NOT NULL,
    detail  TEXT NOT NULL
);
CREATE INDEX audits_at ON audits (at_ms);

-- +goose Down
DROP TABLE audits;
DROP TABLE baselines;
DROP TABLE updates;
DROP TABLE software;
DROP TABLE readings;
DROP TABLE deliveries;
DROP TABLE subscriptions;
