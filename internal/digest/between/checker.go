package between

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/missingkbs/missingkbs/internal/digest"
	"github.com/missingkbs/missingkbs/internal/patchgap"
)

// Records is the part of a store that a [Checker] and a [Teller] need.
type Records interface {
	Subscription(ctx context.Context, id string) (digest.Subscription, error) // returns [digest.ErrNotFound]
	Deliveries(ctx context.Context, subscription string, limit int) ([]digest.Delivery, error)
	// Latest returns what the last digest of a subscription saw, and the same updated by what other digests have read
	// since of the same software; found is false without a digest.
	Latest(ctx context.Context, subscription string) (base, latest patchgap.Snapshot, found bool, err error)
	// ClaimAlert records, in one transaction, which items are news for a subscription, or affect far more devices than
	// before, and inserts the job that reports them. If told is set, it inserts none, because a digest has reported
	// them; neither does the first claim of a subscription. It returns how many items will be reported.
	ClaimAlert(ctx context.Context, a Alert, told bool) (items int, err error)
}

// Check asks to check one subscription. It travels as a job, which is unique.
type Check struct {
	Subscription string
	Because      string // what changed: a digest, or the feeds
	Told         bool   // the subscription's own digest has just reported everything
}

// Checker finds what to report to subscriptions between digests. It is safe for concurrent use.
type Checker struct {
	Store     Records
	Published func() Published
	Now       func() time.Time // the clock; [time.Now] when nil
	// DigestsTell means that digests report which updates are exploited. Then what a digest has posted is not reported
	// again; otherwise it is reported at once, in the thread of that digest.
	DigestsTell bool
}

// Check claims the news of a subscription. Without feeds there is nothing to compare with, and nothing is claimed.
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
	if !found { // its first digest reports everything
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

// thread returns the last message of a subscription in its channel; "" if there is none.
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
