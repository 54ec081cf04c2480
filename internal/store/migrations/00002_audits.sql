-- Who did what also says where, with which result and why, and in answer to which question. What was written before
-- was a change that was made, and so is what a replica of the version before writes while others are updated already.

-- +goose Up
ALTER TABLE audits ADD COLUMN team TEXT NOT NULL DEFAULT '';
ALTER TABLE audits ADD COLUMN channel TEXT NOT NULL DEFAULT '';
ALTER TABLE audits ADD COLUMN result TEXT NOT NULL DEFAULT 'done';
ALTER TABLE audits ADD COLUMN reason TEXT NOT NULL DEFAULT '';
ALTER TABLE audits ADD COLUMN request TEXT NOT NULL DEFAULT '';
CREATE INDEX audits_order ON audits (at_ms, id);
CREATE INDEX audits_person ON audits (person, at_ms, id);
DROP INDEX audits_at;

-- +goose Down
CREATE INDEX audits_at ON audits (at_ms);
DROP INDEX audits_person;
DROP INDEX audits_order;
ALTER TABLE audits DROP COLUMN request;
ALTER TABLE audits DROP COLUMN reason;
ALTER TABLE audits DROP COLUMN result;
ALTER TABLE audits DROP COLUMN channel;
ALTER TABLE audits DROP COLUMN team;
