package api

import (
	"context"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

// Each HTTP call is observed, with the kind of what was asked.
func TestObserve(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		var seen []CallObservation
		n := 0
		c := newTestClient(t, func(o *Options) {
			o.PerMinute = 4
			o.Retry.RetryDelay = time.Second
			o.Observe = func(_ context.Context, call CallObservation) {
				mu.Lock()
				defer mu.Unlock()
				seen = append(seen, call)
			}
			o.Transport = inMemory(func(r *http.Request) (*http.Response, error) {
				time.Sleep(time.Millisecond)
				if n++; n == 1 {
					return reply(r, 503, ""), nil
				}
				return reply(r, 200, `{"@odata.context":"c","id":"x","value":[]}`), nil
			})
		})
		ctx := t.Context()
		_, err1 := c.MissingKBs(ctx, "a")
		time.Sleep(5 * time.Minute)
		_, err2 := c.SoftwareByID(ctx, "a", Background())
		time.Sleep(5 * time.Minute)
		_, err3 := c.Catalog(ctx)
		time.Sleep(5 * time.Minute)
		_, err4 := c.MachineByID(ctx, "a")
		time.Sleep(5 * time.Minute)
		_, err5 := c.MachinesByName(ctx, "a")
		time.Sleep(5 * time.Minute)
		_, err6 := c.MachineMissingKBs(ctx, "a")
		for _, err := range []error{err1, err2, err3, err4, err5, err6} {
			if err != nil {
				t.Error(err)
			}
		}
		if seen[1].Waited < 15*time.Second {
			t.Errorf("the retry waited %v", seen[1].Waited)
		}
		seen[1].Waited = 0
		want := []CallObservation{
			{Kind: "missing_kbs", Status: 503, Try: 1},
			{Kind: "missing_kbs", Status: 200, Try: 2},
			{Kind: "software", Status: 200, Try: 1, Background: true},
			{Kind: "catalog", Status: 200, Try: 1},
			{Kind: "machine", Status: 200, Try: 1},
			{Kind: "machines", Status: 200, Try: 1},
			{Kind: "machine_missing_kbs", Status: 200, Try: 1},
		}
		for i := range want {
			want[i].Duration = time.Millisecond
		}
		if diff := cmp.Diff(want, seen); diff != "" {
			t.Errorf("observed (-want +got):\n%s", diff)
		}
	})
}

func TestStats(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := newGate()
		c := newTestClient(t, func(o *Options) { o.PerMinute, o.Transport = 50, g })
		var wg sync.WaitGroup
		for range 3 {
			wg.Go(func() { _, _ = c.MissingKBs(t.Context(), "a") })
		}
		synctest.Wait()
		close(g.open)
		wg.Wait()
		_, _ = c.MissingKBs(t.Context(), "a")
		for i := range 60 { // 19 at once, 29 in the minute that a call may take
			wg.Go(func() { _, _ = c.SoftwareByID(t.Context(), string(rune('a'+i))) })
		}
		wg.Wait()
		want := Stats{Hits: 1, Joined: 2, Asked: 61, Waits: 29, Refused: 12}
		if diff := cmp.Diff(want, c.Stats()); diff != "" {
			t.Errorf("stats (-want +got):\n%s", diff)
		}
	})
}

func TestQuota(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newTestClient(t, defaultLimits, func(o *Options) { o.Transport = &clocked{} })
		start := time.Now()
		check := func(want Quota) {
			t.Helper()
			if diff := cmp.Diff(want, c.Quota(t.Context())); diff != "" {
				t.Errorf("quota (-want +got):\n%s", diff)
			}
		}
		check(Quota{Minute: Window{50, 50, 40}, Hour: Window{1500, 1500, 1475}, Next: start, NextBackground: start})
		for i := range 15 {
			if _, err := c.MissingKBs(t.Context(), string(rune('a'+i))); err != nil {
				t.Fatal(err)
			}
		}
		check(Quota{Minute: Window{50, 35, 25}, Hour: Window{1500, 1485, 1460}, Next: start, NextBackground: start.Add(12 * time.Second)})
	})
	c := newTestClient(t)
	q := c.Quota(t.Context())
	if diff := cmp.Diff(Quota{Next: q.Next, NextBackground: q.Next}, q); diff != "" || q.Next.After(time.Now()) {
		t.Errorf("without limits (-want +got):\n%s", diff)
	}
}
