package digest_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/missingkbs/missingkbs/internal/digest"
	"github.com/missingkbs/missingkbs/internal/patchgap"
	"github.com/missingkbs/missingkbs/internal/view"
)

// inHouse runs a test in a bubble whose clock jumps.
func inHouse(t *testing.T, s digest.Subscription, test func(h *house)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(s)
		h.t = t
		test(h)
	})
}

// kinds are the kinds of what was delivered, with a + for what was posted.
func (h *house) kinds() string {
	var words []string
	for _, d := range h.store.deliveries {
		word := string(d.Kind)
		if d.Message != "" {
			word += "+"
		}
		words = append(words, word)
	}
	return strings.Join(words, " ")
}

func (h *house) wantKinds(want string) {
	h.t.Helper()
	if got := h.kinds(); got != want {
		h.t.Errorf("delivered %q, want %q", got, want)
	}
}

// A year of a subscription's life, as the issue tells it.
func TestTheDigestsOfASubscription(t *testing.T) {
	t.Parallel()
	inHouse(t, weekly(), func(h *house) {
		t := h.t
		h.defender.ids = []string{edge, windows}
		h.defender.rows = []patchgap.Row{seed(), row(windows, "5074224", 20, 66)}
		page, _ := h.week()
		if !strings.HasPrefix(page.Title, "Worth a look") || !strings.Contains(page.Lead, "This is the first digest") {
			t.Errorf("the first digest: %q, %q", page.Title, page.Lead)
		}
		if _, posted := h.week(); posted {
			t.Error("nothing changed, but something was posted")
		}
		h.defender.rows = append(h.defender.rows, row(windows, "5080000", 3, 9))
		page, _ = h.week()
		if !strings.HasPrefix(page.Title, "Action required") || !strings.Contains(fact(page, "New"), "KB5080000") || strings.Contains(fact(page, "New"), "KB4540673") {
			t.Errorf("a new update: %q, new: %q", page.Title, fact(page, "New"))
		}
		// The channel was told two weeks ago, although a week ago nothing was posted.
		if !strings.HasPrefix(page.Context, "Since Mon 3 Jan, read 17 Jan 09:00 CET") {
			t.Errorf("compared with %q", page.Context)
		}
		h.defender.rows = h.defender.rows[:1]
		page, _ = h.week()
		if !strings.HasPrefix(page.Title, "On track") || !strings.Contains(fact(page, "Closed"), "KB5074224") {
			t.Errorf("two closed: %q, closed: %q", page.Title, fact(page, "Closed"))
		}
		h.defender.rows = nil
		if page, _ = h.week(); !strings.HasPrefix(page.Title, "Clean") {
			t.Errorf("all closed: %q", page.Title)
		}
		h.store.seen[seed().Key] = time.Now().Add(-8 * 24 * time.Hour)
		h.defender.rows = []patchgap.Row{seed()}
		if page, _ = h.week(); !strings.Contains(fact(page, "Reopened"), "KB4540673") || fact(page, "New") != "" {
			t.Errorf("one reopened: %q, new: %q", fact(page, "Reopened"), fact(page, "New"))
		}
		h.wantKinds("first+ same changed+ changed+ changed+ changed+")
	})
}

func TestQuiet(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		quiet digest.Quiet
		title string
		kinds string
		parts int
	}{
		{digest.Silent, "", "first+ same", 0},
		{digest.Heartbeat, "No change: microsoft-_-*", "first+ same+", 0},
		{digest.Always, "No change: microsoft-_-*", "first+ same+", 3},
	} {
		s := weekly()
		s.Quiet = c.quiet
		inHouse(t, s, func(h *house) {
			t := h.t
			h.defender.rows = []patchgap.Row{seed()}
			h.week()
			page, _ := h.week()
			if page.Title != c.title || len(page.Parts) != c.parts {
				t.Errorf("%s: %q with %d parts, want %q with %d", c.quiet, page.Title, len(page.Parts), c.title, c.parts)
			}
			h.wantKinds(c.kinds)
		})
	}
}

