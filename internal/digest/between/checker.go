package between

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/missingkbs/missingkbs/internal/digest"
	"github.com/missingkbs/missingkbs/internal/patchgap"
)

// Records is what a [Checker] and a [Teller] need of a store.
type Records interface {
	Subscription(ctx context.Context, id string) (digest.Subscription, error) // or [digest.ErrNotFound]
	Deliveries(ctx context.Context, subscription string, limit int) ([]digest.Delivery, error)
	// Latest returns what the last digest of a subscription saw, and the same with what other digests have read since of the same
	// software; false where there was no digest.
	Latest(ctx context.Context, subscription string) (base, latest patchgap.Snapshot, found bool, err error)
	// ClaimAlert remembers which of the items a subscription had not been told of, or of much fewer devices, and inserts the job
	// that tells those, in one transaction. With told it inserts none: a digest has told them. The first claim of a subscription
	// inserts none either. It returns how many are to be told.
	ClaimAlert(ctx context.Context, a Alert, told bool) (items int, err error)
}

// Check is one look at a subscription. It travels as a job, which is unique.
type Check struct {
	Subscription string
	Because      string // what changed: a digest, or the data of the feeds
	Told         bool   // the subscription's own digest has just told what there is
}

// Checker finds what subscriptions are to be told between digests. It is safe for concurrent use.
type Checker struct {
	Store     Records
	Published func() Published
	Now       func() time.Time // the clock; [time.Now] when nil
	// DigestsTell says that digests tell which updates are exploited. What a digest has posted is not told again then;
	// otherwise it is told at once, in the thread of that digest.
	DigestsTell bool
}

// Check claims what is news for a subscription. Without data of MSRC and CISA there is nothing to compare with, and nothing is
// claimed.
func (c *Checker) Check(ctx context.Context, check Check) error {
	published := c.Published()
	if published == nil || !published.Ready() {
		return nil
	}
	s, err := c.Store.Subscription(ctx, check.Subscription)
	if errors.Is(err, digest.ErrNotFound) || err == nil && s.Alert == digest.NoAlert {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read digest %s: %w", check.Subscription, err)
	}
	base, latest, found, err := c.Store.Latest(ctx, s.ID)
	if err != nil {
		return fmt.Errorf("read what digest %s saw: %w", s.ID, err)
	}
	if !found { // its first digest tells all there is
		return nil
	}
	now := time.Now
	if c.Now != nil {
		now = c.Now
	}
	a := Alert{ID: fmt.Sprintf("%s/%d", s.ID, now().UnixMilli()), Subscription: s.ID, At: now(), Items: News(s, base, latest, published)}
	if a.Thread, err = c.thread(ctx, s); err != nil {
		return err
	}
	if _, err := c.Store.ClaimAlert(ctx, a, check.Told && c.DigestsTell); err != nil {
		return fmt.Errorf("claim what is news for digest %s: %w", s.ID, err)
	}
	return nil
}

// thread is the last message of a subscription in its channel; "" if there is none.
func (c *Checker) thread(ctx context.Context, s digest.Subscription) (string, error) {
	const enough = 20
	sent, err := c.Store.Deliveries(ctx, s.ID, enough)
	if err != nil {
		return "", fmt.Errorf("read the deliveries of digest %s: %w", s.ID, err)
	}
	for _, d := range sent {
		if d.Message != "" && d.Channel == s.Channel && d.Kind != digest.Failed {
			return d.Message, nil
		}
	}
	return "", nil
}
