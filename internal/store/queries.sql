-- name: Subscription :one
SELECT * FROM subscriptions WHERE id = @id;

-- name: Subscriptions :many
SELECT * FROM subscriptions
WHERE (tenant = @tenant OR CAST(@any_tenant AS BOOLEAN)) AND (channel = @channel OR CAST(@any_channel AS BOOLEAN))
ORDER BY created_ms, id;

-- name: DueSubscriptions :many
SELECT * FROM subscriptions
WHERE next_ms > 0 AND next_ms <= @now_ms AND (NOT paused OR paused_until_ms > 0 AND paused_until_ms <= @now_ms)
ORDER BY next_ms, id
LIMIT @max;

-- name: AddSubscription :execrows
INSERT INTO subscriptions (id, tenant, channel, owner, watch, min_devices, min_cves, schedule, zone, quiet, origin,
    created_ms, next_ms, paused, paused_until_ms, pause_reason, failures, report, alert, exploited)
VALUES (@id, @tenant, @channel, @owner, @watch, @min_devices, @min_cves, @schedule, @zone, @quiet, @origin,
    @created_ms, @next_ms, @paused, @paused_until_ms, @pause_reason, @failures, @report, @alert, @exploited)
ON CONFLICT (id) DO NOTHING;

-- name: UpdateSubscription :execrows
UPDATE subscriptions SET tenant = @tenant, channel = @channel, owner = @owner, watch = @watch,
    min_devices = @min_devices, min_cves = @min_cves, schedule = @schedule, zone = @zone, quiet = @quiet,
    origin = @origin, created_ms = @created_ms, next_ms = @next_ms, paused = @paused,
    paused_until_ms = @paused_until_ms, pause_reason = @pause_reason, failures = @failures, report = @report, alert = @alert, exploited = @exploited
WHERE id = @id;

-- name: EditSubscription :execrows
UPDATE subscriptions SET channel = @channel, watch = @watch, min_devices = @min_devices, min_cves = @min_cves, exploited = @exploited,
    schedule = @schedule, zone = @zone, quiet = @quiet, report = @report, alert = @alert, next_ms = @next_ms, failures = @failures
WHERE id = @id AND channel = @was_channel AND watch = @was_watch AND min_devices = @was_min_devices AND min_cves = @was_min_cves
    AND exploited = @was_exploited
    AND schedule = @was_schedule AND zone = @was_zone AND quiet = @was_quiet AND report = @was_report AND alert = @was_alert
    AND next_ms = @was_next_ms AND paused = @was_paused AND paused_until_ms = @was_paused_until_ms;

-- name: RemoveSubscription :execrows
DELETE FROM subscriptions WHERE id = @id;

-- name: Advance :execrows
UPDATE subscriptions SET next_ms = @to_ms WHERE id = @id AND next_ms = @from_ms;

-- name: SetPause :execrows
UPDATE subscriptions SET paused = @paused, paused_until_ms = @paused_until_ms, pause_reason = @pause_reason, next_ms = @next_ms
WHERE id = @id AND paused = @was_paused AND paused_until_ms = @was_paused_until_ms AND next_ms = @was_next_ms
    AND schedule = @schedule AND zone = @zone;

-- name: SetFailures :execrows
UPDATE subscriptions SET failures = @failures WHERE id = @id;

-- name: PauseSubscription :exec
UPDATE subscriptions SET paused = TRUE, pause_reason = @pause_reason, paused_until_ms = 0, next_ms = 0
WHERE id = @id;

-- name: AddDelivery :execrows
INSERT INTO deliveries (key, subscription, tenant, due_ms, channel, message, kind, at_ms, kbs, gaps, worst, missing, cves, thread, read_ms)
VALUES (@key, @subscription, @tenant, @due_ms, @channel, @message, @kind, @at_ms, @kbs, @gaps, @worst, @missing, @cves, @thread, @read_ms)
ON CONFLICT (key) DO NOTHING;

-- name: SetThread :exec
UPDATE deliveries SET thread = @thread WHERE key = @key;

-- name: Delivery :one
SELECT * FROM deliveries WHERE key = @key;

-- name: Deliveries :many
SELECT * FROM deliveries WHERE subscription = @subscription
ORDER BY at_ms DESC, due_ms DESC, key
LIMIT @max;

