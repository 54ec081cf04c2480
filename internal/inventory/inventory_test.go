package inventory

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/missingkbs/missingkbs/api"
	"github.com/missingkbs/missingkbs/internal/store"
)

// tenant gives out a list, which takes a second each time.
type tenant struct {
	mu       sync.Mutex
	software []string
	err      error
	calls    int
}

func (d *tenant) ask(ctx context.Context, _ ...api.CallOption) (api.Answer[[]api.Software], error) {
	select {
	case <-time.After(time.Second):
	case <-ctx.Done():
		return api.Answer[[]api.Software]{}, ctx.Err()
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.calls++
	a := api.Answer[[]api.Software]{FetchedAt: time.Now()}
	for _, id := range d.software {
		a.Value = append(a.Value, api.Software{ID: id})
	}
	return a, d.err
}

func (d *tenant) set(err error, software ...string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.software, d.err = software, err
}

func (d *tenant) count() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.calls
}

// shelf keeps one list in memory.
type shelf struct {
	mu    sync.Mutex
	list  *store.SoftwareList
	saves int
	err   error
}

func (s *shelf) SoftwareList(context.Context, string) (store.SoftwareList, bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.list == nil || s.err != nil {
		return store.SoftwareList{}, false, s.err
	}
	return *s.list, true, nil
}

func (s *shelf) SaveSoftwareList(_ context.Context, _ string, list store.SoftwareList) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.list, s.saves = &list, s.saves+1
	return s.err
}

func (s *shelf) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.saves
}

// started is an inventory that runs until the end of the test.
func started(t *testing.T, d *tenant, s *shelf, change func(*Options)) (*Inventory, *strings.Builder) {
	t.Helper()
	var log strings.Builder
	o := Options{
		Ask: d.ask, Store: s, Fresh: 5 * time.Minute, MaxAge: 24 * time.Hour, Timeout: time.Minute, Now: time.Now,
		Log: slog.New(slog.NewTextHandler(&log, nil)),
	}
	if change != nil {
		change(&o)
	}
	i := New(o)
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { i.Run(ctx) })
	t.Cleanup(func() { cancel(); running.Wait() })
	synctest.Wait()
	return i, &log
}

// took asks for the list, and tells what came and how long it took.
func took(t *testing.T, i *Inventory, opts ...api.CallOption) (ids string, age, waited time.Duration, err error) {
	t.Helper()
	began := time.Now()
	a, err := i.Catalog(t.Context(), opts...)
	var all []string
	for _, s := range a.Value {
		all = append(all, s.ID)
	}
	return strings.Join(all, " "), a.Age, time.Since(began), err
}

func TestListIsGivenOutAtOnceAndRenewed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d, s := &tenant{}, &shelf{}
		d.set(nil, "a-_-b")
		var prepared []int
		i, _ := started(t, d, s, func(o *Options) {
			o.Prepare = func(a api.Answer[[]api.Software]) { prepared = append(prepared, len(a.Value)) }
		})
		if d.count() != 0 {
			t.Errorf("%d calls before the list is used", d.count())
		}
		if ids, _, waited, err := took(t, i); ids != "a-_-b" || waited != time.Second || err != nil {
			t.Errorf("the first one: %q after %v, %v", ids, waited, err)
		}
		d.set(nil, "a-_-b", "c-_-d")
		time.Sleep(4 * time.Minute)
		if ids, age, waited, err := took(t, i); ids != "a-_-b" || age != 4*time.Minute || waited != 0 || err != nil {
			t.Errorf("a fresh one: %q, %v old, after %v, %v", ids, age, waited, err)
		}
		time.Sleep(2 * time.Minute)
		if ids, age, waited, err := took(t, i); ids != "a-_-b" || age != 6*time.Minute || waited != 0 || err != nil {
			t.Errorf("an old one: %q, %v old, after %v, %v", ids, age, waited, err)
		}
		time.Sleep(2 * time.Second)
		if ids, age, waited, err := took(t, i); ids != "a-_-b c-_-d" || age != time.Second || waited != 0 || err != nil {
			t.Errorf("a renewed one: %q, %v old, after %v, %v", ids, age, waited, err)
		}
		if diff := cmp.Diff([]int{1, 2}, prepared); diff != "" || d.count() != 2 || s.count() != 2 {
			t.Errorf("prepared (-want +got):\n%s%d calls, saved %d times", diff, d.count(), s.count())
		}
		time.Sleep(25 * time.Hour) // nothing uses it
		if d.count() != 2 {
			t.Errorf("%d calls for a list that is not used", d.count())
		}
		if _, age, waited, err := took(t, i); age != 0 || waited != time.Second || err != nil {
			t.Errorf("one that is too old: %v old, after %v, %v", age, waited, err)
		}
		if _, _, waited, err := took(t, i, api.MaxAge(0)); waited != time.Second || err != nil {
			t.Errorf("with an option: after %v, %v", waited, err)
		}
	})
}

