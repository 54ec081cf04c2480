-- What Microsoft and CISA publish about updates, as it was last accepted.

-- +goose Up
-- What is known of each feed as a whole. Its row is the lock under which its documents change.
CREATE TABLE feeds (
    feed       TEXT PRIMARY KEY, -- msrc or kev
    version    BIGINT NOT NULL,  -- grows with each change of its documents
    tried_ms   BIGINT NOT NULL,  -- the last try to fetch or to import
    fresh_ms   BIGINT NOT NULL,  -- the last try that did not fail
    failed_ms  BIGINT NOT NULL,  -- the last try that did
    failing_ms BIGINT NOT NULL,  -- the first of the tries that have failed in a row, 0 if the last one did not
    failure    TEXT NOT NULL,    -- why the last try failed, empty if it did not
    origin     TEXT NOT NULL     -- the host or the file that gave it
);

-- One row per document, so that replacing a document is one statement.
CREATE TABLE feed_documents (
    feed        TEXT NOT NULL,
    document    TEXT NOT NULL, -- a month such as 2026-Nov, or list for CISA's
    released_ms BIGINT NOT NULL,
    revised_ms  BIGINT NOT NULL,
    entries     BIGINT NOT NULL,
    chained     BOOLEAN NOT NULL, -- some update of it supersedes another
    body        BYTEA NOT NULL,   -- JSON of package feeds, compressed
    PRIMARY KEY (feed, document)
);

-- +goose Down
DROP TABLE feed_documents;
DROP TABLE feeds;