// A digest that reports how patching goes is posted each time, of what was just read, and keeps what it read as others do.
func TestReportOnPatching(t *testing.T) {
	t.Parallel()
	s := weekly()
	s.Report = true
	inHouse(t, s, func(h *house) {
		t := h.t
		h.defender.rows = []patchgap.Row{seed()}
		var read []patchgap.Snapshot
		fails := errors.New("the disk is gone")
		h.Patching = func(_ context.Context, of digest.Subscription, snap patchgap.Snapshot) (view.Page, error) {
			if of.ID != s.ID {
				t.Errorf("a page for digest %s", of.ID)
			}
			read = append(read, snap)
			return view.Page{Title: "Patch report", Actions: []view.Action{{Label: "Report now", Command: "report all"}}}, fails
		}
		job := h.next()
		if err := h.Work(t.Context(), job, 1); !errors.Is(err, fails) || len(h.slack.posted) > 0 {
			t.Errorf("without a page: %v, %d posted", err, len(h.slack.posted))
		}
		fails = nil
		if err := h.Work(t.Context(), job, 2); err != nil {
			t.Fatal(err)
		}
		page, posted := h.week()
		if !posted || page.Title != "Patch report" || len(page.Actions) != 3 || page.Actions[2].Command != "digest show 7" {
			t.Errorf("posted %v: %+v", posted, page)
		}
		h.wantKinds("first+ same+")
		if len(read) != 3 || len(read[2].Rows) != 1 {
			t.Errorf("pages of %+v", read)
		}
		h.Patching = nil // as in a process without reports
		if _, posted := h.week(); posted {
			t.Error("a silent digest without a report posted that nothing has changed")
		}
	})
}

// Counts that move a little are no news, but far is far, however small the steps.
func TestSmallStepsAddUp(t *testing.T) {
	t.Parallel()
	inHouse(t, weekly(), func(h *house) {
		t := h.t
		h.defender.rows = []patchgap.Row{row(edge, "1111111", 100, 5)}
		h.week()
		for devices := 101; devices <= 104; devices++ {
			h.defender.rows = []patchgap.Row{row(edge, "1111111", devices, 5)}
			if page, posted := h.week(); posted {
				t.Errorf("%d devices: posted %q", devices, page.Lead)
			}
		}
		h.defender.rows = []patchgap.Row{row(edge, "1111111", 105, 5)}
		page, _ := h.week()
		if want := "KB1111111 (Edge): from 100 to 105 devices"; fact(page, "Grew") != want {
			t.Errorf("grew %q, want %q", fact(page, "Grew"), want)
		}
	})
}

// Defender's lists leave out rows now and then: what a second reading has is not closed, and not told.
func TestClosedNeedsTwoReadings(t *testing.T) {
	t.Parallel()
	inHouse(t, weekly(), func(h *house) {
		t := h.t
		h.defender.ids = []string{edge, windows}
		h.defender.rows = []patchgap.Row{seed(), row(windows, "5074224", 20, 66)}
		h.week()
		h.defender.rows, h.defender.again = nil, h.defender.rows
		if page, posted := h.week(); posted {
			t.Errorf("one reading lacks a row: posted %q", page.Lead)
		}
		if diff := cmp.Diff([][]string{{edge, windows}}, h.defender.confirm); diff != "" {
			t.Errorf("confirmed (-want +got):\n%s", diff)
		}
		h.defender.broken["Confirm"] = errBroken
		if page, posted := h.week(); posted {
			t.Errorf("the second reading failed: posted %q", page.Lead)
		}
		if n := len(h.store.baselines["7"].Rows); n != 2 {
			t.Errorf("%d rows are remembered, want 2", n)
		}
		delete(h.defender.broken, "Confirm")
		h.defender.again = nil
		if page, _ := h.week(); !strings.Contains(page.Lead, "2 closed") {
			t.Errorf("both readings lack the rows: %q", page.Lead)
		}
	})
}

// A row that could not be read may be any: nothing of its software is closed, nothing good is said, and the channel is
// told once.
func TestPartlyReadSoftware(t *testing.T) {
	t.Parallel()
	inHouse(t, weekly(), func(h *house) {
		t := h.t
		h.defender.ids = []string{edge, windows}
		both := []patchgap.Row{seed(), row(windows, "5074224", 20, 66)}
		h.defender.rows = both
		h.week()

		h.defender.rows, h.defender.partial = both[1:], map[string]int{edge: 1}
		page, posted := h.week()
		if !posted || fact(page, "Closed") != "" || len(h.defender.confirm) != 0 || page.Unreadable != 1 {
			t.Errorf("a row that cannot be read: %q, closed %q, confirmed %v", page.Title, fact(page, "Closed"), h.defender.confirm)
		}
		if told := fact(page, "Could not read"); !strings.Contains(told, "1 row could not be read ("+edge+")") || !strings.Contains(page.Title, string(digest.CouldNotTell)) {
			t.Errorf("%s: %s", page.Title, told)
		}
		if !strings.Contains(page.Lead, "2 updates missing") || !strings.Contains(page.Lead, "in what could be read") {
			t.Errorf("lead %q", page.Lead)
		}
		if details := h.slack.posted[len(h.slack.posted)-1].details; !strings.Contains(fact(details, "Could not read"), "1 row could not be read") || details.Unreadable != 1 {
			t.Errorf("details: %v", details.Parts)
		}
		h.Now = func() time.Time { return time.Now().Add(time.Hour - 7*24*time.Hour) } // within a day
		if page, posted := h.week(); posted {
			t.Errorf("the same again: posted %q", page.Lead)
		}
		h.Now = nil
		if n := len(h.store.baselines["7"].Rows); n != 2 {
			t.Errorf("%d rows are remembered, want 2", n)
		}

		h.defender.rows, h.defender.again, h.defender.partial = both[:1], both[:1], nil
		if page, _ := h.week(); !strings.Contains(fact(page, "Closed"), "5074224") || strings.Contains(fact(page, "Closed"), "4540673") {
			t.Errorf("readable again: closed %q", fact(page, "Closed"))
		}
	})
}

