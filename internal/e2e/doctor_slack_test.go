package e2e

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/missingkbs/missingkbs/internal/access"
	"github.com/missingkbs/missingkbs/internal/audit"
	"github.com/missingkbs/missingkbs/internal/demo"
	"github.com/missingkbs/missingkbs/internal/digest"
	"github.com/missingkbs/missingkbs/internal/digest/schedule"
	"github.com/missingkbs/missingkbs/internal/manifest"
	"github.com/missingkbs/missingkbs/internal/sandbox"
	"github.com/missingkbs/missingkbs/internal/sandbox/faults"
)

// One clinic for all: what a token is like does not outlive a run.
func TestDoctorTokens(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, setting, value string // "refused:" and a code is the good token, which Slack no longer takes
		check, found, cure   string
	}{
		{"bot token missing", "SLACK_BOT_TOKEN", "", "slack-bot-token", "SLACK_BOT_TOKEN is missing", "OAuth & Permissions"},
		{"app token missing", "SLACK_APP_TOKEN", "", "slack-app-token", "SLACK_APP_TOKEN is missing", "App-Level Tokens"},
		{"bot token is a user's", "SLACK_BOT_TOKEN", "xoxp-hunter2", "slack-bot-token", "holds a user token", "begins with xoxb-"},
		{"bot token is nonsense", "SLACK_BOT_TOKEN", "hunter2", "slack-bot-token", "holds not a Slack token", "begins with xoxb-"},
		{"bot token is an app's", "SLACK_BOT_TOKEN", "xapp-1-hunter2", "slack-bot-token", "holds an app-level token", "begins with xoxb-"},
		{"app token is a bot's", "SLACK_APP_TOKEN", "xoxb-hunter2", "slack-app-token", "holds a bot token", "begins with xapp-"},
		{"bot token wrong", "SLACK_BOT_TOKEN", "xoxb-hunter2", "slack-bot-token", "invalid_auth", "copy it anew, whole, from OAuth & Permissions"},
		{"app token wrong", "SLACK_APP_TOKEN", "xapp-1-A0SANDBOX-1-hunter2", "slack-app-token", "invalid_auth", "copy it anew, whole, from Basic Information"},
		{"bot token revoked", "SLACK_BOT_TOKEN", "refused:token_revoked", "slack-bot-token", "token_revoked", "make a new one: OAuth"},
		{"app token revoked", "SLACK_APP_TOKEN", "refused:token_revoked", "slack-app-token", "token_revoked", "make a new one: Basic Information"},
		{"bot token expired", "SLACK_BOT_TOKEN", "refused:token_expired", "slack-bot-token", "token_expired", "rotation"},
		{"app removed", "SLACK_BOT_TOKEN", "refused:account_inactive", "slack-bot-token", "account_inactive", "install it again"},
		{"app token of the wrong type", "SLACK_APP_TOKEN", "refused:not_allowed_token_type", "slack-app-token", "not_allowed_token_type", "mixed up"},
		{"Socket Mode off", "SLACK_APP_TOKEN", "refused:socket_mode_disabled", "slack-app-token", "socket_mode_disabled", "switch it on"},
		{"connections:write missing", "SLACK_APP_TOKEN", "refused:missing_scope", "slack-app-token", "missing_scope", "connections:write"},
		{"app gone", "SLACK_APP_TOKEN", "refused:app_not_found", "slack-app-token", "app_not_found", "no longer exists"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			where := newClinic(t, sandbox.Options{})
			settings := map[string]string{c.setting: c.value}
			if code, ok := strings.CutPrefix(c.value, "refused:"); ok {
				where.slack.RefuseToken(where.settings[c.setting], code)
				settings = nil
			}
			d := where.examine(t, settings)
			d.wants(t, c.check, "fail", c.found, c.cure)
			other := map[string]string{"slack-bot-token": "slack-app-token", "slack-app-token": "slack-bot-token"}[c.check]
			d.wants(t, other, "ok", "", "") // what does not depend on it is checked all the same
			d.wants(t, "defender", "ok", "", "")
			d.only(t, c.check, "configuration", "slack-manifest", "slack-same-app")
		})
	}
}

