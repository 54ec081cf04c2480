package digest_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/missingkbs/missingkbs/internal/audit"
	"github.com/missingkbs/missingkbs/internal/digest"
	"github.com/missingkbs/missingkbs/internal/digest/schedule"
	"github.com/missingkbs/missingkbs/internal/patchgap"
)

const goodFile = `# our digests
digests:
  - id: edge-weekly
    channel: C0123456789
    owner: U0123456789
    watch: [microsoft-_-edge, microsoft-_-edge, "microsoft-_-windows*"]
    at: Mon 9:00
    tz: Europe/Stockholm
    min_devices: 5
    quiet: Heartbeat
  - id: everything
    channel: C0123456789
    owner: U0123456789
    watch: all
    cron: 0 9 * * 1
    tz: UTC
    report: true
`

func fromGoodFile() []digest.Subscription {
	return []digest.Subscription{
		{
			ID: "edge-weekly", Tenant: digest.DefaultTenant, Channel: "C0123456789", Owner: "U0123456789", Origin: digest.FromFile,
			Watch: []string{"microsoft-_-edge", "microsoft-_-windows*"}, Filter: patchgap.Filter{MinDevices: 5},
			Schedule: schedule.Schedule{Words: "mon 09:00", Zone: "Europe/Stockholm"}, Quiet: digest.Heartbeat,
		},
		{
			ID: "everything", Tenant: digest.DefaultTenant, Channel: "C0123456789", Owner: "U0123456789", Origin: digest.FromFile,
			Watch: []string{digest.All}, Schedule: schedule.Schedule{Words: "0 9 * * 1", Zone: "UTC"}, Quiet: digest.Silent, Report: true,
		},
	}
}

func TestReadFile(t *testing.T) {
	t.Parallel()
	got, err := digest.ReadFile([]byte(goodFile))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(fromGoodFile(), got); diff != "" {
		t.Errorf("subscriptions (-want +got):\n%s", diff)
	}
	if got, err := digest.ReadFile([]byte("digests: []\n")); err != nil || len(got) != 0 {
		t.Errorf("a file of no digests: %v, %v", got, err)
	}
}

// All mistakes are told at once, each with its line.
func TestReadFileMistakes(t *testing.T) {
	t.Parallel()
	_, err := digest.ReadFile([]byte(`digests:
  - id: Edge Weekly
    channel: "#patching"
    owner:
    watch: [edge]
    at: mon 25:00
    tz: Europe/Stockholm
    min_devices: many
    colour: red
  - just words
  - id: twice
    channel: C0123456789
    owner: U0123456789
    watch: all
    tz: UTC
  - id: twice
    channel: C0123456789
    owner: U0123456789
    watch: all
    at: daily 09:00
    cron: 0 9 * * 1
    quiet: loud
    report: sometimes
  - id: filtered
    channel: C0123456789
    owner: U0123456789
    watch: all
    at: daily 09:00
    tz: UTC
    min_cves: 2
    report: true
`))
	m, ok := errors.AsType[*digest.Mistake](err)
	if !ok {
		t.Fatalf("%v is no mistake for people", err)
	}
	for _, want := range []string{
		"line 4: owner has no value",
		"line 8: min_devices must be a whole number",
		`line 9: there is no key "colour"; there are id, channel,`,
		`line 2: id must be small letters, digits and dashes`,
		`line 2: channel must be an id such as C0123456789, not a name; it is "#patching"`,
		`line 2: "edge" is not a software id.`,
		`line 2: "25:00" is not a time of day.`,
		"line 10: a digest is written as keys and values",
		"line 11: say when with either at or cron",
		`line 16: there is a digest "twice" in line 11 already`,
		"line 16: say when with either at or cron",
		`line 16: "loud" is not a choice`,
		"line 23: report must be true or false",
		"line 24: a report counts all updates, so it takes no filter",
	} {
		if !strings.Contains(m.Message, want) {
			t.Errorf("it does not say %q", want)
		}
	}
	if n := strings.Count(m.Message, "\n") + 1; n != 15 {
		t.Errorf("%d mistakes, want 15:\n%s", n, m.Message)
	}
}

// A file that is not one of subscriptions is refused rather than read as one that wants none.
func TestReadFileShape(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"", "# nothing", "[]", "digests:", "digests: {}", "digests: x", "other: []", "digests: []\nother: 1", "---\ndigests: []\n---\ndigests: []\n", "{", "\t", "digests: [}"} {
		_, err := digest.ReadFile([]byte(text))
		if _, ok := errors.AsType[*digest.Mistake](err); !ok {
			t.Errorf("%q: %v, want a mistake", text, err)
		}
	}
}

