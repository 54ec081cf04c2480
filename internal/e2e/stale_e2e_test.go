package e2e

import (
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/missingkbs/missingkbs/api/apitest"
	"github.com/missingkbs/missingkbs/internal/sandbox"
)

// second is the second line of a message: what a page says before anything else.
func second(m sandbox.Message) string {
	lines := strings.SplitN(sandbox.Unescape(m.Text), "\n", 3)
	if len(lines) < 2 {
		return ""
	}
	return lines[1]
}

// unicodeEscapes undoes how Go writes JSON.
var unicodeEscapes = strings.NewReplacer(`\u003c`, "<", `\u003e`, ">", `\u0026`, "&")

// wantStored checks a page that shows a stored answer.
func wantStored(t *testing.T, m sandbox.Message, because string) {
	t.Helper()
	if got := second(m); !strings.HasPrefix(got, because+": this is the stored answer of ") {
		t.Errorf("the page begins %q, %q; want a stored answer because %s", title(m), got, because)
	}
	for _, block := range []string{"Refresh", "this is the stored answer of <!date^"} {
		if !strings.Contains(sandbox.Unescape(unicodeEscapes.Replace(string(m.Blocks))), block) {
			t.Errorf("the page has no %s:\n%s", block, m.Blocks)
		}
	}
}

// A person asks, the quota is used up, and the person asks again, through the whole program: by Defender's count and
// by our own, and when Defender is down. What was never read is no page of old data.
func TestStoredAnswers(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		settings map[string]string
		fault    *apitest.Fault
		because  string
		failure  string // the page of what was never read
	}{
		"Defender's quota": {nil, new(apitest.Throttled(15 * time.Minute)), "Defender's quota is used up", paused},
		"our own limit":    {map[string]string{"MISSINGKBS_DEFENDER_PER_MINUTE": "1"}, nil, "Defender's quota is used up", paused},
		"down":             {nil, new(apitest.Failing()), "Defender cannot be reached", "Defender cannot be reached"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			settings := map[string]string{"MISSINGKBS_CACHE_TTL": "0"}
			maps.Copy(settings, tc.settings)
			w := newWorld(t, settings)
			fresh := w.ask(t, edge)
			if got := title(fresh); got != "Missing updates: "+called(edge) || strings.Contains(fresh.Text, "stored answer") {
				t.Fatalf("the first answer is %q", got)
			}
			if tc.fault != nil {
				w.defender.Inject(*tc.fault)
			}
			wantStored(t, w.ask(t, edge), tc.because)
			if got := title(w.ask(t, windows11)); got != tc.failure {
				t.Errorf("of what was never read the page says %q, want %q", got, tc.failure)
			}
		})
	}
}

// After a restart, and in another replica, what a digest has read serves.
func TestStoredReadings(t *testing.T) {
	t.Parallel()
	for name, open := range databases() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := open(t)
			r.read(t)
			r.exec(t, "UPDATE subscriptions SET paused = TRUE")
			w := stage(t)
			w.defender.Inject(apitest.Throttled(15 * time.Minute))
			w.start(t, map[string]string{"DATABASE_URL": r.url})
			if err := w.slack.WaitConnected(soon(t), 1); err != nil {
				t.Fatal(err)
			}
			m := w.ask(t, edge)
			wantStored(t, m, "Defender's quota is used up")
			if !strings.Contains(m.Text, "4,321 devices") || !strings.Contains(second(m), "3 h ago") {
				t.Errorf("the page says:\n%s", m.Text)
			}
			if got := title(w.ask(t, windows11)); got != paused {
				t.Errorf("of what was never read the page says %q", got)
			}
		})
	}
}