func TestDoctorTokensSwapped(t *testing.T) {
	t.Parallel()
	c := newClinic(t, sandbox.Options{})
	d := c.examine(t, map[string]string{"SLACK_APP_TOKEN": c.slack.BotToken(), "SLACK_BOT_TOKEN": c.slack.AppToken()})
	d.wants(t, "slack-bot-token", "fail", "SLACK_BOT_TOKEN holds an app-level token", "xoxb-")
	d.wants(t, "slack-app-token", "fail", "SLACK_APP_TOKEN holds a bot token", "xapp-")
	d.wants(t, "configuration", "fail", "SLACK_APP_TOKEN is another kind of token", "")
}

func TestDoctorTokensOfTwoApps(t *testing.T) {
	t.Parallel()
	c := newClinic(t, sandbox.Options{BotApp: "A0ANOTHER"})
	d := c.examine(t, nil)
	d.wants(t, "slack-same-app", "fail", "SLACK_APP_TOKEN belongs to the app A0SANDBOX, SLACK_BOT_TOKEN to the app A0ANOTHER", "of one app")
	d.only(t, "slack-same-app")
}

// In a whole organisation doctor names it, finds the app, and user groups in any of its workspaces.
func TestDoctorOrgWide(t *testing.T) {
	t.Parallel()
	c := newClinic(t, sandbox.Options{OrgWide: true})
	c.slack.SetGroupOf(sandbox.SecondTeamID, "S0SECOND01", "second", sandbox.Alice)
	d := c.examine(t, map[string]string{"MISSINGKBS_ASK_GROUPS": sandbox.Patchers + ",S0SECOND01"})
	d.wants(t, "slack-bot-token", "ok", "in the whole organisation "+sandbox.OrgName+" ("+sandbox.OrgID, "")
	d.wants(t, "slack-same-app", "ok", "both tokens belong to the app", "")
	d.wants(t, "slack-groups", "ok", "all groups in the settings exist", "")
	d.only(t)
	d = c.examine(t, map[string]string{"MISSINGKBS_ASK_GROUPS": "S0NOTHERE"})
	d.wants(t, "slack-groups", "fail", "no workspace that the app was added to has a user group S0NOTHERE", "MISSINGKBS_ASK_GROUPS")
}

// Every scope of the manifest in turn.
func TestDoctorScopes(t *testing.T) {
	t.Parallel()
	for _, missing := range manifest.Scopes() {
		t.Run(missing.Name, func(t *testing.T) {
			t.Parallel()
			has := slices.DeleteFunc(manifest.ScopeNames(), func(s string) bool { return s == missing.Name })
			c := newClinic(t, sandbox.Options{Scopes: has})
			settings := map[string]string{"SLACK_CONFIG_TOKEN": ""}
			if missing.Part == manifest.Groups {
				d := c.examine(t, settings)
				d.wants(t, "slack-scopes", "ok", "without "+missing.Name, "")
				d.only(t)
				settings["MISSINGKBS_ADMIN_GROUPS"] = "S0PATCHERS"
			}
			status := "fail"
			if missing.Optional && missing.Part != manifest.Groups {
				status = "warn"
			}
			d := c.examine(t, settings)
			d.wants(t, "slack-scopes", status, "the scope "+missing.Name+" is missing ("+missing.Use+"): "+missing.Without, "install the app again")
			d.only(t, "slack-scopes")
			if n := strings.Count(d.text("slack-scopes"), "is missing"); n != 1 {
				t.Errorf("%d scopes are told to be missing:\n%s", n, d.text("slack-scopes"))
			}
			if missing.Part != "" {
				settings["MISSINGKBS_WITHOUT"] = string(missing.Part)
				c.examine(t, settings).wants(t, "slack-scopes", "ok", "has all scopes", "")
			}
		})
	}
}