// A second reading that is not whole closes nothing either.
func TestClosedNeedsAWholeSecondReading(t *testing.T) {
	t.Parallel()
	rows := []patchgap.Row{seed(), row(windows, "5074224", 20, 66)}
	both := []string{edge, windows}
	vanished, _ := patchgap.Vanished(gap(rows, both), gap(nil, both))
	again := gap(nil, both)
	again.Partial = []patchgap.Partial{{Software: windows, Rows: 1}}
	if stay := patchgap.Unconfirmed(vanished, again); len(stay) != 1 || stay[0].Software != windows {
		t.Errorf("of %v stay %v", vanished, stay)
	}
}

// Updates that no device lacks were kept once. They are gone without a word.
func TestRowsOfNoDevices(t *testing.T) {
	t.Parallel()
	inHouse(t, weekly(), func(h *house) {
		t := h.t
		h.defender.rows = []patchgap.Row{seed(), row(edge, "5000001", 0, 3)}
		h.week()
		if details := details(t, weekly(), h.store.baselines["7"], time.Now(), false); strings.Contains(details.Lead, "2 updates") || strings.Contains(details.Lead, "hidden") {
			t.Errorf("details: %q", details.Lead)
		}
		h.defender.rows = []patchgap.Row{seed()}
		if page, posted := h.week(); posted {
			t.Errorf("posted %q", page.Lead)
		}
	})
}

// Software that could not be read is named, compared with nothing, and compared with what was known when it can be read
// again.
func TestUnreadSoftware(t *testing.T) {
	t.Parallel()
	inHouse(t, weekly(), func(h *house) {
		t := h.t
		h.defender.rows = []patchgap.Row{seed(), row(windows, "5074224", 20, 66)}
		h.week()
		h.defender.unread = map[string]string{windows: "Defender did not answer."}
		page, _ := h.week()
		if !strings.HasPrefix(page.Title, "Could not tell") || !strings.Contains(fact(page, "Could not read"), windows) {
			t.Errorf("%q, could not read: %q", page.Title, fact(page, "Could not read"))
		}
		if fact(page, "Closed")+fact(page, "Shrank") != "" || strings.Contains(page.Lead, "closed") {
			t.Errorf("what could not be read counts as closed: %q", page.Lead)
		}
		if got := fact(page, "Open installs"); got != "240, as last time" {
			t.Errorf("progress %q, want that of what both times could be read", got)
		}
		if got := h.store.deliveries[1].Totals.Missing; got != 260 {
			t.Errorf("the chart falls to %d for want of an answer", got)
		}
		// Readable again: changed since it was known, and the rest is not new.
		h.defender.unread = nil
		h.defender.rows = []patchgap.Row{seed(), row(windows, "5074224", 40, 66)}
		page, _ = h.week()
		if want := "KB5074224 (Windows 11): from 20 to 40 devices"; fact(page, "Grew") != want || fact(page, "New") != "" {
			t.Errorf("grew %q, want %q; new %q", fact(page, "Grew"), want, fact(page, "New"))
		}
	})
}

// Silence would say that nothing changed, so what cannot be read is told again, but not every hour.
func TestUnreadSoftwareIsToldOnceADay(t *testing.T) {
	t.Parallel()
	s := weekly()
	s.Schedule.Words = "0 * * * *"
	inHouse(t, s, func(h *house) {
		t := h.t
		h.defender.rows = []patchgap.Row{seed(), row(windows, "5074224", 20, 66)}
		h.week()
		h.defender.unread = map[string]string{windows: "Defender did not answer."}
		posted := 0
		for range 3 * 24 {
			if _, ok := h.week(); ok {
				posted++
			}
		}
		if posted != 3 {
			t.Errorf("told %d times in three days, want 3", posted)
		}
	})
}

