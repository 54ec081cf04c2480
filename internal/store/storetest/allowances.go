package storetest

import (
	"errors"
	"slices"

	"github.com/google/go-cmp/cmp"

	"github.com/missingkbs/missingkbs/internal/access"
	"github.com/missingkbs/missingkbs/internal/audit"
	"github.com/missingkbs/missingkbs/internal/digest"
	"github.com/missingkbs/missingkbs/internal/store"
)

// allowances are kept whole, replaced, and taken back, each time with who did it.
func allowances(t test) {
	ctx := t.Context()
	first := access.Allowance{Tenant: "default", Channel: "C1", Teams: []string{"T9", "T8"}, By: "U1", At: day(1)}
	other := access.Allowance{Tenant: "other", Channel: "C1", Teams: []string{}, By: "U2", At: day(2)}
	for _, a := range []access.Allowance{first, other} {
		if err := t.store.Allow(ctx, a, audit.Entry{At: a.At, User: a.By, Action: "admin.allow", Subject: a.Channel}); err != nil {
			t.Fatal(err)
		}
	}
	check := func(want access.Allowance) {
		t.Helper()
		got, ok, err := t.store.Allowance(ctx, want.Tenant, want.Channel)
		if diff := cmp.Diff(want, got); diff != "" || !ok || err != nil {
			t.Errorf("allowance: %v, %v (-want +got):\n%s", ok, err, diff)
		}
	}
	check(first)
	check(other)
	first.Teams, first.At = []string{"T7"}, day(3)
	if err := t.store.Allow(ctx, first, audit.Entry{At: first.At, Action: "admin.allow", Subject: "C1"}); err != nil {
		t.Fatal(err)
	}
	check(first)
	if all, err := t.store.Allowances(ctx, "default"); err != nil || !cmp.Equal(all, []access.Allowance{first}) {
		t.Errorf("allowances %v, %v", all, err)
	}
	if err := t.store.Disallow(ctx, "default", "C1", audit.Entry{At: day(4), Action: "admin.disallow", Subject: "C1"}); err != nil {
		t.Error(err)
	}
	if _, ok, err := t.store.Allowance(ctx, "default", "C1"); ok || err != nil {
		t.Errorf("still allowed: %v, %v", ok, err)
	}
	if err := t.store.Disallow(ctx, "default", "C1", audit.Entry{At: day(4), Action: "admin.disallow"}); !errors.Is(err, digest.ErrNotFound) {
		t.Errorf("a second time: %v", err)
	}
	check(other)
	var actions []string
	for a, err := range t.store.Audits(ctx, store.AuditFilter{}) {
		if err != nil {
			t.Fatal(err)
		}
		actions = append(actions, a.Action)
	}
	if want := []string{"admin.allow", "admin.allow", "admin.allow", "admin.disallow"}; !slices.Equal(actions, want) {
		t.Errorf("audits %v, want %v", actions, want)
	}
}