func TestRestartAnswersFromTheSavedList(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d, s := &tenant{}, &shelf{}
		d.set(nil, "a-_-b", "odd", "microsoft-_-windows_11")
		first, _ := started(t, d, s, nil)
		if _, _, _, err := took(t, first); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		time.Sleep(time.Hour)
		d.set(errors.New("down"))
		second, log := started(t, d, s, nil)
		ids, age, waited, err := took(t, second)
		if ids != "a-_-b odd microsoft-_-windows_11" || age != time.Hour || waited != 0 || err != nil {
			t.Errorf("%q, %v old, after %v, %v", ids, age, waited, err)
		}
		// A failed renewal is told with the list, once in the log, and not repeated at once.
		time.Sleep(2 * time.Second)
		for range 3 {
			a, err := second.Catalog(t.Context())
			if err != nil || a.Stale == nil {
				t.Errorf("stale is %v, %v", a.Stale, err)
			}
			time.Sleep(time.Second)
		}
		if n := d.count(); n != 2 || strings.Count(log.String(), "could not renew") != 1 {
			t.Errorf("%d calls, log %s", n, log)
		}
		d.set(nil, "a-_-b")
		time.Sleep(2 * time.Minute)
		if a, err := second.Catalog(t.Context()); err != nil || a.Stale != nil || len(a.Value) != 1 {
			t.Errorf("after the next renewal: %d, stale %v, %v", len(a.Value), a.Stale, err)
		}
	})
}

func TestNoOldListAfterARefusal(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := &tenant{}
		d.set(nil, "a-_-b")
		i, _ := started(t, d, &shelf{}, func(o *Options) { o.Refused = func(context.Context) bool { return true } })
		if _, _, _, err := took(t, i); err != nil {
			t.Fatal(err)
		}
		refused := errors.New("refused")
		d.set(refused)
		time.Sleep(time.Minute)
		if ids, _, _, err := took(t, i); ids != "a-_-b" || err != nil {
			t.Errorf("a fresh one: %q, %v", ids, err)
		}
		time.Sleep(time.Hour)
		if _, _, _, err := took(t, i); !errors.Is(err, refused) {
			t.Errorf("an old one: %v, want the refusal", err)
		}
	})
}

// The list is saved when it has other software, and otherwise once an hour; what cannot be saved or read changes no answer.
func TestSaving(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d, s := &tenant{}, &shelf{}
		d.set(nil, "a-_-b")
		i, log := started(t, d, s, nil)
		for n, want := range []int{1, 1, 1, 2} { // after 0, 20, 40, 60 minutes
			if _, _, _, err := took(t, i, api.MaxAge(0)); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
			if got := s.count(); got != want {
				t.Errorf("saved %d times after %d lists, want %d", got, n+1, want)
			}
			time.Sleep(20 * time.Minute)
		}
		s.err = errors.New("full")
		d.set(nil, "c-_-d")
		if ids, _, _, err := took(t, i, api.MaxAge(0)); ids != "c-_-d" || err != nil {
			t.Errorf("%q, %v", ids, err)
		}
		synctest.Wait()
		if !strings.Contains(log.String(), "could not save the software list") {
			t.Errorf("log %s", log)
		}
		again, log := started(t, d, s, nil)
		if ids, _, _, err := took(t, again); ids != "c-_-d" || err != nil || !strings.Contains(log.String(), "could not read the saved software list") {
			t.Errorf("%q, %v, log %s", ids, err, log)
		}
	})
}

func TestEverythingOfASoftwareIsSaved(t *testing.T) {
	t.Parallel()
	want := []api.Software{
		{ID: "microsoft-_-edge", Name: "edge", Vendor: "microsoft", Weaknesses: 14, PublicExploit: true, ActiveAlert: true, ExposedMachines: 240, InstalledMachines: 300, ImpactScore: 2.5},
		{ID: "a-_-b", Name: "other", Vendor: "else"},
		{ID: "a-_-b"},
		{ID: "plain", Name: "n"},
		{ID: "plain", Vendor: "plain"},
		{},
	}
	raw, err := encode(want)
	if err != nil {
		t.Fatal(err)
	}
	got, err := decode(raw)
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	s := &shelf{list: &store.SoftwareList{Software: raw}}
	ids, err := SavedIDs(t.Context(), s)
	if diff := cmp.Diff([]string{"microsoft-_-edge", "a-_-b", "a-_-b", "plain", "plain", ""}, ids); diff != "" || err != nil {
		t.Errorf("ids: %v (-want +got):\n%s", err, diff)
	}
	if ids, err := SavedIDs(t.Context(), &shelf{}); len(ids) > 0 || err != nil {
		t.Errorf("of no list: %v, %v", ids, err)
	}
	s.list.Software = raw[1:]
	if _, err := SavedIDs(t.Context(), s); err == nil {
		t.Error("ids of half a list are read")
	}
	if _, err := decode([]byte(`{"half`)); err == nil {
		t.Error("half a list is read")
	}
}
