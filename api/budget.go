package api

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"time"
)

// Budget is what several processes may call together, kept where all of them can
// see it, such as in a database. It promises for all of them what the limiter of a
// [Client] promises for one: its buckets, one for any minute and one for any hour,
// are the same. All times in it are durations, so that it does not matter whether
// the clocks of the processes agree.
//
// A client asks it before each HTTP call. When it fails or takes longer than half a
// second, the client goes on without it for a while and keeps to a quarter of its
// own limits; nobody waits for it. What it has called in the last minute without the budget it books when that is back;
// of an hour, the calls before that minute are not made up for.
//
// A turn cannot be given back: others may have booked the ones behind it already. So
// one that is not used is lost, and Defender is called less than it may be, never
// more. That is rare: who asks first looks into the cache and joins a call that is
// under way, and a call that has booked is made even when nobody waits for it any
// longer. Lost are the turns of calls that wait when the client is closed or the
// process dies, of those whose turn falls into a pause that began meanwhile, and one
// every few seconds while the budget answers too late.
type Budget interface {
	// Book takes the next turn, or says when there is one.
	Book(ctx context.Context, b Booking) (Booked, error)
	// Pause keeps everybody from calling for so long, because Defender said so.
	Pause(ctx context.Context, d time.Duration) error
}

// Booking is what a [Budget] is asked for.
type Booking struct {
	Minute, Hour Rate          // the buckets; the zero value is no limit
	Calls        int           // 1 to book a turn, 0 to look only
	Background   bool          // book only what may go now, and leave the reserves of the rates
	Patience     time.Duration // book no turn that is further away; at most a minute
}

// Booked is the answer of a [Budget].
type Booked struct {
	Taken        bool          // the turn is booked
	Wait         time.Duration // until the turn, booked or not
	Paused       time.Duration // how much longer Defender wants no calls
	Minute, Hour Fill          // the buckets, with this turn
}

// Fill is how full a bucket of a [Budget] is.
type Fill struct {
	Full time.Duration // until it is full again; 0 or less when it is
	Used int           // calls in the window that ends now, roughly
}

const (
	budgetTimeout = 500 * time.Millisecond
	budgetAway    = 5 * time.Second // between two tries while the budget does not answer
	maxPatience   = time.Minute
	// budgetSlack is how much later than its turn a call may come to be made, because
	// the answer of the budget took its time. The shared buckets allow for it.
	budgetSlack = time.Second
	carefulPart = 4 // of the limits are kept while the budget is away
)

// shared keeps to a budget, and to a part of our own limits while it is away.
type shared struct {
	budget  Budget
	own     []bucket // what the buckets of the budget are like
	log     *slog.Logger
	counts  *counts
	mu      sync.Mutex
	careful []bucket    // what this process may do alone
	alone   []time.Time // the turns that it took without the budget, in the last minute and to come
	retry   time.Time   // when to ask again; zero while the budget answers
}

func newShared(o Options, counts *counts) *shared {
	if o.Budget == nil {
		return nil
	}
	return &shared{
		budget:  o.Budget,
		own:     newBuckets(o.PerMinute, o.PerHour, budgetSlack),
		careful: newBuckets(part(o.PerMinute), part(o.PerHour), 0),
		log:     o.Logger,
		counts:  counts,
	}
}

// part is a careful part of a limit; no limit stays none.
func part(limit int) int {
	if limit <= 0 {
		return limit
	}
	return max(limit/carefulPart, 1)
}

// book takes a turn of the budget, or of the careful part of it. It fails only with
// ctx.
func (s *shared) book(ctx context.Context, background bool) (Booked, error) {
	b := s.booking()
	b.Calls, b.Background, b.Patience = 1, background, maxPatience
	if deadline, ok := ctx.Deadline(); ok {
		b.Patience = min(time.Until(deadline), maxPatience)
	}
	if s.answers() {
		got, err := s.ask(ctx, b)
		if err == nil {
			s.charge(got)
			return got, nil
		}
		if ctx.Err() != nil {
			return Booked{}, ctx.Err()
		}
	}
	return s.bookCareful(b), nil
}

