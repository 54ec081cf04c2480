// Package patchgaptest makes patch gaps for tests, and names what changed between two of them.
package patchgaptest

import (
	"slices"
	"time"

	"github.com/missingkbs/missingkbs/internal/patchgap"
)

// Monday is when [Gap] was read.
var Monday = time.Date(2026, time.November, 23, 9, 0, 0, 0, time.UTC)

// Gap is a snapshot of rows, of software that was read and of software that could not be.
func Gap(rows []patchgap.Row, software []string, unread ...string) patchgap.Snapshot {
	s := patchgap.Snapshot{Tenant: "default", At: Monday, Software: slices.Sorted(slices.Values(software)), Rows: rows}
	slices.SortFunc(s.Rows, func(a, b patchgap.Row) int { return a.Compare(b.Key) })
	for _, id := range unread {
		s.Unread = append(s.Unread, patchgap.Unread{Software: id, Reason: "It did not answer."})
	}
	return s
}

// Row is a row without an OS build.
func Row(software, kb string, devices, cves int) patchgap.Row {
	return patchgap.Row{Key: patchgap.Key{Software: software, KB: kb}, Name: "Update " + kb, Devices: devices, CVEs: cves}
}

// Build is a row of one OS build.
func Build(software, kb, build string, devices, cves int) patchgap.Row {
	r := Row(software, kb, devices, cves)
	r.OSBuild = build
	return r
}

// KBs names the changes of each kind.
func KBs(c patchgap.Changes) map[string][]string {
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
