package api

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/missingkbs/missingkbs/internal/quota"
)

// Budget is a quota that several processes share, kept where all of them can reach it, such as in a database. It
// promises for all of them what the limiter of a [Client] promises for one.
//
// A client books before each HTTP call. When the budget fails or takes longer than half a second, the client goes on
// without it for a while and keeps to a quarter of its own limits; no caller waits for the budget. The calls of the last
// minute without the budget are booked when it is back. Of the hour, the calls before that minute are not.
//
// A turn cannot be given back, because others may have booked the ones behind it. A turn that is not used is lost:
// Defender is called less than allowed, never more. That is rare, because a question looks into the cache first and joins
// a call that is under way, and a call that has booked is made even when no caller waits for it any longer. Turns are lost
// when the client is closed or the process dies while a call waits, when a pause begins before the turn, and every few
// seconds while the budget answers too late.
type Budget = quota.Budget

// The types of a [Budget]'s methods, under names that callers outside this module can use.
type (
	// Booking is a request for a turn.
	Booking = quota.Booking
	// Booked is the result of a [Booking].
	Booked = quota.Booked
	// Fill is how full a bucket is.
	Fill = quota.Fill
	// Rate is how fast an empty bucket fills, and how much it holds.
	Rate = quota.Rate
)

const (
	budgetTimeout = 500 * time.Millisecond
	budgetAway    = 5 * time.Second // between two tries while the budget does not answer
	// budgetSlack is how much later than its turn a call may come to be made, because
	// the answer of the budget took its time. The shared buckets allow for it.
	budgetSlack  = time.Second
	carefulShare = 4 // of the limits are kept while the budget is away
)

// shared keeps to a budget, and to a part of our own limits while it is away.
type shared struct {
	budget             Budget
	perMinute, perHour int // the limits of the budget
	log                *slog.Logger
	counts             *counts

	mu      sync.Mutex
	careful quota.Limiter // for the calls of this process while the budget is away
	alone   []time.Time   // the turns that were taken without the budget, in the last minute and to come
	retry   time.Time     // when to ask again; zero while the budget answers
}

func newShared(o Options, counts *counts) *shared {
	if o.Budget == nil {
		return nil
	}
	return &shared{
		budget: o.Budget, perMinute: o.PerMinute, perHour: o.PerHour, log: o.Logger, counts: counts,
		careful: quota.NewLimiter(carefulLimit(o.PerMinute), carefulLimit(o.PerHour), 0),
	}
}

// carefulLimit returns what one process may use of a limit while the budget is away. No limit stays no limit.
func carefulLimit(limit int) int {
	if limit <= 0 {
		return limit
	}
	return max(limit/carefulShare, 1)
}

// book takes a turn of the budget, or of the careful part of it. It fails only with
// ctx.
func (s *shared) book(ctx context.Context, background bool) (Booked, error) {
	b := s.booking()
	b.Calls, b.Background, b.Patience = 1, background, quota.MaxPatience
	if deadline, ok := ctx.Deadline(); ok {
		b.Patience = min(time.Until(deadline), quota.MaxPatience)
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

// booking returns a booking of no calls, with the rates of the budget.
func (s *shared) booking() Booking {
	l := quota.NewLimiter(s.perMinute, s.perHour, budgetSlack)
	var b Booking
	b.Minute, b.Hour = l.Rates()
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

// repay books what was called without the budget, so that other processes allow for it. It stops at the first error.
func (s *shared) repay(ctx context.Context) {
	s.mu.Lock()
	n := len(lately(s.alone))
	s.alone = nil
	s.mu.Unlock()
	b := s.booking()
	b.Calls, b.Patience = 1, quota.MaxPatience
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
	s.careful.Charge(time.Now().Add(got.Wait))
}

func (s *shared) bookCareful(want Booking) Booked {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	got := s.careful.Book(now, want)
	if got.Taken {
		s.alone = append(lately(s.alone), now.Add(got.Wait))
	}
	return got
}

// pause tells the budget of a pause. A budget that is away is not told: the
// others find out from Defender.
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