// booking describes the buckets of the budget.
func (s *shared) booking() Booking {
	var b Booking
	for _, own := range s.own {
		if own.window == time.Minute {
			b.Minute = own.Rate
		} else {
			b.Hour = own.Rate
		}
	}
	return b
}

// answers reports whether to ask the budget. While it is away one caller tries it
// now and then, and the others go on.
func (s *shared) answers() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	if s.retry.After(now) {
		return false
	}
	if !s.retry.IsZero() {
		s.retry = now.Add(budgetAway)
	}
	return true
}

func (s *shared) ask(ctx context.Context, b Booking) (Booked, error) {
	limited, cancel := context.WithTimeout(ctx, budgetTimeout)
	defer cancel()
	got, err := s.budget.Book(limited, b)
	if (err == nil || ctx.Err() == nil) && s.note(ctx, err) {
		s.repay(ctx)
	}
	return got, err
}

// repay books what was called without the budget, so that the others leave room for it. It does what it can.
func (s *shared) repay(ctx context.Context) {
	s.mu.Lock()
	n := len(lately(s.alone))
	s.alone = nil
	s.mu.Unlock()
	b := s.booking()
	b.Calls, b.Patience = 1, maxPatience
	limited, cancel := context.WithTimeout(ctx, budgetTimeout)
	defer cancel()
	for range n {
		if got, err := s.budget.Book(limited, b); err != nil || !got.Taken {
			return
		}
	}
}

// lately are those of some turns that are of the last minute, or to come.
func lately(turns []time.Time) []time.Time {
	return slices.DeleteFunc(turns, func(turn time.Time) bool { return time.Since(turn) > time.Minute })
}

// note remembers whether the budget answers, and says so once when that changes. It reports whether it is back.
func (s *shared) note(ctx context.Context, err error) (back bool) {
	s.mu.Lock()
	away := !s.retry.IsZero()
	s.retry = time.Time{}
	if err != nil {
		s.counts.budgetErrors.Add(1)
		s.retry = time.Now().Add(budgetAway)
	}
	s.mu.Unlock()
	switch {
	case err != nil && !away:
		s.log.WarnContext(ctx, "the shared quota of Defender does not answer; this process keeps to a quarter of its limits until it does", "error", err)
	case err == nil && away:
		s.log.InfoContext(ctx, "the shared quota of Defender answers again")
	}
	return err == nil && away
}

// charge counts a turn of the budget in the careful part, so that a process which
// loses the budget does not begin with a full bucket.
func (s *shared) charge(got Booked) {
	if !got.Taken {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	turn := time.Now().Add(got.Wait)
	for i := range s.careful {
		b := &s.careful[i]
		b.take(turn)
		if empty := turn.Add(time.Duration(b.Burst) * b.Interval); b.full.After(empty) {
			b.full = empty
		}
	}
}

func (s *shared) bookCareful(want Booking) Booked {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	turn := now
	for i := range s.careful {
		turn = later(turn, s.careful[i].turn(now, want.Background, 0))
	}
	got := Booked{Wait: turn.Sub(now)}
	if got.Taken = got.Wait == 0 || !want.Background && got.Wait < want.Patience; got.Taken {
		s.alone = append(lately(s.alone), turn)
		for i := range s.careful {
			s.careful[i].take(now)
		}
	}
	return got
}

// pause tells the budget of a pause. A budget that is away hears nothing: the others
// will find out by themselves.
func (s *shared) pause(ctx context.Context, d time.Duration) {
	if !s.answers() {
		return
	}
	limited, cancel := context.WithTimeout(context.WithoutCancel(ctx), budgetTimeout)
	defer cancel()
	if s.note(ctx, s.budget.Pause(limited, d)) {
		s.repay(context.WithoutCancel(ctx))
	}
}