// When nothing can be read there is one message that says so, and the digest follows when Defender is back.
func TestTotalFailure(t *testing.T) {
	t.Parallel()
	for name, fail := range map[string]func(*house){
		"an error":        func(h *house) { h.defender.broken["Snapshot"] = errBroken },
		"nothing to read": func(h *house) { h.defender.unread = map[string]string{edge: "Defender did not answer."} },
	} {
		inHouse(t, weekly(), func(h *house) {
			t := h.t
			h.defender.rows = []patchgap.Row{seed()}
			h.week()
			fail(h)
			h.slack.blind = true
			job := h.next()
			for attempt := 1; attempt < 4; attempt++ {
				if err := h.Work(t.Context(), job, attempt); err == nil || len(h.slack.posted) != 1 {
					t.Fatalf("%s: attempt %d: %v, %d posted; want silent tries first", name, attempt, err, len(h.slack.posted))
				}
				time.Sleep(time.Minute)
			}
			for range 100 { // two days: the failure of one digest is told once
				err := h.Work(t.Context(), job, 4)
				if later, ok := errors.AsType[digest.RetryLater](err); !ok || later.After != 30*time.Minute {
					t.Fatalf("%s: %v, want to be tried again in half an hour", name, err)
				}
				time.Sleep(30 * time.Minute)
			}
			if len(h.slack.posted) != 2 {
				t.Fatalf("%s: the failure was told %d times", name, len(h.slack.posted)-1)
			}
			page := h.slack.posted[1].digest
			if page.Title != "Could not tell: microsoft-_-*" || !page.AsOf.Time.IsZero() || strings.Contains(page.Lead, "0") {
				t.Errorf("%s: the failure says %q, %q", name, page.Title, page.Lead)
			}
			h.defender.broken, h.defender.unread = breaker{}, nil
			h.defender.rows = append(h.defender.rows, row(windows, "5074224", 20, 66))
			h.defender.ids = []string{edge}
			if err := h.Work(t.Context(), job, 4); err != nil {
				t.Fatal(err)
			}
			page = h.slack.posted[2].digest
			if !strings.HasSuffix(page.Title, "(late)") || !strings.HasPrefix(page.Context, "Since Mon 3 Jan, read ") {
				t.Errorf("%s: after the failure: %q, %q", name, page.Title, page.Context)
			}
			h.wantKinds("first+ failed+ changed+")
		})
	}
}

// The same failure is not repeated every hour, also where a digest is due every hour.
func TestFailureIsNotRepeated(t *testing.T) {
	t.Parallel()
	s := weekly()
	s.Schedule.Words = "0 * * * *"
	inHouse(t, s, func(h *house) {
		t := h.t
		h.defender.broken["Snapshot"] = errBroken
		for range 47 {
			if err := h.Work(t.Context(), h.next(), 4); err == nil {
				t.Fatal("no error, though nothing could be read")
			}
		}
		h.wantKinds("failed+ failed+")
		// The first that can be read is the first digest.
		h.defender.broken = breaker{}
		h.defender.rows = []patchgap.Row{seed()}
		if page, _ := h.week(); !strings.Contains(page.Lead, "This is the first digest") {
			t.Errorf("after the failures: %q", page.Lead)
		}
	})
}

// A source that asks to wait is waited for, since the queue then counts no attempts. The channel is told when the digest
// is late, once, and then it is waited for as before; of a reading that gets on it is told nothing.
func TestThrottledSource(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		going bool
		kinds string
	}{
		"stuck":   {false, "failed+ first+"},
		"gets on": {true, "first+"},
	} {
		inHouse(t, weekly(), func(h *house) {
			t := h.t
			h.defender.rows = []patchgap.Row{seed()}
			h.defender.broken["Snapshot"] = fmt.Errorf("defender: %w", digest.RetryLater{After: time.Minute, Going: tc.going})
			job := h.next()
			for range 40 {
				if later, ok := errors.AsType[digest.RetryLater](h.Work(t.Context(), job, 9)); !ok || later.After != time.Minute {
					t.Fatalf("%s: %v, want to be tried again in a minute", name, later)
				}
				time.Sleep(time.Minute)
			}
			if !tc.going && strings.Contains(h.slack.posted[0].digest.Lead, "Nothing could be read") {
				t.Errorf("%s: the channel is told %q", name, h.slack.posted[0].digest.Lead)
			}
			h.defender.broken = breaker{}
			if err := h.Work(t.Context(), job, 9); err != nil {
				t.Fatal(err)
			}
			h.wantKinds(tc.kinds)
		})
	}
}

