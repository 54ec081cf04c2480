package between

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/missingkbs/missingkbs/internal/digest"
)

// Teller posts alerts. It is safe for concurrent use.
type Teller struct {
	Store  Records
	Poster digest.Poster
	Now    func() time.Time // the clock; [time.Now] when nil
	Log    *slog.Logger
}

// tellFor is how long posting an alert is retried. After that the next digest has reported it.
const tellFor = 24 * time.Hour

// Tell posts an alert into the thread of the last digest, or into the channel if that thread is gone. attempt counts
// from 1: a later one looks first for what an earlier one may have posted. Its errors are those of a [digest.Poster].
func (t *Teller) Tell(ctx context.Context, a Alert, attempt int) error {
	s, err := t.Store.Subscription(ctx, a.Subscription)
	switch {
	case errors.Is(err, digest.ErrNotFound):
		return nil
	case err != nil:
		return fmt.Errorf("read digest %s: %w", a.Subscription, err)
	case s.Paused || s.Alert == digest.NoAlert:
		return nil
	case t.now().Sub(a.At) > tellFor:
		t.Log.WarnContext(ctx, "could not post an alert between digests in time; the next digest reports it", "subscription", s.ID, "alert", a.ID)
		return nil
	}
	if err := t.Poster.Enter(ctx, s.Channel, a.key()); err != nil {
		return fmt.Errorf("wait for the channel of digest %s: %w", s.ID, err)
	}
	defer t.Poster.Leave(context.WithoutCancel(ctx), s.Channel, a.key())
	if a.Thread != "" {
		err := t.Poster.Reply(ctx, digest.Reply{Channel: s.Channel, Message: a.Thread, Key: a.key(), Details: a.Page(s), Look: attempt > 1}, func(int) error { return nil })
		if !errors.Is(err, digest.ErrThreadGone) {
			return err //nolint:wrapcheck // the poster says where
		}
	}
	if attempt > 1 {
		_, found, err := t.Poster.Find(ctx, s.Channel, a.key(), a.At)
		if err != nil || found {
			return err //nolint:wrapcheck // the poster says where
		}
	}
	_, err = t.Poster.Post(ctx, s.Channel, a.key(), a.Page(s))
	return err //nolint:wrapcheck // the poster says where
}

func (t *Teller) now() time.Time {
	if t.Now == nil {
		return time.Now()
	}
	return t.Now()
}
