package e2e

import (
	"cmp"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/missingkbs/missingkbs/api/apitest"
	"github.com/missingkbs/missingkbs/internal/audit"
	"github.com/missingkbs/missingkbs/internal/digest"
	"github.com/missingkbs/missingkbs/internal/sandbox"
	"github.com/missingkbs/missingkbs/internal/store"
)

// auditLine is one line of the export, whose names never change.
type auditLine struct {
	At      string `json:"at"`
	Tenant  string `json:"tenant"`
	User    string `json:"user"`
	Team    string `json:"team"`
	Channel string `json:"channel"`
	Action  string `json:"action"`
	Subject string `json:"subject"`
	Detail  string `json:"detail"`
	Result  string `json:"result"`
	Reason  string `json:"reason"`
	Request string `json:"request"`
	ID      string `json:"id"`
}

// exported runs missingkbs audit on a database and reads what it prints.
func exported(t *testing.T, url string, args ...string) []auditLine {
	t.Helper()
	got := invoke(t, map[string]string{"DATABASE_URL": url}, append([]string{"audit"}, args...)...)
	if got.code != exitDone || got.err != "" {
		t.Fatalf("exit code %d, %s", got.code, got.err)
	}
	var lines []auditLine
	for text := range strings.Lines(got.out) {
		var line auditLine
		if err := json.Unmarshal([]byte(text), &line); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		lines = append(lines, line)
	}
	return lines
}

// sendTerm ends the program as an orchestrator does, and waits for it.
func (w *world) sendTerm(t *testing.T) {
	t.Helper()
	if err := w.process.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := w.process.Wait(); err != nil {
		t.Fatalf("the program ended with %v", err)
	}
}

var reference = regexp.MustCompile(`Reference: ([0-9a-f]{8})`)

