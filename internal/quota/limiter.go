package quota

import "time"

// Limiter combines a bucket per minute, one per hour, and a pause. Both buckets are asked at the same time and the
// later turn counts. That keeps the promise of both: a call held back by one bucket was paid for earlier in the other.
// It is not safe for concurrent use.
type Limiter struct {
	buckets []Bucket
	paused  time.Time // no calls before this time
}

// NewLimiter admits perMinute calls in any minute and perHour in any hour. A limit below one is no limit. slack is how
// much later than its turn a call may be made.
func NewLimiter(perMinute, perHour int, slack time.Duration) Limiter {
	var l Limiter
	if perMinute > 0 {
		l.buckets = append(l.buckets, NewBucket(perMinute, perMinute*2/5, time.Minute, slack))
	}
	if perHour > 0 {
		l.buckets = append(l.buckets, NewBucket(perHour, min(50, perHour/4), time.Hour, slack))
	}
	return l
}

// SetRates makes the limiter admit calls at the rates of a [Booking]. The fill of the buckets stays.
func (l *Limiter) SetRates(minute, hour Rate) {
	if len(l.buckets) != 2 {
		l.buckets = []Bucket{{Window: time.Minute}, {Window: time.Hour}}
	}
	l.buckets[0].Rate, l.buckets[1].Rate = minute, hour
}

// Buckets returns a copy of the buckets that have a limit.
func (l *Limiter) Buckets() []Bucket { return append([]Bucket(nil), l.buckets...) }

// Rates returns the rates of the two buckets.
func (l *Limiter) Rates() (minute, hour Rate) {
	for i := range l.buckets {
		if b := &l.buckets[i]; b.Window == time.Minute {
			minute = b.Rate
		} else {
			hour = b.Rate
		}
	}
	return minute, hour
}

// Turn returns when a call that arrives now may be made, with ahead other calls before it. During a pause it computes
// as if it were the end of the pause, so that the calls that wait for it do not all come at once.
func (l *Limiter) Turn(now time.Time, background bool, ahead int) time.Time {
	start := l.start(now)
	turn := start
	for i := range l.buckets {
		turn = Later(turn, l.buckets[i].Turn(start, background, ahead))
	}
	return turn
}

// Expect returns when a background call that arrives now may be made, with ahead others before it, the first of which
// is made at next, unless other calls come in between.
func (l *Limiter) Expect(now, next time.Time, ahead int) time.Time {
	at := l.Turn(now, true, ahead)
	for i := range l.buckets {
		at = Later(at, next.Add(time.Duration(ahead)*l.buckets[i].Interval))
	}
	return at
}

// Reservation is a turn that was taken in every bucket.
type Reservation struct {
	Turn          time.Time   // the latest of the turns
	before, after []time.Time // when each bucket would be full without it, and with it
}

// Take takes the next turn.
func (l *Limiter) Take(now time.Time) Reservation {
	r := Reservation{Turn: l.Turn(now, false, 0)}
	start := l.start(now)
	for i := range l.buckets {
		b := &l.buckets[i]
		r.before = append(r.before, b.full)
		b.take(now, start)
		r.after = append(r.after, b.full)
	}
	return r
}

// Return gives back an unused turn, in the buckets where no later turn was taken.
func (l *Limiter) Return(r Reservation) {
	for i := range r.after {
		if b := &l.buckets[i]; b.full.Equal(r.after[i]) {
			b.full = r.before[i]
			b.used.calls = max(b.used.calls-1, 0)
		}
	}
}

// Book takes the turn that b asks for, or returns when there is one. It uses the limiter's rates, not those of b.
func (l *Limiter) Book(now time.Time, b Booking) Booked {
	after := Limiter{buckets: l.Buckets(), paused: l.paused}
	for i := range after.buckets {
		after.buckets[i].distrust(now)
	}
	got := Booked{Wait: after.Turn(now, b.Background, 0).Sub(now), Paused: after.start(now).Sub(now)}
	if got.Taken = b.Calls > 0 && b.accepts(got.Wait); got.Taken {
		after.Take(now)
		*l = after
	}
	for i := range after.buckets {
		if fill := after.buckets[i].Fill(now); after.buckets[i].Window == time.Minute {
			got.Minute = fill
		} else {
			got.Hour = fill
		}
	}
	return got
}

// start returns when a call that arrives now could be made if the buckets were full: after the pause. A pause longer
// than [MaxPause] dates from before the clock was set back, and does not count.
func (l *Limiter) start(now time.Time) time.Time {
	if l.paused.Sub(now) > MaxPause {
		return now
	}
	return Later(now, l.paused)
}

// Charge counts a call made at turn under another limit. At most it empties a bucket.
func (l *Limiter) Charge(turn time.Time) {
	for i := range l.buckets {
		b := &l.buckets[i]
		b.take(turn, turn)
		if empty := turn.Add(time.Duration(b.Burst) * b.Interval); b.full.After(empty) {
			b.full = empty
		}
	}
}

// Pause stops all calls for d, at most [MaxPause]. It reports whether that is longer than the current pause.
func (l *Limiter) Pause(now time.Time, d time.Duration) bool {
	until := now.Add(min(d, MaxPause))
	if d <= 0 || !until.After(l.start(now)) {
		return false
	}
	l.paused = until
	return true
}

// PausedUntil returns the end of the pause. It is in the past, or zero, when there is no pause.
func (l *Limiter) PausedUntil() time.Time { return l.paused }

// Load sets the limiter to the state of a [Budget].
func (l *Limiter) Load(now time.Time, b Booked) {
	for i := range l.buckets {
		if l.buckets[i].Window == time.Minute {
			l.buckets[i].setFill(now, b.Minute)
		} else {
			l.buckets[i].setFill(now, b.Hour)
		}
	}
	l.paused = now.Add(b.Paused)
}
