package main

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/missingkbs/missingkbs/api"
	"github.com/missingkbs/missingkbs/bot"
	"github.com/missingkbs/missingkbs/bot/access"
	"github.com/missingkbs/missingkbs/bot/blocks"
	"github.com/missingkbs/missingkbs/commands"
	"github.com/missingkbs/missingkbs/internal/alert"
	"github.com/missingkbs/missingkbs/internal/digest"
	"github.com/missingkbs/missingkbs/internal/failure"
	"github.com/missingkbs/missingkbs/internal/view"
)

// operators turns what happens in a house into what the desk for operators hears. Without a channel its desk is nil, which
// hears nothing.
type operators struct {
	desk     *alert.Notifier
	database *alert.Notifier // for trouble with the database, in which the other keeps its states
	process  string
	lost     atomic.Int64 // audits since the last look

	malformed atomic.Int64 // messages that Slack refused as such, since the last look

	expiry func() (time.Time, error) // of the certificate; nil for none
	looked time.Time                 // when it was looked at
}

// operators makes those of a house.
func (h house) operators() *operators {
	host, err := os.Hostname()
	if err != nil {
		host = "one process"
	}
	return &operators{process: host, expiry: h.expiry}
}

// open opens the desk, where there is a channel.
func (o *operators) open(h house, poster messageFinder) {
	if h.opsChannel == "" {
		return
	}
	o.desk = alert.New(alert.Options{
		Channel: h.opsChannel, Conditions: alert.Conditions(), Store: h.store, Poster: poster, Process: o.process,
		Interval: h.opsTick, Now: h.now, Log: h.log, Poll: func(*alert.Notifier) { o.ask(h) },
	})
	o.openForDatabase(h, sharedPoster{messageFinder: poster})
}

// run is the work of the desks.
func (o *operators) run(ctx context.Context) {
	var both sync.WaitGroup
	both.Go(func() { o.desk.Run(ctx) })
	both.Go(func() { o.database.Run(ctx) })
	both.Wait()
}

// The sources that are no commands.
const (
	sourceDigests = "digests"
	sourceQuota   = "quota"
	// sourceCertificate is that of all processes: the one that told of it may be gone when there is a new one.
	sourceCertificate = "its expiry date"
)

// ask looks at what tells nothing by itself: how much of the quota is left, how many audits were lost, how many
// messages were malformed, and when the certificate ends.
func (o *operators) ask(h house) {
	if n := int(o.lost.Swap(0)); n > 0 {
		o.desk.Happened(alert.AuditLost, fmt.Sprintf("%s: %s", o.process, view.Count(n, "audit")))
	}
	if n := int(o.malformed.Swap(0)); n > 0 {
		o.desk.Happened(alert.Malformed, fmt.Sprintf("%s: %s", o.process, view.Count(n, "message")))
	}
	o.certificate(h)
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	q, now := h.defender.Quota(ctx), time.Now()
	if q.Paused.After(now) || spent(q.Minute) || spent(q.Hour) {
		o.desk.Failing(alert.Throttled, sourceQuota)
	} else {
		o.desk.Working(sourceQuota, alert.Throttled)
	}
}

// certificate looks once an hour. Of a client secret nobody but Entra knows when it ends.
func (o *operators) certificate(h house) {
	const soon = 14 * 24 * time.Hour
	if o.expiry == nil || h.now().Sub(o.looked) < time.Hour {
		return
	}
	o.looked = h.now()
	end, err := o.expiry()
	switch {
	case err != nil:
		h.log.Warn("the certificate for Defender could not be looked at", "error", err)
	case end.Sub(h.now()) < soon:
		o.desk.Failing(alert.Expiring, sourceCertificate)
	default:
		o.desk.Working(sourceCertificate, alert.Expiring)
	}
}

func spent(w api.Window) bool { return w.Limit > 0 && w.Left <= 0 }

// auditsLost hears of audits that could not be kept.
func (o *operators) auditsLost(n int) { o.lost.Add(int64(n)) }

// tablesRefused and tablesTaken learn whether the workspace takes tables and charts.
func (o *operators) tablesRefused() { o.desk.Failing(alert.Tables, o.process) }
func (o *operators) tablesTaken()   { o.desk.Working(o.process, alert.Tables) }

// blocksRefused learns of each message that Slack refused.
func (o *operators) blocksRefused(r blocks.Refusal) {
	if r.Cause == blocks.OurFault {
		o.malformed.Add(1)
	}
}

// question is a [bot.Observer].
func (o *operators) question(_ context.Context, q bot.Observation) {
	switch q.Outcome {
	case bot.Refused:
		if slices.Contains(access.IdentityUnavailable(), q.Reason) {
			o.desk.Failing(alert.IdentityUnavailable, q.Reason)
		}
	case bot.Answered:
		o.desk.Working(q.Command, alert.Failures()...)
		for _, reason := range access.IdentityUnavailable() {
			o.desk.Working(reason, alert.IdentityUnavailable)
		}
	case bot.Failed, bot.Lost:
		o.failed(q.Reason, q.Command)
	}
}

// digest hears what became of an attempt at a digest.
func (o *operators) digest(_ context.Context, d digest.Observation) {
	switch d.Outcome {
	case digest.OutcomeSent, digest.OutcomeSilent:
		o.desk.Working(sourceDigests, alert.Failures()...)
	case digest.OutcomePaused:
		o.desk.Happened(alert.DigestsPaused, fmt.Sprintf("%s in %s", d.Subscription.ID, d.Subscription.Channel))
	case digest.OutcomeIncomplete:
		o.desk.Happened(alert.ThreadsLost, fmt.Sprintf("%s in %s", d.Subscription.ID, d.Subscription.Channel))
	case digest.OutcomeFailed:
		o.failed(commands.Reason(d.Err), sourceDigests)
	}
}

// failed hears why something failed. Most reasons are no matter for operators.
func (o *operators) failed(reason, source string) {
	if k := failure.Kind(reason); k == failure.Timeout || k == failure.NotDefender {
		reason = alert.Unavailable
	}
	if slices.Contains(alert.Failures(), reason) {
		o.desk.Failing(reason, cmp.Or(source, "questions"))
	}
}

// undue hears of a subscription that was paused because its schedule names no time.
func (o *operators) undue(_ context.Context, s digest.Subscription) {
	o.desk.Happened(alert.DigestsUndue, fmt.Sprintf("%s in %s", s.ID, s.Channel))
}

// givenUp hears of a digest that is not tried any more.
func (o *operators) givenUp(job digest.Job) {
	o.desk.Happened(alert.DigestsFailed, fmt.Sprintf("%s, due %s", job.Subscription, job.Due.UTC().Format("2006-01-02 15:04 UTC")))
}

// stopped hears that the process ends because it cannot go on.
func (o *operators) stopped() { o.desk.Happened(alert.Stopped, o.process) }

// digestObservers joins several into one.
func digestObservers(list ...func(context.Context, digest.Observation)) func(context.Context, digest.Observation) {
	return func(ctx context.Context, o digest.Observation) {
		for _, tell := range list {
			tell(ctx, o)
		}
	}
}
