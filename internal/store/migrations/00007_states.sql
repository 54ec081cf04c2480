-- What two components kept among the matters of operators gets tables of its own.

-- +goose Up
-- Whether Defender admits the app, which all processes share.
CREATE TABLE auth_states (
    tenant     TEXT PRIMARY KEY,
    refused_ms BIGINT NOT NULL -- the last refusal; 0 once Defender has admitted the app again
);
-- A refusal from before holds until Defender admits the app. Its old row stays: earlier programs read it.
INSERT INTO auth_states (tenant, refused_ms) SELECT 'default', 1 FROM matters WHERE name = 'refused' AND state <> '';

-- The row that each check of the database writes.
CREATE TABLE probes (
    name  TEXT PRIMARY KEY,
    at_ms BIGINT NOT NULL
);
DELETE FROM matters WHERE name = 'probe';

-- +goose Down
DROP TABLE probes;
DROP TABLE auth_states;
