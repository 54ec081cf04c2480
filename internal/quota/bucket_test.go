package quota_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/missingkbs/missingkbs/internal/quota"
	"github.com/missingkbs/missingkbs/internal/quota/quotatest"
)

// No order of calls brings a window more than its limit, and a background call leaves the reserve.
func TestBucketProperties(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		minute := rapid.IntRange(1, 120).Draw(t, "per minute")
		hour := rapid.IntRange(1, 2000).Draw(t, "per hour")
		l := quota.NewLimiter(minute, hour, 0)
		now := time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)
		var made []time.Time
		for range rapid.IntRange(1, 400).Draw(t, "steps") {
			switch rapid.IntRange(0, 9).Draw(t, "what") {
			case 0:
				now = now.Add(time.Duration(rapid.Int64Range(0, int64(3*time.Minute)).Draw(t, "pass")))
			case 1:
				now = now.Add(time.Duration(rapid.Int64Range(0, int64(3*time.Second)).Draw(t, "pass a little")))
			case 2:
				l.Return(l.Take(now))
			case 3:
				l.Pause(now, time.Duration(rapid.Int64Range(0, int64(time.Minute)).Draw(t, "pause")))
			case 4, 5:
				if l.Turn(now, true, 0).After(now) {
					continue
				}
				made = append(made, l.Take(now).Turn)
				for _, b := range l.Buckets() {
					if got := b.AtOnce(now); got < b.Reserve {
						t.Fatalf("a background call left %d of %d in a bucket, want %d", got, b.Burst, b.Reserve)
					}
				}
			default:
				made = append(made, l.Take(now).Turn)
			}
		}
		if n := quotatest.Busiest(made, time.Minute); n > minute {
			t.Errorf("%d calls in a minute, want %d at most", n, minute)
		}
		if n := quotatest.Busiest(made, time.Hour); n > hour {
			t.Errorf("%d calls in an hour, want %d at most", n, hour)
		}
	})
}

// What is left is never less than may be asked at once, and all of it after a long time without calls.
func TestWindowLeft(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 23, 9, 0, 30, 0, time.UTC)
	l := quota.NewLimiter(50, 0, 0)
	left := func(now time.Time) int { return l.Buckets()[0].Left(now) }
	for made, want := range []int{50, 49, 48} {
		if got := left(now); got != want {
			t.Errorf("after %d calls %d are left, want %d", made, got, want)
		}
		l.Take(now)
	}
	for _, want := range []struct {
		later time.Duration
		left  int
	}{
		{20 * time.Second, 47},
		{40 * time.Second, 47}, // the next minute has begun: two thirds of the three calls are within 60 s
		{80 * time.Second, 49}, // a third of them
		{time.Hour, 50},
	} {
		if got := left(now.Add(want.later)); got != want.left {
			t.Errorf("%v later %d are left, want %d", want.later, got, want.left)
		}
	}
}