func TestDoctorScopesMoreThanUsed(t *testing.T) {
	t.Parallel()
	c := newClinic(t, sandbox.Options{Scopes: append(manifest.ScopeNames(), "reactions:write", "mpim:write", "im:read")})
	d := c.examine(t, map[string]string{"SLACK_CONFIG_TOKEN": ""})
	d.wants(t, "slack-scopes", "warn", "scopes that are not used: mpim:write, reactions:write", "remove them")
	d.only(t, "slack-scopes")
	if d.code != exitDone {
		t.Errorf("exit code %d: a warning is no failure", d.code)
	}
}

func TestDoctorManifest(t *testing.T) {
	t.Parallel()
	var shortcuts []any
	for _, s := range demo.Shortcuts() {
		shortcuts = append(shortcuts, map[string]any{"callback_id": s.CallbackID})
	}
	change := func(f func(m map[string]any)) json.RawMessage {
		m := map[string]any{
			"features": map[string]any{
				"app_home":       map[string]any{"home_tab_enabled": true},
				"slash_commands": []any{map[string]any{"command": "/missingkbs"}},
				"shortcuts":      shortcuts,
			},
			"oauth_config": map[string]any{"scopes": map[string]any{"bot": manifest.ScopeNames()}},
			"settings": map[string]any{
				"interactivity": map[string]any{"is_enabled": true}, "socket_mode_enabled": true, "event_subscriptions": map[string]any{"bot_events": manifest.Events()},
			},
		}
		f(m)
		raw, err := json.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		return raw
	}
	features := func(key string) func(map[string]any) {
		return func(m map[string]any) { delete(m["features"].(map[string]any), key) }
	}
	set := func(key string, v any) func(map[string]any) {
		return func(m map[string]any) { m["settings"].(map[string]any)[key] = v }
	}
	for _, c := range []struct {
		name, status, found string
		change              func(map[string]any)
	}{
		{"as it should be", "ok", "is set up as manifest.yaml says", func(map[string]any) {}},
		{"no command", "fail", "the app has no command /missingkbs", features("slash_commands")},
		{"no shortcut", "fail", "the app has no shortcut", features("shortcuts")},
		{"no Home tab", "fail", "the Home tab is switched off", features("app_home")},
		{"no interactivity", "fail", "interactivity is switched off", set("interactivity", nil)},
		{"no Socket Mode", "fail", "Socket Mode is switched off", set("socket_mode_enabled", false)},
		{"rotation", "fail", "token rotation is switched on", set("token_rotation_enabled", true)},
		{"no events", "fail", "the app does not subscribe to the event app_home_opened", set("event_subscriptions", nil)},
		{"more events", "warn", "more events than are used: reaction_added", set("event_subscriptions", map[string]any{"bot_events": append(manifest.Events(), "reaction_added")})},
		{"made before mentions", "warn", "the app does not subscribe to the event app_mention", set("event_subscriptions", map[string]any{"bot_events": []string{"app_home_opened"}})},
		{"made before shortcuts of messages", "warn", "the app has no shortcut missingkbs_message", func(m map[string]any) {
			m["features"].(map[string]any)["shortcuts"] = shortcuts[:1]
		}},
		{"a Messages tab for reading", "warn", "the Messages tab is read-only", func(m map[string]any) {
			m["features"].(map[string]any)["app_home"] = map[string]any{"home_tab_enabled": true, "messages_tab_read_only_enabled": true}
		}},
		{"installed before", "warn", "the app asks for the scope reactions:write, but the token was made before", func(m map[string]any) {
			m["oauth_config"] = map[string]any{"scopes": map[string]any{"bot": append(manifest.ScopeNames(), "reactions:write")}}
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			d := newClinic(t, sandbox.Options{Manifest: change(c.change)}).examine(t, nil)
			d.wants(t, "slack-manifest", c.status, c.found, "")
			d.only(t, "slack-manifest")
		})
	}
	t.Run("made without parts", func(t *testing.T) {
		t.Parallel()
		made := change(func(m map[string]any) {
			for _, leave := range []func(map[string]any){features("shortcuts"), features("app_home"), set("event_subscriptions", nil)} {
				leave(m)
			}
		})
		d := newClinic(t, sandbox.Options{Manifest: made}).examine(t, map[string]string{"MISSINGKBS_WITHOUT": "home,shortcuts,mentions,messages"})
		d.wants(t, "slack-manifest", "ok", "is set up as manifest.yaml says", "")
	})
	t.Run("without a configuration token", func(t *testing.T) {
		t.Parallel()
		c := newClinic(t, sandbox.Options{})
		c.examine(t, map[string]string{"SLACK_CONFIG_TOKEN": ""}).wants(t, "slack-manifest", "skip", "not compared", "App Manifest there with manifest.yaml")
		c.examine(t, map[string]string{"SLACK_CONFIG_TOKEN": c.slack.BotToken()}).wants(t, "slack-manifest", "fail", "is no configuration token", "begins with xoxe")
		c.examine(t, map[string]string{"SLACK_CONFIG_TOKEN": "xoxe-hunter2"}).wants(t, "slack-manifest", "fail", "invalid_auth", "App Configuration Tokens")
	})
}

