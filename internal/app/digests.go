package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/missingkbs/missingkbs/bot/post"
	"github.com/missingkbs/missingkbs/commands/reportcmd"
	"github.com/missingkbs/missingkbs/internal/config"
	"github.com/missingkbs/missingkbs/internal/digest"
	"github.com/missingkbs/missingkbs/internal/digest/source"
	"github.com/missingkbs/missingkbs/internal/store"
)

// stopTimeout is how long running digests may take during shutdown. A longer one runs again after the next start.
const stopTimeout = 4 * time.Second

// digests are the parts that make digests.
type digests struct {
	queue     *store.Queue
	scheduler *digest.Scheduler
	preview   *digest.Worker
	log       *slog.Logger
}

// newDigests creates the scheduler, queue and worker of digests. Nothing runs yet.
func (a *App) newDigests(poster *post.Poster, alerts *alerts) (*digests, error) {
	defender := source.New(a.Defender, a.Now)
	worker := &digest.Worker{
		Store: a.Store, Source: a.Monitor.TraceSource(defender), Poster: a.Monitor.TracePoster(poster), Now: a.Now, Log: a.Log,
		Observe: observeDigests(a.Monitor.DigestObserver(a.Now), alerts.digest),
	}
	patching := Patching{Store: a.Store, Advisories: a.Advisories, Deadlines: a.Deadlines, Now: a.Now}
	worker.Known, worker.Patching = patching.DigestKnown(a.risks(a.Store)), reportcmd.Reporter{Options: patching.report()}.Digest
	preview := *worker
	events, err := a.newEvents()
	if err != nil {
		return nil, err
	}
	preview.Source = a.Monitor.TraceSource(defender.ForPreview())
	options := store.QueueOptions{
		MaxAttempts: max(10, digest.MinAttempts),
		GivenUp: func(ctx context.Context, job digest.Job, _ error) {
			a.abandon(ctx, job)
			alerts.givenUp(job)
		},
	}
	a.addAlerts(&options, worker.Poster)
	if events != nil {
		worker.Event, options.Send = events.of, events.deliver
	}
	if options.Feeds, err = a.newFeedJob(); err != nil {
		return nil, err
	}
	queue, err := a.Store.Queue(a.Monitor.TraceWork(worker.Work), options)
	if err != nil {
		return nil, err
	}
	scheduler := &digest.Scheduler{
		Store: a.Monitor.CountTimetable(a.Store), Queue: queue, Every: a.SchedulerInterval, Now: a.Now, Log: a.Log, Paused: alerts.undue,
	}
	return &digests{queue: queue, scheduler: scheduler, preview: &preview, log: a.Log}, nil
}

// abandon ends the run of a digest that is not retried any more.
func (a *App) abandon(ctx context.Context, job digest.Job) {
	if err := a.Store.EndRun(ctx, job); err != nil {
		a.Log.Warn("a digest that was given up still counts as running; the next one of its subscription waits for hours", "subscription", job.Subscription, "error", err)
	}
	a.Monitor.Metrics.DigestGivenUp()
}

// stop waits for running digests, up to stopTimeout.
func (d *digests) stop(ctx context.Context) {
	stopping, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTimeout)
	defer cancel()
	if err := d.queue.Stop(stopping); err != nil {
		d.log.Warn("digests were interrupted by the shutdown and will be made again", "error", err)
	}
}

// prepareDatabase migrates the database and applies the digest file.
func (a *App) prepareDatabase(ctx context.Context) error {
	if err := a.Store.Migrate(ctx); err != nil {
		return DatabaseError(a.Store, err)
	}
	a.Monitor.AddDatabase(a.Store)
	return a.applyFile(ctx)
}

// applyFile makes the store match the digest file.
func (a *App) applyFile(ctx context.Context) error {
	if a.Digests == nil {
		return nil
	}
	applied, err := digest.Apply(ctx, a.Store, a.Digests.Subscriptions, a.Now())
	if _, wrong := errors.AsType[*digest.Mistake](err); wrong {
		return config.UsageError{Err: fmt.Errorf("MISSINGKBS_DIGESTS: %s: %w", a.Digests.Path, err)}
	}
	if err != nil {
		return fmt.Errorf("MISSINGKBS_DIGESTS: %w", err)
	}
	a.Log.Info("applied the digest file", "added", len(applied.Added), "changed", len(applied.Changed), "removed", len(applied.Removed))
	return nil
}

// observeDigests combines several observers.
func observeDigests(list ...func(context.Context, digest.Observation)) func(context.Context, digest.Observation) {
	return func(ctx context.Context, o digest.Observation) {
		for _, observe := range list {
			observe(ctx, o)
		}
	}
}
