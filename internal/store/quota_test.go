package store_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/missingkbs/missingkbs/internal/digest"
	"github.com/missingkbs/missingkbs/internal/quota"
	"github.com/missingkbs/missingkbs/internal/quota/quotatest"
	"github.com/missingkbs/missingkbs/internal/store"
	"github.com/missingkbs/missingkbs/internal/store/pgtest"
)

// busiest is the largest number of turns in any window, both ends included.
func busiest(at []int64, window time.Duration) int {
	slices.Sort(at)
	n, first := 0, 0
	for last := range at {
		for at[last]-at[first] > window.Microseconds() {
			first++
		}
		n = max(n, last-first+1)
	}
	return n
}

// rate allows n calls in any window, of which up to burst at once.
func rate(n, burst int, window time.Duration) quota.Rate {
	rest := time.Duration(n - burst)
	return quota.Rate{Interval: (window + rest - 1) / rest, Burst: burst, Reserve: burst / 2}
}

func openPostgres(tb testing.TB, url string) *store.Store {
	tb.Helper()
	s, err := store.Open(tb.Context(), url, store.Options{})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = s.Close() })
	if err := s.Migrate(tb.Context()); err != nil {
		tb.Fatal(err)
	}
	return s
}

func TestNoQuotaOnSQLite(t *testing.T) {
	t.Parallel()
	s, err := store.Open(t.Context(), "sqlite://"+filepath.ToSlash(filepath.Join(t.TempDir(), "a.db")), store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if q := s.Quota(digest.DefaultTenant); q != nil {
		t.Errorf("a SQLite file has a shared quota: %v", q)
	}
}

// Whatever is asked at whatever time: no window sees more than its limit, a booking in the background leaves the
// reserve, and a pause is kept.
func TestQuotaProperties(t *testing.T) {
	t.Parallel()
	s := openPostgres(t, pgtest.Database(t))
	run := 0
	rapid.Check(t, func(t *rapid.T) {
		run++
		q := s.Quota(fmt.Sprint("tenant ", run))
		now := time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC).UnixMicro()
		q.SetClock(func() int64 { return now })
		minute, hour := rapid.IntRange(5, 60).Draw(t, "per minute"), rapid.IntRange(5, 300).Draw(t, "per hour")
		rates := quota.Booking{Calls: 1, Minute: rate(minute, minute*2/5, time.Minute), Hour: rate(hour, hour/4, time.Hour)}
		var turns []int64
		var paused int64
		for range rapid.IntRange(1, 120).Draw(t, "steps") {
			b := rates
			switch rapid.IntRange(0, 9).Draw(t, "what") {
			case 0:
				now += rapid.Int64Range(0, (10*time.Minute).Microseconds()).Draw(t, "pass")
				continue
			case 1:
				now += rapid.Int64Range(0, (3*time.Second).Microseconds()).Draw(t, "pass a little")
				continue
			case 2:
				d := time.Duration(rapid.Int64Range(0, int64(time.Minute)).Draw(t, "pause"))
				if err := q.Pause(t.Context(), d); err != nil {
					t.Fatal(err)
				}
				paused = max(paused, now+d.Microseconds())
				continue
			case 3, 4:
				b.Background = true
			default:
				b.Patience = time.Duration(rapid.Int64Range(0, int64(time.Minute)).Draw(t, "patience"))
			}
			got, err := q.Book(t.Context(), b)
			if err != nil {
				t.Fatal(err)
			}
			if !got.Taken {
				if got.Wait <= b.Patience {
					t.Fatalf("refused a turn %v away: patience %v, background %v", got.Wait, b.Patience, b.Background)
				}
				continue
			}
			turn := now + got.Wait.Microseconds()
			if turn < paused {
				t.Fatalf("a turn %v before the end of a pause", time.Duration(paused-turn)*time.Microsecond)
			}
			turns = append(turns, turn)
			for _, fill := range []struct {
				quota.Fill
				quota.Rate
			}{{got.Minute, b.Minute}, {got.Hour, b.Hour}} {
				if b.Background && fill.Full > time.Duration(fill.Burst-fill.Reserve)*(fill.Interval+time.Microsecond) {
					t.Fatalf("a background call left less than the reserve: full in %v, %+v", fill.Full, fill.Rate)
				}
			}
		}
		if n := busiest(turns, time.Minute); n > minute {
			t.Errorf("%d turns in a minute, want %d at most", n, minute)
		}
		if n := busiest(turns, time.Hour); n > hour {
			t.Errorf("%d turns in an hour, want %d at most", n, hour)
		}
	})
}