func (c *clinic) subscribe(t *testing.T, id, channel string, change func(*digest.Subscription)) {
	t.Helper()
	s := digest.Subscription{
		ID: id, Tenant: digest.DefaultTenant, Channel: channel, Owner: sandbox.Alice, Watch: []string{"microsoft-_-edge"},
		Schedule: schedule.Schedule{Words: "mon 09:00", Zone: "UTC"}, Quiet: digest.Silent, Origin: digest.FromChat,
		Created: time.Now().Add(-time.Hour), NextRun: time.Now().Add(time.Hour),
	}
	if change != nil {
		change(&s)
	}
	if err := c.records.AddSubscription(t.Context(), s, audit.Entry{At: time.Now(), Action: "digest.add"}); err != nil {
		t.Fatal(err)
	}
}

func TestDoctorChannels(t *testing.T) {
	t.Parallel()
	c := newClinic(t, sandbox.Options{})
	c.subscribe(t, "d1", sandbox.General, nil)
	c.subscribe(t, "d2", sandbox.General, nil)
	c.examine(t, nil).wants(t, "slack-channels", "ok", "member of 1 channel where something is posted", "")

	ops := map[string]string{"MISSINGKBS_OPS_CHANNEL": sandbox.Patching}
	c.examine(t, ops).wants(t, "slack-channels", "ok", "member of 2 channels", "")
	c.examine(t, map[string]string{"MISSINGKBS_OPS_CHANNEL": sandbox.PrivateChannel}).wants(t, "slack-channels", "fail", "(MISSINGKBS_OPS_CHANNEL)", "/invite")
	file := filepath.Join(t.TempDir(), "digests.yaml")
	if err := os.WriteFile(file, []byte(digestsYAML(sandbox.PrivateChannel)), 0o600); err != nil {
		t.Fatal(err)
	}
	c.examine(t, map[string]string{"MISSINGKBS_DIGESTS": file}).wants(t, "slack-channels", "fail", "(digest from-file)", "/invite")

	c.subscribe(t, "d3", sandbox.Patching, nil)
	c.slack.Kick(sandbox.Patching, sandbox.BotUser)
	c.subscribe(t, "d4", sandbox.SharedChannel, nil)
	c.subscribe(t, "d5", "C0NOWHERE1", nil)
	c.subscribe(t, "d6", sandbox.PrivateChannel, func(s *digest.Subscription) { s.Paused, s.NextRun = true, time.Time{} })
	d := c.examine(t, nil)
	d.wants(t, "slack-channels", "fail", "#patching (digest d3) does not have the bot as a member", "type /invite @missingkbs")
	d.wants(t, "slack-channels", "fail", "#vendor-bridge (digest d4) is shared with another organisation", "channel of your own")
	d.wants(t, "slack-channels", "fail", "C0NOWHERE1 (digest d5) is not there", "/invite")
	d.wants(t, "slack-channels", "warn", "(digest d6)", "/invite") // nothing is posted there for now
	d.only(t, "slack-channels")

	c.slack.Archive(sandbox.General)
	c.examine(t, nil).wants(t, "slack-channels", "fail", "#general (digest d1) is archived", "unarchive")
}

