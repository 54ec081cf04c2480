package demo

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/missingkbs/missingkbs/internal/advisory/advisorytest"
	"github.com/missingkbs/missingkbs/internal/deadline"
	"github.com/missingkbs/missingkbs/internal/feeds"
)

const windows11, windows10, server2022 = "microsoft-_-windows_11", "microsoft-_-windows_10", "microsoft-_-windows_server_2022"

// The pages of the first day show chains of updates that fold into the newest, and what is overdue.
func TestChainsAndDeadlines(t *testing.T) {
	t.Parallel()
	w := startWorld(t, deadline.Example)
	w.says(w.ask(windows10), "9 rows from Defender = 2 updates to install", "overdue, KB5074241 by", "KB5073540, KB5072842", "Exploited first, then the most overdue")
	all := w.ask(windows10 + " --all")
	w.says(all, "KB5072141, ", "newer build", "overdue by")
	if rows := strings.Count(all, "Security Updates,"); rows != 9 {
		t.Errorf("--all has %d rows, want the 9 of Defender:\n%s", rows, all)
	}
}

// Without deadlines nothing is overdue.
func TestNoDeadlines(t *testing.T) {
	t.Parallel()
	w := startWorld(t, deadline.Off)
	if page := w.ask(windows10); strings.Contains(page, "overdue") {
		t.Errorf("it says:\n%s", page)
	}
}

// Between two digests an update becomes exploited: the alert stands in the thread of the last digest, at its own time and
// once, and the next digest tells it with the risk that it has ended.
func TestExploitedBetweenTwoDigests(t *testing.T) {
	t.Parallel()
	w := startWorld(t, deadline.Off)
	w.says(w.ask("digest add "+windows11+" --alert exploited"), "Between digests: an alert")
	w.says(w.ask("accept KB5074864 --until 2026-12-31 --reason line 3 is frozen"), "KB5074864 is accepted until 31 Dec 2026")
	w.travel(week)
	w.travel(week)
	posted := w.posted()
	if len(posted) != 5 {
		t.Fatalf("%d messages, want two digests with their details and one alert", len(posted))
	}
	digest, alert, next := posted[0], posted[2], posted[3]
	w.says(digest.Text, "Action required (4 exploited)", "1 of 5 accepted until 31 Dec 2026")
	w.says(alert.Text, "Exploited: KB5074864 (Windows 11): 49 devices; CISA says that CVE-2026-60118 is exploited")
	listed := strconv.FormatInt(time.Date(2026, 12, 3, 18, 0, 0, 0, time.UTC).Unix(), 10)
	if alert.ThreadTS != digest.TS || !strings.HasPrefix(alert.TS, listed+".") {
		t.Errorf("the alert is message %s below %s, want it at %s below %s", alert.TS, alert.ThreadTS, listed, digest.TS)
	}
	w.says(next.Text, "Action required (3 exploited)", "Now exploited: KB5074864: 12 devices", "No longer accepted: KB5074864: CISA lists CVE-2026-60118 as exploited")
}

// An accepted risk counts apart until its last day, and the digest after that tells that it came back, and that it is overdue.
func TestAcceptedRiskEnds(t *testing.T) {
	t.Parallel()
	w := startWorld(t, deadline.Example)
	w.ask("digest add " + windows10)
	w.travel(week)
	w.says(w.ask("accept KB5074202 --until 2026-12-08 --reason line 3 is frozen"), "KB5074202 is accepted until 8 Dec 2026", "Exploited already")
	w.travel(week)
	w.travel(week)
	posted := w.posted() // each digest has its details in a thread
	w.says(posted[2].Text, "Action required (3 exploited, ", "1 of 7 accepted until 8 Dec 2026")
	w.says(posted[4].Text, "Action required (4 exploited, ", "No longer accepted: KB5074202: its date has passed")
}

// A hotpatch of a server stands beside the cumulative update of the same build: neither contains the other.
func TestHotpatchKeepsToItself(t *testing.T) {
	t.Parallel()
	w := startWorld(t, deadline.Off)
	w.travel(4 * week)
	page := w.ask(server2022)
	w.says(page, "2 updates missing", "KB5075592, ", "December 2026 Out-of-band", "KB5074952, ")
	if strings.Contains(page, "to install") {
		t.Errorf("something is folded:\n%s", page)
	}
}

// A month that is served wrong leaves what is held, and is told; updates of it are unknown until it is served right.
func TestMonthServedWrong(t *testing.T) {
	t.Parallel()
	w := startWorld(t, deadline.Off)
	w.says(w.ask(windows11), "MSRC to 2026-Nov.")
	if err := w.workspace.SetFault("feeds_"+string(advisorytest.WrongMonth), true); err != nil {
		t.Fatal(err)
	}
	w.travel(3 * week) // past Patch Tuesday
	w.says(w.ask(windows11), "MSRC to 2026-Nov.", "KB5074922, ", "unknown")
	if told := w.failure(feeds.MSRC); !strings.Contains(told, "2026-Dec: it is another document than was asked for") {
		t.Errorf("it is told as %q", told)
	}
	if err := w.workspace.SetFault("feeds_"+string(advisorytest.WrongMonth), false); err != nil {
		t.Fatal(err)
	}
	w.travel(24 * time.Hour)
	w.says(w.ask(windows11), "MSRC to 2026-Dec.")
	if told := w.failure(feeds.MSRC); told != "" {
		t.Errorf("it is still told: %q", told)
	}
}

// failure is what is told of a feed.
func (w world) failure(name string) string {
	w.t.Helper()
	states, err := feeds.States(w.ctx, w.database)
	if err != nil {
		w.t.Fatal(err)
	}
	for _, f := range states {
		if f.Name == name {
			return f.Failure
		}
	}
	return ""
}

// The page has a switch for each fault of the publishers.
func TestASwitchForEachFault(t *testing.T) {
	t.Parallel()
	have := map[string]bool{}
	for _, f := range publisherFaults(nil) {
		if have[f.Name] || f.Label == "" || f.Help == "" {
			t.Errorf("%+v", f)
		}
		have[f.Name] = true
	}
	for _, f := range advisorytest.Faults() {
		if !have["feeds_"+string(f)] {
			t.Errorf("there is no switch for %s", f)
		}
	}
}

// Whatever the publishers answer from the start, questions are answered alike, and nothing is called "not exploited".
func TestAnswersWithoutFeeds(t *testing.T) {
	t.Parallel()
	faults := []advisorytest.Fault{advisorytest.Down, advisorytest.AllForbidden, advisorytest.WebPage, advisorytest.Absurd, advisorytest.Endless, advisorytest.FutureDate}
	answers := make([]string, len(faults))
	t.Run("each", func(t *testing.T) {
		for i, fault := range faults {
			t.Run(string(fault), func(t *testing.T) {
				t.Parallel()
				w := startWorld(t, deadline.Off, "feeds_"+string(fault))
				answers[i] = w.ask(windows11)
				w.says(answers[i], "Missing updates: Windows 11", "KB5074216, ", "KB5074864, ")
				for _, never := range []string{"under attack", "KEV", "MSRC", ", no"} {
					if strings.Contains(answers[i], never) {
						t.Errorf("it says %q:\n%s", never, answers[i])
					}
				}
			})
		}
	})
	for i, answer := range answers {
		if answer != answers[0] {
			t.Errorf("%s: got\n%s\nwant as with %s\n%s", faults[i], answer, faults[0], answers[0])
		}
	}
}
