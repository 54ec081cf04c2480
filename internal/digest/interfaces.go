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
	// Snapshot reads the patch gap of what a subscription watches, for the digest that is due at a time. What could not
	// be read is listed in the snapshot; an error means that nothing at all could be read, and then the snapshot may
	// still list why, for people. A [RetryLater] means that the reading is not whole yet: the next one for the same
	// digest goes on with it.
	Snapshot(ctx context.Context, s Subscription, due time.Time) (patchgap.Snapshot, error)
	// Confirm reads software anew, past every cache. Software that has left the tenant was read and lacks nothing. It
	// may be a [RetryLater] as well.
	Confirm(ctx context.Context, software []string) (patchgap.Snapshot, error)
}

// Queue takes jobs. A job that it has taken before is taken again without effect.
type Queue interface {
	Enqueue(ctx context.Context, job Job) error
}

// Poster puts pages into the chat system. Its errors may wrap [ErrChannelGone] or a [RetryLater].
type Poster interface {
	// Enter takes the turn to post into a channel for the digest with a key, until [Poster.Leave] or for a few seconds, or
	// prolongs it for as long. Where another digest has it, Enter returns a [RetryLater] at once.
	Enter(ctx context.Context, channel, key string) error
	// Leave gives the turn back.
	Leave(ctx context.Context, channel, key string)
	// Post puts a digest into a channel, with its key where readers do not see it. It returns the message's id. A
	// [RetryLater] means that nothing was posted.
	Post(ctx context.Context, channel, key string, digest view.Page) (message string, err error)
	// Reply posts into a digest's thread what it still lacks, and tells posted after each message how many are there. Its
	// errors may also wrap [ErrThreadGone].
	Reply(ctx context.Context, thread Reply, posted func(messages int) error) error
	// Find looks for the message with a key among the channel's messages since a time. Where the channel's messages may
	// not be read it finds nothing.
	Find(ctx context.Context, channel, key string, since time.Time) (message string, found bool, err error)
	// Tell sends a page to one person.
	Tell(ctx context.Context, user string, page view.Page) error
}

// SubscriptionFilter picks subscriptions; an empty field picks all.
type SubscriptionFilter struct {
	Tenant  string
	Channel string
}

// Subscriptions keeps subscriptions. Each change is written together with the audit of who made it.
type Subscriptions interface {
	Subscription(ctx context.Context, id string) (Subscription, error) // or ErrNotFound
	Subscriptions(ctx context.Context, filter SubscriptionFilter) ([]Subscription, error)
	AddSubscription(ctx context.Context, s Subscription, who audit.Entry) error // or ErrExists
	UpdateSubscription(ctx context.Context, s Subscription, who audit.Entry) error
	RemoveSubscription(ctx context.Context, id string, who audit.Entry) error
}

// Timetable is what the [Scheduler] needs of a store.
type Timetable interface {
	// Due lists subscriptions whose NextRun has come and that are not paused, or whose pause has ended, the longest
	// waiting first.
	Due(ctx context.Context, now time.Time, limit int) ([]Subscription, error)
	// Advance moves NextRun if it still is from.
	Advance(ctx context.Context, id string, from, to time.Time) (moved bool, err error)
	// SetPause pauses a subscription, or ends its pause, as long as it is paused, due and scheduled as was says, and
	// changes nothing else of it: a person may have done so meanwhile.
	SetPause(ctx context.Context, was, is Subscription, who audit.Entry) (changed bool, err error)
}

// Records is what the [Worker] needs of a store.
type Records interface {
	Subscription(ctx context.Context, id string) (Subscription, error) // or ErrNotFound
	Delivery(ctx context.Context, key string) (Delivery, bool, error)
	// Deliveries lists what was delivered, the newest first.
	Deliveries(ctx context.Context, subscription string, limit int) ([]Delivery, error)
	// Baseline is the snapshot that was recorded last, by a delivery that did not fail.
	Baseline(ctx context.Context, subscription string) (patchgap.Snapshot, bool, error)
	// Record writes what a digest did in one transaction, and the page that its thread is to hold where Delivery.Thread is
	// [ThreadOwed]; the snapshot of a failed one means nothing. Of the subscription it takes the outcome of the delivery
	// alone (Failures, and Paused with PauseReason where it is set), because a person may have changed the rest
	// meanwhile. A second record with the same key has no effect.
	Record(ctx context.Context, d Delivery, s patchgap.Snapshot, after Subscription, details view.Page) error
	Threads
	Runs
	// SeenBefore tells when rows were seen missing last, for those that were seen since a time.
	SeenBefore(ctx context.Context, tenant string, keys []patchgap.Key, since time.Time) (map[patchgap.Key]time.Time, error)
	AddAudit(ctx context.Context, a audit.Entry) error
}

// Threads keeps the threads that recorded digests still owe.
type Threads interface {
	// Thread is what the thread of a delivery is to hold, and how many of its messages are known to be posted; found is
	// false once it has ended.
	Thread(ctx context.Context, key string) (details view.Page, posted int, found bool, err error)
	SetPosted(ctx context.Context, key string, messages int) error
	// EndThread records what became of a thread and forgets its page.
	EndThread(ctx context.Context, key string, end Thread) error
}

// Runs keeps which digest of each subscription is being made, in all processes.
type Runs interface {
	// BeginRun notes an attempt, if the subscription has no run of another due time. It returns the run that there is
	// now; begun is false where that is another digest's.
	BeginRun(ctx context.Context, attempt Attempt) (run Run, begun bool, err error)
	// TakeRun is BeginRun in place of another digest, if its run still is as was says.
	TakeRun(ctx context.Context, was Run, attempt Attempt) (taken bool, err error)
	// SetPosting notes that a message is about to be posted, if the attempt still has the run.
	SetPosting(ctx context.Context, attempt Attempt, key string) (kept bool, err error)
	// SetProgress notes how much was read.
	SetProgress(ctx context.Context, attempt Attempt, done, total int) error
	// RestRun ends an attempt, EndRun the whole run.
	RestRun(ctx context.Context, attempt Attempt) error
	EndRun(ctx context.Context, job Job) error
}
