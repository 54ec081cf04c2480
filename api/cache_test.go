package api

import (
	"maps"
	"net/http"
	"slices"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestCacheLifetimes(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		status int
		ttl    time.Duration
		kept   time.Duration
	}{
		"an answer":                {200, 0, 5 * time.Minute},
		"an answer, own ttl":       {200, time.Minute, time.Minute},
		"an answer, no cache":      {200, -1, 0},
		"not found":                {404, 0, 30 * time.Second},
		"not found, short ttl":     {404, 10 * time.Second, 10 * time.Second},
		"not found, no cache":      {404, -1, 0},
		"an error":                 {500, 0, 0},
		"no permission":            {403, 0, 0},
		"no licence or credential": {401, 0, 0},
	} {
		synctest.Test(t, func(t *testing.T) {
			var at []time.Duration
			c := newTestClient(t, func(o *Options) {
				o.CacheTTL, o.Retry.MaxRetries = tc.ttl, -1
				o.Transport = answersOf(&at, status(tc.status, edge))
				if tc.status == http.StatusNotFound {
					o.Transport = answersOf(&at, notFound())
				}
			})
			ask := func() {
				got, err := c.MissingKBs(t.Context(), "a")
				if (err == nil) != (tc.status == 200) {
					t.Errorf("%s: %v", name, err)
				}
				if err == nil && got.FetchedAt.Sub(time.Now().Add(-tc.kept)) < 0 {
					t.Errorf("%s: an answer of %v", name, got.FetchedAt)
				}
			}
			ask()
			if tc.kept > 0 {
				time.Sleep(tc.kept - time.Nanosecond)
				ask()
				if len(at) != 1 {
					t.Errorf("%s: forgotten after %v", name, tc.kept)
				}
				time.Sleep(2 * time.Nanosecond)
			}
			ask()
			if len(at) != 2 {
				t.Errorf("%s: still kept after %v (%d calls)", name, tc.kept, len(at))
			}
		})
	}
}

func TestMaxAge(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var at []time.Duration
		c := newTestClient(t, func(o *Options) { o.Transport = answersOf(&at, status(200, edge)) })
		ask := func(calls int, opts ...CallOption) {
			t.Helper()
			before := len(at)
			got, err := c.MissingKBs(t.Context(), "a", opts...)
			if err != nil {
				t.Fatal(err)
			}
			if len(at) != calls || got.Cached != (len(at) == before) {
				t.Errorf("%d calls, cached %v; want %d", len(at), got.Cached, calls)
			}
		}
		ask(1)
		time.Sleep(time.Minute)
		ask(1)
		ask(1, MaxAge(time.Hour))
		ask(1, MaxAge(time.Minute))
		ask(2, MaxAge(time.Minute-1))
		ask(2, MaxAge(time.Minute-1))
		ask(3, MaxAge(0))
		ask(4, MaxAge(-1))
		ask(4)
	})
}

// How old "not found" is counts like the age of an answer.
func TestMaxAgeOfNotFound(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var at []time.Duration
		c := newTestClient(t, func(o *Options) { o.Transport = answersOf(&at, notFound()) })
		for _, calls := range []int{1, 1, 2} {
			_, err := c.MissingKBs(t.Context(), "a", MaxAge(10*time.Second))
			wantKind(t, err, ErrNotFound)
			if len(at) != calls {
				t.Errorf("%d calls, want %d", len(at), calls)
			}
			time.Sleep(6 * time.Second)
		}
	})
}

// What was asked anew replaces what was kept, and lives its whole life.
func TestAskedAnewIsKept(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var at []time.Duration
		c := newTestClient(t, func(o *Options) {
			o.Transport = answersOf(&at, notFound(), status(200, oneKB("1")), status(200, oneKB("2")))
		})
		_, err := c.MissingKBs(t.Context(), "a")
		wantKind(t, err, ErrNotFound)
		for range 2 {
			if _, err := c.MissingKBs(t.Context(), "a", MaxAge(0)); err != nil {
				t.Fatal(err)
			}
			time.Sleep(4 * time.Minute)
		}
		got, err := c.MissingKBs(t.Context(), "a")
		if err != nil || got.Value[0].ID != "2" || !got.Cached {
			t.Errorf("got %v, %v, want the third answer from memory", got, err)
		}
	})
}

