package digest_test

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/missingkbs/missingkbs/internal/digest"
	"github.com/missingkbs/missingkbs/internal/digest/schedule"
)

// queue keeps jobs, each once.
type queue struct {
	mu     sync.Mutex
	broken breaker
	jobs   []digest.Job
	again  int // jobs that it had taken before
}

func (q *queue) Enqueue(_ context.Context, job digest.Job) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	if err := q.broken.check(job.Subscription); err != nil {
		return err
	}
	if slices.ContainsFunc(q.jobs, func(j digest.Job) bool { return j.Subscription == job.Subscription && j.Due.Equal(job.Due) }) {
		q.again++
		return nil
	}
	q.jobs = append(q.jobs, job)
	return nil
}

func (q *queue) dues(subscription, zone string) []string {
	loc, _ := time.LoadLocation(zone)
	var dues []string
	for _, j := range q.jobs {
		if j.Subscription == subscription {
			dues = append(dues, j.Due.In(loc).Format("2006-01-02 15:04 MST"))
		}
	}
	return dues
}

func subscription(id, words, zone string, now time.Time) digest.Subscription {
	s := weekly()
	s.ID, s.Schedule = id, schedule.Schedule{Words: words, Zone: zone}
	return s.Resume(now)
}

// Ninety minutes pass with replicas that share a store and a queue.
func TestRun(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store, q := newMemory(subscription("7", "*/15 * * * *", "UTC", time.Now())), &queue{}
		ctx, stop := context.WithTimeout(t.Context(), 90*time.Minute+time.Second)
		defer stop()
		var replicas sync.WaitGroup
		for range 3 {
			replicas.Go(func() {
				if err := (&digest.Scheduler{Store: store, Queue: q}).Run(ctx); err != nil {
					t.Error(err)
				}
			})
		}
		replicas.Wait()
		want := []string{"00:15", "00:30", "00:45", "01:00", "01:15", "01:30"}
		for i, w := range want {
			want[i] = "2000-01-01 " + w + " UTC"
		}
		if diff := cmp.Diff(want, q.dues("7", "UTC")); diff != "" {
			t.Errorf("jobs (-want +got):\n%s", diff)
		}
	})
}

// A year passes in zones whose clocks change, and in one whose do not. Each day has its run, also those on which clocks
// skip or repeat its time.
func TestRunAYear(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		store, q := newMemory(), &queue{}
		for _, zone := range zones {
			store.subscriptions[zone] = subscription(zone, "daily 02:15", zone, start)
		}
		store.subscriptions["patch"] = subscription("patch", "patch-tuesday+1 09:00", "Europe/Stockholm", start)
		ctx, stop := context.WithTimeout(t.Context(), 366*24*time.Hour)
		defer stop()
		if err := (&digest.Scheduler{Store: store, Queue: q, Every: 15 * time.Minute}).Run(ctx); err != nil {
			t.Fatal(err)
		}
		for _, zone := range zones {
			dues := q.dues(zone, zone)
			days := map[string]bool{}
			for _, d := range dues {
				days[d[:10]] = true
			}
			if len(dues) != 366 || len(days) != 366 { // 2000 was a leap year
				t.Errorf("%s: %d runs on %d days, want one on each of 366", zone, len(dues), len(days))
			}
		}
		for zone, moved := range map[string][]string{
			"Europe/Stockholm":    {"2000-03-26 03:15 CEST", "2000-10-29 02:15 CEST"},
			"America/New_York":    {"2000-04-02 03:15 EDT", "2000-10-29 02:15 EST"},
			"Australia/Lord_Howe": {"2000-08-27 02:45 +11"}, // brought forward that year for the Olympic Games
		} {
			for _, want := range moved {
				if !slices.Contains(q.dues(zone, zone), want) {
					t.Errorf("%s: no run at %s", zone, want)
				}
			}
		}
		patch := q.dues("patch", "Europe/Stockholm")
		want := "2000-01-12 2000-02-09 2000-03-15 2000-04-12 2000-05-10 2000-06-14 2000-07-12 2000-08-09 2000-09-13 2000-10-11 2000-11-15 2000-12-13"
		for i, d := range patch {
			patch[i], _, _ = strings.Cut(d, " ")
		}
		if diff := cmp.Diff(want, strings.Join(patch, " ")); diff != "" {
			t.Errorf("days after Patch Tuesday (-want +got):\n%s", diff)
		}
	})
}