-- name: RemoveDeliveries :execrows
DELETE FROM deliveries WHERE subscription = @subscription;

-- name: PruneDeliveries :execrows
DELETE FROM deliveries WHERE at_ms < @before_ms;

-- name: AddThread :exec
INSERT INTO threads (key, subscription, posted, details) VALUES (@key, @subscription, 0, @details)
ON CONFLICT (key) DO NOTHING;

-- name: Thread :one
SELECT posted, details FROM threads WHERE key = @key;

-- name: SetPosted :exec
UPDATE threads SET posted = @posted WHERE key = @key AND posted < @posted;

-- name: RemoveThread :exec
DELETE FROM threads WHERE key = @key;

-- name: RemoveThreads :exec
DELETE FROM threads WHERE subscription = @subscription;

-- name: PruneThreads :execrows
DELETE FROM threads WHERE NOT EXISTS (SELECT 1 FROM deliveries WHERE deliveries.key = threads.key);

-- name: Run :one
SELECT * FROM runs WHERE subscription = @subscription;

-- name: Runs :many
SELECT * FROM runs;

-- name: AddRun :execrows
INSERT INTO runs (subscription, due_ms, holder, began_ms, seen_ms, until_ms, posting, done, total)
VALUES (@subscription, @due_ms, @holder, @now_ms, @now_ms, @until_ms, '', 0, 0)
ON CONFLICT (subscription) DO NOTHING;

-- name: ResumeRun :execrows
UPDATE runs SET holder = @holder, seen_ms = @now_ms, until_ms = @until_ms WHERE subscription = @subscription AND due_ms = @due_ms;

-- name: TakeRun :execrows
UPDATE runs SET due_ms = @due_ms, holder = @holder, began_ms = @now_ms, seen_ms = @now_ms, until_ms = @until_ms, posting = '', done = 0, total = 0
WHERE subscription = @subscription AND due_ms = @was_due_ms AND holder = @was_holder AND until_ms = @was_until_ms;

-- name: SetPosting :execrows
UPDATE runs SET posting = @posting, seen_ms = @now_ms WHERE subscription = @subscription AND due_ms = @due_ms AND holder = @holder;

-- name: SetProgress :exec
UPDATE runs SET done = @done, total = @total, seen_ms = @now_ms WHERE subscription = @subscription AND due_ms = @due_ms AND holder = @holder;

-- name: RestRun :exec
UPDATE runs SET until_ms = 0, seen_ms = @now_ms WHERE subscription = @subscription AND due_ms = @due_ms AND holder = @holder;

-- name: EndRun :exec
DELETE FROM runs WHERE subscription = @subscription AND due_ms = @due_ms;

-- name: RemoveRun :exec
DELETE FROM runs WHERE subscription = @subscription;

-- name: TakeLane :execrows
INSERT INTO lanes (channel, holder, free_ms) VALUES (@channel, @holder, @until_ms)
ON CONFLICT (channel) DO UPDATE SET holder = excluded.holder, free_ms = excluded.free_ms
WHERE lanes.free_ms <= @now_ms OR lanes.holder = @holder;

-- name: LaneFree :one
SELECT free_ms FROM lanes WHERE channel = @channel;

-- name: LeaveLane :exec
UPDATE lanes SET holder = '', free_ms = @free_ms WHERE channel = @channel AND holder = @holder;

-- name: PruneLanes :execrows
DELETE FROM lanes WHERE free_ms < @before_ms;

-- name: SetBaseline :exec
INSERT INTO baselines (subscription, tenant, at_ms, contents)
VALUES (@subscription, @tenant, @at_ms, @contents)
ON CONFLICT (subscription) DO UPDATE
SET tenant = excluded.tenant, at_ms = excluded.at_ms, contents = excluded.contents
WHERE baselines.at_ms <= excluded.at_ms;

-- name: Baseline :one
SELECT * FROM baselines WHERE subscription = @subscription;

-- name: Baselines :many
SELECT tenant, contents FROM baselines;

-- name: BaselineAges :one
SELECT CAST(COALESCE(MIN(baselines.at_ms), 0) AS BIGINT) AS oldest_ms, CAST(COALESCE(MAX(baselines.at_ms), 0) AS BIGINT) AS newest_ms
FROM baselines JOIN subscriptions ON subscriptions.id = baselines.subscription
WHERE NOT subscriptions.paused;

