package digest_test

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/missingkbs/missingkbs/internal/digest"
)

var monday = time.Date(2026, time.November, 23, 9, 0, 0, 0, time.UTC)

// gap is a snapshot of rows, of software that was read and of software that could not be.
func gap(rows []digest.Row, software []string, unread ...string) digest.Snapshot {
	s := digest.Snapshot{Tenant: digest.DefaultTenant, At: monday, Software: slices.Sorted(slices.Values(software)), Rows: rows}
	slices.SortFunc(s.Rows, func(a, b digest.Row) int { return a.Compare(b.Key) })
	for _, id := range unread {
		s.Unread = append(s.Unread, digest.Unread{Software: id, Reason: "It did not answer."})
	}
	return s
}

// kbs names the changes of each kind.
func kbs(c digest.Changes) map[string][]string {
	names := map[string][]string{}
	for name, list := range map[string][]digest.Change{
		"new": c.New, "reopened": c.Reopened, "grew": c.Grew, "shrank": c.Shrank, "closed": c.Closed, "vanished": c.Vanished, "added": c.Added,
	} {
		for _, change := range list {
			names[name] = append(names[name], change.KB)
		}
	}
	return names
}

func TestDiff(t *testing.T) {
	t.Parallel()
	both := []string{edge, windows}
	one := func(devices int) []digest.Row { return []digest.Row{row(edge, "1", devices, 1)} }
	for name, c := range map[string]struct {
		before, after digest.Snapshot
		known         map[digest.Key]time.Time
		want          map[string][]string
	}{
		"nothing": {gap(one(9), both), gap(one(9), both), nil, nil},
		"new":     {gap(nil, both), gap(one(1), both), nil, map[string][]string{"new": {"1"}}},
		"gone":    {gap(one(9), both), gap(nil, both), nil, map[string][]string{"vanished": {"1"}}},
		"reopened": {
			gap(nil, both), gap(one(9), both),
			map[digest.Key]time.Time{row(edge, "1", 0, 0).Key: monday.Add(-time.Hour)},
			map[string][]string{"reopened": {"1"}},
		},
		"seen by others since": {
			gap(nil, both), gap(one(9), both),
			map[digest.Key]time.Time{row(edge, "1", 0, 0).Key: monday.Add(time.Hour)},
			map[string][]string{"new": {"1"}},
		},
		"one device more wobbles":    {gap(one(9), both), gap(one(10), both), nil, nil},
		"one device fewer wobbles":   {gap(one(1), both), gap(one(0), both), nil, nil},
		"two devices more":           {gap(one(9), both), gap(one(11), both), nil, map[string][]string{"grew": {"1"}}},
		"two devices fewer":          {gap(one(9), both), gap(one(7), both), nil, map[string][]string{"shrank": {"1"}}},
		"under five per cent":        {gap(one(1000), both), gap(one(1049), both), nil, nil},
		"five per cent":              {gap(one(1000), both), gap(one(1050), both), nil, map[string][]string{"grew": {"1"}}},
		"under five per cent fewer":  {gap(one(1000), both), gap(one(951), both), nil, nil},
		"five per cent fewer":        {gap(one(1000), both), gap(one(950), both), nil, map[string][]string{"shrank": {"1"}}},
		"another OS build is a row":  {gap(one(9), both), gap([]digest.Row{{Key: digest.Key{Software: edge, KB: "1", OSBuild: "26100"}, Devices: 9}}, both), nil, map[string][]string{"new": {"1"}, "vanished": {"1"}}},
		"unread now":                 {gap(one(9), both), gap(nil, []string{windows}, edge), nil, nil},
		"unread before":              {gap(nil, []string{windows}, edge), gap(one(9), both), nil, nil},
		"unread both times":          {gap(nil, []string{windows}, edge), gap(nil, []string{windows}, edge), nil, nil},
		"known through an outage":    {gap(one(9), both, edge), gap(one(20), both), nil, map[string][]string{"grew": {"1"}}},
		"closed through an outage":   {gap(one(9), both, edge), gap(nil, both), nil, map[string][]string{"vanished": {"1"}}},
		"watched for the first time": {gap(nil, []string{windows}), gap(one(9), both), nil, map[string][]string{"added": {"1"}}},
		"left what is watched":       {gap(one(9), both), gap(nil, []string{windows}), nil, map[string][]string{"vanished": {"1"}}},
		"sorted": {
			gap(nil, both), gap([]digest.Row{row(windows, "2", 1, 1), row(edge, "3", 1, 1), row(windows, "1", 1, 1)}, both), nil,
			map[string][]string{"new": {"3", "1", "2"}},
		},
	} {
		got := digest.Diff(c.before, c.after, c.known)
		if c.want == nil {
			c.want = map[string][]string{}
		}
		if diff := cmp.Diff(c.want, kbs(got)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
		if got.News() != (len(c.want) > 0) {
			t.Errorf("%s: news %v", name, got.News())
		}
	}
}

// A row is closed when a second reading lacks it too, and stays when that has it or could not be made.
func TestConfirm(t *testing.T) {
	t.Parallel()
	both := []string{edge, windows}
	before := gap([]digest.Row{row(edge, "1", 9, 1), row(edge, "2", 8, 1), row(windows, "3", 7, 1)}, both)
	c := digest.Diff(before, gap(nil, both), nil)
	confirmed, stay := c.Confirm(gap([]digest.Row{row(edge, "2", 6, 1)}, []string{edge}, windows))
	if diff := cmp.Diff(map[string][]string{"closed": {"1"}}, kbs(confirmed)); diff != "" {
		t.Errorf("confirmed (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]digest.Row{row(edge, "2", 6, 1), row(windows, "3", 7, 1)}, stay); diff != "" {
		t.Errorf("stay (-want +got):\n%s", diff)
	}
	if got := confirmed.Closed[0]; got.Before != 9 || got.Devices != 0 {
		t.Errorf("closed from %d to %d devices, want 9 to 0", got.Before, got.Devices)
	}
	if len(c.Vanished) != 3 {
		t.Errorf("Confirm changed its receiver: %d vanished", len(c.Vanished))
	}
}

// A change is told when the row is big enough before or after, so that a row that falls under the filter is not called
// closed, nor one that rises over it new.
func TestChangesKeep(t *testing.T) {
	t.Parallel()
	both := []string{edge}
	before := gap([]digest.Row{row(edge, "1", 20, 5), row(edge, "2", 4, 5), row(edge, "3", 2, 5), row(edge, "4", 20, 1)}, both)
	after := gap([]digest.Row{row(edge, "1", 5, 5), row(edge, "2", 30, 5), row(edge, "3", 8, 5), row(edge, "4", 40, 1), row(edge, "5", 3, 5)}, both)
	c := digest.Diff(before, after, nil)
	got := kbs(c.Keep(digest.Filter{MinDevices: 10, MinCVEs: 2}))
	if diff := cmp.Diff(map[string][]string{"shrank": {"1"}, "grew": {"2"}}, got); diff != "" {
		t.Errorf("kept (-want +got):\n%s", diff)
	}
	if len(c.Grew) != 3 {
		t.Errorf("Keep changed its receiver: %v", kbs(c))
	}
}

func TestTotals(t *testing.T) {
	t.Parallel()
	s := gap([]digest.Row{
		row(edge, "1", 240, 14), row(windows, "1", 10, 2), row(windows, "2", 20, 3),
		{Key: digest.Key{Software: windows, KB: "2", OSBuild: "26100"}, Devices: 1, CVEs: 3},
	}, []string{edge, windows})
	want := digest.Totals{KBs: 2, Rows: 3, Worst: 240, Missing: 270, CVEs: 19}
	if got := s.Keep(digest.Filter{MinDevices: 5}).Totals(); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if len(s.Rows) != 4 {
		t.Error("Keep changed its receiver")
	}
}

func TestWatches(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		pattern, software string
		want              bool
	}{
		{edge, edge, true},
		{edge, edge + "_webview2", false},
		{"microsoft-_-*", edge, true},
		{"microsoft-_-*", "google-_-chrome", false},
		{"microsoft-_-win*11", windows, true},
		{"microsoft-_-win*10", windows, false},
		{"microsoft-_-*o*s*11", windows, true},
		{"microsoft-_-windows_11*windows_11", windows, false},
		{digest.All, edge, true},
		{digest.All, "google-_-chrome", false},
	} {
		if got := (digest.Subscription{Watch: []string{"x-_-y", c.pattern}}).Watches(c.software); got != c.want {
			t.Errorf("%s watches %s: %v", c.pattern, c.software, got)
		}
	}
}

// Each row is told at most once, none that did not change is told, and what a second reading agrees on accounts for all.
func TestDiffProperties(t *testing.T) {
	t.Parallel()
	snapshot := rapid.Custom(func(t *rapid.T) digest.Snapshot {
		var rows []digest.Row
		var read, unread []string
		for _, id := range []string{"a-_-a", "b-_-b", "c-_-c"} {
			switch rapid.IntRange(0, 3).Draw(t, "state") {
			case 0:
			case 1:
				unread = append(unread, id)
			default:
				read = append(read, id)
				for _, kb := range []string{"1", "2", "3"} {
					if rapid.Bool().Draw(t, "missing") {
						rows = append(rows, row(id, kb, rapid.IntRange(0, 100).Draw(t, "devices"), 1))
					}
				}
			}
		}
		return gap(rows, read, unread...)
	})
	rapid.Check(t, func(t *rapid.T) {
		before, after, again := snapshot.Draw(t, "before"), snapshot.Draw(t, "after"), snapshot.Draw(t, "again")
		if c := digest.Diff(before, before, nil); c.News() {
			t.Fatalf("a gap differs from itself: %v", kbs(c))
		}
		c := digest.Diff(before, after, nil)
		told := map[digest.Key]bool{}
		for _, list := range [][]digest.Change{c.New, c.Reopened, c.Grew, c.Shrank, c.Closed, c.Vanished, c.Added} {
			for _, change := range list {
				if told[change.Key] {
					t.Fatalf("%v is told twice", change.Key)
				}
				told[change.Key] = true
			}
		}
		if len(c.Closed) > 0 {
			t.Fatal("one reading closed a row")
		}
		confirmed, stay := c.Confirm(again)
		if len(confirmed.Vanished) > 0 || len(confirmed.Closed)+len(stay) != len(c.Vanished) {
			t.Fatalf("%d vanished, %d closed, %d stay", len(c.Vanished), len(confirmed.Closed), len(stay))
		}
	})
}
