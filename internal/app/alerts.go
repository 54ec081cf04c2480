package app

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/missingkbs/missingkbs/api"
	"github.com/missingkbs/missingkbs/bot"
	"github.com/missingkbs/missingkbs/bot/access"
	"github.com/missingkbs/missingkbs/commands"
	"github.com/missingkbs/missingkbs/internal/alert"
	"github.com/missingkbs/missingkbs/internal/digest"
	"github.com/missingkbs/missingkbs/internal/failure"
	"github.com/missingkbs/missingkbs/internal/store"
	"github.com/missingkbs/missingkbs/internal/view"
)

// alertOptions are what [alerts] need.
type alertOptions struct {
	channel    string // empty for no alerts
	process    string // names this process; default: the host name
	interval   time.Duration
	store      *store.Store
	client     *api.Client
	poster     messageFinder
	rejections *blockRejections
	certExpiry func() (time.Time, error) // nil without a certificate
	now        func() time.Time
	log        *slog.Logger
}

// alerts turns what happens in this process into observations of the conditions that operators are told about. Without a
// channel its notifiers are nil and ignore everything.
type alerts struct {
	alertOptions
	notifier *alert.Notifier
	database *alert.Notifier // for trouble with the database, where the other one keeps its states

	lostAudits    atomic.Int64 // since the last check
	tablesRefused bool         // what was last reported; used by the notifier's goroutine only
	certChecked   time.Time    // used by the notifier's goroutine only
}

// newAlerts returns alerts for a channel. Nothing is posted before run.
func newAlerts(o alertOptions) *alerts {
	if o.process == "" {
		o.process = hostName()
	}
	a := &alerts{alertOptions: o}
	if o.channel == "" {
		return a
	}
	a.notifier = alert.New(alert.Options{
		Channel: o.channel, Conditions: alert.Conditions(), Store: o.store, Poster: o.poster, Process: o.process,
		Interval: o.interval, Now: o.now, Log: o.log, Poll: a.check,
	})
	a.database = alert.New(alert.Options{
		Channel: o.channel, Conditions: alert.DatabaseConditions(), Store: &alert.Memory{}, Poster: sharedPoster{o.poster, o.now}, Process: o.process,
		Interval: o.interval, Now: o.now, Log: o.log, Poll: a.checkDatabase,
	})
	return a
}

func hostName() string {
	host, err := os.Hostname()
	if err != nil {
		return "one process"
	}
	return host
}

// run posts alerts until ctx ends.
func (a *alerts) run(ctx context.Context) {
	var both sync.WaitGroup
	both.Go(func() { a.notifier.Run(ctx) })
	both.Go(func() { a.database.Run(ctx) })
	both.Wait()
}

// The sources that are not commands.
const (
	sourceDigests = "digests"
	sourceQuota   = "quota"
	// sourceCertificate is the same for all processes: the one that sent the alert may be gone when there is a new certificate.
	sourceCertificate = "its expiry date"
)

// check observes what nothing reports by itself: the quota, lost audits, what Slack rejected, and the certificate.
func (a *alerts) check(notifier *alert.Notifier) {
	if n := int(a.lostAudits.Swap(0)); n > 0 {
		notifier.Happened(alert.AuditLost, fmt.Sprintf("%s: %s", a.process, view.Count(n, "audit")))
	}
	if n := int(a.rejections.malformed.Swap(0)); n > 0 {
		notifier.Happened(alert.Malformed, fmt.Sprintf("%s: %s", a.process, view.Count(n, "message")))
	}
	a.checkTables(notifier)
	a.checkFeeds(notifier)
	a.checkCertificate(notifier)
	a.checkQuota(notifier)
}

func (a *alerts) checkTables(notifier *alert.Notifier) {
	refused := a.rejections.tables.Load()
	switch {
	case refused && !a.tablesRefused:
		notifier.Failing(alert.Tables, a.process)
	case !refused && a.tablesRefused:
		notifier.Working(a.process, alert.Tables)
	}
	a.tablesRefused = refused
}