-- name: BaselineTimes :many
SELECT subscription, at_ms FROM baselines;

-- name: RemoveBaseline :exec
DELETE FROM baselines WHERE subscription = @subscription;

-- name: Newest :many
SELECT software, hash, read_ms FROM software WHERE tenant = @tenant;

-- name: LockSoftware :one
INSERT INTO software (tenant, software, hash, read_ms)
VALUES (@tenant, @software, 0, 0)
ON CONFLICT (tenant, software) DO UPDATE SET read_ms = software.read_ms
RETURNING hash, read_ms;

-- name: SetNewest :exec
UPDATE software SET hash = @hash, read_ms = @read_ms WHERE tenant = @tenant AND software = @software;

-- name: AddReading :exec
INSERT INTO readings (tenant, software, hash, first_ms, last_ms, gaps)
VALUES (@tenant, @software, @hash, @at_ms, @at_ms, @gaps)
ON CONFLICT (tenant, software, hash) DO UPDATE
SET last_ms = excluded.last_ms
WHERE readings.last_ms < excluded.last_ms;

-- name: Reading :one
SELECT gaps FROM readings WHERE tenant = @tenant AND software = @software AND hash = @hash;

-- name: NewestReading :one
SELECT software.read_ms, readings.gaps FROM software
JOIN readings ON readings.tenant = software.tenant AND readings.software = software.software AND readings.hash = software.hash
WHERE software.tenant = @tenant AND software.software = @software;

-- name: ReadingsBefore :many
SELECT tenant, software, hash FROM readings WHERE last_ms < @before_ms;

-- name: RemoveReading :execrows
DELETE FROM readings WHERE tenant = @tenant AND software = @software AND hash = @hash AND last_ms < @before_ms;

-- name: Missing :many
SELECT kb, os_build FROM updates WHERE tenant = @tenant AND software = @software AND missing;

-- name: OpenUpdate :exec
INSERT INTO updates (tenant, software, kb, os_build, missing, closed_ms, first_ms, before_ms)
VALUES (@tenant, @software, @kb, @os_build, TRUE, 0, @first_ms, @before_ms)
ON CONFLICT (tenant, software, kb, os_build) DO UPDATE SET missing = TRUE;

-- name: CloseUpdate :exec
UPDATE updates SET missing = FALSE, closed_ms = @closed_ms
WHERE tenant = @tenant AND software = @software AND kb = @kb AND os_build = @os_build;

-- name: ClosedUpdates :many
SELECT kb, os_build, closed_ms FROM updates
WHERE tenant = @tenant AND software = @software AND closed_ms > 0 AND closed_ms >= @since_ms;

-- name: FirstSeen :many
SELECT kb, os_build, first_ms, before_ms FROM updates
WHERE tenant = @tenant AND software = @software AND first_ms > 0;

-- name: SetReadingDay :exec
INSERT INTO reading_days (tenant, software, day, at_ms, hash)
VALUES (@tenant, @software, @day, @at_ms, @hash)
ON CONFLICT (tenant, software, day) DO UPDATE
SET at_ms = excluded.at_ms, hash = excluded.hash
WHERE reading_days.at_ms <= excluded.at_ms;

-- name: ReadingDays :many
SELECT software, at_ms, hash FROM reading_days
WHERE tenant = @tenant AND at_ms >= @since_ms
ORDER BY software, at_ms;

-- name: ReadingsSince :many
SELECT hash, gaps FROM readings
WHERE tenant = @tenant AND software = @software AND last_ms >= @since_ms;

-- name: PruneReadingDays :execrows
DELETE FROM reading_days WHERE at_ms < @before_ms;

-- name: FailedDeliveries :one
SELECT COUNT(*) FROM deliveries WHERE tenant = @tenant AND kind = 'failed' AND at_ms >= @since_ms;

-- name: PruneUpdates :execrows
DELETE FROM updates WHERE closed_ms > 0 AND closed_ms < @before_ms AND NOT missing;

-- name: PruneSoftware :execrows
DELETE FROM software WHERE read_ms < @before_ms;

-- name: PruneOrphanedUpdates :execrows
DELETE FROM updates WHERE NOT EXISTS (
    SELECT 1 FROM software WHERE software.tenant = updates.tenant AND software.software = updates.software
);

