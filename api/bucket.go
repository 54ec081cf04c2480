package api

import "time"

// bucket lets limit calls into any window, of which up to burst at once. It is the
// generic cell rate algorithm: all it remembers is when it will be full again.
//
// A bucket lets burst + window/interval calls into a window, not window/interval,
// so the interval is chosen to make that sum the limit.
type bucket struct {
	window time.Duration
	limit  int
	Rate
	full time.Time // when all calls of a burst are there again
	used tally
}

// Rate is how fast a bucket that is empty fills, and how much it holds. The zero
// value is no limit.
type Rate struct {
	Interval time.Duration // from one call to the next
	Burst    int           // calls at once when nobody has called for long
	Reserve  int           // of these, calls that are left to questions: see [Background]
}

// newBucket allows limit calls in any window, of which up to burst at once. slack
// is how much later than its turn a call may come to be made.
func newBucket(limit, burst int, window, slack time.Duration) bucket {
	b := bucket{window: window, limit: limit, Rate: Rate{Burst: max(burst, 1)}}
	if limit == 1 {
		// Nothing is left for a rate beside the burst: one call, and the next one when
		// the window is surely over.
		b.Interval = window + slack + time.Second
		return b
	}
	rest := time.Duration(limit - b.Burst)
	b.Interval = (window + slack + rest - 1) / rest
	b.Reserve = min(limit/5, b.Burst/2)
	return b
}

// newBuckets allows perMinute calls in any minute and perHour in any hour. A limit
// below one is none.
func newBuckets(perMinute, perHour int, slack time.Duration) []bucket {
	var all []bucket
	if perMinute > 0 {
		all = append(all, newBucket(perMinute, perMinute*2/5, time.Minute, slack))
	}
	if perHour > 0 {
		all = append(all, newBucket(perHour, min(50, perHour/4), time.Hour, slack))
	}
	return all
}

// turn is when a call may be made that comes now and has so many others before it.
func (b *bucket) turn(now time.Time, background bool, ahead int) time.Time {
	room := b.Burst
	if background {
		room -= b.Reserve
	}
	t := later(now, b.full).Add(time.Duration(1+ahead-room) * b.Interval)
	return later(now, t)
}

// take counts a call that comes now.
func (b *bucket) take(now time.Time) {
	b.full = later(now, b.full).Add(b.Interval)
	b.used.add(now, b.window)
}

// left is how many calls of the window are left. More than the bucket holds is no
// promise for this moment: they come one by one.
func (b *bucket) left(now time.Time) int {
	return min(max(b.limit-b.used.in(now, b.window), b.atOnce(now), 0), b.limit)
}

// atOnce is how many calls may be made at this moment.
func (b *bucket) atOnce(now time.Time) int {
	missing := max(b.full.Sub(now), 0)
	return b.Burst - int((missing+b.Interval-1)/b.Interval)
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// tally counts the calls of a window that moves on, from the counts of two that
// stand still. It is for people; nothing is promised by it.
type tally struct {
	slot          int64 // the window that is being counted
	calls, before int   // in it, and in the one before it
}

func (t *tally) move(now time.Time, window time.Duration) {
	switch slot := now.UnixNano() / int64(window); slot - t.slot {
	case 0:
	case 1:
		t.slot, t.calls, t.before = slot, 0, t.calls
	default:
		t.slot, t.calls, t.before = slot, 0, 0
	}
}

func (t *tally) add(now time.Time, window time.Duration) {
	t.move(now, window)
	t.calls++
}

// in is how many calls there were in the window that ends now: the calls of the
// window before are taken to have been spread evenly.
func (t *tally) in(now time.Time, window time.Duration) int {
	t.move(now, window)
	gone := time.Duration(now.UnixNano() % int64(window))
	return t.calls + int((time.Duration(t.before)*(window-gone)+window-1)/window)
}
