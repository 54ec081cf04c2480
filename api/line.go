package api

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/missingkbs/missingkbs/internal/wait"
)

// line is where background calls stand, in the order in which they came. Only the
// first of them looks whether it may go.
type line struct {
	mu    sync.Mutex
	spots []*spot
	next  time.Time // when the first of them goes, as far as it knows
}

// spot is a place in the line.
type spot struct{ first chan struct{} }

// join takes the last place and returns how many stand before it.
func (q *line) join() (s *spot, ahead int, next time.Time) {
	q.mu.Lock()
	defer q.mu.Unlock()
	s = &spot{make(chan struct{})}
	q.spots = append(q.spots, s)
	if len(q.spots) == 1 {
		close(s.first)
		q.next = time.Time{}
	}
	return s, len(q.spots) - 1, q.next
}

// leave gives a place up, wherever in the line it is.
func (q *line) leave(s *spot) {
	q.mu.Lock()
	defer q.mu.Unlock()
	i := slices.Index(q.spots, s)
	q.spots = slices.Delete(q.spots, i, i+1)
	if i == 0 && len(q.spots) > 0 {
		close(q.spots[0].first)
	}
}

// goesAt notes when the first one goes.
func (q *line) goesAt(next time.Time) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.next = next
}

// stand waits in the line until a background call may go. It is told at once when
// that would be too late, as far as can be known: questions that come meanwhile go
// first.
func (l *limiter) stand(ctx context.Context, p *place, promoted <-chan struct{}) error {
	s, ahead, next := l.line.join()
	defer l.line.leave(s)
	at := l.expect(ahead, next)
	if at.After(time.Now()) {
		if tooSlow(ctx, at) {
			return l.refuse(&tooLate{wait: time.Until(at)})
		}
		l.counts.waits.Add(1)
		p.stand(at, l.why())
	}
	select {
	case <-s.first:
	case <-promoted:
		return wait.ErrWoken // a question has joined
	case <-ctx.Done():
		return l.refuse(expired(ctx.Err(), at))
	}
	for {
		at, ok, err := l.bookBehind(ctx)
		if err != nil || ok && !at.After(time.Now()) {
			return err
		}
		if tooSlow(ctx, at) {
			return l.refuse(&tooLate{wait: time.Until(at)})
		}
		l.line.goesAt(at)
		p.stand(at, l.why())
		if ok {
			promoted = nil // it has its turn
		}
		if err := wait.Unless(ctx, time.Until(at), promoted); err != nil {
			return l.refuse(expired(err, at))
		}
		if ok {
			return nil
		}
	}
}

// expect is when a background call goes that has so many before it, if no question
// comes meanwhile.
func (l *limiter) expect(ahead int, next time.Time) time.Time {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.own.Expect(time.Now(), next, ahead)
}

// bookBehind books a turn if that leaves to questions what is theirs; otherwise at
// is when to ask again.
func (l *limiter) bookBehind(ctx context.Context) (at time.Time, ok bool, err error) {
	if at, ok = l.bookOwnBehind(); !ok || l.shared == nil {
		return at, ok, nil
	}
	got, err := l.shared.book(ctx, true)
	l.pause(got.Paused)
	if err != nil || !got.Taken {
		return time.Now().Add(max(got.Wait, minLook)), false, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.own.Take(time.Now()).Turn, true, nil
}

// minLook is the shortest pause between two looks at the shared budget.
const minLook = 10 * time.Millisecond

// bookOwnBehind is bookBehind for the buckets of this process. With a shared budget
// it only looks: what that refuses is not to be taken here.
func (l *limiter) bookOwnBehind() (at time.Time, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	at = l.own.Turn(now, true, 0)
	if at.After(now) {
		return at, false
	}
	if l.shared == nil {
		l.own.Take(now)
	}
	return now, true
}