-- name: AddAudit :exec
INSERT INTO audits (id, at_ms, tenant, person, team, channel, action, subject, detail, result, reason, request)
VALUES (@id, @at_ms, @tenant, @person, @team, @channel, @action, @subject, @detail, @result, @reason, @request)
ON CONFLICT (id) DO NOTHING;

-- name: AuditsAfter :many
SELECT * FROM audits
WHERE at_ms >= @after_ms AND (at_ms > @after_ms OR id > @after_id) AND at_ms < @until_ms
ORDER BY at_ms, id
LIMIT @max;

-- name: AuditsOfPerson :many
SELECT * FROM audits
WHERE person = @person AND at_ms >= @after_ms AND (at_ms > @after_ms OR id > @after_id) AND at_ms < @until_ms
ORDER BY at_ms, id
LIMIT @max;

-- name: PruneAudits :execrows
DELETE FROM audits WHERE id IN (SELECT id FROM audits AS old WHERE old.at_ms < @before_ms ORDER BY old.at_ms LIMIT @max);

-- name: Allow :exec
INSERT INTO allowances (tenant, channel, teams, person, at_ms) VALUES (@tenant, @channel, @teams, @person, @at_ms)
ON CONFLICT (tenant, channel) DO UPDATE SET teams = excluded.teams, person = excluded.person, at_ms = excluded.at_ms;

-- name: Disallow :execrows
DELETE FROM allowances WHERE tenant = @tenant AND channel = @channel;

-- name: Allowance :one
SELECT * FROM allowances WHERE tenant = @tenant AND channel = @channel;

-- name: Allowances :many
SELECT * FROM allowances WHERE tenant = @tenant ORDER BY channel;

-- name: Matters :many
SELECT * FROM matters;

-- name: LockMatter :one
INSERT INTO matters (name, state) VALUES (@name, '')
ON CONFLICT (name) DO UPDATE SET state = matters.state
RETURNING state;

-- name: SetMatter :exec
UPDATE matters SET state = @state WHERE name = @name;

-- name: RefusedMS :one
SELECT refused_ms FROM auth_states WHERE tenant = @tenant;

-- name: SetRefused :exec
INSERT INTO auth_states (tenant, refused_ms) VALUES (@tenant, @refused_ms)
ON CONFLICT (tenant) DO UPDATE SET refused_ms = excluded.refused_ms;

-- name: SetAdmitted :exec
UPDATE auth_states SET refused_ms = 0 WHERE tenant = @tenant AND refused_ms <= @admitted_ms;

-- name: WriteProbe :exec
INSERT INTO probes (name, at_ms) VALUES (@name, @at_ms)
ON CONFLICT (name) DO UPDATE SET at_ms = excluded.at_ms;

-- name: Acceptances :many
SELECT * FROM acceptances WHERE tenant = @tenant AND (ended_ms = 0 OR ended_ms >= @since_ms)
ORDER BY at_ms, id;

-- name: AddAcceptance :execrows
INSERT INTO acceptances (id, tenant, kb, software, name, reason, person, at_ms, until_ms, places, listed, state, approver, ended_ms, ended_by, detail)
VALUES (@id, @tenant, @kb, @software, @name, @reason, @person, @at_ms, @until_ms, @places, @listed, @state, @approver, 0, '', '')
ON CONFLICT (id) DO NOTHING;

-- name: ReplaceAcceptances :exec
UPDATE acceptances SET state = 'ended', ended_ms = @ended_ms, ended_by = @ended_by
WHERE tenant = @tenant AND kb = @kb AND software = @software AND ended_ms = 0 AND id <> @id AND (state = @state OR CAST(@any_state AS BOOLEAN));

-- name: ApproveAcceptance :execrows
UPDATE acceptances SET state = 'accepted', approver = @approver WHERE id = @id AND state = 'requested' AND ended_ms = 0;

-- name: EndAcceptance :execrows
UPDATE acceptances SET state = 'ended', ended_ms = @ended_ms, ended_by = @ended_by, detail = @detail WHERE id = @id AND ended_ms = 0;

-- name: PruneAcceptances :execrows
DELETE FROM acceptances WHERE ended_ms > 0 AND ended_ms < @before_ms;

-- name: RemoveAlerted :exec
DELETE FROM alerted WHERE subscription = @subscription;

-- name: Alerted :many
SELECT * FROM alerted WHERE subscription = @subscription ORDER BY kb;

