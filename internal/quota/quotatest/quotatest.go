// Package quotatest has what tests of quotas share: a shared quota in memory, which is the model that the one in a
// database is compared with, and a count of the busiest window. It does not know any database or client.
package quotatest

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/missingkbs/missingkbs/internal/quota"
)

// Memory is a [quota.Budget] in memory: a [quota.Limiter] with a lock. It is safe for concurrent use.
type Memory struct {
	Now func() time.Time // the clock; nil for [time.Now]

	mu       sync.Mutex
	limiter  quota.Limiter
	bookings int
	fault    func(context.Context) error
}

// Fail makes all bookings fail with what fault returns; nil ends that. Pauses still work.
func (m *Memory) Fail(fault func(context.Context) error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.fault = fault
}

// Bookings returns how often [Memory.Book] was called.
func (m *Memory) Bookings() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.bookings
}

// Book implements [quota.Budget].
func (m *Memory) Book(ctx context.Context, b quota.Booking) (quota.Booked, error) {
	m.mu.Lock()
	m.bookings++
	fault := m.fault
	m.mu.Unlock()
	if fault != nil { // without the lock: it may wait
		if err := fault(ctx); err != nil {
			return quota.Booked{}, err
		}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.limiter.SetRates(b.Minute, b.Hour)
	return m.limiter.Book(m.now(), b), nil
}

// Pause implements [quota.Budget].
func (m *Memory) Pause(_ context.Context, d time.Duration) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.limiter.Pause(m.now(), d)
	return nil
}

func (m *Memory) now() time.Time {
	if m.Now == nil {
		return time.Now()
	}
	return m.Now()
}

// Busiest returns the largest number of calls in any window, both ends included.
func Busiest(at []time.Time, window time.Duration) int {
	at = slices.Clone(at)
	slices.SortFunc(at, time.Time.Compare)
	n, first := 0, 0
	for last := range at {
		for at[last].Sub(at[first]) > window {
			first++
		}
		n = max(n, last-first+1)
	}
	return n
}