// After a time without a scheduler there is one job, of the last due time, however long it was.
func TestMissedDigestsComeOnce(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		words string
		down  time.Duration
		want  string
	}{
		{"mon 09:00", 10 * time.Minute, "2026-11-23 09:00 CET"},
		{"mon 09:00", 20 * 24 * time.Hour, "2026-12-07 09:00 CET"},
		{"*/15 * * * *", 2 * time.Hour, "2026-11-23 11:00 CET"},
		{"*/15 * * * *", 800 * 24 * time.Hour, "2029-01-31 09:00 CET"},
		{"monthly 1 09:00", 800 * 24 * time.Hour, "2029-01-01 09:00 CET"},
		{"0 9 1 6 *", 800 * 24 * time.Hour, "2028-06-01 09:00 CEST"},
	} {
		due := at(t, "Europe/Stockholm", "2026-11-23 09:00")
		s := subscription("7", c.words, "Europe/Stockholm", due.Add(-time.Minute))
		now := due.Add(c.down)
		store, q := newMemory(s), &queue{}
		if err := (&digest.Scheduler{Store: store, Queue: q}).Tick(t.Context(), now); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]string{c.want}, q.dues("7", "Europe/Stockholm")); diff != "" {
			t.Errorf("%s, %v down: jobs (-want +got):\n%s", c.words, c.down, diff)
		}
		if next := store.subscriptions["7"].NextRun; !next.After(now) {
			t.Errorf("%s: the next run %v lies before now", c.words, next)
		}
	}
}

// The job comes before the next run is moved: a crash between the two loses nothing and repeats nothing.
func TestCrashBetweenJobAndAdvance(t *testing.T) {
	t.Parallel()
	s := subscription("7", "mon 09:00", "UTC", monday.Add(-time.Hour))
	store, q := newMemory(s), &queue{}
	scheduler := &digest.Scheduler{Store: store, Queue: q}
	store.broken["Advance"] = errBroken
	if err := scheduler.Tick(t.Context(), monday); !errors.Is(err, errBroken) {
		t.Fatalf("%v, want the failure of the store", err)
	}
	if len(q.jobs) != 1 || !store.subscriptions["7"].NextRun.Equal(monday) {
		t.Fatalf("%d jobs, next run %v: the run was moved without a job", len(q.jobs), store.subscriptions["7"].NextRun)
	}
	delete(store.broken, "Advance")
	if err := scheduler.Tick(t.Context(), monday.Add(time.Minute)); err != nil || len(q.jobs) != 1 || q.again != 1 {
		t.Errorf("%v, %d jobs, %d repeated", err, len(q.jobs), q.again)
	}
}

// One that fails keeps no other from its digest, and is tried again.
func TestTickGoesOn(t *testing.T) {
	t.Parallel()
	store, q := newMemory(), &queue{broken: breaker{"0": errBroken}}
	for i := range 1200 {
		id := strconv.Itoa(i)
		store.subscriptions[id] = subscription(id, "mon 09:00", "UTC", monday.Add(-time.Hour))
	}
	scheduler := &digest.Scheduler{Store: store, Queue: q}
	for range 2 {
		if err := scheduler.Tick(t.Context(), monday); !errors.Is(err, errBroken) || !strings.Contains(err.Error(), "schedule digest 0:") {
			t.Fatalf("%v, want the failure of one", err)
		}
		if len(q.jobs) != 1199 {
			t.Errorf("%d jobs, want all but one", len(q.jobs))
		}
	}
	q.broken = nil
	if err := scheduler.Tick(t.Context(), monday); err != nil || len(q.jobs) != 1200 {
		t.Errorf("%v, %d jobs", err, len(q.jobs))
	}
	store.broken["Due"] = errBroken
	if err := scheduler.Tick(t.Context(), monday); !errors.Is(err, errBroken) {
		t.Errorf("%v, want the failure of the store", err)
	}
}

func TestPauses(t *testing.T) {
	t.Parallel()
	s := subscription("7", "daily 09:00", "UTC", monday.Add(-time.Hour))
	for name, c := range map[string]struct {
		s    digest.Subscription
		want []string
	}{
		"without an end": {s.Pause(time.Time{}, "holidays"), nil},
		"until Thursday": {s.Pause(monday.Add(3*24*time.Hour), "holidays"), []string{"2026-11-26 09:00 UTC", "2026-11-27 09:00 UTC"}},
		"resumed":        {s.Pause(time.Time{}, "holidays").Resume(monday.Add(4*24*time.Hour - time.Hour)), []string{"2026-11-27 09:00 UTC"}},
	} {
		store, q := newMemory(c.s), &queue{}
		for day := range 5 {
			if err := (&digest.Scheduler{Store: store, Queue: q}).Tick(t.Context(), monday.Add(time.Duration(day)*24*time.Hour)); err != nil {
				t.Fatal(err)
			}
		}
		if diff := cmp.Diff(c.want, q.dues("7", "UTC")); diff != "" {
			t.Errorf("%s: jobs (-want +got):\n%s", name, diff)
		}
		if got := store.subscriptions["7"]; got.Paused != (name == "without an end") {
			t.Errorf("%s: paused %v at the end", name, got.Paused)
		}
		if name == "until Thursday" && (len(store.audits) != 1 || store.audits[0].Action != "digest.resume") {
			t.Errorf("audits %+v", store.audits)
		}
	}
}

