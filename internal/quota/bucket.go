package quota

import "time"

// Bucket admits a number of calls in any window, up to Burst of them at once. It is the generic cell rate algorithm: it
// only stores when it will be full again.
//
// A bucket admits Burst + Window/Interval calls in a window, not Window/Interval. The interval is chosen so that this
// sum is the limit.
type Bucket struct {
	Window time.Duration
	Limit  int
	Rate

	full time.Time // when all calls of a burst are available again
	used tally
}

// NewBucket admits limit calls in any window, up to burst of them at once. slack is how much later than its turn a call
// may be made.
func NewBucket(limit, burst int, window, slack time.Duration) Bucket {
	b := Bucket{Window: window, Limit: limit, Rate: Rate{Burst: max(burst, 1)}}
	if limit == 1 {
		// The burst is the whole limit: the next call comes once the window is certainly over.
		b.Interval = window + slack + time.Second
		return b
	}
	rest := time.Duration(limit - b.Burst)
	b.Interval = (window + slack + rest - 1) / rest
	b.Reserve = min(limit/5, b.Burst/2)
	return b
}

// Turn returns when a call that arrives now may be made, with ahead other calls before it.
func (b *Bucket) Turn(now time.Time, background bool, ahead int) time.Time {
	if b.Interval == 0 {
		return now
	}
	burst := b.Burst
	if background {
		burst -= b.Reserve
	}
	t := Later(now, b.full).Add(time.Duration(1+ahead-burst) * b.Interval)
	return Later(now, t)
}

// take counts a call that arrives now and is made at start or later.
func (b *Bucket) take(now, start time.Time) {
	b.full = Later(start, b.full).Add(b.Interval)
	b.used.add(now, b.Window)
}

// Left returns how many calls of the window are left. Those beyond [Bucket.AtOnce] come one by one.
func (b *Bucket) Left(now time.Time) int {
	return min(max(b.Limit-b.used.in(now, b.Window), b.AtOnce(now), 0), b.Limit)
}

// AtOnce returns how many calls may be made at this moment.
func (b *Bucket) AtOnce(now time.Time) int {
	missing := max(b.full.Sub(now), 0)
	return b.Burst - int((missing+b.Interval-1)/b.Interval)
}

// Fill returns how full the bucket is.
func (b *Bucket) Fill(now time.Time) Fill {
	return Fill{Full: max(b.full.Sub(now), 0), Used: b.used.in(now, b.Window)}
}

// distrust empties a bucket that bookings cannot have filled so far: its time dates from before the clock was set back.
func (b *Bucket) distrust(now time.Time) {
	if empty := time.Duration(b.Burst) * b.Interval; b.full.Sub(now) > empty+MaxPatience {
		b.full = now.Add(empty)
	}
}

// setFill makes the bucket as full as f.
func (b *Bucket) setFill(now time.Time, f Fill) {
	b.full = now.Add(f.Full)
	b.used = tally{slot: slotOf(now, b.Window), calls: f.Used}
}

// Later returns the later of two times.
func Later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// tally counts the calls of a moving window, from the counts of two fixed ones. It is only used for display.
type tally struct {
	slot          int64 // the fixed window that is being counted
	calls, before int   // in it, and in the one before it
}

func slotOf(now time.Time, window time.Duration) int64 { return now.UnixNano() / int64(window) }

func (t *tally) move(now time.Time, window time.Duration) {
	switch slot := slotOf(now, window); slot - t.slot {
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

func (t tally) in(now time.Time, window time.Duration) int {
	t.move(now, window)
	return Used(t.calls, t.before, now, window)
}

// Used estimates the calls in the window that ends now, from those of the current fixed window and of the one before.
// The earlier ones are assumed to be spread evenly.
func Used(calls, before int, now time.Time, window time.Duration) int {
	gone := time.Duration(now.UnixNano() % int64(window))
	return calls + int((time.Duration(before)*(window-gone)+window-1)/window)
}
