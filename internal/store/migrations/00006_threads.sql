-- What is under way: the digest that is being made of each subscription, the threads that digests still owe, and whose
-- turn it is in each channel.

-- +goose Up
-- What became of a digest's thread, and when what the digest says was read.
ALTER TABLE deliveries ADD COLUMN thread TEXT NOT NULL DEFAULT '';
ALTER TABLE deliveries ADD COLUMN read_ms BIGINT NOT NULL DEFAULT 0;

-- The thread of a digest whose message is recorded, until all of it is posted.
CREATE TABLE threads (
    key          TEXT PRIMARY KEY, -- of the delivery
    subscription TEXT NOT NULL,
    posted       BIGINT NOT NULL,  -- how many of its messages are known to be posted
    details      BYTEA NOT NULL    -- the page that it holds, compressed
);
CREATE INDEX threads_subscription ON threads (subscription);

-- One digest of a subscription is made at a time. A row is there from the first attempt at a digest to its end.
CREATE TABLE runs (
    subscription TEXT PRIMARY KEY,
    due_ms       BIGINT NOT NULL,
    holder       TEXT NOT NULL,   -- the attempt that is at work
    began_ms     BIGINT NOT NULL, -- the first attempt
    seen_ms      BIGINT NOT NULL, -- the last sign of an attempt
    until_ms     BIGINT NOT NULL, -- when the attempt is over at the latest; 0 between attempts
    posting      TEXT NOT NULL,   -- the key of a message that may have been posted and is not recorded; empty for none
    done         BIGINT NOT NULL, -- software that was read, of total
    total        BIGINT NOT NULL
);

-- One digest posts into a channel at a time, in all processes.
CREATE TABLE lanes (
    channel TEXT PRIMARY KEY,
    holder  TEXT NOT NULL,   -- the digest that posts
    free_ms BIGINT NOT NULL  -- when another may
);

-- +goose Down
DROP TABLE lanes;
DROP TABLE runs;
DROP TABLE threads;
ALTER TABLE deliveries DROP COLUMN read_ms;
ALTER TABLE deliveries DROP COLUMN thread;