// hasty is a store in which a person changes what was just read.
type hasty struct {
	*memory
	change func(*digest.Subscription)
}

func (h *hasty) Due(ctx context.Context, now time.Time, limit int) ([]digest.Subscription, error) {
	due, err := h.memory.Due(ctx, now, limit)
	for _, s := range due {
		h.change(&s)
		h.subscriptions[s.ID] = s
	}
	h.change = func(*digest.Subscription) {}
	return due, err
}

// What a person changes while a pause ends stays.
func TestPauseEndsWithoutAChangeLost(t *testing.T) {
	t.Parallel()
	s := subscription("7", "daily 09:00", "UTC", monday.Add(-24*time.Hour)).Pause(monday.Add(-time.Hour), "holidays")
	for name, c := range map[string]struct {
		change func(*digest.Subscription)
		paused bool
		jobs   int
	}{
		"another channel": {func(s *digest.Subscription) { s.Channel = "C0OTHER" }, false, 1},
		"paused again":    {func(s *digest.Subscription) { *s = s.Pause(time.Time{}, "for good") }, true, 0},
	} {
		store, q := &hasty{newMemory(s), c.change}, &queue{}
		if err := (&digest.Scheduler{Store: store, Queue: q}).Tick(t.Context(), monday); err != nil {
			t.Fatal(err)
		}
		got, want := store.subscriptions["7"], s
		c.change(&want)
		if got.Channel != want.Channel || got.Paused != c.paused || len(q.jobs) != c.jobs {
			t.Errorf("%s: %+v, %d jobs", name, got, len(q.jobs))
		}
	}
}

// A schedule that can no longer be read is not looked at again and again.
func TestUnreadableSchedulePauses(t *testing.T) {
	t.Parallel()
	s := weekly()
	s.Schedule.Zone, s.NextRun = "Europe/Atlantis", monday
	store, q := newMemory(s), &queue{}
	var told []string
	scheduler := &digest.Scheduler{Store: store, Queue: q, Paused: func(_ context.Context, s digest.Subscription) { told = append(told, s.ID) }}
	for range 2 {
		if err := scheduler.Tick(t.Context(), monday); err != nil {
			t.Fatal(err)
		}
	}
	if got := store.subscriptions["7"]; !got.Paused || got.PauseReason == "" || len(q.jobs) != 0 || len(store.audits) != 1 {
		t.Errorf("%+v, %d jobs", got, len(q.jobs))
	}
	if !slices.Equal(told, []string{"7"}) {
		t.Errorf("told of %q", told)
	}
}

// hangingOnce is a timetable that hangs once, as a database that was cut off without a word.
type hangingOnce struct {
	digest.Timetable
	looks int
}

func (h *hangingOnce) Due(ctx context.Context, now time.Time, limit int) ([]digest.Subscription, error) {
	if h.looks++; h.looks == 1 {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	return h.Timetable.Due(ctx, now, limit)
}

// A look that hangs ends, and the next one finds what is due.
func TestHangingLookEnds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store, jobs := newMemory(subscription("1", "daily 00:00", "UTC", time.Now().Add(-48*time.Hour))), &queue{}
		s := &digest.Scheduler{Store: &hangingOnce{Timetable: store}, Queue: jobs}
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { ended <- s.Run(ctx) }()
		time.Sleep(2 * time.Minute)
		jobs.mu.Lock()
		if len(jobs.jobs) != 1 {
			t.Errorf("%d jobs after a look that hung, want 1", len(jobs.jobs))
		}
		jobs.mu.Unlock()
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}

var zones = []string{
	"Europe/Stockholm", "America/New_York", "Australia/Lord_Howe", "Pacific/Apia", "Asia/Kolkata", "UTC", "America/St_Johns", "Africa/Casablanca",
}

func at(t *testing.T, zone, s string) time.Time {
	t.Helper()
	loc, err := time.LoadLocation(zone)
	if err != nil {
		t.Fatal(err)
	}
	tm, err := time.ParseInLocation("2006-01-02 15:04", s, loc)
	if err != nil {
		t.Fatal(err)
	}
	return tm
}
