package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"maps"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/alecthomas/kong"

	"github.com/missingkbs/missingkbs/api/apitest"
	"github.com/missingkbs/missingkbs/internal/config"
	"github.com/missingkbs/missingkbs/internal/doctor"
	"github.com/missingkbs/missingkbs/internal/sandbox"
	"github.com/missingkbs/missingkbs/internal/sandbox/faults"
)

// trySlack runs doctor --live within the test, without the pauses between messages, and reads its JSON.
func (c *clinic) trySlack(ctx context.Context, t *testing.T, settings map[string]string, args ...string) diagnosis {
	t.Helper()
	all := maps.Clone(c.settings)
	maps.Copy(all, settings)
	env := func(name string) (string, bool) { v, ok := all[name]; return v, ok }
	var flags struct {
		Live, User string
		config.Settings
	}
	origins := config.Resolver{Env: env, File: &config.File{}}
	parser, err := kong.New(&flags, kong.Resolvers(origins))
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := parser.Parse(args)
	if err != nil {
		t.Fatal(err)
	}
	checker := doctor.New(doctor.Options{
		Settings: flags.Settings, Env: env, File: origins.File, Origins: origins.Origins(parsed), Version: "(devel)", LiveInterval: -1,
	})
	defer checker.Close()
	report := checker.RunLive(ctx, doctor.LiveOptions{Channel: flags.Live, User: flags.User})
	var out bytes.Buffer
	if err := doctor.WriteJSON(&out, report); err != nil {
		t.Fatal(err)
	}
	d := diagnosis{out: out.String()}
	if report.Failed() {
		d.code = exitFailed
	}
	dec := json.NewDecoder(&out)
	dec.DisallowUnknownFields()
	if err := dec.Decode(&d); err != nil {
		t.Fatalf("%v: %s", err, d.out)
	}
	for _, one := range d.Checks {
		if (one.Status == "fail" || one.Status == "warn") && one.Cure == "" {
			t.Errorf("no cure: %+v", one)
		}
	}
	c.attachable(t, d.out)
	return d
}

// attachable checks that a report tells nothing of the workspace and holds no secret.
func (c *clinic) attachable(t *testing.T, report string) {
	t.Helper()
	for _, private := range []string{
		c.slack.AppToken(), c.slack.BotToken(), sandbox.TeamID, sandbox.TeamName, sandbox.General, sandbox.Alice, sandbox.BotUser, "#general", apitest.TenantID,
	} {
		if strings.Contains(report, private) {
			t.Errorf("the report tells %q:\n%s", private, report)
		}
	}
}

// clean checks that nothing is left in any channel.
func (c *clinic) clean(t *testing.T) {
	t.Helper()
	for _, channel := range []string{sandbox.General, sandbox.Patching, sandbox.AliceDM} {
		for _, m := range c.slack.Messages(channel, sandbox.Alice) {
			if m.EphemeralFor == "" && m.Kind == sandbox.KindApp {
				t.Errorf("%s: %q is left", channel, title(m))
			}
		}
	}
}

// says is a finding that is wanted.
type says struct{ check, status, found, cure string }