-- name: ClaimAlert :execrows
INSERT INTO alerted (subscription, kb, devices, at_ms) VALUES (@subscription, @kb, @devices, @at_ms)
ON CONFLICT (subscription, kb) DO UPDATE SET devices = excluded.devices, at_ms = excluded.at_ms
WHERE alerted.devices < excluded.devices AND alerted.devices * 5 <= excluded.devices * 4;

-- name: NoteAlerted :exec
INSERT INTO alerted (subscription, kb, devices, at_ms) VALUES (@subscription, @kb, @devices, @at_ms)
ON CONFLICT (subscription, kb) DO UPDATE SET devices = excluded.devices, at_ms = excluded.at_ms
WHERE alerted.devices < excluded.devices;

-- name: Feeds :many
SELECT feed, version, tried_ms, fresh_ms, failed_ms, failing_ms, failure, origin FROM feeds ORDER BY feed;

-- name: LockFeed :one
INSERT INTO feeds (feed, version, tried_ms, fresh_ms, failed_ms, failing_ms, failure, origin)
VALUES (@feed, 0, 0, 0, 0, 0, '', '')
ON CONFLICT (feed) DO UPDATE SET version = feeds.version
RETURNING version;

-- name: BumpFeed :exec
UPDATE feeds SET version = version + 1 WHERE feed = @feed;

-- name: SetFeedFresh :exec
UPDATE feeds SET tried_ms = @at_ms, fresh_ms = @at_ms, failing_ms = 0, failure = '', origin = @origin WHERE feed = @feed;

-- name: SetFeedFailed :exec
UPDATE feeds SET tried_ms = @at_ms, failed_ms = @at_ms, failure = @failure,
    failing_ms = CASE WHEN failing_ms = 0 THEN @at_ms ELSE failing_ms END
WHERE feed = @feed;

-- name: FeedVersion :one
SELECT CAST(COALESCE(SUM(version), 0) AS BIGINT) AS version FROM feeds;

-- name: FeedDocuments :many
SELECT feed, document, released_ms, revised_ms, entries, chained FROM feed_documents ORDER BY feed, document;

-- name: FeedDocument :one
SELECT released_ms, revised_ms, entries, chained, body FROM feed_documents WHERE feed = @feed AND document = @document;

-- name: FeedBodies :many
SELECT feed, document, body FROM feed_documents ORDER BY feed, document;

-- name: SetFeedDocument :exec
INSERT INTO feed_documents (feed, document, released_ms, revised_ms, entries, chained, body)
VALUES (@feed, @document, @released_ms, @revised_ms, @entries, @chained, @body)
ON CONFLICT (feed, document) DO UPDATE
SET released_ms = excluded.released_ms, revised_ms = excluded.revised_ms, entries = excluded.entries, chained = excluded.chained, body = excluded.body;

-- name: SoftwareList :one
SELECT * FROM software_lists WHERE tenant = @tenant;

-- name: SaveSoftwareList :exec
INSERT INTO software_lists (tenant, fetched_ms, skipped, software) VALUES (@tenant, @fetched_ms, @skipped, @software)
ON CONFLICT (tenant) DO UPDATE SET fetched_ms = excluded.fetched_ms, skipped = excluded.skipped, software = excluded.software
WHERE software_lists.fetched_ms < excluded.fetched_ms;

-- name: Asked :many
SELECT software FROM asked WHERE tenant = @tenant AND person = @person ORDER BY at_ms DESC, software LIMIT @max;

-- name: NoteAsked :exec
INSERT INTO asked (tenant, person, software, at_ms) VALUES (@tenant, @person, @software, @at_ms)
ON CONFLICT (tenant, person, software) DO UPDATE SET at_ms = excluded.at_ms WHERE asked.at_ms < excluded.at_ms;

-- name: TrimAsked :exec
DELETE FROM asked WHERE asked.tenant = @tenant AND asked.person = @person AND asked.software NOT IN (
    SELECT kept.software FROM asked AS kept WHERE kept.tenant = @tenant AND kept.person = @person ORDER BY kept.at_ms DESC, kept.software LIMIT @max
);

-- name: PruneAsked :execrows
DELETE FROM asked WHERE at_ms < @before_ms;

-- name: AlertingSubscriptions :many
SELECT id FROM subscriptions WHERE alert <> '' ORDER BY id;
