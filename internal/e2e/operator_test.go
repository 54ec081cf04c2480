package e2e

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/missingkbs/missingkbs/api/apitest"
	"github.com/missingkbs/missingkbs/internal/sandbox"
	"github.com/missingkbs/missingkbs/internal/sandbox/faults"
)

// page is where a world's program serves probes and metrics, as its log says.
func (w *world) page(tb testing.TB) string {
	tb.Helper()
	var found []string
	eventually(tb, func() (string, bool) {
		found = regexp.MustCompile(`"serving probes and metrics","address":"([^"]+)"`).FindStringSubmatch(w.log.String())
		return "no address in the log", found != nil
	})
	return "http://" + found[1]
}

// look asks for a path of the page.
func (w *world) look(tb testing.TB, path string) (status int, body string) {
	tb.Helper()
	return w.lookAt(tb, w.page(tb)+path)
}

// lookAt asks for an address.
func (w *world) lookAt(tb testing.TB, address string) (status int, body string) {
	tb.Helper()
	req, err := http.NewRequestWithContext(soon(tb), http.MethodGet, address, http.NoBody)
	if err != nil {
		tb.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		tb.Fatal(err)
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		tb.Fatal(err)
	}
	return resp.StatusCode, string(raw)
}

// unready asks for readiness and returns the reasons of the parts that are not ready.
func (w *world) unready(tb testing.TB) map[string]string {
	tb.Helper()
	status, body := w.look(tb, "/readyz")
	var got struct {
		Ready bool
		Parts map[string]struct {
			Ready  bool
			Reason string
		}
	}
	if err := json.Unmarshal([]byte(body), &got); err != nil {
		tb.Fatalf("%v: %s", err, body)
	}
	reasons := map[string]string{}
	for name, p := range got.Parts {
		if !p.Ready {
			reasons[name] = p.Reason
		}
	}
	if got.Ready != (status == http.StatusOK) || got.Ready != (len(reasons) == 0) {
		tb.Errorf("status %d for %s", status, body)
	}
	return reasons
}

// figures waits until a scrape holds all of the texts, and returns it: a question is counted when it is over, which is a
// moment after its answer was seen.
func (w *world) figures(tb testing.TB, texts ...string) string {
	tb.Helper()
	var body string
	eventually(tb, func() (string, bool) {
		var status int
		status, body = w.look(tb, "/metrics")
		if status != http.StatusOK {
			return fmt.Sprintf("/metrics: %d %s", status, body), false
		}
		for _, text := range texts {
			if !strings.Contains(body, text) {
				return fmt.Sprintf("/metrics does not say %s:\n%s", text, body), false
			}
		}
		return "", true
	})
	return body
}

// A second program on the same machine is told why it cannot start, and what to do.
func TestTakenHTTPAddress(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	w := stage(t)
	w.start(t, map[string]string{"HTTP_ADDR": l.Addr().String()})
	_ = w.process.Wait()
	if code := w.process.ProcessState.ExitCode(); code != exitFailed { // the other may end: whoever starts programs again is to do so
		t.Errorf("exit code %d, want %d", code, exitFailed)
	}
	if want := "HTTP_ADDR cannot be served: " + l.Addr().String() + ": another program listens there"; !strings.Contains(w.log.String(), want) {
		t.Errorf("the log does not say %q:\n%s", want, w.log)
	}
}

func TestProbesAndMetricsOfAProcess(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	eventually(t, func() (string, bool) {
		reasons := w.unready(t)
		b, _ := json.Marshal(reasons)
		return "not ready: " + string(b), len(reasons) == 0
	})
	if status, body := w.look(t, "/healthz"); status != http.StatusOK || body != "ok\n" {
		t.Errorf("/healthz: got %d %q", status, body)
	}
	w.ask(t, "microsoft-_-edge")
	w.ask(t, "microsoft-_-edge --srot cves")
	body := w.figures(t,
		`missingkbs_questions_total{command="software",entry="typed",outcome="answered",reason="none"} 1`,
		`missingkbs_questions_total{command="software",entry="typed",outcome="failed",reason="usage"} 1`,
		`missingkbs_question_duration_seconds_count{stage="working"} 2`,
		"missingkbs_slack_connections ", "missingkbs_slack_connections_wanted 2",
		`missingkbs_defender_calls_total{call="missing_kbs",code="200"} 1`,
		`missingkbs_defender_call_duration_seconds_count{call="missing_kbs"} 1`,
		`missingkbs_answers_total{from="defender"} 1`,
		`missingkbs_defender_sign_ins_total{outcome="accepted"} `,
		`missingkbs_defender_quota_limit{for="questions",window="minute"} 50`,
		`missingkbs_defender_quota_left{for="digests",window="hour"} `,
		"missingkbs_build_info{", "go_goroutines ", "process_resident_memory_bytes ",
	)
	for _, secret := range []string{w.slack.AppToken(), w.slack.BotToken(), apitest.ClientSecret, w.defender.Token(), "microsoft-_-edge", "U0", "C0"} {
		if strings.Contains(body, secret) {
			t.Errorf("/metrics holds %.12s…", secret)
		}
	}
	if status, _ := w.look(t, "/debug/pprof/"); status != http.StatusNotFound {
		t.Errorf("profiles are served without being asked for: %d", status)
	}
}

// Why a program is not ready: it says so, and that it is alive.
func TestReadyTellsWhyNot(t *testing.T) {
	t.Parallel()
	w := newWorld(t, map[string]string{"AZURE_CLIENT_SECRET": "wrong"})
	unready := func(want map[string]string) {
		t.Helper()
		eventually(t, func() (string, bool) {
			got := w.unready(t)
			for part, reason := range want {
				if !strings.Contains(got[part], reason) {
					return fmt.Sprintf("%s: got %v, want %q", part, got, reason), false
				}
			}
			return fmt.Sprintf("got %v, want %v", got, want), len(got) == len(want)
		})
		if status, body := w.look(t, "/healthz"); status != http.StatusOK {
			t.Errorf("/healthz: %d %s", status, body)
		}
	}
	const refused = "the login host refuses the credential"
	unready(map[string]string{"defender": refused})
	w.figures(t, `missingkbs_defender_sign_ins_total{outcome="refused"} 1`)
	w.slack.SetFaults(faults.Switches{WebAPIError: "internal_error"})
	w.slack.Drop()
	unready(map[string]string{"defender": refused, "slack": "no connection to Slack since"})
	w.slack.SetFaults(faults.Switches{})
	unready(map[string]string{"defender": refused})
}

// What digests did, and what the database knows of them.
func TestFiguresOfDigests(t *testing.T) {
	t.Parallel()
	w := digestStage(t, sandbox.Options{})
	r := sqliteRecords(t)
	r.subscribe(t, due("1001", sandbox.General, "microsoft-_-edge"), due("1002", sandbox.Patching, "microsoft-_-edge"))
	w.start(t, map[string]string{"DATABASE_URL": r.url})
	r.settle(t, 2)
	w.figures(t,
		"missingkbs_digests_due_total 2",
		`missingkbs_digests_total{outcome="sent"} 2`,
		`missingkbs_digests_total{outcome="failed"} 0`,
		"missingkbs_digest_lag_seconds_count 2",
		"missingkbs_database_up 1",
		`missingkbs_subscriptions{state="active"} 2`,
		"missingkbs_digests_overdue_seconds 0",
		`missingkbs_data_age_seconds{bound="oldest"} `,
		"missingkbs_digests_last_look_timestamp_seconds 1",
	)
}