// What people did through the whole program stands in the export, each thing once, and what they asked just before the
// end too.
func TestAuditEndToEnd(t *testing.T) {
	t.Parallel()
	for name, open := range databases() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			database := open(t)
			w := newWorld(t, map[string]string{"DATABASE_URL": database.url})

			page := w.ask(t, "microsoft-_-edge")
			w.click(t, sandbox.Alice, page, "Share")
			w.answer(t, sandbox.General, func(m sandbox.Message) bool { return m.Kind == sandbox.KindApp && m.EphemeralFor == "" })
			added := w.ask(t, "digest add microsoft-_-edge")
			id := strings.Fields(title(added))[1]
			w.ask(t, "digest pause "+id)
			w.ask(t, "digest remove "+id) // asks whether it is meant
			w.ask(t, "digest remove "+id+" --yes")
			w.ask(t, "digest pause "+id) // too late
			w.defender.Inject(apitest.Fault{Status: 403, Times: 1, Code: "Forbidden", Message: "Missing application roles. API required roles: Software.Read.All, application roles: ."})
			failed := w.ask(t, "microsoft-_-windows_11")
			w.ask(t, "search xoxb-1234-5678-secret")
			w.command(t, sandbox.Guest, sandbox.General, "microsoft-_-edge")
			w.command(t, sandbox.Guest, sandbox.General, "digest add microsoft-_-edge")
			private := w.command(t, sandbox.Alice, sandbox.SharedChannel, "microsoft-_-edge")
			w.click(t, sandbox.Alice, private, "Share")
			w.answer(t, sandbox.SharedChannel, func(m sandbox.Message) bool { return m.TS != private.TS && isAnswer(m) })
			w.command(t, sandbox.Alice, sandbox.SharedChannel, "digest add microsoft-_-edge") // refused by the command, which asks who reads
			w.sendTerm(t)

			lines := exported(t, database.url, "--since", "1h")
			want := []auditLine{
				{Action: "ask", Subject: "software", Detail: "microsoft-_-edge"},
				{Action: "share", Subject: "software", Detail: "microsoft-_-edge"},
				{Action: "digest.add", Subject: id},
				{Action: "digest.pause", Subject: id, Detail: "until someone resumes it"},
				{Action: "ask", Subject: "digest", Detail: "digest remove " + id},
				{Action: "digest.remove", Subject: id, Detail: "microsoft-_-edge"},
				{Action: "digest.pause", Subject: id, Detail: "digest pause " + id, Result: "failed", Reason: "usage"},
				{Action: "ask", Subject: "software", Detail: "microsoft-_-windows_11", Result: "failed", Reason: "permission"},
				{Action: "ask", Subject: "search", Detail: "search xoxb-(hidden)", Result: "failed", Reason: "declined"}, // nothing fits
				{Action: "ask", Subject: "software", Detail: "microsoft-_-edge", Result: "refused", Reason: "guest", User: sandbox.Guest},
				{Action: "digest.add", Detail: "digest add microsoft-_-edge", Result: "refused", Reason: "guest", User: sandbox.Guest},
				{Action: "ask", Subject: "software", Detail: "microsoft-_-edge", Channel: sandbox.SharedChannel},
				{Action: "share", Subject: "software", Detail: "microsoft-_-edge", Result: "refused", Reason: "shared_channel", Channel: sandbox.SharedChannel},
				{Action: "digest.add", Detail: "digest add microsoft-_-edge", Result: "refused", Reason: "shared_channel", Channel: sandbox.SharedChannel},
			}
			for i := range want {
				l := &want[i]
				l.Tenant = digest.DefaultTenant
				l.Result = cmp.Or(l.Result, audit.ResultDone)
				l.User, l.Channel = cmp.Or(l.User, sandbox.Alice), cmp.Or(l.Channel, sandbox.General)
			}
			for i := range lines {
				if lines[i].Action == "digest.add" && lines[i].Result == audit.ResultDone {
					lines[i].Detail = "" // names the time zone
				}
			}
			changing := cmpopts.IgnoreFields(auditLine{}, "At", "ID", "Request")
			if diff := gocmp.Diff(want, lines, changing); diff != "" {
				t.Fatalf("the export (-want +got):\n%s", diff)
			}
			requests := map[string]bool{}
			for _, l := range lines {
				if !regexp.MustCompile(`^[0-9a-f]{8}$`).MatchString(l.Request) || requests[l.Request] {
					t.Errorf("the request %q of %+v is none, or not its own", l.Request, l)
				}
				requests[l.Request] = true
			}
			// One id on the page about the failure, in the log, and in the audit.
			shown := reference.FindStringSubmatch(failed.Text + string(failed.Blocks))
			if shown == nil || shown[1] != lines[7].Request {
				t.Errorf("the page shows %q, the audit has %q", shown, lines[7].Request)
			}
			logged := false
			for text := range strings.Lines(w.log.String()) {
				logged = logged || strings.Contains(text, `"question failed"`) && strings.Contains(text, `"request":"`+lines[7].Request+`"`)
			}
			if !logged {
				t.Errorf("the log does not name %q where the question failed", lines[7].Request)
			}
		})
	}
}

