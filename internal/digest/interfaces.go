package digest

import (
	"context"
	"time"

	"github.com/missingkbs/missingkbs/internal/audit"
	"github.com/missingkbs/missingkbs/internal/patchgap"
	"github.com/missingkbs/missingkbs/internal/view"
)

// Source reads patch gaps.
type Source interface {
	// Snapshot reads the patch gap of what a subscription watches, for the digest of a due time. Software that could
	// not be read is listed in the snapshot. An error means that nothing at all could be read; the snapshot may then
	// still say why. A [RetryLater] means that the reading is incomplete: the next one for the same digest continues
	// it.
	Snapshot(ctx context.Context, s Subscription, due time.Time) (patchgap.Snapshot, error)
	// Confirm reads software again, bypassing all caches. Software that has left the tenant counts as read, without
	// missing updates. It may return a [RetryLater] too.
	Confirm(ctx context.Context, software []string) (patchgap.Snapshot, error)
}

// Queue accepts jobs. Accepting the same job twice has no effect.
type Queue interface {
	Enqueue(ctx context.Context, job Job) error
}

// Poster puts pages into the chat system. Its errors may wrap [ErrChannelGone] or a [RetryLater].
type Poster interface {
	// Enter reserves a channel for the digest with a key, until [Poster.Leave] or for a few seconds, or prolongs the
	// reservation. If another digest has it, Enter returns a [RetryLater] at once.
	Enter(ctx context.Context, channel, key string) error
	// Leave ends the reservation.
	Leave(ctx context.Context, channel, key string)
	// Post posts a digest into a channel, with its key where readers do not see it. It returns the message's ID. A
	// [RetryLater] means that nothing was posted.
	Post(ctx context.Context, channel, key string, digest view.Page) (message string, err error)
	// Reply posts what is still missing in a digest's thread, and calls posted after each message with how many are
	// there. Its errors may also wrap [ErrThreadGone].
	Reply(ctx context.Context, thread Reply, posted func(messages int) error) error
	// Find looks for the message with a key among the channel's messages since a time. If the bot may not read them, it
	// finds nothing.
	Find(ctx context.Context, channel, key string, since time.Time) (message string, found bool, err error)
	// Tell sends a page to one person.
	Tell(ctx context.Context, user string, page view.Page) error
}

// SubscriptionFilter selects subscriptions; an empty field selects all.
type SubscriptionFilter struct {
	Tenant  string
	Channel string
}

// Subscriptions stores subscriptions. Each change is written in one transaction with its audit entry.
type Subscriptions interface {
	Subscription(ctx context.Context, id string) (Subscription, error) // returns ErrNotFound
	Subscriptions(ctx context.Context, filter SubscriptionFilter) ([]Subscription, error)
	AddSubscription(ctx context.Context, s Subscription, who audit.Entry) error // returns ErrExists
	UpdateSubscription(ctx context.Context, s Subscription, who audit.Entry) error
	RemoveSubscription(ctx context.Context, id string, who audit.Entry) error
}

// Timetable is the part of a store that the [Scheduler] needs.
type Timetable interface {
	// Due lists subscriptions whose NextRun has been reached and that are not paused, or whose pause has ended, longest
	// waiting first.
	Due(ctx context.Context, now time.Time, limit int) ([]Subscription, error)
	// Advance moves NextRun if it still equals from.
	Advance(ctx context.Context, id string, from, to time.Time) (moved bool, err error)
	// SetPause pauses a subscription or ends its pause, if its pause and schedule still equal was. It changes nothing
	// else, because a person may have done so in the meantime.
	SetPause(ctx context.Context, was, is Subscription, who audit.Entry) (changed bool, err error)
}

// Records is the part of a store that the [Worker] needs.
type Records interface {
	Subscription(ctx context.Context, id string) (Subscription, error) // returns ErrNotFound
	Delivery(ctx context.Context, key string) (Delivery, bool, error)
	// Deliveries lists deliveries, newest first.
	Deliveries(ctx context.Context, subscription string, limit int) ([]Delivery, error)
	// Baseline returns the snapshot of the last delivery that did not fail, and whether there is one.
	Baseline(ctx context.Context, subscription string) (patchgap.Snapshot, bool, error)
	// Record stores a delivery in one transaction, with the page for its thread if Delivery.Thread is [ThreadOwed]; the
	// snapshot of a failed delivery is ignored. Of the subscription it only stores the outcome (Failures, and Paused
	// with PauseReason if set), because a person may have changed the rest in the meantime. A second record with the
	// same key has no effect.
	Record(ctx context.Context, d Delivery, s patchgap.Snapshot, after Subscription, details view.Page) error
	Threads
	Runs
	// SeenBefore returns when rows were last seen missing, for those seen since a time.
	SeenBefore(ctx context.Context, tenant string, keys []patchgap.Key, since time.Time) (map[patchgap.Key]time.Time, error)
	AddAudit(ctx context.Context, a audit.Entry) error
}

// Threads stores the threads that recorded digests still owe.
type Threads interface {
	// Thread returns what the thread of a delivery has to contain, and how many of its messages are known to be posted;
	// found is false once it has ended.
	Thread(ctx context.Context, key string) (details view.Page, posted int, found bool, err error)
	SetPosted(ctx context.Context, key string, messages int) error
	// EndThread records the result of a thread and deletes its page.
	EndThread(ctx context.Context, key string, end Thread) error
}

// Runs records which digest of each subscription is being made, across all replicas.
type Runs interface {
	// BeginRun records an attempt unless the subscription has a run of another due time. It returns the current run;
	// begun is false if that is another digest's.
	BeginRun(ctx context.Context, attempt Attempt) (run Run, begun bool, err error)
	// TakeRun is BeginRun in place of another digest, if its run still equals was.
	TakeRun(ctx context.Context, was Run, attempt Attempt) (taken bool, err error)
	// SetPosting records that a message is about to be posted, if the attempt still has the run.
	SetPosting(ctx context.Context, attempt Attempt, key string) (kept bool, err error)
	// SetProgress records how much has been read.
	SetProgress(ctx context.Context, attempt Attempt, done, total int) error
	// RestRun ends an attempt, EndRun the whole run.
	RestRun(ctx context.Context, attempt Attempt) error
	EndRun(ctx context.Context, job Job) error
}
