package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"

	"github.com/missingkbs/missingkbs/internal/digest"
	"github.com/missingkbs/missingkbs/internal/redact"
)

const pruneEvery = 24 * time.Hour

// riverConfig returns River's configuration with our workers, for either database.
func (s *Store) riverConfig(work Work, o QueueOptions) (*river.Config, error) {
	workers := river.NewWorkers()
	if err := river.AddWorkerSafely(workers, &digestWorker{work: work, cutOff: o.CutOff}); err != nil {
		return nil, err
	}
	if err := river.AddWorkerSafely(workers, &pruneWorker{store: s}); err != nil {
		return nil, err
	}
	queues := map[string]river.QueueConfig{river.QueueDefault: {MaxWorkers: o.Workers}}
	if o.Send != nil {
		if err := river.AddWorkerSafely(workers, &eventWorker{send: o.Send, pause: o.SendBackoff, cutOff: o.CutOff}); err != nil {
			return nil, err
		}
		queues[eventQueue] = river.QueueConfig{MaxWorkers: eventWorkers}
	}
	if o.Feeds != nil {
		if err := river.AddWorkerSafely(workers, &feedWorker{work: o.Feeds, cutOff: o.CutOff}); err != nil {
			return nil, err
		}
		queues[feedQueue] = river.QueueConfig{MaxWorkers: 1, FetchPollInterval: feedPoll}
	}
	if err := addAlertWorkers(workers, o); err != nil {
		return nil, err
	}
	config := &river.Config{
		Queues:      queues,
		Workers:     workers,
		MaxAttempts: o.MaxAttempts,
		JobTimeout:  o.JobTimeout, RescueStuckJobsAfter: o.Rescue,
		CompletedJobRetentionPeriod: o.Retention,
		CancelledJobRetentionPeriod: o.Retention,
		DiscardedJobRetentionPeriod: o.Retention,
		RetryPolicy:                 retryPolicy{o.Backoff},
		ErrorHandler:                errorHandler{s.log, o.GivenUp},
		Logger:                      s.quietLog(),
		// SQLite has no notifications; River would emulate them by polling every 50 ms.
		PollOnly: s.sqlite,
	}
	if o.Feeds != nil {
		config.PeriodicJobs = append(config.PeriodicJobs, periodicFeeds())
	}
	if s.retention > 0 || s.audits > 0 {
		config.PeriodicJobs = append(config.PeriodicJobs, river.NewPeriodicJob(river.PeriodicInterval(pruneEvery),
			func() (river.JobArgs, *river.InsertOpts) { return pruneArgs{}, nil },
			&river.PeriodicJobOpts{ID: "prune", RunOnStart: true}))
	}
	return config, nil
}

func addAlertWorkers(workers *river.Workers, o QueueOptions) error {
	if o.Check == nil || o.Tell == nil {
		return nil
	}
	return errors.Join(
		river.AddWorkerSafely(workers, &checkWorker{check: o.Check, cutOff: o.CutOff}),
		river.AddWorkerSafely(workers, &alertWorker{tell: o.Tell, cutOff: o.CutOff}),
	)
}

// digestArgs is a job in River's form. Its time is a number, because one instant can be written in many ways and River
// compares jobs by text.
type digestArgs struct {
	Subscription string `json:"subscription"`
	DueMS        int64  `json:"due_ms"`
}

// Kind names the job in River's tables.
func (digestArgs) Kind() string { return "digest" }

// InsertOpts makes a job unique while it is kept, in any state.
func (digestArgs) InsertOpts() river.InsertOpts {
	return river.InsertOpts{UniqueOpts: river.UniqueOpts{ByArgs: true, ByState: rivertype.JobStates()}}
}

type digestWorker struct {
	river.WorkerDefaults[digestArgs]
	work   Work
	cutOff time.Duration
}

// Work runs a job and translates its outcome for River. River stores error texts in the database, so anything that
// looks like a secret is hidden.
func (w *digestWorker) Work(ctx context.Context, job *river.Job[digestArgs]) error {
	defer hidePanic()
	off := putOff(job.JobRow)
	this := digest.Job{Subscription: job.Args.Subscription, Due: fromMillis(job.Args.DueMS), PutOff: off, Last: job.Attempt >= job.MaxAttempts}
	// River does not count an attempt that was put off.
	return riverOutcome(ctx, w.work(ctx, this, job.Attempt+off), w.cutOff)
}

// hiddenError is an error whose text contains no secret.
type hiddenError struct{ error }

func (e hiddenError) Error() string { return redact.String(e.error.Error()) }
func (e hiddenError) Unwrap() error { return e.error }

// hidePanic panics again with a text that contains no secret.
func hidePanic() {
	if r := recover(); r != nil {
		if text := fmt.Sprint(r); redact.String(text) != text {
			panic(redact.String(text))
		}
		panic(r)
	}
}

// putOff returns how often a job was put off, which River counts.
func putOff(job *rivertype.JobRow) int {
	var meta struct {
		Snoozes int `json:"snoozes"`
	}
	if err := json.Unmarshal(job.Metadata, &meta); err != nil {
		return 0
	}
	return meta.Snoozes
}

// pruneArgs is the job that removes old history. Like all of River's periodic jobs it may be lost when the leading
// process changes, hence RunOnStart; it runs once a day at most.
type pruneArgs struct{}

// Kind names the job in River's tables.
func (pruneArgs) Kind() string { return "prune" }