// command types a slash command as anybody and waits for the answer.
func (w *world) command(t *testing.T, as, channel, words string) sandbox.Message {
	t.Helper()
	seen := map[string]bool{}
	for _, m := range w.slack.Messages(channel, as) {
		seen[m.TS] = true
	}
	d, err := w.slack.Command(soon(t), as, channel, "/missingkbs "+words)
	if err != nil || d.Err != "" {
		t.Fatalf("%q: delivery %+v, %v", words, d, err)
	}
	m, err := w.slack.WaitMessage(soon(t), channel, as, func(m sandbox.Message) bool { return isAnswer(m) && !seen[m.TS] })
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestAuditCommandRefuses(t *testing.T) {
	t.Parallel()
	database := sqliteRecords(t)
	settings := map[string]string{"DATABASE_URL": database.url}
	for want, args := range map[string][]string{
		"--since takes a time back from now": {"--since", "soon"},
		"--until takes a time after that of": {"--since", "1h", "--until", "2h"},
	} {
		if got := invoke(t, settings, append([]string{"audit"}, args...)...); got.code != exitWrongUse || !strings.Contains(got.err, want) {
			t.Errorf("%v: got %+v, want %q", args, got, want)
		}
	}
}

// What only reads makes no file and no folder, and leaves a database of another version to the bot that runs.
func TestReadingChangesNoDatabase(t *testing.T) {
	t.Parallel()
	for _, command := range [][]string{{"audit"}, {"ask", "digest", "list"}} {
		t.Run(command[0], func(t *testing.T) {
			t.Parallel()
			database := sqliteRecords(t)
			set := func(url string) map[string]string { return map[string]string{"DATABASE_URL": url} }
			versions := func() (v string) {
				t.Helper()
				if err := database.sql.QueryRowContext(t.Context(), "SELECT group_concat(version_id) FROM missingkbs_migrations").Scan(&v); err != nil {
					t.Fatal(err)
				}
				return v
			}
			refused := func(url, want string) {
				t.Helper()
				if got := invoke(t, set(url), command...); got.code != exitFailed || !strings.Contains(got.err, want) || got.out != "" {
					t.Errorf("got %+v, want %q", got, want)
				}
			}
			if got := invoke(t, set(database.url), command...); got.code != exitDone {
				t.Errorf("a database of this version: %+v", got)
			}
			database.exec(t, "UPDATE missingkbs_migrations SET version_id = 999 WHERE version_id = 2")
			refused(database.url, store.ErrNewer.Error())
			database.exec(t, "DELETE FROM missingkbs_migrations WHERE version_id > 1")
			before := versions()
			refused(database.url, "use the missingkbs that the bot runs")
			if after := versions(); after != before {
				t.Errorf("the versions were %s and are %s", before, after)
			}
			folder := filepath.Join(t.TempDir(), "mistyped")
			refused("sqlite://"+filepath.ToSlash(folder)+"/x.db", "start the bot once, which makes it")
			if _, err := os.Stat(folder); err == nil {
				t.Error("a folder was made")
			}
			empty := filepath.Join(t.TempDir(), "empty.db")
			if err := os.WriteFile(empty, nil, 0o600); err != nil {
				t.Fatal(err)
			}
			refused("sqlite://"+filepath.ToSlash(empty), "there are no tables")
		})
	}
}

func TestAuditCommandFilters(t *testing.T) {
	t.Parallel()
	database := sqliteRecords(t)
	for i, action := range []string{"ask", "share", "digest.add"} {
		a := audit.Entry{At: time.Now().Add(time.Duration(i-5) * time.Minute), User: fmt.Sprint("U0PERSON", i), Action: action, Detail: `<b> & "ü"`}
		if err := database.AddAudit(t.Context(), a); err != nil {
			t.Fatal(err)
		}
	}
	for want, args := range map[string][]string{
		"ask share digest.add": nil,
		"share digest.add":     {"--action", "share,digest"},
		"digest.add":           {"--user", "U0PERSON2"},
		"ask":                  {"--until", "4m30s"},
		"":                     {"--since", "10s"},
	} {
		var got []string
		for _, l := range exported(t, database.url, args...) {
			got = append(got, l.Action)
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%v: got %v, want %s", args, got, want)
		}
	}
	raw := invoke(t, map[string]string{"DATABASE_URL": database.url}, "audit", "--user", "U0PERSON0").out
	shape := regexp.MustCompile(`^\{"at":"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z","tenant":"","user":"U0PERSON0","team":"","channel":"","action":"ask","subject":"",` +
		`"detail":"<b> & \\"ü\\"","result":"done","reason":"","request":"","id":"[A-Z0-9]+"\}` + "\n$")
	if !shape.MatchString(raw) {
		t.Errorf("a line is %s", raw)
	}
}