// Each rung of the ladder is refused in turn, and whatever else can go wrong with a message.
func TestDoctorLive(t *testing.T) {
	t.Parallel()
	const instead = "no action is needed: the bot uses "
	everyTable := []string{"live-table-buttons", "live-table-links", "live-table-plain"}
	for name, tc := range map[string]struct {
		faults   faults.Switches
		judge    faults.Judge
		mishaps  []faults.Fault
		options  sandbox.Options
		settings map[string]string
		prepare  func(*clinic)
		channel  string // default General
		user     string // default Alice; "-" for none
		want     []says
		only     []string // checks that may be unwell
	}{
		"all is taken": {},
		"no buttons in tables": {
			faults: faults.Switches{Refused: faults.RefusedBlocks{ActionCell: true}},
			want: []says{
				{"live-table-buttons", "warn", "not taken: a data_table with a button in each row: Slack says unsupported type: action_cell [json-pointer:/blocks/2/rows/1/3/type]", instead + "tables with a link in each row"},
				{"live-table-links", "ok", "taken: a data_table with a link", ""},
				{"live-home", "warn", "unsupported type: action_cell", instead + "tables with a link"},
				{"live-home", "ok", "taken: a Home tab with a data_table with a link in each row", ""},
			},
			only: []string{"live-table-buttons", "live-home"},
		},
		"no data tables": {
			faults: faults.Switches{Refused: faults.RefusedBlocks{DataTable: true}},
			want: []says{
				{"live-table-buttons", "warn", "unsupported type: data_table", instead + "plain tables"},
				{"live-table-links", "warn", "unsupported type: data_table", instead + "plain tables"},
				{"live-table-plain", "ok", "taken: a table", ""},
				{"live-ephemeral", "ok", "taken", ""},
				{"live-home", "ok", "taken: a Home tab with a table", ""},
			},
			only: []string{"live-table-buttons", "live-table-links", "live-home"},
		},
		"no plain tables": {
			faults: faults.Switches{Refused: faults.RefusedBlocks{Table: true}},
			want:   []says{{"live-table-plain", "warn", "unsupported type: table", instead + "sections with a button for each row"}, {"live-large-plain", "skip", "Slack does not support table", ""}, {"live-large-table", "ok", "", ""}},
			only:   []string{"live-table-plain"},
		},
		"no tables at all": {
			faults: faults.Switches{Refused: faults.RefusedBlocks{DataTable: true, Table: true}},
			want:   []says{{"live-table-sections", "ok", "taken: a section with a button", ""}, {"live-home", "ok", "taken: a Home tab with a section", ""}},
			only:   append(everyTable, "live-home"),
		},
		"no charts": {
			faults: faults.Switches{Refused: faults.RefusedBlocks{DataVisualization: true}},
			want:   []says{{"live-chart", "warn", "unsupported type: data_visualization", instead + "charts drawn as text"}, {"live-chart-text", "ok", "", ""}},
			only:   []string{"live-chart"},
		},
		"none of the newer blocks": {
			faults: faults.Switches{RefuseNewBlocks: true},
			want:   []says{{"live-table-plain", "ok", "", ""}},
			only:   []string{"live-table-buttons", "live-table-links", "live-chart", "live-home"},
		},
		"no tables, as the setting says": {
			faults:   faults.Switches{Refused: faults.RefusedBlocks{DataTable: true, Table: true}},
			settings: map[string]string{"MISSINGKBS_TABLES": "classic"},
			want:     []says{{"live-table-buttons", "ok", "MISSINGKBS_TABLES is classic, so it is not used", ""}},
		},
		"no data tables, as the setting says": {
			faults:   faults.Switches{Refused: faults.RefusedBlocks{DataTable: true}},
			settings: map[string]string{"MISSINGKBS_TABLES": "table"},
			want:     []says{{"live-table-links", "ok", "MISSINGKBS_TABLES is table, so it is not used", ""}},
		},
		"data tables are insisted on": {
			faults:   faults.Switches{Refused: faults.RefusedBlocks{DataTable: true}},
			settings: map[string]string{"MISSINGKBS_TABLES": "data_table"},
			want:     []says{{"live-table-links", "fail", "unsupported type: data_table", "set MISSINGKBS_TABLES to auto"}},
			only:     []string{"live-table-buttons", "live-table-links", "live-home"},
		},
		"refused without a reason": {
			faults: faults.Switches{Refused: faults.RefusedBlocks{ActionCell: true, Mutely: true}},
			want:   []says{{"live-table-buttons", "warn", "does not say why: invalid_blocks", "please report this"}, {"live-home", "warn", "does not say why: invalid_arguments", "please report this"}},
			only:   []string{"live-table-buttons", "live-home"},
		},
		"what is sent is wrong": {
			judge: func(_ string, raw json.RawMessage) []sandbox.BlockError {
				if strings.Contains(string(raw), `"raw_number"`) {
					return []sandbox.BlockError{{Pointer: "/blocks/2/rows/1/2", Message: "missing required field: unit"}}
				}
				return nil
			},
			want: []says{
				{"live-table-buttons", "fail", "Slack refuses what the bot sends (a data_table with a button in each row): missing required field: unit [json-pointer:/blocks/2/rows/1/2]", "please report this"},
				{"live-table-sections", "ok", "", ""},
			},
			only: append(everyTable, "live-home"),
		},
		"even sections are refused": {
			judge: func(_ string, raw json.RawMessage) []sandbox.BlockError {
				if strings.Contains(string(raw), `"accessory"`) {
					return []sandbox.BlockError{{Pointer: "/blocks", Message: "failed to match all allowed schemas"}}
				}
				return nil
			},
			want: []says{{"live-table-sections", "fail", "Slack refuses what every workspace takes", "please report this"}},
			only: []string{"live-table-sections", "live-large-sections"},
		},
		"a short pause": {mishaps: []faults.Fault{{Call: "chat.postMessage", Status: 429, RetryAfter: time.Second}}},
		"a long pause": {
			mishaps: []faults.Fault{{Call: "chat.postMessage", Status: 429, RetryAfter: 5 * time.Minute}},
			want: []says{
				{"live-table-buttons", "warn", "Slack asks for a pause of 5 min", "run it again"},
				{"live-table-links", "skip", "not tried: Slack asks for a pause", ""},
				{"live-home", "skip", "not tried", ""},
				{"live-cleanup", "ok", "0 messages deleted", ""},
			},
			only: []string{"live-table-buttons"},
		},
		"limited from the start": {
			faults: faults.Switches{RateLimited: true},
			want:   []says{{"live-channel", "warn", "Slack asks for a pause", "try again"}, {"live-text", "skip", "not tried: see live-channel", ""}, {"live-cleanup", "ok", "nothing was posted", ""}},
			only:   []string{"live-channel"},
		},
		"no such channel": {
			channel: "C0NOWHERE", want: []says{{"live-channel", "fail", "the channel is not there, or is private", "/invite"}, {"live-text", "skip", "not tried: see live-channel", ""}}, only: []string{"live-channel"},
		},
		"a private channel without the bot": {channel: sandbox.PrivateChannel, want: []says{{"live-channel", "fail", "the channel is not there, or is private", "/invite"}}, only: []string{"live-channel"}},
		"a channel without the bot": {
			prepare: func(c *clinic) { c.slack.Kick(sandbox.General, sandbox.BotUser) },
			want:    []says{{"live-channel", "fail", "the bot is no member", "/invite"}}, only: []string{"live-channel"},
		},
		"an archived channel": {
			prepare: func(c *clinic) { c.slack.Archive(sandbox.General) },
			want:    []says{{"live-channel", "fail", "archived", "unarchive it"}}, only: []string{"live-channel"},
		},
		"a channel of others": {channel: sandbox.SharedChannel, want: []says{{"live-channel", "fail", "shared with another organisation", "of your own"}}, only: []string{"live-channel"}},
		"may not write": {
			options: sandbox.Options{Scopes: []string{"channels:read", "channels:history"}},
			want:    []says{{"live-table-buttons", "fail", "the scope chat:write is missing", "install the app again"}, {"live-table-links", "skip", "not tried: a scope is missing", ""}},
			only:    []string{"live-table-buttons"},
		},
		"may not look at channels": {
			options: sandbox.Options{Scopes: []string{"chat:write", "channels:history"}},
			want:    []says{{"live-channel", "warn", "the scope channels:read is missing", "install the app again"}, {"live-table-buttons", "ok", "taken", ""}},
			only:    []string{"live-channel"},
		},
		"may not look at channels, and is not in it": {
			options: sandbox.Options{Scopes: []string{"chat:write", "channels:history"}},
			prepare: func(c *clinic) { c.slack.Kick(sandbox.General, sandbox.BotUser) },
			want:    []says{{"live-table-buttons", "fail", "the bot is no member", "/invite"}, {"live-table-links", "skip", "not tried: nothing can be posted there", ""}},
			only:    []string{"live-channel", "live-table-buttons"},
		},
		"may not read": {
			options: sandbox.Options{Scopes: []string{"chat:write", "channels:read"}},
			want:    []says{{"live-metadata", "fail", "cannot be searched for: the scope channels:history is missing", "a digest may come twice"}},
			only:    []string{"live-metadata"},
		},
		"no person is named": {
			user: "-",
			want: []says{{"live-direct", "skip", "--user", ""}, {"live-ephemeral", "skip", "--user", ""}, {"live-home", "skip", "--user", ""}},
		},
		"a person elsewhere": {
			user: sandbox.External, prepare: func(c *clinic) { c.slack.Kick(sandbox.General, sandbox.External) },
			want: []says{{"live-ephemeral", "fail", "the person is not in the channel", "--user"}}, only: []string{"live-ephemeral"},
		},
		"nobody": {
			user: "U0NOBODY1",
			want: []says{{"live-ephemeral", "fail", "Slack knows no person with this id", "--user"}, {"live-home", "fail", "Slack knows no person with this id", "--user"}},
			only: []string{"live-direct", "live-ephemeral", "live-home"},
		},
		"a revoked token": {
			prepare: func(c *clinic) { c.slack.RefuseToken(c.slack.BotToken(), "token_revoked") },
			want:    []says{{"live-channel", "fail", "token_revoked", "make a new one"}}, only: []string{"live-channel"},
		},
		"no token": {settings: map[string]string{"SLACK_BOT_TOKEN": ""}, want: []says{{"live-channel", "fail", "SLACK_BOT_TOKEN is missing", "copy the token"}}, only: []string{"live-channel"}},
		"the answer to the first message is lost": {
			mishaps: []faults.Fault{{Call: "chat.postMessage", Cut: true, Acts: true}},
			want:    []says{{"live-table-buttons", "fail", "the response was lost, so the message may have been posted", "run it again"}, {"live-table-links", "ok", "taken", ""}, {"live-cleanup", "ok", "messages deleted", ""}},
			only:    []string{"live-table-buttons"},
		},
		"a message is lost": {
			mishaps: []faults.Fault{{Call: "chat.postMessage", Status: 503}},
			want:    []says{{"live-table-buttons", "fail", "503", "run it again"}}, only: []string{"live-table-buttons"},
		},
		"Slack goes away": {
			mishaps: []faults.Fault{{Call: "chat.postMessage", Cut: true, Times: 2}},
			want:    []says{{"live-table-links", "fail", "the response was lost", "run it again"}, {"live-table-plain", "skip", "Slack did not answer twice in a row", ""}},
			only:    []string{"live-table-buttons", "live-table-links"},
		},
		"an answer is lost, and nobody may look": {
			options: sandbox.Options{Scopes: []string{"chat:write", "channels:read"}},
			mishaps: []faults.Fault{{Call: "chat.postMessage", Cut: true}},
			want:    []says{{"live-cleanup", "warn", "the search for lost messages failed: look for lost messages: missing_scope", "delete by hand what is left"}},
			only:    []string{"live-table-buttons", "live-metadata", "live-cleanup"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newClinic(t, tc.options)
			if tc.prepare != nil {
				tc.prepare(c)
			}
			c.slack.SetFaults(tc.faults)
			c.slack.SetJudge(tc.judge)
			for _, m := range tc.mishaps {
				c.slack.Inject(m)
			}
			args := []string{"--live", sandbox.General, "--user", sandbox.Alice}
			if tc.channel != "" {
				args[1] = tc.channel
			}
			switch tc.user {
			case "":
			case "-":
				args = args[:2]
			default:
				args[3] = tc.user
			}
			d := c.trySlack(t.Context(), t, tc.settings, args...)
			for _, w := range tc.want {
				d.wants(t, w.check, w.status, w.found, w.cure)
			}
			d.only(t, tc.only...)
			if len(d.Checks) < 17 {
				t.Errorf("only %d checks: %s", len(d.Checks), d.text())
			}
			c.slack.SetFaults(faults.Switches{})
			c.clean(t)
			if t.Failed() {
				t.Log(d.text())
			}
		})
	}
}

