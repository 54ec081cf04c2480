package quota_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/missingkbs/missingkbs/internal/quota"
	"github.com/missingkbs/missingkbs/internal/quota/quotatest"
)

// acts books calls as they come and returns when each may be made. Those that
// would be later than patience are given up and booked no more.
func acts(l *quota.Limiter, start time.Time, arrivals []time.Duration, patience time.Duration) []time.Time {
	var out []time.Time
	for _, a := range arrivals {
		now := start.Add(a)
		booked := l.Take(now)
		if booked.Turn.Sub(now) > patience {
			l.Return(booked)
			continue
		}
		out = append(out, booked.Turn)
	}
	return out
}

// No minute and no hour ever sees more calls than allowed, however they arrive.
func TestLimitWindows(t *testing.T) {
	t.Parallel()
	for _, limit := range []struct{ minute, hour int }{
		{50, 1500},
		{50, -1},
		{-1, 1500},
		{1, -1},
		{-1, 1},
		{-1, 2},
		{1, 1},
		{2, 3},
		{3, 7},
		{10, 100000},
		{50, 2999},
		{20, 700},
		{50, 1700},
		{100, 1500},
		{1000, 1500},
		{60, 60},
		{7, 50},
		{30, 10},
	} {
		for name, arrivals := range map[string]func(r *rand.Rand) []time.Duration{
			"all at once": func(*rand.Rand) []time.Duration { return make([]time.Duration, 3000) },
			"steadily": func(*rand.Rand) (ds []time.Duration) {
				for i := range 4000 {
					ds = append(ds, time.Duration(i)*2*time.Second)
				}
				return ds
			},
			"in bursts": func(r *rand.Rand) (ds []time.Duration) {
				var at time.Duration
				for len(ds) < 4000 {
					at += time.Duration(r.Int64N(int64(5 * time.Minute)))
					for range r.IntN(90) {
						at += time.Duration(r.Int64N(int64(100 * time.Millisecond)))
						ds = append(ds, at)
					}
				}
				return ds
			},
		} {
			for _, patience := range []time.Duration{0, time.Minute, 24 * time.Hour} {
				r := rand.New(rand.NewPCG(1, 2))
				start := time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)
				l := quota.NewLimiter(limit.minute, limit.hour, 0)
				at := acts(&l, start, arrivals(r), patience)
				if len(at) == 0 {
					t.Fatalf("%v %s: no calls at all", limit, name)
				}
				if n := quotatest.Busiest(at, time.Minute); limit.minute > 0 && n > limit.minute {
					t.Errorf("%v %s, patience %v: %d calls in a minute", limit, name, patience, n)
				}
				if n := quotatest.Busiest(at, time.Hour); limit.hour > 0 && n > limit.hour {
					t.Errorf("%v %s, patience %v: %d calls in an hour", limit, name, patience, n)
				}
			}
		}
	}
}
