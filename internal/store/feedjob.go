package store

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"
)

const (
	// feedQueue is a queue of its own in River: only processes that fetch feeds work on it, one job at a time.
	feedQueue = "feeds"
	// feedPoll is rare, for no answer waits for feeds, and each look costs SQLite a query.
	feedPoll = 10 * time.Second
	// feedTimeout is enough for the first fetch, of two years.
	feedTimeout = 30 * time.Minute

	feedInterval = 6 * time.Hour
	feedJitter   = 30 * time.Minute // in all, so that installations do not call the publishers at the same time
)

// feedSchedule is every six hours, more or less.
type feedSchedule struct{}

// Next implements [river.PeriodicSchedule].
func (feedSchedule) Next(now time.Time) time.Time {
	return now.Add(feedInterval - feedJitter/2 + rand.N(feedJitter)) //nolint:gosec // no secret
}

// periodicFeeds is the job that the leading process inserts. A start inserts one too, since those before may be lost with
// the process that led; the work finds out whether it is too soon.
func periodicFeeds() *river.PeriodicJob {
	return river.NewPeriodicJob(feedSchedule{}, func() (river.JobArgs, *river.InsertOpts) { return feedArgs{}, nil },
		&river.PeriodicJobOpts{ID: "feeds", RunOnStart: true})
}

// feedArgs are the job that brings the feeds up to date.
type feedArgs struct{}

// Kind names the job in River's tables.
func (feedArgs) Kind() string { return "feeds" }

// InsertOpts makes the job unique while one waits or runs, in all processes together.
func (feedArgs) InsertOpts() river.InsertOpts {
	return river.InsertOpts{Queue: feedQueue, MaxAttempts: 1, UniqueOpts: river.UniqueOpts{ByState: []rivertype.JobState{
		rivertype.JobStateAvailable, rivertype.JobStatePending, rivertype.JobStateRunning, rivertype.JobStateRetryable, rivertype.JobStateScheduled,
	}}}
}

type feedWorker struct {
	river.WorkerDefaults[feedArgs]
	work   func(ctx context.Context, failures int) (again time.Duration)
	cutOff time.Duration
}

// Work brings the feeds up to date once.
func (w *feedWorker) Work(ctx context.Context, job *river.Job[feedArgs]) error {
	defer hidePanic()
	again := w.work(ctx, putOff(job.JobRow))
	switch {
	case errors.Is(ctx.Err(), context.Canceled): // by a stop; the next process goes on
		return river.JobSnooze(w.cutOff)
	case again > 0:
		return river.JobSnooze(again)
	}
	return nil
}

// Timeout leaves time for a slow network.
func (w *feedWorker) Timeout(*river.Job[feedArgs]) time.Duration { return feedTimeout }
