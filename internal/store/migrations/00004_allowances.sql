-- Channels shared with other organisations into which an administrator lets things be posted all the same.

-- +goose Up
CREATE TABLE allowances (
    tenant  TEXT NOT NULL,
    channel TEXT NOT NULL,
    teams   TEXT NOT NULL, -- a JSON list: the organisations that read the channel when it was allowed
    person  TEXT NOT NULL,
    at_ms   BIGINT NOT NULL,
    PRIMARY KEY (tenant, channel)
);

-- +goose Down
DROP TABLE allowances;