// What has vanished is confirmed before the digest goes out, as long as that gets on.
func TestThrottledConfirmation(t *testing.T) {
	t.Parallel()
	for name, going := range map[string]bool{"gets on": true, "stuck": false} {
		inHouse(t, weekly(), func(h *house) {
			t := h.t
			h.defender.rows = []patchgap.Row{seed()}
			h.defender.ids = []string{edge}
			h.week()
			h.defender.rows = nil
			h.defender.broken["Confirm"] = digest.RetryLater{After: time.Minute, Going: going}
			job := h.next()
			if r, err := h.Preview(t.Context(), weekly()); err != nil || len(r.Changes.Closed) != 0 {
				t.Errorf("%s: the preview says %v closed, %v", name, r.Changes.Closed, err)
			}
			if err := h.Work(t.Context(), job, 1); (err != nil) != going {
				t.Errorf("%s: %v", name, err)
			}
			if !going {
				return
			}
			h.defender.broken = breaker{}
			if err := h.Work(t.Context(), job, 2); err != nil || len(h.slack.posted) != 2 {
				t.Fatalf("%s: %v, %d messages", name, err, len(h.slack.posted))
			}
			if lead := h.slack.posted[1].digest.Lead; !strings.HasPrefix(lead, "1 closed.") {
				t.Errorf("%s: %q", name, lead)
			}
		})
	}
}

// A reading that hangs leaves time to say so.
func TestReadingLeavesTime(t *testing.T) {
	t.Parallel()
	inHouse(t, weekly(), func(h *house) {
		t := h.t
		h.Source = hanging{}
		job := h.next()
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if later, ok := errors.AsType[digest.RetryLater](h.Work(ctx, job, 4)); !ok || later.After != 30*time.Minute {
			t.Errorf("%v, want to be tried again in half an hour", later)
		}
		h.wantKinds("failed+")
	})
}

// hanging is a source that does not answer.
type hanging struct{}

func (hanging) Snapshot(ctx context.Context, _ digest.Subscription, _ time.Time) (patchgap.Snapshot, error) {
	<-ctx.Done()
	return patchgap.Snapshot{}, ctx.Err()
}

func (hanging) Confirm(ctx context.Context, _ []string) (patchgap.Snapshot, error) {
	<-ctx.Done()
	return patchgap.Snapshot{}, ctx.Err()
}

// Whatever step a process dies at, the next attempt delivers, and no digest comes twice where the channel may be read.
func TestCrashAtEachStep(t *testing.T) {
	t.Parallel()
	steps := []string{
		"Delivery", "Subscription", "Enter", "BeginRun", "Baseline", "Deliveries", "Snapshot", "Confirm", "SeenBefore", "SetPosting", "Post", "PostAfter", "Record",
		"Reply", "ReplyAfter", "SetPosted", "EndThread",
	}
	for _, step := range steps {
		for _, blind := range []bool{false, true} {
			inHouse(t, weekly(), func(h *house) {
				t := h.t
				h.slack.blind = blind
				h.defender.rows = []patchgap.Row{seed(), row(windows, "5074224", 20, 66)}
				h.defender.ids = []string{edge, windows}
				h.week()
				h.defender.rows = []patchgap.Row{seed(), row(windows, "5080000", 20, 66)} // one new, one closed

				job := h.next()
				h.store.broken[step], h.defender.broken[step], h.slack.broken[step] = errBroken, errBroken, errBroken
				h.store.broken["RestRun"], h.store.broken["EndRun"] = errBroken, errBroken // a dead process ends nothing
				err := h.Work(t.Context(), job, 1)
				if tolerated := step == "Confirm"; (err == nil) != tolerated {
					t.Errorf("%s: %v", step, err)
				}
				clear(h.store.broken)
				clear(h.defender.broken)
				clear(h.slack.broken)
				for attempt := 2; attempt < 4; attempt++ {
					if err := h.Work(t.Context(), job, attempt); err != nil {
						t.Fatalf("%s: attempt %d: %v", step, attempt, err)
					}
				}
				h.wantKinds("first+ changed+")
				want := 2
				if blind && (step == "PostAfter" || step == "Record") {
					want = 3 // at least once is all that can be had then
				}
				if len(h.slack.posted) != want {
					t.Errorf("%s: %d messages, want %d", step, len(h.slack.posted), want)
				}
				if last := h.slack.posted[want-1]; last.thread != threadLength && (!blind || step != "ReplyAfter" && step != "SetPosted") {
					t.Errorf("%s: %d messages in the thread, want %d", step, last.thread, threadLength)
				}
				if d := h.store.deliveries[1]; d.Thread != digest.ThreadWhole || len(h.store.threads) != 0 {
					t.Errorf("%s: the thread is recorded as %q, and %d are kept", step, d.Thread, len(h.store.threads))
				}
				if len(h.store.runs) != 0 {
					t.Errorf("%s: runs %+v, want none", step, h.store.runs)
				}
				if n := len(h.store.deliveries); n > 1 && h.store.deliveries[1].Message == "" {
					t.Errorf("%s: the message is not recorded", step)
				}
				// Nothing is told again.
				h.defender.broken = breaker{}
				wantClosed := step == "Confirm" // it could not be confirmed then, so it is told now
				if page, posted := h.week(); posted != wantClosed {
					t.Errorf("%s: the next digest: %v %q", step, posted, page.Lead)
				}
			})
		}
	}
}

