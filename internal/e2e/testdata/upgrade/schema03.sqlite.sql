CREATE TABLE missingkbs_migrations (
		id INTEGER PRIMARY KEY AUTOINCREMENT,
		version_id INTEGER NOT NULL,
		is_applied INTEGER NOT NULL,
		tstamp TIMESTAMP DEFAULT (datetime('now'))
	);
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
CREATE TABLE readings (
    tenant   TEXT NOT NULL,
    software TEXT NOT NULL,
    hash     BIGINT NOT NULL, -- of the rows
    first_ms BIGINT NOT NULL, -- when it was first and last read so
    last_ms  BIGINT NOT NULL,
    gaps     BYTEA NOT NULL,  -- the rows, compressed
    PRIMARY KEY (tenant, software, hash)
);
CREATE TABLE software (
    tenant   TEXT NOT NULL,
    software TEXT NOT NULL,
    hash     BIGINT NOT NULL,
    read_ms  BIGINT NOT NULL,
    PRIMARY KEY (tenant, software)
);
CREATE TABLE updates (
    tenant    TEXT NOT NULL,
    software  TEXT NOT NULL,
    kb        TEXT NOT NULL,
    os_build  TEXT NOT NULL,
    missing   BOOLEAN NOT NULL, -- in the newest reading
    closed_ms BIGINT NOT NULL,  -- when it was last seen before it was gone; 0 while it never was
    PRIMARY KEY (tenant, software, kb, os_build)
);
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
, team TEXT NOT NULL DEFAULT '', channel TEXT NOT NULL DEFAULT '', result TEXT NOT NULL DEFAULT 'done', reason TEXT NOT NULL DEFAULT '', request TEXT NOT NULL DEFAULT '');
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
CREATE TABLE river_leader (
    elected_at timestamp NOT NULL,
    expires_at timestamp NOT NULL,
    leader_id text NOT NULL,
    name text PRIMARY KEY NOT NULL DEFAULT 'default' CHECK (name = 'default'),
    CONSTRAINT name_length CHECK (length(name) > 0 AND length(name) < 128),
    CONSTRAINT leader_id_length CHECK (length(leader_id) > 0 AND length(leader_id) < 128)
);
CREATE TABLE river_migration (
    line text NOT NULL,
    version integer NOT NULL,
    created_at timestamp NOT NULL DEFAULT CURRENT_TIMESTAMP,
    CONSTRAINT line_length CHECK (length(line) > 0 AND length(line) < 128),
    CONSTRAINT version_gte_1 CHECK (version >= 1),
    PRIMARY KEY (line, version)
);
CREATE TABLE river_notification (
    id integer PRIMARY KEY AUTOINCREMENT,
    created_at timestamp NOT NULL DEFAULT (datetime('now', 'subsec')),
    payload text NOT NULL,
    topic text NOT NULL,
    CONSTRAINT topic_length CHECK (length(topic) > 0 AND length(topic) < 128)
);
CREATE TABLE river_queue (
    name text PRIMARY KEY NOT NULL,
    created_at timestamp NOT NULL DEFAULT CURRENT_TIMESTAMP,
    metadata blob NOT NULL DEFAULT (jsonb('{}')),
    paused_at timestamp,
    updated_at timestamp NOT NULL DEFAULT CURRENT_TIMESTAMP
);
CREATE TABLE river_job (
    id integer PRIMARY KEY AUTOINCREMENT,
    args blob NOT NULL DEFAULT (jsonb('{}')),
    attempt integer NOT NULL DEFAULT 0,
    attempted_at timestamp,
    attempted_by blob, -- json
    created_at timestamp NOT NULL DEFAULT CURRENT_TIMESTAMP,
    errors blob, -- json
    finalized_at timestamp,
    kind text NOT NULL,
    max_attempts integer NOT NULL DEFAULT 25,
    metadata blob NOT NULL DEFAULT (jsonb('{}')),
    priority integer NOT NULL DEFAULT 1,
    queue text NOT NULL DEFAULT 'default',
    state text NOT NULL DEFAULT 'available',
    scheduled_at timestamp NOT NULL DEFAULT CURRENT_TIMESTAMP,
    tags blob NOT NULL DEFAULT (jsonb('[]')),
    unique_key blob,
    unique_states integer,
    CONSTRAINT finalized_or_finalized_at_null CHECK (
        (finalized_at IS NULL AND state NOT IN ('cancelled', 'completed', 'discarded')) OR
        (finalized_at IS NOT NULL AND state IN ('cancelled', 'completed', 'discarded'))
    ),
    CONSTRAINT priority_in_range CHECK (priority >= 1 AND priority <= 4),
    CONSTRAINT queue_length CHECK (length(queue) > 0 AND length(queue) < 128),
    CONSTRAINT kind_length CHECK (length(kind) > 0 AND length(kind) < 128),
    CONSTRAINT state_valid CHECK (state IN ('available', 'cancelled', 'completed', 'discarded', 'pending', 'retryable', 'running', 'scheduled'))
);
CREATE INDEX subscriptions_due ON subscriptions (next_ms) WHERE next_ms > 0;
CREATE INDEX subscriptions_channel ON subscriptions (tenant, channel);
CREATE INDEX deliveries_subscription ON deliveries (subscription, at_ms);
CREATE INDEX deliveries_at ON deliveries (at_ms);
CREATE INDEX readings_last ON readings (last_ms);
CREATE INDEX updates_closed ON updates (closed_ms) WHERE closed_ms > 0;
CREATE INDEX audits_order ON audits (at_ms, id);
CREATE INDEX audits_person ON audits (person, at_ms, id);
CREATE INDEX river_notification_created_at_idx ON river_notification (created_at);
CREATE INDEX river_notification_topic_id_idx ON river_notification (topic, id);
CREATE INDEX river_job_kind ON river_job (kind);
CREATE INDEX river_job_state_and_finalized_at_index ON river_job (state, finalized_at) WHERE finalized_at IS NOT NULL;
CREATE INDEX river_job_prioritized_fetching_index ON river_job (state, queue, priority, scheduled_at, id);
CREATE UNIQUE INDEX river_job_unique_idx ON river_job (unique_key)
    WHERE unique_key IS NOT NULL
        AND unique_states IS NOT NULL
        AND CASE state
            WHEN 'available' THEN unique_states & (1 << 0)
            WHEN 'cancelled' THEN unique_states & (1 << 1)
            WHEN 'completed' THEN unique_states & (1 << 2)
            WHEN 'discarded' THEN unique_states & (1 << 3)
            WHEN 'pending'   THEN unique_states & (1 << 4)
            WHEN 'retryable' THEN unique_states & (1 << 5)
            WHEN 'running'   THEN unique_states & (1 << 6)
            WHEN 'scheduled' THEN unique_states & (1 << 7)
            ELSE 0
        END >= 1;