func TestWriteFile(t *testing.T) {
	t.Parallel()
	want := fromGoodFile()
	text, err := digest.WriteFile([]digest.Subscription{want[1], want[0]})
	if err != nil {
		t.Fatal(err)
	}
	got, err := digest.ReadFile(text)
	if err != nil {
		t.Fatalf("%v in\n%s", err, text)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("read again (-want +got):\n%s\n%s", diff, text)
	}
	if text, err = digest.WriteFile(nil); err != nil || string(text) != "digests: []\n" {
		t.Errorf("no subscriptions are written as %q, %v", text, err)
	}
}

// People write anything; what is read can be written and read again.
func FuzzReadFile(f *testing.F) {
	f.Add(goodFile)
	f.Add("digests: [{id: a, channel: C01, owner: U01, watch: [all], at: daily 09:00, tz: UTC}]")
	f.Add("digests:\n- &a {id: a}\n- *a\n- <<: *a\n- !!binary x\n- ? [a]\n  : b")
	f.Add("digests: [{id: 1e3, watch: [null, ~, [a]], min_cves: 0x10, at: |\n  x\n}]")
	f.Add("# what patching wants to hear\ndigests:\n  - id: edge-weekly\n    channel: C0123456789\n    owner: U0123456789\n    watch: [microsoft-_-edge, microsoft-_-windows*]\n    at: \"mon,thu 09:00\"\n    tz: Europe/Stockholm\n" +
		"    min_devices: 5\n    min_cves: 2\n    quiet: heartbeat\n  - {id: tuesday, channel: C2, watch: all, cron: 0 9 * * 2#2, tz: America/New_York}\n")
	f.Add("digests:\n  - id: a\n    channel: C01\n    watch:\n      - microsoft-_-.net_framework\n    at: patch-tuesday+1 09:00\n    tz: Australia/Lord_Howe\n    quiet: always\n  - id: a\n    id: b\n    chanel: C02\n")
	f.Add("digests: [{id: x, channel: D01, owner: U01, watch: [all], at: monthly 31 02:30, tz: Europe/London, quiet: silent}]\n---\ndigests: []")
	f.Fuzz(func(t *testing.T, text string) {
		subs, err := digest.ReadFile([]byte(text))
		if err != nil {
			if _, ok := errors.AsType[*digest.Mistake](err); !ok {
				t.Fatalf("%v is no mistake for people", err)
			}
			return
		}
		for _, s := range subs {
			if next := schedule.Next(s.Schedule, monday); s.ID == "" || s.Channel == "" || len(s.Watch) == 0 || !next.After(monday) {
				t.Fatalf("%+v is next due at %v", s, next)
			}
		}
		written, err := digest.WriteFile(subs)
		if err != nil {
			t.Fatal(err)
		}
		again, err := digest.ReadFile(written)
		if err != nil {
			t.Fatalf("%v in what was written:\n%s", err, written)
		}
		slices.SortFunc(subs, func(a, b digest.Subscription) int { return strings.Compare(a.ID, b.ID) })
		if diff := cmp.Diff(subs, again); diff != "" && len(subs) > 0 {
			t.Fatalf("read again (-want +got):\n%s\n%s", diff, written)
		}
	})
}