// A first attempt has no message to look for; a look that keeps failing does not keep the digest from coming.
func TestLookForEarlierMessage(t *testing.T) {
	t.Parallel()
	inHouse(t, weekly(), func(h *house) {
		t := h.t
		h.defender.rows = []patchgap.Row{seed()}
		h.week()
		if h.slack.looked != 0 {
			t.Error("a first attempt looked for its message")
		}
		h.defender.rows = []patchgap.Row{row(edge, "5074224", 20, 66)}
		h.slack.broken["Find"] = errBroken
		job := h.next()
		for attempt := 2; attempt < 4; attempt++ {
			if err := h.Work(t.Context(), job, attempt); !errors.Is(err, errBroken) {
				t.Errorf("attempt %d: %v", attempt, err)
			}
		}
		// Pauses that Slack asked for are no failures: they may be over in seconds, and so the outage lasts.
		job.PutOff = 2
		if err := h.Work(t.Context(), job, 5); !errors.Is(err, errBroken) || len(h.slack.posted) != 1 {
			t.Errorf("attempt 5, of which 2 were put off: %v, %d messages", err, len(h.slack.posted))
		}
		if err := h.Work(t.Context(), job, 6); err != nil || len(h.slack.posted) != 2 {
			t.Errorf("attempt 6, of which 2 were put off: %v, %d messages", err, len(h.slack.posted))
		}
	})
}

// A digest that was posted and not recorded is not called a failure when Defender is down at the next attempt.
func TestPostedThenUnreadable(t *testing.T) {
	t.Parallel()
	inHouse(t, weekly(), func(h *house) {
		t := h.t
		h.defender.rows = []patchgap.Row{seed()}
		h.store.broken["Record"] = errBroken
		job := h.next()
		if err := h.Work(t.Context(), job, 1); !errors.Is(err, errBroken) {
			t.Fatal(err)
		}
		clear(h.store.broken)
		h.defender.broken["Snapshot"] = errBroken
		if err := h.Work(t.Context(), job, 9); !errors.Is(err, errBroken) || len(h.slack.posted) != 1 {
			t.Errorf("%v, %d messages", err, len(h.slack.posted))
		}
	})
}

func TestSlackAsksToWait(t *testing.T) {
	t.Parallel()
	inHouse(t, weekly(), func(h *house) {
		t := h.t
		h.defender.rows = []patchgap.Row{seed()}
		h.slack.broken["Post"] = digest.RetryLater{After: 30 * time.Second}
		err := h.Work(t.Context(), h.next(), 1)
		if later, ok := errors.AsType[digest.RetryLater](err); !ok || later.After != 30*time.Second {
			t.Errorf("%v, want to be tried again in 30 s", err)
		}
		h.wantKinds("")
	})
}

