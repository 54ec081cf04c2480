package metrics_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/missingkbs/missingkbs/internal/metrics"
)

// scrape is what Prometheus reads, without the lines that tell of the Go runtime and the process.
func scrape(t *testing.T, m *metrics.Metrics) string {
	t.Helper()
	w := httptest.NewRecorder()
	m.Handler(slog.New(slog.DiscardHandler)).ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", http.NoBody))
	if w.Code != http.StatusOK {
		t.Fatalf("got %d: %s", w.Code, w.Body)
	}
	return w.Body.String()
}

func want(t *testing.T, body string, lines ...string) {
	t.Helper()
	got := strings.Split(body, "\n")
	for _, line := range lines {
		if !slices.Contains(got, line) {
			t.Errorf("no line %s", line)
		}
	}
	if t.Failed() {
		t.Log(body)
	}
}

// everything has every figure that there is.
func everything() *metrics.Metrics {
	m := metrics.New("v1.2.3")
	m.Expect([]string{"answered", "failed", "busy", "lost"}, []string{"throttled", "permission"}, []string{"unknown", "group_gone"})
	m.Question(metrics.Question{Entry: "typed", Outcome: "refused", Reason: "group_gone", Unseen: true})
	m.Question(metrics.Question{Entry: "typed", Command: "search", Outcome: "failed", Reason: "throttled", Queued: 2 * time.Millisecond, Working: 2 * time.Second, Reply: 20 * time.Millisecond})
	m.Question(metrics.Question{Entry: "click", Outcome: "busy"})
	m.Question(metrics.Question{Entry: "typeahead", Outcome: "answered", Typing: true, Working: time.Second})
	m.Call(metrics.Call{Call: "getmissingkbs", Code: "200", Took: 200 * time.Millisecond})
	m.SignIn("accepted")
	m.DigestDue()
	m.DigestsLooked(time.UnixMilli(1_700_000_000_500))
	m.Digest(metrics.Digest{Outcome: "sent", Lag: 2 * time.Hour, Late: true, Over: true})
	m.Digest(metrics.Digest{Outcome: "failed", Lag: time.Hour, Late: true})
	m.DigestGivenUp()
	m.AuditsWritten(7)
	m.AuditsLost(1)
	m.SetSources(metrics.Sources{
		Ready: func(context.Context) map[string]bool { return map[string]bool{"slack": true, "database": false} },
		Load:  func() metrics.Load { return metrics.Load{Waiting: 3, Capacity: 100, Running: 8, Workers: 8} },
		Slack: func() metrics.Slack {
			return metrics.Slack{Connections: 1, Wanted: 2, Opened: 5, Reconnects: map[string]int64{"refresh_requested": 3}, AckFailures: 1, Duplicates: 2, Undecodable: 3, Dropped: 4}
		},
		Client: func() metrics.Client {
			return metrics.Client{Hits: 5, Joined: 2, Asked: 3, Stale: 1, Waited: 6, Refused: 7, Throttled: 8, Unreadable: 11, BudgetErrors: 9}
		},
		Database: func() metrics.Database {
			return metrics.Database{Writable: true, Failures: []metrics.DatabaseFailures{{Trouble: "busy", Write: true, Count: 1}}}
		},
		Quota: func(context.Context) []metrics.Quota {
			return []metrics.Quota{{Window: "minute", For: "questions", Left: 12, Limit: 50}, {Window: "minute", For: "digests", Left: 2, Limit: 50}}
		},
		Stored: func(context.Context) (metrics.Stored, error) {
			return metrics.Stored{Active: 4, Paused: 1, Overdue: time.Minute, Oldest: 48 * time.Hour, Newest: time.Hour, HasData: true, Feeds: []metrics.Feed{{Name: "kev", HasData: true, Age: time.Hour, Entries: 7, Failing: true, Failed: time.Unix(1_800_000_000, 0)}, {Name: "msrc"}}}, nil
		},
	})
	return m
}