// What a report holds of each call is what went over the wire.
func TestDoctorLiveEvidence(t *testing.T) {
	t.Parallel()
	c := newClinic(t, sandbox.Options{})
	c.slack.SetFaults(faults.Switches{Refused: faults.RefusedBlocks{DataTable: true}})
	d := c.trySlack(t.Context(), t, nil, "--live", sandbox.General)
	if !strings.HasPrefix(d.Program, "missingkbs ") {
		t.Errorf("the report is of %q", d.Program)
	}
	i := slices.IndexFunc(d.Checks, func(c checked) bool { return c.Check == "live-table-links" })
	e := d.Checks[i].Evidence
	if e == nil || e.Call != "chat.postMessage" || e.Error != "invalid_blocks" || len(e.Said) != 1 ||
		e.Said[0] != "[ERROR] unsupported type: data_table [json-pointer:/blocks/2/type]" || !strings.Contains(string(e.Sent), `"type": "data_table"`) {
		t.Errorf("got %+v", e)
	}
}

// Whatever is posted when the program is told to stop is deleted, and the report says how far it came.
func TestDoctorLiveInterrupted(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	n := 0
	c := newClinic(t, sandbox.Options{Watch: func(s sandbox.Delivery) {
		if s.Way == "chat.postMessage" {
			if n++; n == 3 {
				cancel()
			}
		}
	}})
	d := c.trySlack(ctx, t, nil, "--live", sandbox.General, "--user", sandbox.Alice)
	if d.code != exitFailed || !strings.Contains(d.text(), "fail | interrupted") {
		t.Errorf("exit code %d, %s", d.code, d.text())
	}
	d.wants(t, "live-thread", "skip", "not tried: interrupted", "")
	d.wants(t, "live-cleanup", "ok", "3 messages deleted", "")
	c.clean(t)
}