// A channel that takes no messages: its owner is told, and after three times in a row the subscription pauses.
func TestChannelGone(t *testing.T) {
	t.Parallel()
	gone := fmt.Errorf("is_archived: %w", digest.ErrChannelGone)
	inHouse(t, weekly(), func(h *house) {
		t := h.t
		h.defender.rows = []patchgap.Row{seed()}
		refuse := func() {
			h.slack.broken["Post"] = gone
			job := h.next()
			for attempt := 1; attempt < 3; attempt++ {
				err := h.Work(t.Context(), job, attempt)
				if attempt == 1 && !errors.Is(err, digest.ErrChannelGone) || attempt == 2 && err != nil {
					t.Errorf("attempt %d: %v", attempt, err)
				}
			}
		}
		refuse()
		refuse()
		clear(h.slack.broken)
		if _, posted := h.week(); !posted || h.store.subscriptions["7"].Failures != 0 {
			t.Errorf("posted %v, failures %d: one that is taken starts the count anew", posted, h.store.subscriptions["7"].Failures)
		}
		h.defender.rows = []patchgap.Row{row(edge, "5074224", 20, 66)}
		refuse()
		refuse()
		if s := h.store.subscriptions["7"]; s.Paused || s.Failures != 2 {
			t.Fatalf("after two: paused %v, failures %d", s.Paused, s.Failures)
		}
		refuse()
		s := h.store.subscriptions["7"]
		if !s.Paused || s.PauseReason != "Its channel refused 3 digests in a row." || !s.NextRun.IsZero() {
			t.Errorf("after three: %+v", s)
		}
		if len(h.slack.told) != 5 || h.slack.told[0].to != "U0ALICE01" || h.slack.told[4].digest.Title != "A digest is paused" {
			t.Errorf("told %+v", h.slack.told)
		}
		if len(h.store.audits) != 1 || h.store.audits[0].Action != "digest.pause" {
			t.Errorf("audits %+v", h.store.audits)
		}
		// What the channel did not see is still news.
		h.store.subscriptions["7"] = s.Resume(time.Now())
		clear(h.slack.broken)
		if page, _ := h.week(); !strings.Contains(page.Lead, "1 new") {
			t.Errorf("after the refusals: %q", page.Lead)
		}
	})
}

// The owner who is told may be gone too, or Slack may ask to wait.
func TestOwnerCannotBeTold(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		err     error
		attempt int
		counted int
	}{
		{fmt.Errorf("is_archived: %w", digest.ErrChannelGone), 1, 1},
		{errBroken, 1, 0},
		{errBroken, 4, 1},
		{digest.RetryLater{After: time.Second}, 4, 0},
	} {
		inHouse(t, weekly(), func(h *house) {
			t := h.t
			h.defender.rows = []patchgap.Row{seed()}
			h.slack.broken["Post"], h.slack.broken["Tell"] = digest.ErrChannelGone, c.err
			if err := h.Work(t.Context(), h.next(), c.attempt); err == nil {
				t.Error("no error")
			}
			if got := h.store.subscriptions["7"].Failures; got != c.counted {
				t.Errorf("%v at attempt %d: %d refusals counted, want %d", c.err, c.attempt, got, c.counted)
			}
		})
	}
}

func TestJobsThatNeedNoDigest(t *testing.T) {
	t.Parallel()
	paused := weekly().Pause(time.Time{}, "holidays")
	for name, test := range map[string]func(h *house){
		"removed": func(h *house) {
			t := h.t
			job := h.next()
			delete(h.store.subscriptions, "7")
			if err := h.Work(t.Context(), job, 1); err != nil {
				t.Error(err)
			}
		},
		"paused": func(h *house) {
			h.store.subscriptions["7"] = paused
			h.week()
		},
		"a later one is due": func(h *house) {
			t := h.t
			job := h.next()
			time.Sleep(8 * 24 * time.Hour)
			if err := h.Work(t.Context(), job, 1); err != nil {
				t.Error(err)
			}
		},
	} {
		inHouse(t, weekly(), func(h *house) {
			t := h.t
			h.defender.rows = []patchgap.Row{seed()}
			test(h)
			if h.defender.asked != 0 || len(h.slack.posted) != 0 || len(h.store.deliveries) != 0 {
				t.Errorf("%s: asked %d times, %d messages, %d deliveries", name, h.defender.asked, len(h.slack.posted), len(h.store.deliveries))
			}
		})
	}
}

// A pause that ended is over, and a delivery does not bring it back.
func TestPauseEnded(t *testing.T) {
	t.Parallel()
	inHouse(t, weekly(), func(h *house) {
		t := h.t
		h.store.subscriptions["7"] = weekly().Pause(time.Now().Add(time.Hour), "holidays")
		h.defender.rows = []patchgap.Row{seed()}
		if _, posted := h.week(); !posted {
			t.Error("nothing was posted after the pause")
		}
		if s := h.store.subscriptions["7"]; s.NextRun.IsZero() {
			t.Error("the delivery paused the subscription again")
		}
	})
}

