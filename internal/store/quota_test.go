package store_test

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/missingkbs/missingkbs/internal/digest"
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
func rate(n, burst int, window time.Duration) store.QuotaRate {
	rest := time.Duration(n - burst)
	return store.QuotaRate{Interval: (window + rest - 1) / rest, Burst: burst, Reserve: burst / 2}
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
	if store.Shared("sqlite:///a.db") || !store.Shared("postgres://a@b/c") {
		t.Error("which databases are shared is not told by their URL")
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
		rates := store.QuotaBooking{Calls: 1, Minute: rate(minute, minute*2/5, time.Minute), Hour: rate(hour, hour/4, time.Hour)}
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
				store.QuotaFill
				store.QuotaRate
			}{{got.Minute, b.Minute}, {got.Hour, b.Hour}} {
				if b.Background && fill.Full > time.Duration(fill.Burst-fill.Reserve)*(fill.Interval+time.Microsecond) {
					t.Fatalf("a background call left less than the reserve: full in %v, %+v", fill.Full, fill.QuotaRate)
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
	b := store.QuotaBooking{Calls: 1, Minute: rate(50, 20, time.Minute), Hour: rate(1500, 50, time.Hour), Patience: time.Minute}
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
	b := store.QuotaBooking{Calls: 1, Minute: rate(50, 20, time.Minute), Patience: time.Minute}
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
	deadline := time.Now().Add(4 * time.Second)
	for range 4 {
		s := openPostgres(t, url)
		if err := s.Quota(digest.DefaultTenant).Begin(t.Context()); err != nil {
			t.Fatal(err)
		}
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
func hurried() store.QuotaBooking {
	return store.QuotaBooking{Calls: 1, Minute: rate(40, 10, processWindow), Hour: rate(100, 50, processWindow), Patience: 50 * time.Millisecond}
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
	booking := store.QuotaBooking{Calls: 1, Minute: rate(50, 20, time.Minute), Hour: rate(1500, 50, time.Hour), Patience: time.Minute}
	book := func(b *testing.B, booking store.QuotaBooking) {
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