// Where an administrator let things be posted into a shared channel, it is as good as any other, until somebody joins.
func TestDoctorSharedChannels(t *testing.T) {
	t.Parallel()
	c := newClinic(t, sandbox.Options{})
	c.subscribe(t, "d1", sandbox.SharedChannel, nil)
	for _, tc := range []struct {
		teams         []string
		status, found string
	}{
		{nil, "fail", "is shared with another organisation: nothing is posted there"},
		{[]string{sandbox.ExternalTeamID}, "ok", "member of 1 channel where something is posted"},
		{[]string{"T0BEFORE"}, "fail", "another organisation has joined since"},
	} {
		if tc.teams != nil {
			a := access.Allowance{Tenant: digest.DefaultTenant, Channel: sandbox.SharedChannel, Teams: tc.teams, By: sandbox.Alice, At: time.Now()}
			if err := c.records.Allow(t.Context(), a, audit.Entry{At: time.Now(), Action: "admin.allow-channel"}); err != nil {
				t.Fatal(err)
			}
		}
		cure := map[string]string{"fail": "/missingkbs admin allow-channel"}[tc.status]
		c.examine(t, nil).wants(t, "slack-channels", tc.status, tc.found, cure)
	}
	c.records.exec(t, "DELETE FROM missingkbs_migrations WHERE version_id > 1")
	c.examine(t, map[string]string{"MISSINGKBS_OPS_CHANNEL": sandbox.SharedChannel}).wants(t, "slack-channels", "skip", "cannot be read, because the database is not ready", "")
}

// What serve refuses to start with is told before.
func TestDoctorUserGroups(t *testing.T) {
	t.Parallel()
	c := newClinic(t, sandbox.Options{})
	c.examine(t, nil).wants(t, "slack-groups", "ok", "no user groups are set", "")
	c.slack.SetGroup("S0PATCHERS", "patchers", sandbox.Alice)
	settings := map[string]string{"MISSINGKBS_ASK_GROUPS": "S0PATCHERS"}
	c.examine(t, settings).wants(t, "slack-groups", "ok", "all groups in the settings exist", "")
	settings["MISSINGKBS_ADMIN_GROUPS"] = "S0NOTHERE"
	d := c.examine(t, settings)
	d.wants(t, "slack-groups", "fail", "no user group S0NOTHERE, or it is disabled", "MISSINGKBS_ADMIN_GROUPS")
	d.only(t, "slack-groups")
}

// digestsYAML is a file of one digest.
func digestsYAML(channel string) string {
	return "digests:\n  - id: from-file\n    channel: " + channel + "\n    owner: " + sandbox.Alice + "\n    watch: [microsoft-_-edge]\n    at: mon 09:00\n    tz: UTC\n"
}

// A Slack without the validator, as a compatible server would be.
func TestDoctorBlocksCannotBeChecked(t *testing.T) {
	t.Parallel()
	c := newClinic(t, sandbox.Options{})
	behind, err := url.Parse(c.slack.URL())
	if err != nil {
		t.Fatal(err)
	}
	forward := httputil.NewSingleHostReverseProxy(behind)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/blocks.validate") {
			_, _ = w.Write([]byte(`{"ok":false,"error":"unknown_method"}`))
			return
		}
		forward.ServeHTTP(w, r)
	}))
	t.Cleanup(s.Close)
	d := c.examine(t, map[string]string{"SLACK_API_URL": s.URL + "/api/"})
	d.wants(t, "slack-blocks", "warn", "cannot be checked here", "see whether a table comes")
	d.only(t, "slack-blocks")
}

func TestDoctorBlocks(t *testing.T) {
	t.Parallel()
	c := newClinic(t, sandbox.Options{})
	c.slack.SetFaults(faults.Switches{RefuseNewBlocks: true})
	d := c.examine(t, nil)
	d.wants(t, "slack-blocks", "warn", "data_table", "no action is needed")
	d.only(t, "slack-blocks")
	c.examine(t, map[string]string{"MISSINGKBS_TABLES": "data_table"}).wants(t, "slack-blocks", "fail", "refuses the newer blocks", "auto or classic")
	c.examine(t, map[string]string{"MISSINGKBS_TABLES": "classic"}).only(t)
}