// The same by a signal, and at the pace that Slack asks for.
func TestDoctorLiveProcess(t *testing.T) {
	t.Parallel()
	posted := make(chan struct{}, 100)
	c := newClinic(t, sandbox.Options{Strict: true, Watch: func(s sandbox.Delivery) {
		if s.Way == "chat.postMessage" {
			posted <- struct{}{}
		}
	}})
	cmd := exec.CommandContext(t.Context(), program(t), "doctor", "--live", sandbox.General)
	cmd.Env = environment(c.settings)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		<-posted
	}
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); cmd.ProcessState.ExitCode() != exitFailed {
		t.Errorf("the program ended with %v", err)
	}
	if text := out.String(); !strings.Contains(text, "interrupted") || !strings.Contains(text, "3 messages deleted") || strings.Contains(text, "pause") {
		t.Errorf("got %s", text)
	}
	c.clean(t)
}

// What cannot be deleted is told, with how to find it.
func TestDoctorLiveCannotDelete(t *testing.T) {
	t.Parallel()
	c := newClinic(t, sandbox.Options{})
	c.slack.Inject(faults.Fault{Call: "chat.delete", Status: 429, RetryAfter: time.Hour, Times: 100})
	d := c.trySlack(t.Context(), t, nil, "--live", sandbox.General)
	d.only(t, "live-cleanup")
	d.wants(t, "live-cleanup", "warn", "ratelimited", "begin with missingkbs test ")
	left := c.slack.Messages(sandbox.General, sandbox.Alice)
	if len(left) < 10 || !strings.HasPrefix(title(left[0]), "missingkbs test ") {
		t.Errorf("%d messages are left", len(left))
	}
}
