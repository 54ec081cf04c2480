package api

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/missingkbs/missingkbs/internal/wait"
)

// backgroundQueue holds the background calls that wait, in order of arrival. Only the first of them asks for a turn.
type backgroundQueue struct {
	mu    sync.Mutex
	slots []*slot
	next  time.Time // when the first of them is expected to go
}

// slot is one call in the queue.
type slot struct{ first chan struct{} }

// join appends a call and returns how many are ahead of it.
func (q *backgroundQueue) join() (s *slot, ahead int, next time.Time) {
	q.mu.Lock()
	defer q.mu.Unlock()
	s = &slot{make(chan struct{})}
	q.slots = append(q.slots, s)
	if len(q.slots) == 1 {
		close(s.first)
		q.next = time.Time{}
	}
	return s, len(q.slots) - 1, q.next
}

// leave removes a slot, wherever it is in the queue.
func (q *backgroundQueue) leave(s *slot) {
	q.mu.Lock()
	defer q.mu.Unlock()
	i := slices.Index(q.slots, s)
	q.slots = slices.Delete(q.slots, i, i+1)
	if i == 0 && len(q.slots) > 0 {
		close(q.slots[0].first)
	}
}

// setNext records when the first call is expected to go.
func (q *backgroundQueue) setNext(next time.Time) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.next = next
}

// waitInBackground waits in the queue until a background call may go. It fails at once if that is already known to be too
// late. Questions that arrive meanwhile go first.
func (l *limiter) waitInBackground(ctx context.Context, p *queuePosition, promoted <-chan struct{}) error {
	s, ahead, next := l.queue.join()
	defer l.queue.leave(s)
	at := l.expect(ahead, next)
	if at.After(time.Now()) {
		if afterDeadline(ctx, at) {
			return l.refuse(&tooLate{wait: time.Until(at)})
		}
		l.counts.waits.Add(1)
		p.waitInQueue(at, l.throttleError())
	}
	select {
	case <-s.first:
	case <-promoted:
		return wait.ErrWoken // a question has joined
	case <-ctx.Done():
		return l.refuse(expired(ctx.Err(), at))
	}
	for {
		at, ok, err := l.bookBackground(ctx)
		if err != nil || ok && !at.After(time.Now()) {
			return err
		}
		if afterDeadline(ctx, at) {
			return l.refuse(&tooLate{wait: time.Until(at)})
		}
		l.queue.setNext(at)
		p.waitInQueue(at, l.throttleError())
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

// expect returns when a background call goes that has ahead others before it, if no question arrives meanwhile.
func (l *limiter) expect(ahead int, next time.Time) time.Time {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.own.Expect(time.Now(), next, ahead)
}

// bookBackground books a turn if that leaves the reserve for questions. Otherwise at is when to ask again.
func (l *limiter) bookBackground(ctx context.Context) (at time.Time, ok bool, err error) {
	if at, ok = l.bookOwnBackground(); !ok || l.shared == nil {
		return at, ok, nil
	}
	got, err := l.shared.book(ctx, true)
	l.pause(got.Paused)
	if err != nil || !got.Taken {
		return time.Now().Add(max(got.Wait, minPollInterval)), false, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.own.Take(time.Now()).Turn, true, nil
}

// minPollInterval is the shortest pause between two requests to the shared budget.
const minPollInterval = 10 * time.Millisecond

// bookOwnBackground is bookBackground for the buckets of this process. With a shared budget it takes nothing: the budget may
// still refuse.
func (l *limiter) bookOwnBackground() (at time.Time, ok bool) {
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
