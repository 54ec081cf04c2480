-- What all replicas together have asked of Defender, one row per tenant: for the minute and the hour a bucket, which
-- knows only when it will be full again, and counts of calls for people. Times are microseconds of the database's own
-- clock, since the clocks of the replicas may differ.

-- +goose Up
CREATE TABLE quotas (
    tenant         TEXT PRIMARY KEY,
    paused_us      BIGINT NOT NULL, -- until when Defender wants no calls
    minute_full_us BIGINT NOT NULL, -- when the bucket will be full again
    minute_slot    BIGINT NOT NULL, -- the minute of the clock that is being counted,
    minute_calls   BIGINT NOT NULL, -- the calls in it,
    minute_before  BIGINT NOT NULL, -- and those in the minute before it
    hour_full_us   BIGINT NOT NULL,
    hour_slot      BIGINT NOT NULL,
    hour_calls     BIGINT NOT NULL,
    hour_before    BIGINT NOT NULL
);

-- +goose Down
DROP TABLE quotas;