func TestCachedValuesAreTheCallers(t *testing.T) {
	t.Parallel()
	machines := `{"value":[{"id":"m","machineTags":["a","b"]}]}`
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/api/Software":
			respond(`{"value":[{"id":"s","name":"n"}]}`)(w, r)
		case "/api/machines":
			respond(machines)(w, r)
		case "/api/machines/m":
			respond(`{"id":"m","machineTags":["a","b"]}`)(w, r)
		default:
			respond(`{"value":[{"id":"1","machineMissedOn":1,"productsNames":["edge"]},{"id":"2","machineMissedOn":1,"productsNames":["office"]}]}`)(w, r)
		}
	})
	c := s.client(t)
	ctx := t.Context()
	for range 3 { // fetched, cached, cached
		kbs, _ := c.MissingKBs(ctx, "a")
		if diff := cmp.Diff([]MissingKB{{ID: "1", MachineMissedOn: 1, ProductsNames: []string{"edge"}}, {ID: "2", MachineMissedOn: 1, ProductsNames: []string{"office"}}}, kbs.Value); diff != "" {
			t.Fatalf("MissingKBs (-want +got):\n%s", diff)
		}
		if _ = append(kbs.Value[0].ProductsNames, "grown"); kbs.Value[1].ProductsNames[0] != "office" {
			t.Fatal("rows share their products")
		}
		kbs.Value[0].Name = "changed"
		kbs.Value[0].ProductsNames[0] = "changed"

		all, _ := c.Catalog(ctx)
		if all.Value[0].Name != "n" {
			t.Fatal("Catalog shares its values")
		}
		all.Value[0].Name = "changed"

		list, _ := c.MachinesByName(ctx, "m")
		one, _ := c.MachineByID(ctx, "m")
		for _, m := range []Machine{list.Value[0], one.Value} {
			if m.MachineTags[0] != "a" {
				t.Fatal("machines share their tags")
			}
			m.MachineTags[0] = "changed"
		}
	}
	if n := len(s.asked()); n != 4 {
		t.Errorf("%d calls, want 4", n)
	}
}

func TestCacheBound(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var at []time.Duration
		c := newTestClient(t, func(o *Options) {
			o.CacheEntries, o.Transport = 10, answersOf(&at, status(200, edge))
		})
		ask := func(id string, opts ...CallOption) {
			if _, err := c.MissingKBs(t.Context(), id, opts...); err != nil {
				t.Fatal(err)
			}
		}
		for i := range 100 {
			time.Sleep(time.Millisecond)
			ask(strconv.Itoa(i))
			if n := c.answers.kept.ItemCount(); n > 10 {
				t.Fatalf("%d entries after %d answers, want 10 at most", n, i+1)
			}
		}
		ask("99") // asking anew what is kept drops nothing
		ask("99", MaxAge(0))
		for i := 90; i < 100; i++ {
			ask(strconv.Itoa(i))
		}
		if len(at) != 101 {
			t.Errorf("%d calls, want 101: the newest ten are kept", len(at))
		}
		time.Sleep(time.Hour)
		ask("new")
		if n := c.answers.kept.ItemCount(); n != 1 {
			t.Errorf("%d entries after an hour, want the expired ones swept", n)
		}
	})
}

// Bytes are bounded like entries; an answer that is larger than the bound is handed out and not kept.
func TestCacheBytes(t *testing.T) {
	t.Parallel()
	now := time.Now()
	a := newAnswers(time.Hour, 100, func() time.Time { return now })
	a.bytes = 1000
	put := func(key string, size int) {
		t.Helper()
		time.Sleep(time.Microsecond) // two that expire at the same moment go by name
		a.put(key, outcome{at: now, size: size})
	}
	wantKept := func(held int, keys ...string) {
		t.Helper()
		if got := slices.Sorted(maps.Keys(a.kept.Items())); !slices.Equal(got, keys) || a.held != held {
			t.Errorf("kept %v with %d bytes, want %v with %d", got, a.held, keys, held)
		}
	}
	put("a", 400)
	put("b", 300)
	put("c", 300)
	wantKept(1000, "a", "b", "c")
	put("a", 350) // asked anew: the newest now
	wantKept(950, "a", "b", "c")
	put("d", 60)
	wantKept(710, "a", "c", "d")
	put("c", 1001) // what was known before is known to be old
	wantKept(410, "a", "d")
	put("e", 1000)
	wantKept(1000, "e")
	if _, ok := a.get("e", -1); !ok {
		t.Error("an answer as large as the bound is not kept")
	}
	a.kept.Set("e", outcome{at: now, size: 1000}, time.Nanosecond)
	time.Sleep(time.Microsecond)
	put("e", 1) // in place of one that has expired
	wantKept(1, "e")
}

// A clock of one's own dates answers, and ages what is kept when it is moved on.
func TestOwnClock(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	var at []time.Duration
	c := newTestClient(t, func(o *Options) {
		o.Now = func() time.Time { return now }
		o.Transport = answersOf(&at, status(200, edge))
	})
	for _, want := range []struct {
		step, age time.Duration
		calls     int
	}{{0, 0, 1}, {time.Minute, time.Minute, 1}, {-2 * time.Minute, 0, 1}, {time.Hour, 0, 2}} {
		now = now.Add(want.step)
		got, err := c.MissingKBs(t.Context(), "a")
		if err != nil {
			t.Fatal(err)
		}
		if got.Age != want.age || len(at) != want.calls || got.FetchedAt.After(now.Add(time.Minute)) {
			t.Errorf("after %v: age %v from %v with %d calls, want %v with %d", want.step, got.Age, got.FetchedAt, len(at), want.age, want.calls)
		}
	}
}
