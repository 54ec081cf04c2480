package digest

import (
	"context"
	"time"
)

// Outcome is what became of one attempt at a digest.
type Outcome string

// The outcomes.
const (
	OutcomeSent    Outcome = "sent"    // it stands in its channel
	OutcomeSilent  Outcome = "silent"  // nothing has changed, so nothing was posted
	OutcomeFailed  Outcome = "failed"  // it could not be made or posted, and is tried again
	OutcomeRefused Outcome = "refused" // its channel takes no messages
	OutcomePaused  Outcome = "paused"  // the same, once too often: the program has paused the subscription
	OutcomeWaits   Outcome = "waits"   // another digest is before it; this is not told
	// Of a digest that stands in its channel, whose thread was not complete.
	OutcomeCompleted  Outcome = "completed"  // now it is
	OutcomeIncomplete Outcome = "incomplete" // it cannot be completed
	OutcomeSkipped    Outcome = "skipped"    // it was not wanted any more: delivered, paused, removed, or overtaken by the next
)

// Observation is what became of one attempt at a digest, for metrics and for operators.
type Observation struct {
	Subscription Subscription // as it is now; with nothing but the ID when it could not be read
	Job          Job
	Attempt      int
	Outcome      Outcome
	Kind         Kind // of the digest, once there is one
	Late         bool
	Told         bool          // of a failure: the channel was told of it now
	AsOf         time.Time     // how old what it says is; zero when nothing was read
	Took         time.Duration // on the clock of the machine
	Err          error         // why it failed or was refused; its text is for the log
}

// observe reports an attempt to the Observe callback, if there is one.
func (w *Worker) observe(ctx context.Context, o Observation) {
	if w.Observe != nil {
		w.Observe(context.WithoutCancel(ctx), o)
	}
}

// observed is what became of the attempt, which is over.
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
