package e2e

import (
	"cmp"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/missingkbs/missingkbs/api/apitest"
	"github.com/missingkbs/missingkbs/internal/sandbox"
)

// Where questions are not to be written down, they are not: what somebody types is neither in the log, at debug level,
// nor in the database, however it fails and whatever Defender repeats of it.
func TestWhatPeopleTypeIsNotLogged(t *testing.T) {
	t.Parallel()
	const typed, changing = "zebra7typed", "gecko7typed" // changes that were tried are kept; see docs/audit.md
	folder := t.TempDir()
	w := newWorld(t, map[string]string{
		"MISSINGKBS_AUDIT_QUESTIONS": "off", "MISSINGKBS_CACHE_TTL": "0", "MISSINGKBS_STALE_FOR": "0",
		"MISSINGKBS_DEFENDER_PER_MINUTE": "0", "MISSINGKBS_DEFENDER_PER_HOUR": "0",
		"DATABASE_URL": "sqlite://" + filepath.ToSlash(filepath.Join(folder, "x.db")),
	})
	if _, err := w.slack.OpenHome(soon(t), sandbox.Alice); err != nil {
		t.Fatal(err)
	}
	home, _ := w.home(t, "Which Microsoft updates are missing")
	var heard int
	for _, words := range []string{
		typed, "search " + typed, typed + "-_-x", "a-_-" + typed, edge + " --" + typed, edge + " --sort " + typed, edge + " --page " + typed, edge + " " + typed,
		"digest " + typed, "digest show " + typed, "help " + typed, strings.Repeat(typed+" ", 400),
		"digest add " + changing, "digest add " + edge + " --at " + changing, "digest add " + edge + " --tz " + changing, "digest add " + edge + " --quiet " + changing,
		"digest add " + edge + " --cron \"" + changing + " * * * *\"", "digest remove " + changing, "admin " + changing,
	} {
		if m := w.ask(t, words); strings.Contains(m.Text+string(m.Blocks), typed) || strings.Contains(m.Text+string(m.Blocks), changing) {
			heard++
		}
	}
	for _, words := range []string{typed, "what about " + typed + "?", "help " + typed, edge + " --" + typed, "digest add " + changing, strings.Repeat(typed+" ", 400)} {
		w.tell(t, sandbox.AliceDM, words)
		w.tell(t, sandbox.General, "@missingkbs "+words)
		w.lookUp(t, sandbox.General, words+" KB5074202 KB5074203")
	}
	if heard < 10 {
		t.Errorf("%d answers repeat the question: it is not understood", heard)
	}
	for _, wrong := range []apitest.Fault{
		{Status: 500, Body: `{"error":{"code":"InternalServerError","message":"cannot read ` + typed + `-_-x"}}`, RetryAfter: time.Millisecond},
		{Status: 404, Body: `{"error":{"code":"ResourceNotFound","message":"there is no ` + typed + `"}}`},
		{Status: 400, Body: `{"error":{"code":"BadRequest","message":"what is ` + typed + `"}}`},
		{Status: 403, Body: `{"error":{"code":"Forbidden","message":"` + typed + `-_-x is not for you"}}`},
		{Path: "/api/", Body: "<html>", ContentType: "text/html"},
	} {
		wrong.Path = cmp.Or(wrong.Path, "/api/Software/") // no other call says what was typed
		heal := w.defender.Inject(wrong)
		w.ask(t, typed+"-_-x")
		w.ask(t, "search "+typed)
		if _, err := w.slack.Suggest(soon(t), sandbox.Alice, sandbox.Target{ViewID: home, ActionID: "choose:1"}, typed); err != nil {
			t.Fatal(err)
		}
		heal()
	}
	log := w.log.String()
	for _, want := range []string{`"question failed"`, "defender call", "/api/Software/{id}/getmissingkbs: 500"} {
		if !strings.Contains(log, want) {
			t.Errorf("the log does not say %s", want)
		}
	}
	for line := range strings.Lines(log) {
		if strings.Contains(line, typed) || strings.Contains(line, changing) {
			t.Errorf("the log repeats what was typed: %.400s", line)
		}
	}
	files, err := filepath.Glob(filepath.Join(folder, "*"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no database: %v", err)
	}
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(raw), typed) {
			t.Errorf("%s holds what was typed", filepath.Base(file))
		}
	}
}