// Each rung of the ladder refused in turn, and what is our own fault.
func TestDoctorBlocksOneByOne(t *testing.T) {
	t.Parallel()
	c := newClinic(t, sandbox.Options{})
	for want, refused := range map[string]faults.RefusedBlocks{
		"action_cell": {ActionCell: true}, "data_table": {DataTable: true}, "table": {Table: true}, "data_visualization": {DataVisualization: true},
		"data_table, table": {DataTable: true, Table: true},
	} {
		c.slack.SetFaults(faults.Switches{Refused: refused})
		c.examine(t, nil).wants(t, "slack-blocks", "warn", "Slack refuses the newer blocks "+want+", so they are drawn more simply", "no action is needed")
	}
	c.slack.SetFaults(faults.Switches{})
	c.slack.SetJudge(func(_ string, raw json.RawMessage) []sandbox.BlockError {
		if !bytes.Contains(raw, []byte("raw_number")) {
			return nil
		}
		return []sandbox.BlockError{{Pointer: "/blocks/3/rows/1/1", Message: "missing required field: text"}}
	})
	d := c.examine(t, nil)
	d.wants(t, "slack-blocks", "fail", "Slack refuses what the bot sends: missing required field: text", "please report this")
	d.only(t, "slack-blocks")
}

func TestDoctorSlackUnreachable(t *testing.T) {
	t.Parallel()
	c := newClinic(t, sandbox.Options{})
	d := c.examine(t, map[string]string{"SLACK_API_URL": "http://127.0.0.1:1/api/"})
	d.wants(t, "slack-reached", "fail", "127.0.0.1:1 cannot be reached", "nothing listens there")
	d.wants(t, "slack-bot-token", "skip", "Slack was not reached", "")
	d.wants(t, "slack-scopes", "skip", "", "")
	d.wants(t, "clock", "ok", "agrees with Entra's", "")
	d.only(t, "slack-reached") // one cause, one failure
	c.slack.SetFaults(faults.Switches{RateLimited: true})
	c.examine(t, nil).wants(t, "slack-bot-token", "warn", "Slack asks for a pause", "try again")
}

func TestDoctorClock(t *testing.T) {
	t.Parallel()
	skewed := regexp.MustCompile(`this machine's clock is (\S+) (behind|ahead of) Slack's and Entra's`)
	for _, c := range []struct {
		name         string
		slack, entra time.Duration
		status       string
		off          time.Duration // 0: agrees
		way          string
	}{
		{"exact", 0, 0, "ok", 0, ""},
		{"some seconds", 20 * time.Second, 0, "ok", 0, ""},
		{"two minutes behind", 2 * time.Minute, 2 * time.Minute, "warn", 2 * time.Minute, "behind"},
		{"an hour behind", time.Hour, time.Hour, "fail", time.Hour, "behind"},
		{"ten minutes ahead", -10 * time.Minute, -10 * time.Minute, "fail", 10 * time.Minute, "ahead of"},
		{"one of them", 0, 7 * time.Minute, "fail", 7 * time.Minute, "behind"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			where := newClinic(t, sandbox.Options{})
			where.slack.SetFaults(faults.Switches{ClockSkew: c.slack})
			where.defender.SetClockSkew(c.entra)
			d := where.examine(t, nil)
			d.only(t, "clock")
			if c.off == 0 {
				d.wants(t, "clock", c.status, "agrees with Slack's and Entra's", "")
				return
			}
			d.wants(t, "clock", c.status, "", "NTP")
			m := skewed.FindStringSubmatch(d.text("clock"))
			if m == nil || m[2] != c.way {
				t.Fatalf("got %s", d.text("clock"))
			}
			if off, err := time.ParseDuration(m[1]); err != nil || (off-c.off).Abs() > 5*time.Second {
				t.Errorf("off by %v, want %v", m[1], c.off)
			}
		})
	}
}
