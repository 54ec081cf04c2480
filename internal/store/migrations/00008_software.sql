-- The software list of each tenant, so that names are found at once after a start, and what each person asked about.

-- +goose Up
CREATE TABLE software_lists (
    tenant     TEXT PRIMARY KEY,
    fetched_ms BIGINT NOT NULL, -- when Defender gave it
    skipped    BIGINT NOT NULL, -- rows that could not be read and are not in it
    software   BYTEA NOT NULL   -- compressed
);

-- The software that a person asked about last. What was typed is not kept.
CREATE TABLE asked (
    tenant   TEXT NOT NULL,
    person   TEXT NOT NULL,
    software TEXT NOT NULL,
    at_ms    BIGINT NOT NULL, -- the last time
    PRIMARY KEY (tenant, person, software)
);
CREATE INDEX asked_at ON asked (at_ms);

-- +goose Down
DROP TABLE asked;
DROP TABLE software_lists;
