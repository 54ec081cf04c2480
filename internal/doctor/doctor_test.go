package doctor_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/missingkbs/missingkbs/internal/doctor"
)

func says(found string) func(context.Context) []doctor.Finding {
	return func(context.Context) []doctor.Finding { return []doctor.Finding{{Status: doctor.OK, Found: found}} }
}

// takes is a check that needs a while, if its context lets it.
func takes(d time.Duration) func(context.Context) []doctor.Finding {
	return func(ctx context.Context) []doctor.Finding {
		select {
		case <-time.After(d):
			return []doctor.Finding{{Status: doctor.OK, Found: "done"}}
		case <-ctx.Done():
			return []doctor.Finding{{Status: doctor.Fail, Found: "cut short", Cure: "be quick"}}
		}
	}
}

func TestIndependentChecksRunAtOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		first := &doctor.Check{Name: "first", Run: takes(4 * time.Second)}
		r := doctor.Run(t.Context(), []*doctor.Check{
			first,
			{Name: "second", Run: takes(3 * time.Second)},
			{Name: "third", Run: takes(2 * time.Second), After: []*doctor.Check{first}},
		})
		if r.Took != 6*time.Second {
			t.Errorf("all took %v, want 6s", r.Took)
		}
		got := map[string]time.Duration{}
		for _, one := range r.Results {
			got[one.Check] = one.Took
		}
		want := map[string]time.Duration{"first": 4 * time.Second, "second": 3 * time.Second, "third": 2 * time.Second}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("times (-want +got):\n%s", diff)
		}
	})
}

func TestEachCheckHasItsOwnDeadline(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		deaf := make(chan struct{})
		defer close(deaf)
		slow := &doctor.Check{Name: "slow", Run: takes(time.Hour)}
		r := doctor.Run(t.Context(), []*doctor.Check{
			slow,
			{Name: "slower", Run: takes(time.Hour), Timeout: 15 * time.Second},
			{Name: "after", Run: says("its own ten seconds"), After: []*doctor.Check{slow}},
			{Name: "deaf", Timeout: time.Second, Run: func(context.Context) []doctor.Finding { <-deaf; return nil }},
			{Name: "crashes", Run: func(context.Context) []doctor.Finding { panic("a bug") }},
			{Name: "silent", Run: func(context.Context) []doctor.Finding { return nil }},
		})
		if r.Took != 15*time.Second {
			t.Errorf("all took %v, want 15s", r.Took)
		}
		var got []string
		for _, one := range r.Results {
			got = append(got, strings.Join([]string{one.Check, string(one.Status), one.Found}, "|"))
		}
		want := []string{
			"slow|fail|cut short", "slower|fail|cut short", "after|ok|its own ten seconds", "deaf|fail|no result in time",
			"crashes|fail|the check itself crashed: a bug", "silent|ok|",
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("results (-want +got):\n%s", diff)
		}
	})
}

func TestTheWholeRunCanBeEnded(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	r := doctor.Run(ctx, []*doctor.Check{{Name: "slow", Run: takes(time.Hour)}})
	if len(r.Results) != 1 || r.Results[0].Found != "cut short" {
		t.Errorf("got %+v", r.Results)
	}
}

// A check of another list, and one that is named twice, hold nothing up.
func TestAfterChecksThatAreNotThere(t *testing.T) {
	t.Parallel()
	elsewhere := &doctor.Check{Name: "elsewhere", Run: says("x")}
	r := doctor.Run(t.Context(), []*doctor.Check{{Name: "here", Run: says("y"), After: []*doctor.Check{elsewhere, elsewhere}}})
	if len(r.Results) != 1 || r.Results[0].Found != "y" {
		t.Errorf("got %+v", r.Results)
	}
}

func report() doctor.Report {
	return doctor.Report{Took: 1234567 * time.Microsecond, Results: []doctor.Result{
		{"database", doctor.Finding{Status: doctor.OK, Found: "SQLite, /data/x.db"}, 12 * time.Millisecond},
		{"slack-scopes", doctor.Finding{Status: doctor.Fail, Found: "chat:write is missing", Cure: "install the app again"}, time.Second},
		{"slack-scopes", doctor.Finding{Status: doctor.Warn, Found: "admin is \x1b[31mmore\x1b[0m\nthan is used", Cure: "take it away"}, time.Second},
		{"slack-channels", doctor.Finding{Status: doctor.Skip, Found: "the bot token does not work"}, 0},
	}}
}

func TestText(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	if err := doctor.WriteText(&b, report()); err != nil {
		t.Fatal(err)
	}
	want := `CHECK           STATUS       FOUND
database        ok           SQLite, /data/x.db
slack-scopes    FAIL         chat:write is missing
                             -> install the app again
slack-scopes    warn         admin is [31mmore [0m than is used
                             -> take it away
slack-channels  not checked  the bot token does not work

1 failure and 1 warning.
`
	if diff := cmp.Diff(want, b.String()); diff != "" {
		t.Errorf("text (-want +got):\n%s", diff)
	}
}

func TestJSON(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	if err := doctor.WriteJSON(&b, report()); err != nil {
		t.Fatal(err)
	}
	want := `{
  "summary": {
    "status": "fail",
    "ok": 1,
    "skip": 1,
    "warn": 1,
    "fail": 1,
    "took_ms": 1234
  },
  "checks": [
    {
      "check": "database",
      "status": "ok",
      "found": "SQLite, /data/x.db",
      "cure": "",
      "took_ms": 12
    },
    {
      "check": "slack-scopes",
      "status": "fail",
      "found": "chat:write is missing",
      "cure": "install the app again",
      "took_ms": 1000
    },
    {
      "check": "slack-scopes",
      "status": "warn",
      "found": "admin is [31mmore [0m than is used",
      "cure": "take it away",
      "took_ms": 1000
    },
    {
      "check": "slack-channels",
      "status": "skip",
      "found": "the bot token does not work",
      "cure": "",
      "took_ms": 0
    }
  ]
}
`
	if diff := cmp.Diff(want, b.String()); diff != "" {
		t.Errorf("JSON (-want +got):\n%s", diff)
	}
}

func TestSummary(t *testing.T) {
	t.Parallel()
	for want, statuses := range map[string][]doctor.Status{
		"All is well.":               {doctor.OK, doctor.Skip},
		"It works, with 2 warnings.": {doctor.Warn, doctor.OK, doctor.Warn},
		"1 failure.":                 {doctor.Fail, doctor.OK},
	} {
		var r doctor.Report
		for _, s := range statuses {
			r.Results = append(r.Results, doctor.Result{Check: "x", Finding: doctor.Finding{Status: s}})
		}
		var b strings.Builder
		if err := doctor.WriteText(&b, r); err != nil || !strings.HasSuffix(b.String(), "\n\n"+want+"\n") {
			t.Errorf("%v: got %q, %v; want %q", statuses, b.String(), err, want)
		}
		if failed := slices.Contains(statuses, doctor.Fail); r.Failed() != failed {
			t.Errorf("%v: failed %v", statuses, r.Failed())
		}
	}
}