func TestFigures(t *testing.T) {
	t.Parallel()
	want(t, scrape(t, everything()),
		`missingkbs_questions_total{command="search",entry="typed",outcome="failed",reason="throttled"} 1`,
		`missingkbs_questions_total{command="none",entry="click",outcome="busy",reason="none"} 1`,
		`missingkbs_question_outcomes_total{outcome="failed"} 1`,
		`missingkbs_question_outcomes_total{outcome="busy"} 1`,
		`missingkbs_question_outcomes_total{outcome="answered"} 0`,
		`missingkbs_question_failures_total{reason="throttled"} 1`,
		`missingkbs_question_failures_total{reason="permission"} 0`,
		`missingkbs_question_failures_total{reason="lost"} 0`,
		`missingkbs_question_unseen_total{reason="group_gone"} 1`,
		`missingkbs_question_unseen_total{reason="unknown"} 0`,
		`missingkbs_questions_total{command="none",entry="typeahead",outcome="answered",reason="none"} 1`,
		`missingkbs_question_duration_seconds_sum{stage="working"} 2`,
		`missingkbs_question_duration_seconds_count{stage="working"} 1`, // nobody worked on the other one
		`missingkbs_question_duration_seconds_bucket{stage="queued",le="0.005"} 3`,
		`missingkbs_defender_calls_total{call="getmissingkbs",code="200"} 1`,
		`missingkbs_defender_call_duration_seconds_count{call="getmissingkbs"} 1`,
		`missingkbs_defender_throttled_total 8`,
		`missingkbs_defender_own_limit_waits_total 6`,
		`missingkbs_defender_own_limit_refused_total 7`,
		`missingkbs_defender_budget_errors_total 9`,
		`missingkbs_defender_unreadable_rows_total 11`,
		`missingkbs_answers_total{from="cache"} 5`,
		`missingkbs_answers_total{from="stale"} 1`,
		`missingkbs_defender_sign_ins_total{outcome="accepted"} 1`,
		`missingkbs_digests_due_total 1`,
		`missingkbs_digests_total{outcome="sent"} 1`,
		`missingkbs_digests_total{outcome="failed"} 1`,
		`missingkbs_digests_total{outcome="given_up"} 1`,
		`missingkbs_digests_total{outcome="refused"} 0`,
		`missingkbs_digests_late_total 1`,
		`missingkbs_digest_lag_seconds_sum 7200`,
		`missingkbs_digests_last_look_timestamp_seconds 1.7000000005e+09`,
		`missingkbs_part_ready{part="slack"} 1`,
		`missingkbs_part_ready{part="database"} 0`,
		`missingkbs_question_queue_length 3`,
		`missingkbs_question_queue_capacity 100`,
		`missingkbs_questions_running 8`,
		`missingkbs_question_workers 8`,
		`missingkbs_slack_connections 1`,
		`missingkbs_slack_connections_wanted 2`,
		`missingkbs_slack_connections_opened_total 5`,
		`missingkbs_slack_reconnects_total{reason="refresh_requested"} 3`,
		`missingkbs_slack_ack_failures_total 1`,
		`missingkbs_slack_envelopes_duplicate_total 2`,
		`missingkbs_slack_envelopes_undecodable_total 3`,
		`missingkbs_slack_envelopes_dropped_total 4`,
		`missingkbs_defender_quota_left{for="digests",window="minute"} 2`,
		`missingkbs_defender_quota_limit{for="questions",window="minute"} 50`,
		`missingkbs_database_up 1`,
		`missingkbs_subscriptions{state="active"} 4`,
		`missingkbs_subscriptions{state="paused"} 1`,
		`missingkbs_digests_overdue_seconds 60`,
		`missingkbs_feed_age_seconds{feed="kev"} 3600`,
		`missingkbs_feed_entries{feed="kev"} 7`,
		`missingkbs_feed_failing{feed="kev"} 1`,
		`missingkbs_feed_failing{feed="msrc"} 0`,
		`missingkbs_feed_last_failure_timestamp_seconds{feed="kev"} 1.8e+09`,
		`missingkbs_data_age_seconds{bound="oldest"} 172800`,
		`missingkbs_data_age_seconds{bound="newest"} 3600`,
		`missingkbs_audits_total{outcome="written"} 7`,
		`missingkbs_audits_total{outcome="lost"} 1`,
		`missingkbs_webhook_total{result="sent"} 0`,
	)
	if body := scrape(t, everything()); !strings.Contains(body, `missingkbs_build_info{goversion="go`) || !strings.Contains(body, `version="v1.2.3"} 1`) {
		t.Error("no build info")
	}
}

// The conventions of Prometheus: units, suffixes, help.
func TestFiguresKeepToTheConventions(t *testing.T) {
	t.Parallel()
	problems, err := testutil.GatherAndLint(everything().Registry())
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		t.Errorf("%s: %s", p.Metric, p.Text)
	}
}

func TestLabelsHaveFewValues(t *testing.T) {
	t.Parallel()
	m := metrics.New("")
	for n := range 1000 {
		m.Question(metrics.Question{Entry: "typed", Command: fmt.Sprint("c", n), Outcome: "answered"})
	}
	m.Question(metrics.Question{Entry: strings.Repeat("x", 100)})
	body := scrape(t, m)
	if n := strings.Count(body, "missingkbs_questions_total{"); n > 50 {
		t.Errorf("%d series of one label", n)
	}
	want(t, body,
		`missingkbs_questions_total{command="other",entry="typed",outcome="answered",reason="none"} 960`,
		`missingkbs_questions_total{command="c39",entry="typed",outcome="answered",reason="none"} 1`,
		`missingkbs_questions_total{command="none",entry="other",outcome="none",reason="none"} 1`,
	)
}

// A database that does not answer costs its own figures and no others.
func TestDatabaseDown(t *testing.T) {
	t.Parallel()
	m := metrics.New("")
	m.SetSources(metrics.Sources{Stored: func(context.Context) (metrics.Stored, error) { return metrics.Stored{}, errors.New("down") }})
	body := scrape(t, m)
	want(t, body, "missingkbs_database_up 0", "missingkbs_digests_due_total 0")
	if strings.Contains(body, "missingkbs_data_age_seconds") || strings.Contains(body, "missingkbs_subscriptions") {
		t.Error("figures of a database that does not answer")
	}
}
