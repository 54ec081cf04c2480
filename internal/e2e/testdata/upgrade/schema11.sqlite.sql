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
, report BOOLEAN NOT NULL DEFAULT FALSE, alert TEXT NOT NULL DEFAULT '');
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
, thread TEXT NOT NULL DEFAULT '', read_ms BIGINT NOT NULL DEFAULT 0);
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
    closed_ms BIGINT NOT NULL, first_ms BIGINT NOT NULL DEFAULT 0, before_ms BIGINT NOT NULL DEFAULT 0,  -- when it was last seen before it was gone; 0 while it never was
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
CREATE TABLE allowances (
    tenant  TEXT NOT NULL,
    channel TEXT NOT NULL,
    teams   TEXT NOT NULL, -- a JSON list: the organisations that read the channel when it was allowed
    person  TEXT NOT NULL,
    at_ms   BIGINT NOT NULL,
    PRIMARY KEY (tenant, channel)
);
CREATE TABLE matters (
    name  TEXT PRIMARY KEY,
    state TEXT NOT NULL -- JSON of package ops; empty for nothing
);
CREATE TABLE threads (
    key          TEXT PRIMARY KEY, -- of the delivery
    subscription TEXT NOT NULL,
    posted       BIGINT NOT NULL,  -- how many of its messages are known to be posted
    details      BYTEA NOT NULL    -- the page that it holds, compressed
);
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
CREATE TABLE lanes (
    channel TEXT PRIMARY KEY,
    holder  TEXT NOT NULL,   -- the digest that posts
    free_ms BIGINT NOT NULL  -- when another may
);
CREATE TABLE auth_states (
    tenant     TEXT PRIMARY KEY,
    refused_ms BIGINT NOT NULL -- the last refusal; 0 once Defender has admitted the app again
);
CREATE TABLE probes (
    name  TEXT PRIMARY KEY,
    at_ms BIGINT NOT NULL
);
CREATE TABLE software_lists (
    tenant     TEXT PRIMARY KEY,
    fetched_ms BIGINT NOT NULL, -- when Defender gave it
    skipped    BIGINT NOT NULL, -- rows that could not be read and are not in it
    software   BYTEA NOT NULL   -- compressed
);
CREATE TABLE asked (
    tenant   TEXT NOT NULL,
    person   TEXT NOT NULL,
    software TEXT NOT NULL,
    at_ms    BIGINT NOT NULL, -- the last time
    PRIMARY KEY (tenant, person, software)
);
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
CREATE TABLE reading_days (
    tenant   TEXT NOT NULL,
    software TEXT NOT NULL,
    day      BIGINT NOT NULL, -- days since 1970 in UTC
    at_ms    BIGINT NOT NULL, -- of the last reading of the day
    hash     BIGINT NOT NULL,
    PRIMARY KEY (tenant, software, day)
);
CREATE TABLE acceptances (
    id          TEXT PRIMARY KEY,
    tenant      TEXT NOT NULL,
    kb          TEXT NOT NULL,
    software    TEXT NOT NULL,   -- empty for all
    name        TEXT NOT NULL,   -- of the update
    reason      TEXT NOT NULL,
    person      TEXT NOT NULL,
    at_ms       BIGINT NOT NULL,
    until_ms    BIGINT NOT NULL,
    places      TEXT NOT NULL,   -- a JSON list: where it was missing, and on how many devices
    listed      TEXT NOT NULL,   -- a JSON list: its CVEs that CISA listed already
    state       TEXT NOT NULL,
    approver    TEXT NOT NULL,
    ended_ms    BIGINT NOT NULL, -- 0 while it is open
    ended_by    TEXT NOT NULL,   -- what ended it
    detail      TEXT NOT NULL
);
CREATE TABLE alerted (
    subscription TEXT NOT NULL,
    kb           TEXT NOT NULL,
    devices      BIGINT NOT NULL, -- that lacked it then
    at_ms        BIGINT NOT NULL,
    PRIMARY KEY (subscription, kb)
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
CREATE INDEX threads_subscription ON threads (subscription);
CREATE INDEX asked_at ON asked (at_ms);
CREATE INDEX reading_days_at ON reading_days (at_ms);
CREATE UNIQUE INDEX acceptances_open ON acceptances (tenant, kb, software, state) WHERE ended_ms = 0;
CREATE INDEX acceptances_ended ON acceptances (tenant, ended_ms);
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
INSERT INTO missingkbs_migrations (id, version_id, is_applied, tstamp) VALUES (1, 0, 1, '2026-11-29 23:03:43');
INSERT INTO missingkbs_migrations (id, version_id, is_applied, tstamp) VALUES (2, 1, 1, '2026-11-29 23:03:43');
INSERT INTO missingkbs_migrations (id, version_id, is_applied, tstamp) VALUES (3, 2, 1, '2026-11-29 23:03:43');
INSERT INTO missingkbs_migrations (id, version_id, is_applied, tstamp) VALUES (4, 3, 1, '2026-11-29 23:03:43');
INSERT INTO missingkbs_migrations (id, version_id, is_applied, tstamp) VALUES (5, 4, 1, '2026-11-29 23:03:43');
INSERT INTO missingkbs_migrations (id, version_id, is_applied, tstamp) VALUES (6, 5, 1, '2026-11-29 23:03:43');
INSERT INTO missingkbs_migrations (id, version_id, is_applied, tstamp) VALUES (7, 6, 1, '2026-11-29 23:03:43');
INSERT INTO missingkbs_migrations (id, version_id, is_applied, tstamp) VALUES (8, 7, 1, '2026-11-29 23:03:43');
INSERT INTO missingkbs_migrations (id, version_id, is_applied, tstamp) VALUES (9, 8, 1, '2026-11-29 23:03:43');
INSERT INTO missingkbs_migrations (id, version_id, is_applied, tstamp) VALUES (10, 9, 1, '2026-11-29 23:03:43');
INSERT INTO missingkbs_migrations (id, version_id, is_applied, tstamp) VALUES (11, 10, 1, '2026-11-29 23:03:43');
INSERT INTO missingkbs_migrations (id, version_id, is_applied, tstamp) VALUES (12, 11, 1, '2026-11-29 23:03:43');
INSERT INTO subscriptions (id, tenant, channel, owner, watch, min_devices, min_cves, schedule, zone, quiet, origin, created_ms, next_ms, paused, paused_until_ms, pause_reason, failures, report, alert) VALUES ('3481', 'default', 'C0GENERAL', 'U0ALICE01', '["microsoft-_-suite"]', 0, 0, 'mon 09:00', 'UTC', 'silent', 'chat', 1795993423275, 1796029200000, 0, 0, '', 0, 0, '');
INSERT INTO subscriptions (id, tenant, channel, owner, watch, min_devices, min_cves, schedule, zone, quiet, origin, created_ms, next_ms, paused, paused_until_ms, pause_reason, failures, report, alert) VALUES ('1366', 'default', 'C0GENERAL', 'U0ALICE01', '["microsoft-_-edge"]', 0, 0, 'tue 09:00', 'UTC', 'silent', 'chat', 1795993423291, 0, 1, 0, '', 0, 0, '');
INSERT INTO deliveries (key, subscription, tenant, due_ms, channel, message, kind, at_ms, kbs, gaps, worst, missing, cves, thread, read_ms) VALUES ('digest/3481/2026-11-29T23:03:01Z', '3481', 'default', 1795993381000, 'C0GENERAL', '1795424400.000003', 'first', 1795993424288, 2, 0, 40, 47, 4, 'whole', 1795993424280);
INSERT INTO readings (tenant, software, hash, first_ms, last_ms, gaps) VALUES ('default', 'microsoft-_-suite', -3339036952631693094, 1795993424280, 1795993424280, X'AA56F27652B28A563235000143251D28CB48295647C93FD8A93433270524AFA4A30412F14BCC4D0571DD328B8A4B947494825393F3F3524032A1413E48EA5C52CB3293538B95ACA24D0C74CC6375949CC35C413C631DC3D85A40000000FFFF');
INSERT INTO software (tenant, software, hash, read_ms) VALUES ('default', 'microsoft-_-suite', -3339036952631693094, 1795993424280);
INSERT INTO updates (tenant, software, kb, os_build, missing, closed_ms, first_ms, before_ms) VALUES ('default', 'microsoft-_-suite', '5000001', '', 1, 0, 1795993424280, 0);
INSERT INTO updates (tenant, software, kb, os_build, missing, closed_ms, first_ms, before_ms) VALUES ('default', 'microsoft-_-suite', '5000002', '', 1, 0, 1795993424280, 0);
INSERT INTO baselines (subscription, tenant, at_ms, contents) VALUES ('3481', 'default', 1795993424288, X'04C0B10AC2301006E077F9E704D25C1ABDDBDCDCC5A914099A62A136905C7010DFBDDF0F17850C271E9929F8E0CFCEE05616FDA69A21133EEBB3965616B50FDBFAAA19B3C135B53764B244C48E228F3ED210991C87D9E0BED79C5E90BD6FDBFF080000FFFF');
INSERT INTO audits (id, at_ms, tenant, person, action, subject, detail, team, channel, result, reason, request) VALUES ('18ECA680BDF5943EKXIBOZGUTX', 1795993423286, 'default', 'U0ALICE01', 'digest.add', '3481', 'microsoft-_-suite; mon 09:00 UTC', '', 'C0GENERAL', 'done', '', 'c374d846');
INSERT INTO audits (id, at_ms, tenant, person, action, subject, detail, team, channel, result, reason, request) VALUES ('18ECA680BE3EA3DEVPDZXG6BZG', 1795993423291, 'default', 'U0ALICE01', 'digest.add', '1366', 'microsoft-_-edge; tue 09:00 UTC', '', 'C0GENERAL', 'done', '', 'f402850e');
INSERT INTO audits (id, at_ms, tenant, person, action, subject, detail, team, channel, result, reason, request) VALUES ('18ECA680BE6BDF92J7H4BRXX7H', 1795993423294, 'default', 'U0ALICE01', 'digest.pause', '1366', 'until someone resumes it', '', 'C0GENERAL', 'done', '', 'b431499f');
INSERT INTO audits (id, at_ms, tenant, person, action, subject, detail, team, channel, result, reason, request) VALUES ('18ECA680BEA03B26FCK4MPMVQZ', 1795993423298, 'default', 'U0ALICE01', 'digest.run', '3481', '', '', 'C0GENERAL', 'done', '', 'dde226a9');
INSERT INTO lanes (channel, holder, free_ms) VALUES ('C0GENERAL', '', 1795993426481);
INSERT INTO probes (name, at_ms) VALUES ('health', 1795993423254);
INSERT INTO software_lists (tenant, fetched_ms, skipped, software) VALUES ('default', 1795993423286, 0, X'9459EB72A33C127D17FF9D904212D7BCCAD6964A86B6AD18102B092799ADEFDDB7744146324EB2BFCC4CD187BE9C3EDD52FEF5DF033FBC1DEAEC2F9F339AD9DFC3CBE1E3F056BF1CE0F0866AFC72E80F6F38AF5E0EEAF096BF12DC3615C9D13F2FCE94F5E20819CD5827C59169DA77CE1EB50EA0B5F605F6E679DBB479819E9A4B603DC814A522160535247851B745891F603A094CF31BD06E104BEF30B0857071183CE7478EF2B66CDA0030CF830118592794B323E5C6700D3F472DAA9BBC59ED3AAE3A91D14C41B748F3590E93DE66B042EEC364751DA1CA643005F880237C3AC3CA1A962E716570B8C1A8459B0F6BC93F8DA1905735B30E9C71638D6BE734095E97A4C0451D8CC5A48512365E795D66AA4169903EE716C165FC0EB09AF6300C26DE659E85D44C29AE7CBC852BB82F15BA67ACC0455506C77BD15D416634730FB40775D5C2B30EA197C3E7E14DCB055CF61C581DB01A9B8615EBC407F8CB878165B314EFD0E98C66E1FFA262B89C228787031BB1A132097939894F6E30E6FEE4991859938443181153CBD5FACC75A6BA31A3D999471C285C39EA2634416E2C43186721CE967DDD458AD117D2186D53B17662917B9416D708131C50DE411F25E393CA68C6270DC3C0DF29EF81793A3B575C08456015C14D5D85040C30899BE5F397D230D265EE998688960EA10A49688C3DC22BC2C83B2994389934BE4EA0032BA358BC1B64CD08AAB06DAC6728F424D90886EADBBC362EAFA4A8024CD5142DD97586542565F3BC36B743A84B2F2C2B23EA2AC73569EB3D04D675A0D4A3A890EA89A844C66AB6817442C2234495FF06E2AF97986D3D3CA351B08FE579C75E4C13741A7A3AB2EEC227A0EC1CDAC4F530F67105A77061BCFAC6A9514C5C0BB9852271C94BCFDEE0E773C81E4E309929701292C2D4CF82AFA0650C4A902F4080B55A5397DFC25AADE6FA8BFA2E39C3D481A7BA29AFA3D42EC4D7C446DE294AAA725B44E7C63DB6BC2CEA76D709E8CFBEFCA607B7B1D8C6DE34387E256D5BD405699EE1502B177C19B32353D0DFA7D6161661074B88730FBDA232B75DB20BFBD9C1E080DA6D86EBA09875559086544F8C2F6C3A0355206F2029CE51F5A83DE513E9F901A9758529F65E377594A6B9E0731E845C551B139CD0C50B78D9F80CE76D6D06E36EA5447FEC682FF9CD1351FD67F0EE44E32EA5F5F3F615A7135FA734F61971E6CD2A20B86C4859A1EAB93915D3607A3678624ABBFBFA00B43F7E17801F6A453AD4A28918414E60E1B63525854F40D81492CD2C0198848EE4AF481695FCF91C108B1E84B83E5AD7F92FAC67F101921E79BC6F24CD5227BA676B99174FF136CAB41582BAFD85125800758161D82E6EA5DF78505817B19D47BB35F64B8F6301DEADD9BC1C07AE2EA125EC47DA7466142D41E56EC9248C42439C34C7FCC27B9A87E5ACB49ABE4B5E7561126CB6220A22B42963E821846DD67E85B31119944C9C446E9235F447D436041BA974A2F4CF09A7AE5F33D8C63B2E8A4FDBCD21D267E2AB1720E3AD2E820C1DBC09BB4AF07C55EE826404BBF819AE8E542109F3B7206DA48D38593611B1B3E747188CB7BE7814FC8BB9B14119D9C4CE3082A9A95E7A2E1E27D1A6CFBF815CF8AA589EF7F9EE6B6E5FEEC08C222A66904C733129EFC7774AAD818D2A3A32A69B3E42F1A1796B7DE36A8D0DEF4FA4E71274E36A6103EDFEFC31B52B3393792AA1E74A4B7E5C343B0E1074129C62982850682AFC7CF9F7E02EF92BC1ECD2FFABB7DB6D4C757A7827664EFEEAB32B973C25FD1A1A90D0F3752646EA441F9DB0BDFC956B2A903BA0EFFAF4C1A75E7C288AF275FA274DBBDE6F60B79814AF796DCEEB55F52D1AF2BA5725876694FB96292B0F57B4F1ADC51E1CEB473E79026F734FE2FB8F6FA46045DA51E626F530EE6952C7E7FAEF513D351026BB528AD6436541FE0FD4A039E9FE5CC65706B87AAECF8FA0E53AE79282B7B14AE3C61C3BF7932A641F0F4B17651D8887932545B81B119A9DB88493F0974A464CA2F3982F41BE2E1A4625A2C52DE0E8CB62CE4D471E3CC9DDF13B9177370B03C0247A785719CDCCC3EBBB0AC78A689E92E47EB0B4F92577100D33EBFFFCB138FE797FF0AD571B647F9315334C4A0D6691744F5B5D7818C2F140109275F682E6BDBF462928FDD9EA3EE1A2CBBDBB9D8CC4033B416BC20656C6FD392F5A7FD9ED4DEBAFED2C74BCA9364B8D2D5AB0FBD217311943FB107DB27A48F4D653C9E4C08E8EC392C9C71B0A5C3E39E248E8E98519AA5ECD21CCA7B54C6EAF1C57C2750F8E37CE3B86ABCD251AB891699E1756FC575335B0EE6A06B0F90D5334161BAF0B24B44C72EC5B8ECBA4978C66039F964FCA4776769B9BFDB7CF45BEB7AA26940F409B96C9CE931861BD307D80DDCC6CF26464DF780F6260A6AEB7A1A323F49CD179605FAB50D7FE02C1912354B88844E5367E3069B8A88518D46E0BF9F37171DFE8E39DF9834FAA9B1D4954376F37AA2ABDAD8E0BFCC125982DFB6A8DFDF3969E284FD69624B37F8518339A999F580D5D47843F0CA0C22E24E49F7FFF2F0000FFFF');
INSERT INTO reading_days (tenant, software, day, at_ms, hash) VALUES ('default', 'microsoft-_-suite', 20786, 1795993424280, -3339036952631693094);
INSERT INTO river_migration (line, version, created_at) VALUES ('main', 1, '2026-11-29 23:03:43');
INSERT INTO river_migration (line, version, created_at) VALUES ('main', 2, '2026-11-29 23:03:43');
INSERT INTO river_migration (line, version, created_at) VALUES ('main', 3, '2026-11-29 23:03:43');
INSERT INTO river_migration (line, version, created_at) VALUES ('main', 4, '2026-11-29 23:03:43');
INSERT INTO river_migration (line, version, created_at) VALUES ('main', 5, '2026-11-29 23:03:43');
INSERT INTO river_migration (line, version, created_at) VALUES ('main', 6, '2026-11-29 23:03:43');
INSERT INTO river_migration (line, version, created_at) VALUES ('main', 7, '2026-11-29 23:03:43');
INSERT INTO river_migration (line, version, created_at) VALUES ('main', 8, '2026-11-29 23:03:43');
INSERT INTO river_notification (id, created_at, payload, topic) VALUES (1, '2026-11-29 23:03:43.298', '{"queue": "default"}', 'river_insert');
INSERT INTO river_queue (name, created_at, metadata, paused_at, updated_at) VALUES ('default', '2026-11-29 23:03:43.243', X'0C', NULL, '2026-11-29 23:03:43.243');
INSERT INTO river_job (id, args, attempt, attempted_at, attempted_by, created_at, errors, finalized_at, kind, max_attempts, metadata, priority, queue, state, scheduled_at, tags, unique_key, unique_states) VALUES (1, X'CC29C70C737562736372697074696F6E4733343831676475655F6D73C30D31373935393933333831303030', 1, '2026-11-29 23:03:44.278', X'CB1FC71D766D5F323032365F31315F32395432335F30335F34335F323432393031', '2026-11-29 23:03:43.297', NULL, '2026-11-29 23:03:45.384', 'digest', 10, X'CC26C71272697665723A756E697175655F6E6F6E6365C71030646663666461363931363534393031', 1, 'default', 'completed', '2026-11-29 23:03:43.297', X'0B', X'6A31804F1FB24BB50BDB9788216C1CD818ACD14F3F23B211FF113D0EC18DE95A', 255);
