package api

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

// Whatever comes, in whatever order: no window sees more than its limit, and a
// background call leaves the reserve.
func TestBucketProperties(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		minute := rapid.IntRange(1, 120).Draw(t, "per minute")
		hour := rapid.IntRange(1, 2000).Draw(t, "per hour")
		l := newLimiter(Options{PerMinute: minute, PerHour: hour})
		now := time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)
		var made []time.Time
		for range rapid.IntRange(1, 400).Draw(t, "steps") {
			switch rapid.IntRange(0, 9).Draw(t, "what") {
			case 0:
				now = now.Add(time.Duration(rapid.Int64Range(0, int64(3*time.Minute)).Draw(t, "pass")))
			case 1:
				now = now.Add(time.Duration(rapid.Int64Range(0, int64(3*time.Second)).Draw(t, "pass a little")))
			case 2:
				l.giveBack(l.takeAt(now))
			case 3:
				l.paused = later(l.paused, now.Add(time.Duration(rapid.Int64Range(0, int64(time.Minute)).Draw(t, "pause"))))
			case 4, 5:
				if l.turnAt(now, true, 0).After(now) {
					continue
				}
				made = append(made, l.takeAt(now).turn)
				for _, b := range l.buckets {
					if got := b.atOnce(now); got < b.Reserve {
						t.Fatalf("a background call left %d of %d in a bucket, want %d", got, b.Burst, b.Reserve)
					}
				}
			default:
				made = append(made, l.takeAt(now).turn)
			}
		}
		if n := most(made, time.Minute); n > minute {
			t.Errorf("%d calls in a minute, want %d at most", n, minute)
		}
		if n := most(made, time.Hour); n > hour {
			t.Errorf("%d calls in an hour, want %d at most", n, hour)
		}
	})
}

// What is left is never less than may be asked at once, and all of it when nobody
// has called for long.
func TestWindowLeft(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 23, 9, 0, 30, 0, time.UTC)
	b := newBucket(50, 20, time.Minute, 0)
	for made, want := range []int{50, 49, 48} {
		if got := b.left(now); got != want {
			t.Errorf("after %d calls %d are left, want %d", made, got, want)
		}
		b.take(now)
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
		if got := b.left(now.Add(want.later)); got != want.left {
			t.Errorf("%v later %d are left, want %d", want.later, got, want.left)
		}
	}
}
