package digest

import (
	"context"
	"time"
)

// Outcome is the result of one attempt at a digest.
type Outcome string

// The outcomes.
const (
	OutcomeSent    Outcome = "sent"    // posted in its channel
	OutcomeSilent  Outcome = "silent"  // nothing has changed, so nothing was posted
	OutcomeFailed  Outcome = "failed"  // could not be made or posted, and will be retried
	OutcomeRefused Outcome = "refused" // its channel accepts no messages
	OutcomePaused  Outcome = "paused"  // the same once too often: the subscription was paused
	OutcomeWaits   Outcome = "waits"   // another digest comes first; not reported
	// The rest is about a posted digest whose thread was incomplete.
	OutcomeCompleted  Outcome = "completed"  // the thread is complete now
	OutcomeIncomplete Outcome = "incomplete" // the thread cannot be completed
	OutcomeSkipped    Outcome = "skipped"    // no longer wanted: delivered, paused, removed, or overtaken by the next one
)

// Observation describes one attempt at a digest, for metrics and operators.
type Observation struct {
	Subscription Subscription // as it is now; only the ID if it could not be read
	Job          Job
	Attempt      int
	Outcome      Outcome
	Kind         Kind // of the digest; empty before there is one
	Late         bool
	Told         bool          // the channel was told about the failure now
	AsOf         time.Time     // age of its data; zero if nothing was read
	Took         time.Duration // on the clock of the machine
	Err          error         // why it failed or was refused; for the log
}

// observe reports an attempt to the Observe callback, if there is one.
func (w *Worker) observe(ctx context.Context, o Observation) {
	if w.Observe != nil {
		w.Observe(context.WithoutCancel(ctx), o)
	}
}

// observed returns the observation of a finished attempt.
func (t *task) observed(began time.Time, err error) Observation {
	o := t.seen
	o.Job, o.Attempt, o.Err, o.Took = t.job, t.attempt, err, time.Since(began)
	if o.Subscription = t.subscription; o.Subscription.ID == "" {
		o.Subscription.ID = t.job.Subscription
	}
	switch {
	case isChannelGone(err) && t.subscription.Paused:
		o.Outcome = OutcomePaused
	case isChannelGone(err):
		o.Outcome = OutcomeRefused
	case err != nil && o.Outcome != OutcomeWaits && o.Outcome != OutcomeSent:
		o.Outcome = OutcomeFailed
	}
	return o
}