// A clock that is put back by a day, as when the database moves to another machine, keeps nobody waiting for a day.
func TestQuotaClockPutBack(t *testing.T) {
	t.Parallel()
	q := openPostgres(t, pgtest.Database(t)).Quota(digest.DefaultTenant)
	now := time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC).UnixMicro()
	q.SetClock(func() int64 { return now })
	b := quota.Booking{Calls: 1, Minute: rate(50, 20, time.Minute), Hour: rate(1500, 50, time.Hour), Patience: time.Minute}
	if err := q.Pause(t.Context(), time.Minute); err != nil {
		t.Fatal(err)
	}
	for range 30 {
		if _, err := q.Book(t.Context(), b); err != nil {
			t.Fatal(err)
		}
	}
	now -= (24 * time.Hour).Microseconds()
	got, err := q.Book(t.Context(), b)
	if err != nil || !got.Taken || got.Wait == 0 || got.Wait > 10*time.Second || got.Paused > 0 {
		t.Errorf("after the clock was put back: %+v, %v; want the next turn of an empty bucket", got, err)
	}
}

// A look changes nothing and tells what is there.
func TestQuotaLook(t *testing.T) {
	t.Parallel()
	q := openPostgres(t, pgtest.Database(t)).Quota(digest.DefaultTenant)
	b := quota.Booking{Calls: 1, Minute: rate(50, 20, time.Minute), Patience: time.Minute}
	look := b
	look.Calls = 0
	for calls := range 5 {
		for range 2 {
			got, err := q.Book(t.Context(), look)
			if err != nil || got.Taken || got.Minute.Used != calls || got.Hour.Used != calls || got.Wait != 0 {
				t.Fatalf("after %d calls: %+v, %v", calls, got, err)
			}
		}
		if got, err := q.Book(t.Context(), b); err != nil || !got.Taken || got.Minute.Used != calls+1 {
			t.Fatalf("call %d: %+v, %v", calls+1, got, err)
		}
	}
}

// Several stores with connections of their own hammer one quota by the database's clock, questions and background
// mixed: no window sees more than its limit, and little of it is left unused.
func TestQuotaHammered(t *testing.T) {
	t.Parallel()
	url := pgtest.Database(t)
	var mu sync.Mutex
	var turns []int64
	var wg sync.WaitGroup
	var stores []*store.Store
	for range 4 {
		s := openPostgres(t, url)
		if err := s.Quota(digest.DefaultTenant).Begin(t.Context()); err != nil {
			t.Fatal(err)
		}
		stores = append(stores, s)
	}
	deadline := time.Now().Add(4 * time.Second)
	for _, s := range stores {
		for i := range 4 {
			wg.Go(func() {
				q, b := s.Quota(digest.DefaultTenant), hurried()
				b.Background = i == 0
				for time.Now().Before(deadline) {
					got, at, err := q.BookAt(t.Context(), b)
					if err != nil {
						t.Error(err)
						return
					}
					if got.Taken {
						mu.Lock()
						turns = append(turns, at+got.Wait.Microseconds())
						mu.Unlock()
					}
				}
			})
		}
	}
	wg.Wait()
	if n := busiest(turns, processWindow); n > 40 || n < 30 {
		t.Errorf("%d turns in the busiest window, want nearly 40", n)
	}
	t.Logf("%d turns in 4 s", len(turns))
}

const processWindow = time.Second

// hurried is a booking of which any second takes forty.
func hurried() quota.Booking {
	return quota.Booking{Calls: 1, Minute: rate(40, 10, processWindow), Hour: rate(100, 50, processWindow), Patience: 50 * time.Millisecond}
}

// bookTurns is a process that books turns until it is killed, and prints them.
func bookTurns(ctx context.Context, s *store.Store) error {
	q := s.Quota(digest.DefaultTenant)
	if err := q.Begin(ctx); err != nil {
		return err
	}
	for {
		got, now, err := q.BookAt(ctx, hurried())
		if err != nil {
			return err
		}
		if got.Taken {
			fmt.Println("turn", now+got.Wait.Microseconds())
		}
	}
}

