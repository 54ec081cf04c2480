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

// alertOptions are the dependencies of [alerts].
type alertOptions struct {
	channel    string // "" for no alerts
	process    string // names this process; default: its host name
	interval   time.Duration
	store      *store.Store
	client     *api.Client
	poster     messageFinder
	rejections *blockRejections
	certExpiry func() (time.Time, error) // nil without a certificate
	now        func() time.Time
	log        *slog.Logger
}

// alerts turns events of this process into observations of the conditions that operators are alerted about. Without a
// channel its notifiers are nil and ignore everything.
type alerts struct {
	alertOptions
	notifier *alert.Notifier
	database *alert.Notifier // for trouble with the database, which holds the other notifier's state

	lostAudits    atomic.Int64 // since the last check
	tablesRefused bool         // as last reported; only used by the notifier's goroutine
	certChecked   time.Time    // only used by the notifier's goroutine
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

// run posts alerts until ctx is done.
func (a *alerts) run(ctx context.Context) {
	var both sync.WaitGroup
	both.Go(func() { a.notifier.Run(ctx) })
	both.Go(func() { a.database.Run(ctx) })
	both.Wait()
}

// Sources of observations other than commands.
const (
	sourceDigests = "digests"
	sourceQuota   = "quota"
	// sourceCertificate is shared by all replicas: the one that sent the alert may be gone when there is a new
	// certificate.
	sourceCertificate = "its expiry date"
)

// check observes conditions that nothing else reports: the quota, lost audits, what Slack refused, and the certificate.
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

// checkTables observes whether the workspace refuses tables or charts, when that changes.
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

// checkQuota observes whether Defender's quota is used up.
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

// checkCertificate checks once an hour. Only Entra knows when a client secret expires, so secrets are not checked.
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

// checkDatabase observes which trouble the database has, and that it has no other.
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

// digest observes one attempt at a digest.
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

// failed observes a failure. Operators are only alerted about few kinds.
func (a *alerts) failed(reason, source string) {
	if k := failure.Kind(reason); k == failure.Timeout || k == failure.NotDefender {
		reason = alert.Unavailable
	}
	if slices.Contains(alert.Failures(), reason) {
		a.notifier.Failing(reason, cmp.Or(source, "questions"))
	}
}

// undue observes a subscription that was paused because its schedule has no next run.
func (a *alerts) undue(_ context.Context, s digest.Subscription) {
	a.notifier.Happened(alert.DigestsUndue, fmt.Sprintf("%s in %s", s.ID, s.Channel))
}

// givenUp observes a digest that is not retried any more.
func (a *alerts) givenUp(job digest.Job) {
	a.notifier.Happened(alert.DigestsFailed, fmt.Sprintf("%s, due %s", job.Subscription, job.Due.UTC().Format("2006-01-02 15:04 UTC")))
}

// stopped observes that the process ends because of an error.
func (a *alerts) stopped() { a.notifier.Happened(alert.Stopped, a.process) }
