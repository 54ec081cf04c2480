// Package app runs one process of the bot: it opens what the process needs, connects its parts, and closes them in
// order. It knows all parts, the order in which they start and stop, what a start waits for, what a reload changes, and
// which errors end the process. It reads no flags and no environment, and contains no rule about questions, digests or
// Slack.
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

// Options configure an [App]. The caller opens and closes Defender and Store.
type Options struct {
	Slack    slackapi.Config
	Bot      bot.Options // load, timeout and tables; the app sets the rest
	Access   access.Policy
	Defender *api.Client
	Store    *store.Store
	Digests  *config.DigestFile // may be nil
	Monitor  *monitor.Monitor   // default: one that is not served

	Webhook *webhook.Options // nil to send no events

	Feeds      *feeds.Options            // nil to fetch nothing; stored feeds are used anyway
	Advisories func() *advisory.Snapshot // the current feeds; default: those in the store

	Deadlines *deadline.Setting // nil for no deadlines

	ListFresh      time.Duration             // age from which the software list is renewed in the background; default 5 minutes
	AskedFor       time.Duration             // how long people's questions are remembered; 0 for not at all
	StaleFor       time.Duration             // greatest age of a stored answer that replaces one of Defender; 0 for none
	TwoPerson      bool                      // a second person has to approve accepted risks
	AuditQuestions bool                      // record questions too, not only refusals, shares and changes
	AlertChannel   string                    // "" for none
	CertExpiry     func() (time.Time, error) // when Defender's client certificate expires; nil without one

	Now func() time.Time // the clock of digests; default [time.Now]
	Log *slog.Logger

	// A zero interval stands for its default.
	SchedulerInterval time.Duration
	AlertInterval     time.Duration
	ProbeInterval     time.Duration // between two probes of the database

	OnQueue func(*store.Queue) // called once the queue of digests is running; may be nil
}

// App is the bot with everything that runs beside it: the scheduler, queue and worker of digests, alerts and the audit.
// Serve runs it for Slack and Defender, the sandbox for local replacements.
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

// RefusedError is a permanent refusal by Slack.
type RefusedError struct{ Err error }

// Error implements error.
func (e RefusedError) Error() string { return e.Err.Error() }

// Unwrap returns Slack's error.
func (e RefusedError) Unwrap() error { return e.Err }

// errStopped ends all parts after the bot has stopped normally.
var errStopped = errors.New("stopped")

// Run runs the app until ctx is done, which is not an error, even during the start. It returns a [config.UsageError] if
// only other settings help, and a [RefusedError] if only Slack's administrator can help.
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

// run starts the parts in order; what a later part needs, an earlier one has opened.
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
	// These end last, so that they can write and send what the other parts leave behind.
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

// serve runs all parts until one fails or the bot stops.
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
		return errStopped // ends the other parts too
	})
	return g.Wait()
}
