package patchgap_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/missingkbs/missingkbs/internal/patchgap"
	"github.com/missingkbs/missingkbs/internal/patchgap/patchgaptest"
)

const (
	edge    = "microsoft-_-edge"
	windows = "microsoft-_-windows_11"
)

var monday = patchgaptest.Monday

// Short names for what every case is made of.
var (
	gap   = patchgaptest.Gap
	row   = patchgaptest.Row
	build = patchgaptest.Build
	kbs   = patchgaptest.KBs
)

func windowsBuild(build string, devices, cves int) patchgap.Row {
	return patchgap.Row{
		Key: patchgap.Key{Software: windows, KB: "5074224", OSBuild: build}, Name: "November", URL: "https://evil.example/", Devices: devices, CVEs: cves,
	}
}

func TestDiff(t *testing.T) {
	t.Parallel()
	both := []string{edge, windows}
	one := func(devices int) []patchgap.Row { return []patchgap.Row{row(edge, "1", devices, 1)} }
	for name, c := range map[string]struct {
		before, after patchgap.Snapshot
		known         map[patchgap.Key]time.Time
		want          map[string][]string
	}{
		"nothing": {gap(one(9), both), gap(one(9), both), nil, nil},
		"new":     {gap(nil, both), gap(one(1), both), nil, map[string][]string{"new": {"1"}}},
		"gone":    {gap(one(9), both), gap(nil, both), nil, map[string][]string{"closed": {"1"}}},
		"reopened": {
			gap(nil, both), gap(one(9), both),
			map[patchgap.Key]time.Time{row(edge, "1", 0, 0).Key: monday.Add(-time.Hour)},
			map[string][]string{"reopened": {"1"}},
		},
		"seen by others since": {
			gap(nil, both), gap(one(9), both),
			map[patchgap.Key]time.Time{row(edge, "1", 0, 0).Key: monday.Add(time.Hour)},
			map[string][]string{"new": {"1"}},
		},
		"one device more wobbles":   {gap(one(9), both), gap(one(10), both), nil, nil},
		"one device fewer wobbles":  {gap(one(1), both), gap(one(0), both), nil, nil},
		"two devices more":          {gap(one(9), both), gap(one(11), both), nil, map[string][]string{"grew": {"1"}}},
		"two devices fewer":         {gap(one(9), both), gap(one(7), both), nil, map[string][]string{"shrank": {"1"}}},
		"under five per cent":       {gap(one(1000), both), gap(one(1049), both), nil, nil},
		"five per cent":             {gap(one(1000), both), gap(one(1050), both), nil, map[string][]string{"grew": {"1"}}},
		"under five per cent fewer": {gap(one(1000), both), gap(one(951), both), nil, nil},
		"five per cent fewer":       {gap(one(1000), both), gap(one(950), both), nil, map[string][]string{"shrank": {"1"}}},
		"to another OS build": {
			gap([]patchgap.Row{build(edge, "1", "26100", 9, 1)}, both), gap([]patchgap.Row{build(edge, "1", "26200", 9, 1)}, both), nil, nil,
		},
		"over two OS builds": {
			gap([]patchgap.Row{build(edge, "1", "26100", 62, 1), build(edge, "1", "26200", 16, 1)}, both),
			gap([]patchgap.Row{build(edge, "1", "26100", 60, 1), build(edge, "1", "26200", 11, 1)}, both), nil,
			map[string][]string{"shrank": {"1"}},
		},
		"of software that shares it": {
			gap([]patchgap.Row{row(edge, "1", 29, 1), row(windows, "1", 29, 1)}, both), gap([]patchgap.Row{row(edge, "1", 29, 1)}, both), nil, nil,
		},
		"unread where it is shared": {
			gap([]patchgap.Row{row(edge, "1", 29, 1), row(windows, "1", 50, 1)}, both), gap([]patchgap.Row{row(edge, "1", 29, 1)}, []string{edge}, windows), nil, nil,
		},
		"gone, but unread where it is shared": {
			gap([]patchgap.Row{row(edge, "1", 29, 1), row(windows, "1", 50, 1)}, both), gap(nil, []string{edge}, windows), nil, nil,
		},
		"elsewhere now, and unread where it was": {
			gap([]patchgap.Row{row(windows, "1", 50, 1)}, both), gap([]patchgap.Row{row(edge, "1", 29, 1)}, []string{edge}, windows), nil, nil,
		},
		"without a KB, by name": {
			gap([]patchgap.Row{nameless("a"), nameless("b")}, both), gap([]patchgap.Row{nameless("b"), nameless("c")}, both), nil,
			map[string][]string{"new": {""}, "closed": {""}},
		},
		"unread now":                 {gap(one(9), both), gap(nil, []string{windows}, edge), nil, nil},
		"unread before":              {gap(nil, []string{windows}, edge), gap(one(9), both), nil, map[string][]string{"added": {"1"}}},
		"unread both times":          {gap(nil, []string{windows}, edge), gap(nil, []string{windows}, edge), nil, nil},
		"known through an outage":    {gap(one(9), both, edge), gap(one(20), both), nil, map[string][]string{"grew": {"1"}}},
		"closed through an outage":   {gap(one(9), both, edge), gap(nil, both), nil, map[string][]string{"closed": {"1"}}},
		"watched for the first time": {gap(nil, []string{windows}), gap(one(9), both), nil, map[string][]string{"added": {"1"}}},
		"left what is watched":       {gap(one(9), both), gap(nil, []string{windows}), nil, map[string][]string{"closed": {"1"}}},
		"sorted": {
			gap(nil, both), gap([]patchgap.Row{row(windows, "2", 5, 1), row(edge, "3", 1, 2), row(windows, "1", 1, 1)}, both), nil,
			map[string][]string{"new": {"2", "3", "1"}},
		},
	} {
		got := patchgap.Diff(c.before, c.after, c.known)
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

func nameless(name string) patchgap.Row {
	r := row(edge, "", 9, 1)
	r.Name = name
	return r
}

// A row is gone when a second reading lacks it too, and stays when that has it or could not be made.
func TestUnconfirmed(t *testing.T) {
	t.Parallel()
	both := []string{edge, windows}
	before := gap([]patchgap.Row{row(edge, "1", 9, 1), row(edge, "2", 8, 1), row(windows, "3", 7, 1)}, both)
	vanished, unsure := patchgap.Vanished(before, gap([]patchgap.Row{row(edge, "4", 9, 1)}, both))
	if len(vanished) != 3 || len(unsure) > 0 {
		t.Errorf("%d rows vanished, want 3", len(vanished))
	}
	stay := patchgap.Unconfirmed(vanished, gap([]patchgap.Row{row(edge, "2", 6, 1)}, []string{edge}, windows))
	if diff := cmp.Diff([]patchgap.Row{row(edge, "2", 6, 1), row(windows, "3", 7, 1)}, stay); diff != "" {
		t.Errorf("stay (-want +got):\n%s", diff)
	}
	if got, _ := patchgap.Vanished(before, gap(nil, []string{edge}, windows)); len(got) != 2 {
		t.Errorf("%d rows vanished, want those of what could be read: %v", len(got), got)
	}
}

// An update that Patch Tuesday replaced is gone, but was not installed.
func TestReplacedUpdatesAreNotClosed(t *testing.T) {
	t.Parallel()
	named := func(kb, build, name string, devices int) patchgap.Row {
		r := windowsBuild(build, devices, 1)
		r.KB, r.Name = kb, name
		return r
	}
	const november, december = "November 2026 Security Updates", "December 2026 Security Updates"
	for name, c := range map[string]struct {
		gone   patchgap.Row
		others []patchgap.Row // listed before and after
		now    []patchgap.Row // listed after
		want   string
	}{
		"a newer month appeared":        {named("1", "26100", november, 50), nil, []patchgap.Row{named("2", "26100", december, 9)}, "unlisted"},
		"written as Windows Update has": {named("1", "26100", "2026-11 Cumulative Update for Windows 11 Version 24H2 (KB1)", 50), nil, []patchgap.Row{named("2", "26100", "2026-12 Cumulative Update for Windows 11", 60)}, "unlisted"},
		"over the turn of the year":     {named("1", "26100", december, 50), nil, []patchgap.Row{named("2", "26100", "January 2027 Security Updates", 60)}, "unlisted"},
		"builds with revisions":         {named("1", "22631.4037", november, 50), nil, []patchgap.Row{named("2", "22631.4207", december, 60)}, "unlisted"},
		"whole versions":                {named("1", "10.0.22631.4037", november, 50), nil, []patchgap.Row{named("2", "10.0.22631.4207", december, 60)}, "unlisted"},
		"other whole versions":          {named("1", "10.0.22631.4037", november, 50), nil, []patchgap.Row{named("2", "10.0.26100.4207", december, 60)}, "closed"},
		"no build on either":            {named("1", "", november, 50), nil, []patchgap.Row{named("2", "", december, 60)}, "unlisted"},
		"another build":                 {named("1", "26100", november, 50), nil, []patchgap.Row{named("2", "22631", december, 60)}, "closed"},
		"a build on one":                {named("1", "", november, 50), nil, []patchgap.Row{named("2", "22631", december, 60)}, "closed"},
		"an older month":                {named("2", "26100", december, 50), nil, []patchgap.Row{named("1", "26100", november, 60)}, "closed"},
		"no month":                      {named("1", "26100", "Security Updates", 50), nil, []patchgap.Row{named("2", "26100", december, 60)}, "closed"},
		"no month on the new":           {named("1", "26100", november, 50), nil, []patchgap.Row{named("2", "26100", "Out-of-band", 60)}, "closed"},
		"a number that is no month":     {named("1", "26100", "2026-13 Update", 50), nil, []patchgap.Row{named("2", "26100", december, 60)}, "closed"},
		"nothing else":                  {named("1", "26100", november, 50), nil, nil, "closed"},
		"out of band, on as many":       {named("1", "26100", november, 50), nil, []patchgap.Row{named("2", "26100", "November 2026 Out-of-band Security Updates", 50)}, "unlisted"},
		"the same month, on few":        {named("1", "26100", november, 50), nil, []patchgap.Row{named("2", "26100", november, 5)}, "closed"},
		"newer, listed before, on few":  {named("1", "26100", november, 50), []patchgap.Row{named("2", "26100", december, 5)}, nil, "closed"},
		"newer, listed before, on many": {named("1", "26100", november, 50), []patchgap.Row{named("2", "26100", december, 60)}, nil, "unlisted"},
	} {
		before := gap(append([]patchgap.Row{c.gone}, c.others...), []string{windows})
		after := gap(append(c.now, c.others...), []string{windows})
		got := kbs(patchgap.Diff(before, after, nil))
		if diff := cmp.Diff([]string{c.gone.KB}, got[c.want]); diff != "" {
			t.Errorf("%s: want it %s, got %v", name, c.want, got)
		}
	}
}

// A change is told when the update is big enough before or after. One that falls under the filter is not called closed,
// nor one that rises over it new.
func TestChangesKeep(t *testing.T) {
	t.Parallel()
	both := []string{edge}
	before := gap([]patchgap.Row{row(edge, "1", 20, 5), row(edge, "2", 4, 5), row(edge, "3", 2, 5), row(edge, "4", 20, 1), row(edge, "6", 12, 5), row(edge, "7", 10, 5), row(edge, "8", 11, 2)}, both)
	after := gap([]patchgap.Row{row(edge, "1", 5, 5), row(edge, "2", 30, 5), row(edge, "3", 8, 5), row(edge, "4", 40, 1), row(edge, "5", 3, 5), row(edge, "6", 16, 5), row(edge, "7", 9, 5), row(edge, "8", 11, 1)}, both)
	c := patchgap.Diff(before, after, nil)
	want := map[string][]string{"fell": {"8", "7", "1"}, "rose": {"2"}, "grew": {"6"}}
	if diff := cmp.Diff(want, kbs(c.Keep(patchgap.Filter{MinDevices: 10, MinCVEs: 2}))); diff != "" {
		t.Errorf("kept (-want +got):\n%s", diff)
	}
	if len(c.Grew) != 4 {
		t.Errorf("Keep changed its receiver: %v", kbs(c))
	}
}

// One KB counts once: its OS builds add up, software ids that share it do not.
func TestUpdates(t *testing.T) {
	t.Parallel()
	s := gap([]patchgap.Row{
		row(edge, "1", 240, 14), row(windows, "1", 10, 2), row(windows, "2", 20, 3),
		build(windows, "2", "26100", 1, 4), build("a-_-a", "3", "1", 15, 9), build("a-_-a", "3", "2", 6, 9),
	}, []string{"a-_-a", edge, windows})
	g := s.Gap(patchgap.Filter{MinDevices: 21})
	var got []string
	for _, u := range append(g.Shown, g.Hidden...) {
		got = append(got, fmt.Sprintf("%s: %d devices, %d CVEs, shared %v, %v %v", u.KB(), u.Devices, u.CVEs, u.Shared(), u.Software(), u.Builds()))
	}
	want := []string{
		"1: 240 devices, 14 CVEs, shared true, [" + edge + " " + windows + "] []",
		"3: 21 devices, 9 CVEs, shared false, [a-_-a] [1 2]",
		"2: 21 devices, 4 CVEs, shared false, [" + windows + "] [26100]",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("updates (-want +got):\n%s", diff)
	}
	if got, want := patchgap.Sum(g.Shown), (patchgap.Totals{KBs: 3, Worst: 240, Missing: 282, CVEs: 27}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if words := g.Words("your filter", ""); words != "3 updates missing, the largest on at least 240 devices." {
		t.Error(words)
	}
	if words := s.Gap(patchgap.Filter{MinDevices: 241}).Words("your filter", ""); words != "No missing update passes your filter; 3 are missing in all, the largest on at least 240 devices." {
		t.Error(words)
	}
}
