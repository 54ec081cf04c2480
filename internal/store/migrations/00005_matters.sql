-- What operators are told: one state per matter, which all processes share.

-- +goose Up
CREATE TABLE matters (
    name  TEXT PRIMARY KEY,
    state TEXT NOT NULL -- JSON of package ops; empty for nothing
);

-- +goose Down
DROP TABLE matters;
