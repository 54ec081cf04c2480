// Package quota keeps calls under a limit per minute and one per hour. It has the algorithm and its types: rates,
// buckets, bookings, and the limiter that combines two buckets with a pause. Package api counts its own calls with it,
// and package store keeps the same buckets in a database for several replicas. It knows neither the called service, nor
// where a shared quota is kept, nor how callers wait; it reads no clock and takes no lock.
package quota

import (
	"context"
	"time"
)

// Budget is a quota shared by several replicas, kept where all can reach it, such as in a database. It promises for all
// of them what a [Limiter] promises for one: the buckets are the same. All times are durations, so the replicas' clocks
// need not agree.
type Budget interface {
	// Book takes the next turn, or returns when there is one.
	Book(ctx context.Context, b Booking) (Booked, error)
	// Pause stops all bookings for d, because the called service asked for it.
	Pause(ctx context.Context, d time.Duration) error
}

// Limits of what a [Budget] accepts.
const (
	MaxPatience = time.Minute // longer patience is cut to this
	MaxPause    = time.Hour   // longer pauses are cut to this; then one call finds out whether the pause still holds
)

// Rate is how fast an empty bucket fills, and how much it holds. The zero value is no limit.
type Rate struct {
	Interval time.Duration // from one call to the next
	Burst    int           // calls at once when the bucket is full
	Reserve  int           // of these, calls that background bookings leave to others
}

// Booking is a request for a turn.
type Booking struct {
	Minute, Hour Rate          // the buckets; the zero value is no limit
	Calls        int           // 1 to book a turn, 0 to read the state only
	Background   bool          // book only a turn that is due now, and leave the reserves of the rates
	Patience     time.Duration // book no turn that is further away; at most [MaxPatience]
}

// accepts reports whether to book a turn that is wait away.
func (b Booking) accepts(wait time.Duration) bool {
	if b.Background {
		return wait <= 0
	}
	return wait <= min(b.Patience, MaxPatience)
}

// Booked is the result of a [Booking].
type Booked struct {
	Taken        bool          // the turn is booked
	Wait         time.Duration // until the turn, booked or not
	Paused       time.Duration // how much longer the pause lasts
	Minute, Hour Fill          // the buckets after the booking
}

// Fill is how full a bucket is.
type Fill struct {
	Full time.Duration // until it is full again; 0 when it is
	Used int           // calls in the window that ends now, approximately
}
