package digest_test

import (
	"slices"
	"testing"
	"time"

	"github.com/missingkbs/missingkbs/internal/digest"
	"github.com/missingkbs/missingkbs/internal/patchgap"
)

var monday = time.Date(2026, time.November, 23, 9, 0, 0, 0, time.UTC)

// gap is a snapshot of rows, of software that was read and of software that could not be.
func gap(rows []patchgap.Row, software []string, unread ...string) patchgap.Snapshot {
	s := patchgap.Snapshot{Tenant: digest.DefaultTenant, At: monday, Software: slices.Sorted(slices.Values(software)), Rows: rows}
	slices.SortFunc(s.Rows, func(a, b patchgap.Row) int { return a.Compare(b.Key) })
	for _, id := range unread {
		s.Unread = append(s.Unread, patchgap.Unread{Software: id, Reason: "It did not answer."})
	}
	return s
}

// kbs names the changes of each kind.
func kbs(c patchgap.Changes) map[string][]string {
	names := map[string][]string{}
	for name, list := range map[string][]patchgap.Change{
		"new": c.New, "reopened": c.Reopened, "grew": c.Grew, "shrank": c.Shrank, "closed": c.Closed, "unlisted": c.Unlisted,
		"added": c.Added, "rose": c.Rose, "fell": c.Fell,
	} {
		for _, change := range list {
			names[name] = append(names[name], change.Update().KB())
		}
	}
	return names
}

// build is a row of one OS build.
func build(software, kb, build string, devices, cves int) patchgap.Row {
	r := row(software, kb, devices, cves)
	r.OSBuild = build
	return r
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
