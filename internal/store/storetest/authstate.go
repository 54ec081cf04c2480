package storetest

import (
	"time"

	"github.com/missingkbs/missingkbs/internal/digest"
)

// A refusal holds until an admission that is not older, and it is not among the matters of operators.
func authState(in test) {
	t, s := in.T, in.store
	want := func(tenant string, at time.Time) {
		t.Helper()
		got, err := s.RefusedAt(t.Context(), tenant)
		must(t, err)
		diff(t, "the last refusal", at, got)
	}
	want(digest.DefaultTenant, time.Time{})
	must(t, s.SetAdmitted(t.Context(), digest.DefaultTenant, day(1)))
	want(digest.DefaultTenant, time.Time{})
	must(t, s.SetRefused(t.Context(), digest.DefaultTenant, day(2)))
	want(digest.DefaultTenant, day(2))
	want("another", time.Time{})
	must(t, s.SetAdmitted(t.Context(), digest.DefaultTenant, day(1)))
	want(digest.DefaultTenant, day(2))
	must(t, s.SetAdmitted(t.Context(), "another", day(3)))
	want(digest.DefaultTenant, day(2))
	must(t, s.SetAdmitted(t.Context(), digest.DefaultTenant, day(2)))
	want(digest.DefaultTenant, time.Time{})
	must(t, s.Probe(t.Context()))
	states, err := s.AlertStates(t.Context())
	must(t, err)
	diff(t, "matters", map[string]string{}, states)
}
