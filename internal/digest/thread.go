package digest

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/missingkbs/missingkbs/internal/view"
)

// Thread is the state of the thread below a delivery's message.
type Thread string

// The states of a thread.
const (
	NoThread      Thread = ""        // there is none
	ThreadOwed    Thread = "owed"    // not complete yet
	ThreadWhole   Thread = "whole"   // completely posted
	ThreadDeleted Thread = "deleted" // its first message was deleted, or it is locked
	ThreadClosed  Thread = "closed"  // its channel no longer accepts messages
	ThreadRefused Thread = "refused" // the chat system did not accept it, however often it was tried
)

// Reply is the content of a digest's thread.
type Reply struct {
	Channel string
	Message string // message ID of the digest
	Key     string // key of the digest
	Details view.Page
	Posted  int  // messages known to be posted
	Look    bool // there may be more: look for them first
}

// threadTime is how long the completion of a thread is retried.
const threadTime = 24 * time.Hour

// complete posts what is still missing in the thread of a recorded digest.
func (t *task) complete(ctx context.Context) error {
	details, posted, found, err := t.Store.Thread(ctx, t.key)
	if err != nil || !found {
		return wrap(err, "read what the thread of digest %s is to hold", t.key)
	}
	return t.thread(ctx, t.delivered, details, posted, true)
}

// thread posts the thread of a digest and records the result. late means that an earlier attempt began it.
func (t *task) thread(ctx context.Context, d Delivery, details view.Page, posted int, late bool) error {
	reply := Reply{Channel: d.Channel, Message: d.Message, Key: d.Key, Details: details, Posted: posted, Look: late}
	err := t.Poster.Reply(ctx, reply, func(messages int) error { return t.Store.SetPosted(ctx, d.Key, messages) })
	end := ThreadWhole
	switch {
	case err == nil:
	case errors.Is(err, ErrThreadGone):
		end = ThreadDeleted
	case isChannelGone(err):
		end = ThreadClosed
	case errors.Is(ctx.Err(), context.Canceled): // interrupted by a shutdown, not failed
		end = ThreadOwed
	case t.job.Last && !isRetryLater(err), t.now().Sub(d.At) > threadTime:
		end = ThreadRefused
	default:
		end = ThreadOwed
	}
	if end == ThreadOwed {
		return fmt.Errorf("complete the thread of digest %s: %w", d.Key, err)
	}
	if err := t.Store.EndThread(ctx, d.Key, end); err != nil {
		return fmt.Errorf("record the thread of digest %s: %w", d.Key, err)
	}
	return t.tellThread(ctx, d, end, late, err)
}

// tellThread reports a thread that was completed late, or cannot be completed.
func (t *task) tellThread(ctx context.Context, d Delivery, end Thread, late bool, cause error) error {
	log := t.log().With("key", d.Key, "channel", d.Channel, "message", d.Message)
	switch {
	case end == ThreadWhole && late:
		t.seen.Outcome, t.seen.AsOf = OutcomeCompleted, time.Time{}
		log.InfoContext(ctx, "completed the thread of a digest late", "after", t.now().Sub(d.At))
		return nil
	case end == ThreadWhole:
		return nil
	}
	if end == ThreadDeleted { // a person deleted it on purpose
		t.seen.Outcome = OutcomeSkipped
		log.InfoContext(ctx, "left the thread of a digest incomplete, since its message was deleted or its thread is locked", "error", cause)
		return nil
	}
	t.seen.Outcome = OutcomeIncomplete
	log.ErrorContext(ctx, "the thread of a digest cannot be completed", "because", string(end), "error", cause)
	if t.subscription.Owner == "" {
		return nil
	}
	if err := t.Poster.Tell(ctx, t.subscription.Owner, incompleteNotice(t.subscription, d, end)); err != nil {
		log.WarnContext(ctx, "the owner of a digest could not be told that its thread is incomplete", "error", err)
	}
	return nil
}