// Processes that book, of which one is killed in the middle of it, keep to one quota: what a killed one has locked is
// free at once.
func TestQuotaOfProcesses(t *testing.T) {
	t.Parallel()
	url := pgtest.Database(t)
	openPostgres(t, url)
	var replicas []replica
	for range 3 {
		replicas = append(replicas, startReplica(t, url, childBooks+"=1"))
	}
	var turns []int64
	read := func(from []replica, n int) {
		for len(turns) < n {
			for _, r := range from {
				var turn int64
				line, ok := <-r.lines
				if _, err := fmt.Sscanf(line, "turn %d", &turn); !ok || err != nil {
					t.Fatalf("a replica said %q: %v", line, err)
				}
				turns = append(turns, turn)
			}
		}
	}
	read(replicas, 60)
	if err := replicas[0].cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	read(replicas[1:], 150)
	// Turns that nobody has read yet are turns as well.
	for _, r := range replicas {
		r.kill(t)
	}
	if n := busiest(turns, processWindow); n > 40 {
		t.Errorf("%d turns in a window, want 40 at most", n)
	}
}

// BenchmarkQuota measures what a booking costs: alone, and with others who want the same row.
func BenchmarkQuota(b *testing.B) {
	s := openPostgres(b, pgtest.Database(b))
	q := s.Quota(digest.DefaultTenant)
	booking := quota.Booking{Calls: 1, Minute: rate(50, 20, time.Minute), Hour: rate(1500, 50, time.Hour), Patience: time.Minute}
	book := func(b *testing.B, booking quota.Booking) {
		b.Helper()
		if _, err := q.Book(b.Context(), booking); err != nil {
			b.Error(err)
		}
	}
	b.Run("refused", func(b *testing.B) {
		for b.Loop() {
			book(b, booking)
		}
	})
	booking.Minute.Interval, booking.Hour.Interval = time.Microsecond, time.Microsecond
	b.Run("taken", func(b *testing.B) {
		for b.Loop() {
			book(b, booking)
		}
	})
	b.Run("taken by eight at once", func(b *testing.B) {
		b.SetParallelism(4)
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				book(b, booking)
			}
		})
	})
}

// The statement and [quota.Limiter] are the same arithmetic: any sequence of bookings and pauses has the same results,
// with a clock that is put back as well.
func TestQuotaAgrees(t *testing.T) {
	t.Parallel()
	s := openPostgres(t, pgtest.Database(t))
	run := 0
	rapid.Check(t, func(t *rapid.T) {
		run++
		now := time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)
		kept := s.Quota(fmt.Sprint("tenant ", run))
		clock := func() time.Time { return now }
		kept.SetClock(func() int64 { return clock().UnixMicro() })
		model := &quotatest.Memory{Now: clock}
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			now = now.Add(microseconds(t, "pass", drawn(t, "clock", 3*time.Second, time.Minute, 2*time.Hour)))
			if rapid.IntRange(0, 19).Draw(t, "put back") == 0 {
				now = now.Add(-microseconds(t, "by", 24*time.Hour))
			}
			if rapid.IntRange(0, 9).Draw(t, "what") == 0 {
				d := microseconds(t, "pause", drawn(t, "length", 10*time.Second, time.Minute, 3*time.Hour))
				if err := errors.Join(kept.Pause(t.Context(), d), model.Pause(t.Context(), d)); err != nil {
					t.Fatal(err)
				}
				continue
			}
			b := quota.Booking{
				Minute: drawnRate(t, "minute", time.Minute), Hour: drawnRate(t, "hour", time.Hour),
				Calls: rapid.IntRange(0, 1).Draw(t, "calls"), Background: rapid.Bool().Draw(t, "background"),
				Patience: microseconds(t, "patience", 2*time.Minute) - time.Second,
			}
			got, err := kept.Book(t.Context(), b)
			if err != nil {
				t.Fatal(err)
			}
			want, err := model.Book(t.Context(), b)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Fatalf("%+v at %v: the database disagrees with the limiter (-want +got):\n%s", b, now, diff)
			}
		}
	})
}

// microseconds draws a duration up to a limit, in whole microseconds: more is not kept in a database.
func microseconds(t *rapid.T, label string, limit time.Duration) time.Duration {
	return time.Duration(rapid.Int64Range(0, limit.Microseconds()).Draw(t, label)) * time.Microsecond
}

func drawn[T any](t *rapid.T, label string, of ...T) T { return rapid.SampledFrom(of).Draw(t, label) }

// drawnRate is no limit now and then, and the full rate most often, so that turns are rare.
func drawnRate(t *rapid.T, label string, window time.Duration) quota.Rate {
	n := drawn(t, label, 0, 5, 20, 50)
	if n == 0 {
		return quota.Rate{}
	}
	r := rate(n, n*2/5, window)
	r.Interval = r.Interval.Truncate(time.Microsecond)
	return r
}