func TestApply(t *testing.T) {
	t.Parallel()
	store := newMemory(weekly())
	apply := func(wanted []digest.Subscription, now time.Time) digest.Applied {
		t.Helper()
		done, err := digest.Apply(t.Context(), store, wanted, now)
		if err != nil {
			t.Fatal(err)
		}
		return done
	}
	wanted := fromGoodFile()
	if diff := cmp.Diff(digest.Applied{Added: []string{"edge-weekly", "everything"}}, apply(wanted, monday)); diff != "" {
		t.Errorf("first (-want +got):\n%s", diff)
	}
	edgeWeekly := store.subscriptions["edge-weekly"]
	if !edgeWeekly.Created.Equal(monday) || !edgeWeekly.NextRun.Equal(monday.Add(7*24*time.Hour-time.Hour)) {
		t.Errorf("created %v, next run %v", edgeWeekly.Created, edgeWeekly.NextRun)
	}
	if diff := cmp.Diff(digest.Applied{}, apply(wanted, monday.Add(time.Hour))); diff != "" {
		t.Errorf("the same again (-want +got):\n%s", diff)
	}

	// What people did in chat stays; a new schedule has its own next run.
	store.subscriptions["edge-weekly"] = edgeWeekly.Pause(time.Time{}, "holidays")
	everything := store.subscriptions["everything"]
	everything.Failures = 2
	store.subscriptions["everything"] = everything
	wanted[0].Filter.MinDevices, wanted[0].Schedule.Words = 9, "tue 09:00"
	wanted[1].Schedule.Words, wanted[1].Channel = "daily 12:00", "C0987654321"
	if diff := cmp.Diff(digest.Applied{Changed: []string{"edge-weekly", "everything"}}, apply(wanted, monday)); diff != "" {
		t.Errorf("changed (-want +got):\n%s", diff)
	}
	if s := store.subscriptions["edge-weekly"]; !s.Paused || s.Filter.MinDevices != 9 || !s.NextRun.IsZero() || !s.Created.Equal(monday) {
		t.Errorf("after a change of a paused one: %+v", s)
	}
	if s := store.subscriptions["everything"]; s.Failures != 0 || !s.NextRun.Equal(monday.Add(3*time.Hour)) {
		t.Errorf("after a change of channel and schedule: failures %d, next run %v", s.Failures, s.NextRun)
	}

	if diff := cmp.Diff(digest.Applied{Removed: []string{"edge-weekly", "everything"}}, apply(nil, monday)); diff != "" {
		t.Errorf("removed (-want +got):\n%s", diff)
	}
	if _, ok := store.subscriptions["7"]; !ok || len(store.subscriptions) != 1 {
		t.Errorf("what was made in chat is not left alone: %v", store.subscriptions)
	}
	var actions []string
	for _, a := range store.audits {
		actions = append(actions, a.Action)
	}
	want := "digest.add digest.add digest.change digest.change digest.remove digest.remove"
	if got := strings.Join(actions, " "); got != want {
		t.Errorf("audits %q, want %q", got, want)
	}
}

// An id that was taken in chat is refused before anything is done.
func TestApplyTakenID(t *testing.T) {
	t.Parallel()
	store := newMemory(weekly())
	wanted := fromGoodFile()
	wanted[1].ID = "7"
	_, err := digest.Apply(t.Context(), store, wanted, monday)
	if m, ok := errors.AsType[*digest.Mistake](err); !ok || !strings.Contains(m.Message, "Slack: 7.") {
		t.Errorf("%v, want a mistake that names the id", err)
	}
	if len(store.subscriptions) != 1 {
		t.Errorf("%d subscriptions, want nothing done", len(store.subscriptions))
	}
}

// racing is a store in which another replica adds what this one is about to add.
type racing struct{ *memory }

func (r racing) AddSubscription(ctx context.Context, s digest.Subscription, who audit.Entry) error {
	if err := r.memory.AddSubscription(ctx, s, who); err != nil {
		return err
	}
	return r.memory.AddSubscription(ctx, s, who)
}

func TestApplyTogether(t *testing.T) {
	t.Parallel()
	store := newMemory()
	if _, err := digest.Apply(t.Context(), racing{store}, fromGoodFile(), monday); err != nil {
		t.Errorf("another replica was faster: %v", err)
	}
	store = newMemory()
	store.broken["AddSubscription"] = errBroken
	if _, err := digest.Apply(t.Context(), store, fromGoodFile(), monday); !errors.Is(err, errBroken) {
		t.Errorf("%v, want the failure of the store", err)
	}
}

func TestReadWatch(t *testing.T) {
	t.Parallel()
	got, err := digest.ReadWatch([]string{windows, edge, digest.All, edge, "google-_-*"})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{digest.All, "google-_-*", edge, windows}, got); diff != "" {
		t.Errorf("watch (-want +got):\n%s", diff)
	}
	for _, words := range [][]string{nil, {""}, {"edge"}, {"*"}, {"*-_-*"}, {"-_-edge"}, {"microsoft-_-"}, {"a-_-b c"}, {"a-_-" + strings.Repeat("b", 200)}, slices.Repeat([]string{edge}, 51)} {
		_, err := digest.ReadWatch(words)
		if _, ok := errors.AsType[*digest.Mistake](err); !ok {
			t.Errorf("%q: %v, want a mistake", words, err)
		}
	}
}