func TestLate(t *testing.T) {
	t.Parallel()
	for delay, late := range map[time.Duration]bool{30 * time.Minute: false, 31 * time.Minute: true, 3 * 24 * time.Hour: true} {
		inHouse(t, weekly(), func(h *house) {
			t := h.t
			h.defender.rows = []patchgap.Row{seed()}
			job := h.next()
			time.Sleep(delay)
			if err := h.Work(t.Context(), job, 1); err != nil {
				t.Fatal(err)
			}
			page := h.slack.posted[0].digest
			if strings.HasSuffix(page.Title, "(late)") != late || strings.Contains(page.Context, "; due 3 Jan 09:00, sent ") != late {
				t.Errorf("%v: %q, %q", delay, page.Title, page.Context)
			}
		})
	}
}

// What a subscription no longer watches has not closed, and what it watches newly is not new.
func TestWatchIsChanged(t *testing.T) {
	t.Parallel()
	s := weekly()
	s.Watch = []string{edge}
	inHouse(t, s, func(h *house) {
		t := h.t
		h.defender.rows = []patchgap.Row{seed()}
		h.week()
		s.Watch = []string{windows}
		h.store.subscriptions["7"] = s
		h.defender.rows = []patchgap.Row{row(windows, "5074224", 20, 66)}
		page, _ := h.week()
		if rows := h.store.baselines["7"].Rows; len(rows) != 1 || rows[0].Software != windows {
			t.Errorf("the digest is of %v", rows)
		}
		if fact(page, "Closed")+fact(page, "New") != "" || fact(page, "In software not counted last time") == "" || strings.Contains(page.Lead, "first") {
			t.Errorf("%q; closed %q, new %q", page.Lead, fact(page, "Closed"), fact(page, "New"))
		}
	})
}

// A stop in the middle is no failure of Defender's.
func TestStopIsNoFailure(t *testing.T) {
	t.Parallel()
	inHouse(t, weekly(), func(h *house) {
		t := h.t
		job := h.next()
		ctx, stop := context.WithCancel(t.Context())
		stop()
		if err := h.Work(ctx, job, 9); err == nil || len(h.slack.posted) != 0 {
			t.Errorf("%v, %d messages", err, len(h.slack.posted))
		}
	})
}

func TestPreview(t *testing.T) {
	t.Parallel()
	inHouse(t, weekly(), func(h *house) {
		t := h.t
		h.defender.rows = []patchgap.Row{seed()}
		r, err := h.Preview(t.Context(), weekly())
		if err != nil || !strings.HasPrefix(r.Page().Title, "Worth a look") {
			t.Errorf("%v, %q", err, r.Page().Title)
		}
		if len(h.slack.posted)+len(h.store.deliveries)+len(h.store.baselines) != 0 {
			t.Error("a preview left something behind")
		}
		h.defender.broken["Snapshot"] = errBroken
		if r, err = h.Preview(t.Context(), weekly()); !errors.Is(err, errBroken) || !strings.HasPrefix(r.Failure().Title, "Could not tell") {
			t.Errorf("%v, %q", err, r.Failure().Title)
		}
	})
}

// Only a digest that found a change has an event, made for its key and recorded with it. A digest without its event is not
// recorded: it is made again.
func TestDigestsHaveEvents(t *testing.T) {
	t.Parallel()
	inHouse(t, weekly(), func(h *house) {
		t := h.t
		var news []int
		h.Event = func(key string, r digest.Report) (digest.Event, error) {
			news = append(news, len(r.Told().New))
			return digest.Event{ID: key, Body: "body"}, nil
		}
		h.defender.ids = []string{edge, windows}
		h.defender.rows = []patchgap.Row{seed()}
		h.week()
		h.week()
		h.defender.rows = append(h.defender.rows, row(windows, "5080000", 3, 9))
		h.week()
		h.wantKinds("first+ same changed+")
		for i, d := range h.store.deliveries {
			want := digest.Event{}
			if i == 2 {
				want = digest.Event{ID: d.Key, Body: "body"}
			}
			if d.Event != want {
				t.Errorf("%s: event %+v, want %+v", d.Kind, d.Event, want)
			}
		}
		if diff := cmp.Diff([]int{1}, news); diff != "" {
			t.Errorf("new updates (-want +got):\n%s", diff)
		}
		h.Event = func(string, digest.Report) (digest.Event, error) { return digest.Event{}, errors.New("no luck") }
		h.defender.rows = h.defender.rows[:1]
		if err := h.Work(t.Context(), h.next(), 1); err == nil || len(h.store.deliveries) != 3 {
			t.Errorf("recorded without its event: %v", err)
		}
	})
}
