// Package app runs one process of the bot: it opens what the process needs, joins the parts, and closes them in order.
//
// It knows all parts and the order in which they start and stop, what a start waits for, what a reload changes, and which
// errors end the process. It reads no flags and no environment, and holds no rule about questions, digests or Slack.
package app

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/missingkbs/missingkbs/api"
	"github.com/missingkbs/missingkbs/bot"
	"github.com/missingkbs/missingkbs/bot/access"
	"github.com/missingkbs/missingkbs/bot/slackapi"
	"github.com/missingkbs/missingkbs/bot/socketmode"
	"github.com/missingkbs/missingkbs/internal/advisory"
	"github.com/missingkbs/missingkbs/internal/app/monitor"
	"github.com/missingkbs/missingkbs/internal/config"
	"github.com/missingkbs/missingkbs/internal/deadline"
	"github.com/missingkbs/missingkbs/internal/feeds"
	"github.com/missingkbs/missingkbs/internal/store"
	"github.com/missingkbs/missingkbs/internal/webhook"
)

// Options are what an [App] runs with. The caller opens and closes Defender and Store.
type Options struct {
	Slack    slackapi.Config
	Bot      bot.Options // load, timeout and tables; the app sets the rest
	Access   access.Policy
	Defender *api.Client
	Store    *store.Store
	Digests  *config.DigestFile // nil for none
	Monitor  *monitor.Monitor   // default: a new one that nothing serves

	Webhook *webhook.Options // nil sends no events

	Feeds      *feeds.Options            // nil fetches nothing; what is stored is used all the same
	Advisories func() *advisory.Snapshot // what MSRC and CISA publish; default: what is stored

	Deadlines *deadline.Setting // when missing updates are to be installed; nil for no deadlines

	ListFresh      time.Duration             // a software list that is older is renewed in the background when it is used; default 5 minutes
	AskedFor       time.Duration             // how long it is remembered what people asked about; 0 remembers nothing
	StaleFor       time.Duration             // the maximum age of a stored answer that is shown when Defender cannot be asked; 0 for none
	TwoPerson      bool                      // a second person has to approve an accepted risk
	AuditQuestions bool                      // audit questions too, not only refusals, shares and changes
	AlertChannel   string                    // empty for none
	CertExpiry     func() (time.Time, error) // when the certificate for Defender ends; nil without a certificate

	Now func() time.Time // the clock of digests; default [time.Now]
	Log *slog.Logger

	// Zero intervals mean the defaults.
	SchedulerInterval time.Duration
	AlertInterval     time.Duration
	ProbeInterval     time.Duration // between two probes of the database

	OnQueue func(*store.Queue) // called once the queue of digests works; may be nil
}

// App is the bot with everything that runs beside it: the schedule, the queue and the worker of digests, alerts and the
// audit. Serve runs it for Slack and Defender, the sandbox for their stand-ins on this machine.
type App struct {
	Options
	feedCache *feeds.Cache
	health    *socketmode.Health
	counts    *bot.Counts
}

// New returns an app. Nothing is opened or called before [App.Run].
func New(o Options) *App {
	if o.Monitor == nil {
		o.Monitor = monitor.New("", nil)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.ListFresh == 0 {
		o.ListFresh = defaultListFresh
	}
	cache := feeds.NewCache(o.Store, o.Log)
	if o.Advisories == nil {
		o.Advisories = cache.Snapshot
	}
	return &App{Options: o, feedCache: cache, health: socketmode.NewHealth(), counts: &bot.Counts{}}
}

// RefusedError is a refusal by Slack that a retry does not change.
type RefusedError struct{ Err error }

// Error is part of the error interface.
func (e RefusedError) Error() string { return e.Err.Error() }

// Unwrap returns the error without the classification.
func (e RefusedError) Unwrap() error { return e.Err }

// errStopped ends all parts when the bot has stopped in order.
var errStopped = errors.New("stopped")

// Run runs the app until ctx ends, which is no error, however far the start has come. It returns a [config.UsageError] if
// only other settings can help, and a [RefusedError] if only Slack's administrator can.
func (a *App) Run(ctx context.Context) error {
	err := a.run(ctx)
	switch {
	case ctx.Err() != nil && errors.Is(err, context.Canceled):
		return nil
	case slackapi.Cure(err) != "":
		return RefusedError{err}
	}
	return err
}

func (a *App) run(ctx context.Context) error {
	if err := a.prepareDatabase(ctx); err != nil {
		return err
	}
	slack, err := a.connectSlack(ctx)
	if err != nil {
		return err
	}
	alerts := newAlerts(alertOptions{
		channel: a.AlertChannel, interval: a.AlertInterval, store: a.Store, client: a.Defender, poster: slack.poster,
		rejections: slack.rejections, certExpiry: a.CertExpiry, now: a.Now, log: a.Log,
	})
	auditor := a.newAuditor(slack.workspace.TeamID, alerts)
	auth := newAuthState(a.Defender, a.Store, a.Log)
	prober := monitor.NewDatabaseProber(a.Store, a.ProbeInterval, a.Log)
	finding := a.newFinding(auth)
	// These end last, so that they write and send what the other parts leave behind.
	defer background(append(finding.parts(), auditor.trail.Run, alerts.run, auth.run, prober.Run, a.feedCache.Run)...)()

	digests, err := a.newDigests(slack.poster, alerts)
	if err != nil {
		return err
	}
	a.Monitor.Collect(monitor.Sources{Health: a.health, Counts: a.counts, Client: a.Defender, Store: a.Store, Queue: digests.queue, Now: a.Now})
	questions, err := a.newQuestions(slack, digests, auditor, alerts, finding)
	if err != nil {
		return err
	}
	if err := digests.queue.Start(ctx); err != nil {
		return err
	}
	if a.OnQueue != nil {
		a.OnQueue(digests.queue)
	}
	err = a.serve(ctx, slack, digests, questions)
	if errors.Is(err, errStopped) {
		return nil
	}
	if err != nil {
		alerts.stopped()
	}
	return err
}

// serve runs all parts until one of them fails or the bot stops.
func (a *App) serve(ctx context.Context, slack *slackSide, digests *digests, questions *questions) error {
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error {
		releaseStartupMemory()
		return nil
	})
	g.Go(func() error { return digests.scheduler.Run(ctx) })
	g.Go(func() error {
		watchFeeds(ctx, func() string { return FeedEdition(a.feeds().Snapshot) }, digests.queue.EnqueueChecks, a.Log)
		return nil
	})
	g.Go(func() error {
		a.Monitor.KeepSignedIn(ctx, a.Defender, a.Log)
		return nil
	})
	g.Go(func() error {
		<-ctx.Done()
		digests.stop(ctx)
		return nil
	})
	g.Go(func() error {
		if err := bot.Run(ctx, a.Slack, slack.workspace, questions.router, questions.options); err != nil {
			return err
		}
		return errStopped // the other parts end too, whatever the reason
	})
	return g.Wait()
}
