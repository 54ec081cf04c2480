package storetest

import (
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/missingkbs/missingkbs/internal/audit"
	"github.com/missingkbs/missingkbs/internal/store"
)

// listed returns the entries that a filter selects.
func listed(t *testing.T, s *store.Store, f store.AuditFilter) []audit.Entry {
	t.Helper()
	var list []audit.Entry
	for a, err := range s.Audits(t.Context(), f) {
		must(t, err)
		list = append(list, a)
	}
	return list
}

// wantAudits compares what a filter selects, except for the ids, which the store creates.
func wantAudits(t *testing.T, s *store.Store, f store.AuditFilter, want ...audit.Entry) {
	t.Helper()
	got := listed(t, s, f)
	if d := cmp.Diff(want, got, cmpopts.EquateEmpty(), cmpopts.IgnoreFields(audit.Entry{}, "ID")); d != "" {
		t.Errorf("audits of %+v (-want +got):\n%s", f, d)
	}
}

func audits(in test) {
	t, s := in.T, in.store
	whole := audit.Entry{
		ID: "whole", At: day(0), Tenant: "other", User: "U0", Team: "T9", Channel: "C01", Action: "share", Subject: "software",
		Detail: "microsoft-_-edge", Result: audit.ResultRefused, Reason: "declined", Request: "0a1b2c3d",
	}
	must(t, s.AddAudit(t.Context(), whole))
	diff(t, "audits", []audit.Entry{whole}, listed(t, s, store.AuditFilter{}))

	all := []audit.Entry{whole}
	for i, action := range []string{"digest.add", "digest.pause", "digestive", "ask"} {
		all = append(all, audit.Entry{
			At: day(i + 1), Tenant: "other", User: "U" + strconv.Itoa(i%2), Action: action, Result: audit.ResultDone,
		})
	}
	for _, i := range []int{3, 1, 4, 2} { // in any order
		must(t, s.AddAudit(t.Context(), all[i]))
	}
	for _, tt := range []struct {
		filter store.AuditFilter
		want   []audit.Entry
	}{
		{store.AuditFilter{}, all},
		{store.AuditFilter{Since: day(1)}, all[1:]},
		{store.AuditFilter{Since: day(1).Add(time.Millisecond)}, all[2:]},
		{store.AuditFilter{Until: day(1)}, all[:1]},
		{store.AuditFilter{Since: day(1), Until: day(3)}, all[1:3]},
		{store.AuditFilter{Since: day(9)}, nil},
		{store.AuditFilter{Actions: []string{"digest"}}, all[1:3]},
		{store.AuditFilter{Actions: []string{"digest.pause", "share"}}, []audit.Entry{all[0], all[2]}},
		{store.AuditFilter{User: "U1"}, []audit.Entry{all[2], all[4]}},
		{store.AuditFilter{User: "U1", Since: day(3), Actions: []string{"ask"}}, all[4:]},
		{store.AuditFilter{User: "nobody"}, nil},
	} {
		wantAudits(t, s, tt.filter, tt.want...)
	}
}

// More audits than are read at once, many of them of one moment: each comes once, in an order that stays.
func manyAudits(in test) {
	t, s := in.T, in.store
	var batch []audit.Entry
	for i := range 3210 {
		batch = append(batch, audit.Entry{At: day(i / 1500).Add(time.Duration(i)), User: "U" + strconv.Itoa(i%2), Action: "ask", Subject: strconv.Itoa(i)})
	}
	must(t, s.AddAudits(t.Context(), batch))
	for user, want := range map[string]int{"": 3210, "U1": 1605} {
		got := listed(t, s, store.AuditFilter{User: user})
		seen := map[string]bool{}
		for _, a := range got {
			seen[a.Subject] = true
		}
		if len(got) != want || len(seen) != want {
			t.Errorf("user %q: %d audits, %d different; want %d", user, len(got), len(seen), want)
		}
		if !slices.IsSortedFunc(got, func(a, b audit.Entry) int { return a.At.Compare(b.At) }) {
			t.Errorf("user %q: not in order", user)
		}
		if user == "" && (got[0].Subject != "0" || got[1500].Subject != "1500") {
			t.Errorf("of one moment, the first are %s and %s", got[0].Subject, got[1500].Subject)
		}
		diff(t, "the order", got, listed(t, s, store.AuditFilter{User: user}))
	}
	for a, err := range s.Audits(t.Context(), store.AuditFilter{}) { // the caller may stop early
		must(t, err)
		if !a.At.Equal(day(0)) {
			t.Errorf("the first is of %s", a.At)
		}
		break
	}
	n, err := s.Prune(t.Context(), time.Time{}, day(2))
	must(t, err)
	if n != 3000 {
		t.Errorf("removed %d audits, want 3000", n)
	}
}

func auditsAreWrittenOnce(in test) {
	t, s := in.T, in.store
	a, b := by("U01", "share", "software"), by("U02", "share", "software")
	a.ID, b.ID, b.At = "a", "b", day(1)
	must(t, s.AddAudits(t.Context(), []audit.Entry{a}))
	must(t, s.AddAudits(t.Context(), []audit.Entry{a, b})) // as after an answer that was lost
	must(t, s.AddAudits(t.Context(), nil))
	diff(t, "audits", []audit.Entry{a, b}, listed(t, s, store.AuditFilter{}))
}

// A long entry is cut between characters: it must not fail the change that it belongs to.
func longAudit(in test) {
	t, s := in.T, in.store
	long := strings.Repeat("ö", 20_000)
	sub := sample("a1")
	must(t, s.AddSubscription(t.Context(), sub, audit.Entry{
		ID: long, At: day(0), User: long, Team: long, Channel: long, Action: long, Subject: long, Detail: long,
		Result: long, Reason: long, Request: long,
	}))
	name, detail := strings.Repeat("ö", 123)+"…", strings.Repeat("ö", 1998)+"…"
	wantAudits(t, s, store.AuditFilter{}, audit.Entry{
		At: day(0), User: name, Team: name, Channel: name, Action: name, Subject: name, Detail: detail,
		Result: name, Reason: name, Request: name,
	})
}