func (a *alerts) checkQuota(notifier *alert.Notifier) {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	q, now := a.client.Quota(ctx), time.Now()
	if q.Paused.After(now) || spent(q.Minute) || spent(q.Hour) {
		notifier.Failing(alert.Throttled, sourceQuota)
	} else {
		notifier.Working(sourceQuota, alert.Throttled)
	}
}

func spent(w api.Window) bool { return w.Limit > 0 && w.Left <= 0 }

// checkCertificate checks once an hour. Only Entra knows when a client secret ends, so secrets are not checked.
func (a *alerts) checkCertificate(notifier *alert.Notifier) {
	const soon = 14 * 24 * time.Hour
	if a.certExpiry == nil || a.now().Sub(a.certChecked) < time.Hour {
		return
	}
	a.certChecked = a.now()
	end, err := a.certExpiry()
	switch {
	case err != nil:
		a.log.Warn("could not read the certificate for Defender", "error", err)
	case end.Sub(a.now()) < soon:
		notifier.Failing(alert.Expiring, sourceCertificate)
	default:
		notifier.Working(sourceCertificate, alert.Expiring)
	}
}

// checkDatabase observes which trouble the database has, and that it has none of the others.
func (a *alerts) checkDatabase(notifier *alert.Notifier) {
	a.observeTrouble(notifier, a.store.Health().Trouble)
}

func (a *alerts) observeTrouble(notifier *alert.Notifier, now digest.Trouble) {
	for _, trouble := range digest.Troubles() {
		if trouble == now {
			notifier.Failing(alert.DatabasePrefix+string(trouble), a.process)
		} else {
			notifier.Working(a.process, alert.DatabasePrefix+string(trouble))
		}
	}
}

// auditsLost observes audits that could not be written.
func (a *alerts) auditsLost(n int) { a.lostAudits.Add(int64(n)) }

// question is a [bot.Observer].
func (a *alerts) question(_ context.Context, q bot.Observation) {
	switch q.Outcome {
	case bot.Refused:
		if slices.Contains(access.IdentityUnavailable(), q.Reason) {
			a.notifier.Failing(alert.IdentityUnavailable, q.Reason)
		}
	case bot.Answered:
		a.notifier.Working(q.Command, alert.Failures()...)
		for _, reason := range access.IdentityUnavailable() {
			a.notifier.Working(reason, alert.IdentityUnavailable)
		}
	case bot.Failed, bot.Lost:
		a.failed(q.Reason, q.Command)
	}
}

// digest observes an attempt at a digest.
func (a *alerts) digest(_ context.Context, d digest.Observation) {
	switch d.Outcome {
	case digest.OutcomeSent, digest.OutcomeSilent:
		a.notifier.Working(sourceDigests, alert.Failures()...)
	case digest.OutcomePaused:
		a.notifier.Happened(alert.DigestsPaused, fmt.Sprintf("%s in %s", d.Subscription.ID, d.Subscription.Channel))
	case digest.OutcomeIncomplete:
		a.notifier.Happened(alert.ThreadsLost, fmt.Sprintf("%s in %s", d.Subscription.ID, d.Subscription.Channel))
	case digest.OutcomeFailed:
		a.failed(commands.Reason(d.Err), sourceDigests)
	}
}

// failed observes a failure. Operators are told about few kinds of failure.
func (a *alerts) failed(reason, source string) {
	if k := failure.Kind(reason); k == failure.Timeout || k == failure.NotDefender {
		reason = alert.Unavailable
	}
	if slices.Contains(alert.Failures(), reason) {
		a.notifier.Failing(reason, cmp.Or(source, "questions"))
	}
}

// undue observes a subscription that was paused because its schedule names no time.
func (a *alerts) undue(_ context.Context, s digest.Subscription) {
	a.notifier.Happened(alert.DigestsUndue, fmt.Sprintf("%s in %s", s.ID, s.Channel))
}

// givenUp observes a digest that is not tried any more.
func (a *alerts) givenUp(job digest.Job) {
	a.notifier.Happened(alert.DigestsFailed, fmt.Sprintf("%s, due %s", job.Subscription, job.Due.UTC().Format("2006-01-02 15:04 UTC")))
}

// stopped observes that the process ends because of an error.
func (a *alerts) stopped() { a.notifier.Happened(alert.Stopped, a.process) }