INSERT INTO missingkbs_migrations (id, version_id, is_applied, tstamp) VALUES (1, 0, 1, '2026-11-29 23:03:24');
INSERT INTO missingkbs_migrations (id, version_id, is_applied, tstamp) VALUES (2, 1, 1, '2026-11-29 23:03:24');
INSERT INTO missingkbs_migrations (id, version_id, is_applied, tstamp) VALUES (3, 2, 1, '2026-11-29 23:03:24');
INSERT INTO missingkbs_migrations (id, version_id, is_applied, tstamp) VALUES (4, 3, 1, '2026-11-29 23:03:24');
INSERT INTO subscriptions (id, tenant, channel, owner, watch, min_devices, min_cves, schedule, zone, quiet, origin, created_ms, next_ms, paused, paused_until_ms, pause_reason, failures) VALUES ('8948', 'default', 'C0GENERAL', 'U0ALICE01', '["microsoft-_-suite"]', 0, 0, 'mon 09:00', 'UTC', 'silent', 'chat', 1795993404394, 1796029200000, 0, 0, '', 0);
INSERT INTO subscriptions (id, tenant, channel, owner, watch, min_devices, min_cves, schedule, zone, quiet, origin, created_ms, next_ms, paused, paused_until_ms, pause_reason, failures) VALUES ('3687', 'default', 'C0GENERAL', 'U0ALICE01', '["microsoft-_-edge"]', 0, 0, 'tue 09:00', 'UTC', 'silent', 'chat', 1795993404413, 0, 1, 0, '', 0);
INSERT INTO deliveries (key, subscription, tenant, due_ms, channel, message, kind, at_ms, kbs, gaps, worst, missing, cves) VALUES ('digest/8948/2026-11-29T23:03:01Z', '8948', 'default', 1795993381000, 'C0GENERAL', '1795424400.000004', 'first', 1795993407671, 2, 2, 40, 47, 4);
INSERT INTO readings (tenant, software, hash, first_ms, last_ms, gaps) VALUES ('default', 'microsoft-_-suite', -3339036952631693094, 1795993405468, 1795993405468, X'AA56F27652B28A563235000143251D28CB48295647C93FD8A93433270524AFA4A30412F14BCC4D0571DD328B8A4B947494825393F3F3524032A1413E48EA5C52CB3293538B95ACA24D0C74CC6375949CC35C413C631DC3D85A40000000FFFF');
INSERT INTO software (tenant, software, hash, read_ms) VALUES ('default', 'microsoft-_-suite', -3339036952631693094, 1795993405468);
INSERT INTO updates (tenant, software, kb, os_build, missing, closed_ms) VALUES ('default', 'microsoft-_-suite', '5000001', '', 1, 0);
INSERT INTO updates (tenant, software, kb, os_build, missing, closed_ms) VALUES ('default', 'microsoft-_-suite', '5000002', '', 1, 0);
INSERT INTO baselines (subscription, tenant, at_ms, contents) VALUES ('8948', 'default', 1795993407671, X'04C0B10AC2301006E077F9E704522F39BDDBDCDCC5A914099A62A136905C7110DFDDEF8BB34187A324118A21453E395CEB6C9FDC0A74C47B79B4DAEB6CFEEEFBBE58C1E470C9FD051D3D1149209674601A5828489C1C6E5B2BF909DDF675FDFD030000FFFF');
INSERT INTO audits (id, at_ms, tenant, person, action, subject, detail, team, channel, result, reason, request) VALUES ('G6J6KNVHZ6DKKTSOWJ3NGZ5JAC', 1795993404410, 'default', 'U0ALICE01', 'digest.add', '8948', 'microsoft-_-suite; mon 09:00 UTC', '', 'C0GENERAL', 'done', '', '1afb2ae8');
INSERT INTO audits (id, at_ms, tenant, person, action, subject, detail, team, channel, result, reason, request) VALUES ('7BZ53HGHHP26OTILXOCMN5DR2F', 1795993404413, 'default', 'U0ALICE01', 'digest.add', '3687', 'microsoft-_-edge; tue 09:00 UTC', '', 'C0GENERAL', 'done', '', '159d1a59');
INSERT INTO audits (id, at_ms, tenant, person, action, subject, detail, team, channel, result, reason, request) VALUES ('JXNNN6XTIP5SP2EOKWGPI6NMG7', 1795993404415, 'default', 'U0ALICE01', 'digest.pause', '3687', 'until somebody resumes it', '', 'C0GENERAL', 'done', '', 'b96f8785');
INSERT INTO audits (id, at_ms, tenant, person, action, subject, detail, team, channel, result, reason, request) VALUES ('TDNCZPUMDXX3JSNQT5CGJD7TZT', 1795993404417, 'default', 'U0ALICE01', 'digest.run', '8948', '', '', 'C0GENERAL', 'done', '', 'a5693951');
INSERT INTO river_migration (line, version, created_at) VALUES ('main', 1, '2026-11-29 23:03:24');
INSERT INTO river_migration (line, version, created_at) VALUES ('main', 2, '2026-11-29 23:03:24');
INSERT INTO river_migration (line, version, created_at) VALUES ('main', 3, '2026-11-29 23:03:24');
INSERT INTO river_migration (line, version, created_at) VALUES ('main', 4, '2026-11-29 23:03:24');
INSERT INTO river_migration (line, version, created_at) VALUES ('main', 5, '2026-11-29 23:03:24');
INSERT INTO river_migration (line, version, created_at) VALUES ('main', 6, '2026-11-29 23:03:24');
INSERT INTO river_migration (line, version, created_at) VALUES ('main', 7, '2026-11-29 23:03:24');
INSERT INTO river_migration (line, version, created_at) VALUES ('main', 8, '2026-11-29 23:03:24');
INSERT INTO river_notification (id, created_at, payload, topic) VALUES (1, '2026-11-29 23:03:24.417', '{"queue": "default"}', 'river_insert');
INSERT INTO river_notification (id, created_at, payload, topic) VALUES (2, '2026-11-29 23:03:25.636', '{"queue": "default"}', 'river_insert');
INSERT INTO river_queue (name, created_at, metadata, paused_at, updated_at) VALUES ('default', '2026-11-29 23:03:24.385', X'0C', NULL, '2026-11-29 23:03:24.385');
INSERT INTO river_job (id, args, attempt, attempted_at, attempted_by, created_at, errors, finalized_at, kind, max_attempts, metadata, priority, queue, state, scheduled_at, tags, unique_key, unique_states) VALUES (1, X'CC29C70C737562736372697074696F6E4738393438676475655F6D73C30D31373935393933333831303030', 1, '2026-11-29 23:03:25.466', X'CB1FC71D766D5F323032365F31315F32395432335F30335F32345F333835323631', '2026-11-29 23:03:24.417', NULL, '2026-11-29 23:03:27.674', 'digest', 10, X'CC26C71272697665723A756E697175655F6E6F6E6365C71066303839326262386432666165623763', 1, 'default', 'completed', '2026-11-29 23:03:24.417', X'0B', X'782B684DF9988F55B65B25C5FE863F0C6B78B3EB5DA0C7D00A0F02A8640B4A87', 255);
INSERT INTO river_job (id, args, attempt, attempted_at, attempted_by, created_at, errors, finalized_at, kind, max_attempts, metadata, priority, queue, state, scheduled_at, tags, unique_key, unique_states) VALUES (2, X'0C', 1, '2026-11-29 23:03:26.477', X'CB1FC71D766D5F323032365F31315F32395432335F30335F32345F333835323631', '2026-11-29 23:03:25.636', NULL, '2026-11-29 23:03:26.478', 'prune', 1, X'CC4D87706572696F64696301C71572697665723A706572696F6469635F6A6F625F6964577072756E65C71272697665723A756E697175655F6E6F6E6365C71034343332653463363838613830616639', 1, 'default', 'completed', '2026-11-29 23:03:25.635', X'0B', X'F4CB3E309CA66F8EFE6A97C567FCC3B317529C057E898F79B0F040E2A762158F', 255);
