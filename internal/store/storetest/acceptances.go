package storetest

import (
	"errors"
	"sync"
	"sync/atomic"

	"github.com/missingkbs/missingkbs/internal/digest"
	"github.com/missingkbs/missingkbs/internal/risk"
	"github.com/missingkbs/missingkbs/internal/store"
)

func accepted(id, software string, from int) risk.Acceptance {
	return risk.Acceptance{
		ID: id, Tenant: digest.DefaultTenant, KB: "5074202", Software: software, Name: "September 2026 Security Updates", Reason: "the line is frozen until the move",
		By: "U01", At: day(from), Until: day(from + 30), Rows: []risk.Row{{Software: "microsoft-_-windows_11", OSBuild: "10.0.26100", Devices: 40}},
		Listed: []string{"CVE-2026-0001"}, State: risk.Accepted,
	}
}

// states returns the acceptances since a day, by ID.
func states(t test, since int) map[string]risk.State {
	t.Helper()
	all, err := t.store.Acceptances(t.Context(), digest.DefaultTenant, day(since))
	must(t.T, err)
	out := map[string]risk.State{}
	for _, a := range all {
		out[a.ID] = a.State
	}
	return out
}

// An acceptance is kept whole, approved, replaced and ended, each time with who did it, and what did not change leaves no audit.
func acceptances(t test) {
	ctx := t.Context()
	first := accepted("1", "", 1)
	must(t.T, t.store.AddAcceptance(ctx, first, by("U01", "accept", "1")))
	got, err := t.store.Acceptances(ctx, digest.DefaultTenant, day(0))
	must(t.T, err)
	diff(t.T, "acceptances", []risk.Acceptance{first}, got)
	if err := t.store.AddAcceptance(ctx, accepted("1", "microsoft-_-edge", 1), by("U01", "accept", "1")); !errors.Is(err, digest.ErrExists) {
		t.Errorf("an id that is taken: %v", err)
	}
	must(t.T, t.store.AddAcceptance(ctx, accepted("2", "microsoft-_-edge", 1), by("U01", "accept", "2"))) // of other software

	request := accepted("3", "", 2)
	request.State = risk.Requested
	must(t.T, t.store.AddAcceptance(ctx, request, by("U01", "accept.request", "3")))
	again := accepted("4", "", 3)
	again.State = risk.Requested
	must(t.T, t.store.AddAcceptance(ctx, again, by("U01", "accept.request", "4")))
	diff(t.T, "states with a request", map[string]risk.State{"1": risk.Accepted, "2": risk.Accepted, "3": risk.Ended, "4": risk.Requested}, states(t, 0))
	request.Approver = "U02"
	if err := t.store.ApproveAcceptance(ctx, request, by("U02", "accept.approve", "3")); !errors.Is(err, risk.ErrChanged) {
		t.Errorf("approving a request that was replaced: %v", err)
	}
	again.Approver = "U02"
	who := by("U02", "accept.approve", "4")
	who.At = day(4)
	must(t.T, t.store.ApproveAcceptance(ctx, again, who))
	diff(t.T, "states after the approval", map[string]risk.State{"1": risk.Ended, "2": risk.Accepted, "3": risk.Ended, "4": risk.Accepted}, states(t, 0))

	again.Ended, again.End, again.Detail = day(9), risk.ByKEV, "CVE-2026-0002"
	must(t.T, t.store.EndAcceptance(ctx, again, by("", "accept.end", "4")))
	if err := t.store.EndAcceptance(ctx, again, by("", "accept.end", "4")); !errors.Is(err, risk.ErrChanged) {
		t.Errorf("ending it a second time: %v", err)
	}
	got, err = t.store.Acceptances(ctx, digest.DefaultTenant, day(9))
	must(t.T, err)
	again.State = risk.Ended
	diff(t.T, "those since its end", []risk.Acceptance{accepted("2", "microsoft-_-edge", 1), again}, got)
	n := 0
	for _, err := range t.store.Audits(ctx, store.AuditFilter{}) {
		must(t.T, err)
		n++
	}
	if n != 6 {
		t.Errorf("%d audits, want one for each of 6 changes", n)
	}
	_, err = t.store.Prune(ctx, day(10), day(0))
	must(t.T, err)
	diff(t.T, "states after a prune", map[string]risk.State{"2": risk.Accepted}, states(t, 0))
}

// Of several persons who approve one request at once, one does.
func acceptancesHaveOneWinner(t test) {
	request := accepted("1", "", 1)
	request.State = risk.Requested
	must(t.T, t.store.AddAcceptance(t.Context(), request, by("U01", "accept.request", "1")))
	var won atomic.Int32
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			switch err := t.store.ApproveAcceptance(t.Context(), request, by("U02", "accept.approve", "1")); {
			case err == nil:
				won.Add(1)
			case !errors.Is(err, risk.ErrChanged):
				t.Error(err)
			}
		})
	}
	all.Wait()
	if n := won.Load(); n != 1 {
		t.Errorf("%d approved it, want 1", n)
	}
}
