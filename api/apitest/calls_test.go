package apitest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"testing"
)

func TestCalls(t *testing.T) {
	t.Parallel()
	ten := NewTenant(Options{})
	var told []Call
	ten.OnCall(func(c Call) { told = append(told, c) })
	ten.Inject(Fault{Name: "down", Path: "/api/machines", Status: 503})
	ask(t, ten, "/api/v1.0/Software?$top=1")
	ask(t, ten, "/api/Software/a%2Fb/getmissingkbs")
	w := ask(t, ten, "/api/machines")
	calls := ten.Calls()
	for i, want := range []struct {
		path, query, fault string
		status             int
	}{{"/api/Software", "$top=1", "", 200}, {"/api/Software/a/b/getmissingkbs", "", "", 404}, {"/api/machines", "", "down", 503}} {
		c := calls[i]
		if c.Path != want.path || c.Query != want.query || c.Status != want.status || c.Fault != want.fault || c.Method != http.MethodGet || c.Time.IsZero() || c.Body != nil {
			t.Errorf("call %d: %+v, want %+v", i, c, want)
		}
		if told[i].RequestID != c.RequestID || !json.Valid(told[i].Body) {
			t.Errorf("told of %+v", told[i])
		}
	}
	if _, _, target := failed(t, w); target != "|"+calls[2].RequestID {
		t.Errorf("target %q, request %q", target, calls[2].RequestID)
	}
	for prefix, want := range map[string]int{"": 3, "/api/software": 2, "/API/SOFTWARE/A": 1, "/api/machines": 1, "/x": 0} {
		if got := ten.Count(prefix); got != want {
			t.Errorf("Count(%q) = %d, want %d", prefix, got, want)
		}
	}
}

func TestCallsAreBounded(t *testing.T) {
	t.Parallel()
	var l callLog
	for i := range 2*keptCalls + 3 {
		l.add(Call{Path: fmt.Sprint("/", i)})
	}
	ten := &Tenant{}
	ten.calls.ring, ten.calls.next = l.ring, l.next
	calls := ten.Calls()
	if len(calls) != keptCalls || calls[0].Path != "/1003" || calls[keptCalls-1].Path != "/2002" {
		t.Errorf("%d calls from %s to %s", len(calls), calls[0].Path, calls[len(calls)-1].Path)
	}
	if !slices.IsSortedFunc(calls, func(a, b Call) int { return len(a.Path)*10 - len(b.Path)*10 }) {
		t.Error("not oldest first")
	}
	for i := range 2 * keptPaths {
		l.add(Call{Path: fmt.Sprint("/", i)})
	}
	if len(l.counts) != keptPaths {
		t.Errorf("%d paths kept, want %d", len(l.counts), keptPaths)
	}
}