// InsertOpts makes the job unique for a day.
func (pruneArgs) InsertOpts() river.InsertOpts {
	return river.InsertOpts{MaxAttempts: 1, UniqueOpts: river.UniqueOpts{ByPeriod: pruneEvery, ByState: rivertype.JobStates()}}
}

type pruneWorker struct {
	river.WorkerDefaults[pruneArgs]
	store *Store
}

// Work removes what is older than the store's retention.
func (w *pruneWorker) Work(ctx context.Context, _ *river.Job[pruneArgs]) error {
	now := time.Now()
	n, err := w.store.Prune(ctx, keptSince(now, w.store.retention), keptSince(now, w.store.audits))
	if n > 0 {
		w.store.log.InfoContext(ctx, "old history removed", "rows", n)
	}
	return err
}

// keptSince returns the time before which data is removed; the zero time to keep everything.
func keptSince(now time.Time, retention time.Duration) time.Time {
	if retention < 0 {
		return time.Time{}
	}
	return now.Add(-retention)
}

// Timeout allows for removing years of history after the retention was shortened.
func (w *pruneWorker) Timeout(*river.Job[pruneArgs]) time.Duration { return 10 * time.Minute }

type retryPolicy struct {
	backoff func(failures int) time.Duration
}

// NextRetry returns when a failed job is retried.
func (p retryPolicy) NextRetry(job *rivertype.JobRow) time.Time {
	return time.Now().Add(p.backoff(len(job.Errors) + 1))
}

// backoff is 5 seconds, 40 seconds, 2 minutes, 5 minutes and so on up to an hour: three hours for ten attempts. It
// varies by a tenth, so that jobs that failed together do not return together.
func backoff(failures int) time.Duration {
	pause := min(time.Duration(failures*failures*failures)*5*time.Second, time.Hour)
	return pause*9/10 + rand.N(pause/5) //nolint:gosec // no secret
}

// errorHandler logs failed jobs: nothing else sees their errors.
type errorHandler struct {
	log     *slog.Logger
	givenUp func(ctx context.Context, job digest.Job, err error)
}

// HandleError logs a failed attempt, at level error if it was the last.
func (h errorHandler) HandleError(ctx context.Context, job *rivertype.JobRow, err error) *river.ErrorHandlerResult {
	if job.Kind == (eventArgs{}).Kind() { // QueueOptions.Send has logged it
		return nil
	}
	log := h.log.With("kind", job.Kind, "attempt", job.Attempt, "error", err)
	if job.Kind != (alertArgs{}).Kind() { // the arguments of an alert are its whole content
		log = log.With("args", string(job.EncodedArgs))
	}
	if job.Attempt < job.MaxAttempts {
		log.WarnContext(ctx, "job failed, to be tried again")
	} else {
		log.ErrorContext(ctx, "job failed for good")
		h.giveUp(ctx, job, err)
	}
	return nil
}

// giveUp reports a digest that is not retried.
func (h errorHandler) giveUp(ctx context.Context, job *rivertype.JobRow, err error) {
	var args digestArgs
	if job.Kind != args.Kind() || json.Unmarshal(job.EncodedArgs, &args) != nil {
		return
	}
	h.givenUp(ctx, digest.Job{Subscription: args.Subscription, Due: fromMillis(args.DueMS)}, err)
}

// HandlePanic logs a panic, which is retried like an error.
func (h errorHandler) HandlePanic(ctx context.Context, job *rivertype.JobRow, value any, trace string) *river.ErrorHandlerResult {
	log := h.log
	if job.Kind != (eventArgs{}).Kind() && job.Kind != (alertArgs{}).Kind() { // the arguments of an event are its whole body
		log = log.With("args", string(job.EncodedArgs))
	}
	log.ErrorContext(ctx, "job panicked", "kind", job.Kind, "attempt", job.Attempt, "panic", value, "trace", trace)
	if job.Attempt >= job.MaxAttempts {
		h.giveUp(ctx, job, fmt.Errorf("panic: %v", value))
	}
	return nil
}

// quietLog is River's log, without its messages about each job and each change of leader.
func (s *Store) quietLog() *slog.Logger { return slog.New(atLeastWarn{s.log.Handler()}) }

type atLeastWarn struct{ slog.Handler }

// Enabled reports whether a level is at least a warning and enabled in the log.
func (h atLeastWarn) Enabled(ctx context.Context, l slog.Level) bool {
	return l >= slog.LevelWarn && h.Handler.Enabled(ctx, l)
}

// Handle drops what River logs if a shutdown interrupts its start: operators can do nothing about it.
func (h atLeastWarn) Handle(ctx context.Context, r slog.Record) error {
	cancelled := false
	r.Attrs(func(a slog.Attr) bool {
		err, ok := a.Value.Any().(error)
		cancelled = ok && errors.Is(err, context.Canceled) || strings.HasSuffix(a.Value.String(), context.Canceled.Error())
		return !cancelled
	})
	if cancelled {
		return nil
	}
	return h.Handler.Handle(ctx, r)
}

// WithAttrs keeps the least level.
func (h atLeastWarn) WithAttrs(a []slog.Attr) slog.Handler {
	return atLeastWarn{h.Handler.WithAttrs(a)}
}

// WithGroup keeps the least level.
func (h atLeastWarn) WithGroup(name string) slog.Handler {
	return atLeastWarn{h.Handler.WithGroup(name)}
}
