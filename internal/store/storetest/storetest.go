// Package storetest is the conformance suite for databases behind a [store.Store]: one suite, run against each. It
// knows what the store promises, and nothing of how a database keeps it.
package storetest

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/missingkbs/missingkbs/internal/audit"
	"github.com/missingkbs/missingkbs/internal/digest"
	"github.com/missingkbs/missingkbs/internal/digest/schedule"
	"github.com/missingkbs/missingkbs/internal/patchgap"
	"github.com/missingkbs/missingkbs/internal/store"
	"github.com/missingkbs/missingkbs/internal/view"
)

// Open returns a store on a new and empty database, migrated, which is closed at the end of the test.
type Open func(t *testing.T) *store.Store

// test is one test of the suite, on a store of its own.
type test struct {
	*testing.T
	store *store.Store
}

// Run runs the suite.
func Run(t *testing.T, open Open) {
	t.Helper()
	for name, check := range checks {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			check(test{t, open(t)})
		})
	}
}

// checks are the tests that [Run] runs, by name.
var checks = map[string]func(test){
	"subscription is kept whole":      subscriptionIsKept,
	"subscriptions are filtered":      subscriptionsAreFiltered,
	"subscriptions that are not":      missingSubscriptions,
	"a failed change leaves no audit": failedChangeLeavesNoAudit,
	"removal takes history along":     removalTakesHistory,
	"due":                             due,
	"advance has one winner":          advanceHasOneWinner,
	"a pause of what was read":        pauseOfWhatWasRead,
	"an edit of what was read":        editOfWhatWasRead,
	"delivery is kept whole":          deliveryIsKept,
	"deliveries are newest first":     deliveriesNewestFirst,
	"record is idempotent":            recordIsIdempotent,
	"record changes the outcome only": recordChangesOutcomeOnly,
	"record rolls back":               recordRollsBack,
	"record after removal":            recordAfterRemoval,
	"records at once":                 recordsAtOnce,
	"a thread that is owed":           owedThread,
	"runs":                            runs,
	"runs at once":                    runsAtOnce,
	"lanes":                           lanes,
	"baseline is exact":               baselineIsExact,
	"baseline of any snapshot":        baselineOfAnySnapshot,
	"baseline skips failures":         baselineSkipsFailures,
	"baseline is the newest":          baselineIsNewest,
	"baselines are apart":             baselinesAreApart,
	"newest reading":                  newestReading,
	"seen before":                     seenBefore,
	"seen before by another":          seenBeforeByAnother,
	"seen before in disorder":         seenBeforeInDisorder,
	"carried rows are not seen":       carriedRowsAreNotSeen,
	"partial readings close nothing":  partialReadingsCloseNothing,
	"history":                         history,
	"history has no day unread":       historyOfWhatWasRead,
	"first seen":                      firstSeen,
	"audits":                          audits,
	"many audits":                     manyAudits,
	"audits are written once":         auditsAreWrittenOnce,
	"a long audit":                    longAudit,
	"allowances":                      allowances,
	"acceptances":                     acceptances,
	"acceptances have one winner":     acceptancesHaveOneWinner,
	"alert states":                    alertStates,
	"auth state":                      authState,
	"documents of feeds":              feedDocuments,
	"documents of feeds at once":      feedDocumentsAtOnce,
	"states of feeds":                 feedStates,
	"software list":                   softwareList,
	"asked before":                    askedBefore,
	"prune":                           prune,
	"prune keeps baselines":           pruneKeepsBaselines,
	"foreign text":                    foreignText,
}

// day returns a time that every database can store: a whole millisecond, in UTC.
func day(n int) time.Time {
	return time.Date(2026, time.March, 1, 9, 0, 0, 123e6, time.UTC).AddDate(0, 0, n)
}

func sample(id string) digest.Subscription {
	return digest.Subscription{
		ID: id, Tenant: digest.DefaultTenant, Channel: "C01", Owner: "U01",
		Watch:    []string{"microsoft-_-edge", "microsoft-_-*"},
		Filter:   patchgap.Filter{MinDevices: 3, MinCVEs: 2, Exploited: true},
		Schedule: schedule.Schedule{Words: "mon 09:00", Zone: "Europe/Stockholm"},
		Quiet:    digest.Heartbeat, Alert: digest.AlertExploited, Origin: digest.FromChat,
		Created: day(0), NextRun: day(1),
	}
}

func by(user, action, subject string) audit.Entry {
	return audit.Entry{
		At: day(0), Tenant: digest.DefaultTenant, User: user, Action: action, Subject: subject, Result: audit.ResultDone,
	}
}

func added(t *testing.T, s *store.Store, subs ...digest.Subscription) {
	t.Helper()
	for _, sub := range subs {
		if err := s.AddSubscription(t.Context(), sub, by("U01", "digest.add", sub.ID)); err != nil {
			t.Fatal(err)
		}
	}
}

func row(software, kb string, devices int) patchgap.Row {
	return patchgap.Row{
		Key:  patchgap.Key{Software: software, KB: kb, OSBuild: "10.0.22631." + kb},
		Name: "March 2026 update KB" + kb, Products: "windows_11, windows_10", URL: "https://catalog.update.microsoft.com/v7/site/Search.aspx?q=KB" + kb,
		Devices: devices, CVEs: devices / 2,
	}
}

func key(software, kb string) patchgap.Key { return row(software, kb, 0).Key }

// snapshot returns a snapshot of listed software with rows.
func snapshot(at time.Time, software []string, rows ...patchgap.Row) patchgap.Snapshot {
	return patchgap.Snapshot{Tenant: digest.DefaultTenant, At: at, Software: software, Rows: rows}
}

func delivered(sub, key string, at time.Time) digest.Delivery {
	return digest.Delivery{
		Key: key, Subscription: sub, Tenant: digest.DefaultTenant, Due: at.Add(-time.Minute),
		Channel: "C01", Message: "1700000000.000100", Kind: digest.Changed, At: at,
		Read: at.Add(-time.Minute), Thread: digest.ThreadWhole,
		Totals: patchgap.Totals{KBs: 1, Rows: 2, Worst: 3, Missing: 4, CVEs: 5},
	}
}

// recorded records a snapshot for a subscription, at the snapshot's time.
func recorded(t *testing.T, s *store.Store, sub string, snap patchgap.Snapshot) {
	t.Helper()
	d := delivered(sub, sub+"@"+snap.At.Format(time.RFC3339Nano), snap.At.Add(time.Second))
	if err := s.Record(t.Context(), d, snap, sample(sub), view.Page{}); err != nil {
		t.Fatal(err)
	}
}

func baseline(t *testing.T, s *store.Store, sub string) (patchgap.Snapshot, bool) {
	t.Helper()
	snap, found, err := s.Baseline(t.Context(), sub)
	if err != nil {
		t.Fatal(err)
	}
	return snap, found
}

func wantBaseline(t *testing.T, s *store.Store, sub string, want patchgap.Snapshot) {
	t.Helper()
	got, found := baseline(t, s, sub)
	if !found {
		t.Fatalf("no baseline of %s", sub)
	}
	diff(t, "baseline", want, got)
}

func diff[T any](t *testing.T, what string, want, got T) {
	t.Helper()
	if d := cmp.Diff(want, got, cmpopts.EquateEmpty()); d != "" {
		t.Errorf("%s (-want +got):\n%s", what, d)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
