package store

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/riverdriver/riversqlite"
	"github.com/riverqueue/river/rivertype"

	"github.com/missingkbs/missingkbs/internal/digest"
	"github.com/missingkbs/missingkbs/internal/digest/between"
)

// Work runs a job. attempt counts every start from 1: an earlier one may have been interrupted anywhere.
//
// A [digest.RetryLater] puts the job off until its time, and a [digest.ErrChannelGone] ends it. Any other error, a
// panic or a timeout is retried with growing pauses until the attempts are used up.
type Work func(ctx context.Context, job digest.Job, attempt int) error

// QueueOptions configure a [Queue]. The zero value is suitable for a bot.
type QueueOptions struct {
	Workers     int           // concurrent jobs; 0 means 10
	MaxAttempts int           // failures after which a job is dropped; 0 means 10, over about three hours
	JobTimeout  time.Duration // 0 means a minute
	// Rescue is how long after its start a job is taken from a process that was killed, and retried. River checks every
	// 30 seconds, so 0 means 10 seconds more than JobTimeout: no job waits two minutes after a crash. It must exceed
	// JobTimeout.
	Rescue time.Duration
	// CutOff is the delay of a job that a shutdown interrupted; 0 means 8 seconds. The chat system may have accepted
	// its message, and another process that looks for it at once would not find it yet.
	CutOff    time.Duration
	Retention time.Duration // how long finished jobs are kept and cannot be inserted again; 0 means 14 days
	// Backoff returns the pause after a number of failures; nil means 5 seconds growing to an hour.
	Backoff func(failures int) time.Duration
	// GivenUp is called for each job whose attempts are used up, with the last error; may be nil.
	GivenUp func(ctx context.Context, job digest.Job, err error)
	// Send sends an event that [Store.Record] has stored; last means that no retry follows. An error that wraps
	// [ErrNoRetry] ends the job; after any other it is retried, nine times within a day. Nil leaves events to other
	// processes. Send logs its own errors.
	Send func(ctx context.Context, e digest.Event, last bool) error
	// Feeds updates the feeds, several times a day in one of all replicas. failures counts how often it was put off;
	// again puts it off once more, 0 waits for the regular time. Nil leaves it to other processes.
	Feeds func(ctx context.Context, failures int) (again time.Duration)
	// Check and Tell run the checks and alerts that [Store.Record] and [Store.ClaimAlert] have inserted, with the
	// errors of a [Work]. Nil leaves them to other processes.
	Check func(ctx context.Context, c between.Check) error
	Tell  func(ctx context.Context, a between.Alert, attempt int) error
	// SendBackoff returns the pause after a number of failures of Send; nil means 5 seconds growing to eight hours.
	SendBackoff func(failures int) time.Duration
}

func (o QueueOptions) withDefaults() QueueOptions {
	o.Workers = cmp.Or(o.Workers, 10)
	o.MaxAttempts = cmp.Or(o.MaxAttempts, 10)
	o.JobTimeout = cmp.Or(o.JobTimeout, time.Minute)
	o.Rescue = cmp.Or(o.Rescue, o.JobTimeout+10*time.Second)
	o.CutOff = cmp.Or(o.CutOff, 8*time.Second)
	o.Retention = cmp.Or(o.Retention, 14*24*time.Hour)
	if o.Backoff == nil {
		o.Backoff = backoff
	}
	if o.GivenUp == nil {
		o.GivenUp = func(context.Context, digest.Job, error) {}
	}
	return o
}

// hardStop is how long a stop waits for jobs after their contexts are cancelled.
const hardStop = 3 * time.Second

// Queue is the queue of due digests. Several queues, in one process or many, may share a PostgreSQL database: each job
// runs in one of them.
type Queue struct {
	client client
	store  *Store
}

// client is the part of a river.Client that we use; its type depends on the database.
type client interface {
	Insert(ctx context.Context, args river.JobArgs, opts *river.InsertOpts) (*rivertype.JobInsertResult, error)
	Start(ctx context.Context) error
	Stop(ctx context.Context) error
	StopAndCancel(ctx context.Context) error
	JobList(ctx context.Context, params *river.JobListParams) (*river.JobListResult, error)
}

// Queue returns a queue that runs jobs with work once it is started.
func (s *Store) Queue(work Work, o QueueOptions) (*Queue, error) {
	config, err := s.riverConfig(work, o.withDefaults())
	if err != nil {
		return nil, fmt.Errorf("make the queue: %w", err)
	}
	var c client
	if s.sqlite {
		c, err = river.NewClient[*sql.Tx](riversqlite.New(s.jobs), config)
	} else {
		c, err = river.NewClient(riverpgxv5.New(s.pool), config)
	}
	if err != nil {
		return nil, fmt.Errorf("make the queue: %w", err)
	}
	return &Queue{client: c, store: s}, nil
}

// Enqueue inserts a job. It is safe to repeat: the same job is not inserted again while it is kept, whether it has
// finished or not.
func (q *Queue) Enqueue(ctx context.Context, job digest.Job) error {
	args := digestArgs{Subscription: job.Subscription, DueMS: toMillis(job.Due)}
	if _, err := q.client.Insert(ctx, args, nil); err != nil {
		return q.store.failedWrite("enqueue a digest", err)
	}
	return nil
}

// maxWaiting bounds the jobs that [Queue.Waiting] reads.
const maxWaiting = 1000

// Waiting lists the jobs that are not finished: waiting, running, or waiting for a retry. It reads the oldest thousand.
func (q *Queue) Waiting(ctx context.Context) ([]digest.Job, error) {
	found, err := q.unfinished(ctx, digestArgs{}.Kind())
	if err != nil {
		return nil, err
	}
	jobs := make([]digest.Job, 0, len(found))
	for _, row := range found {
		var args digestArgs
		if err := json.Unmarshal(row.EncodedArgs, &args); err != nil {
			return nil, fmt.Errorf("read the job %d: %w", row.ID, err)
		}
		jobs = append(jobs, digest.Job{Subscription: args.Subscription, Due: fromMillis(args.DueMS)})
	}
	return jobs, nil
}

// Unfinished counts the digests, checks and alerts that are running or will run within a time from now. It reads the
// oldest thousand.
func (q *Queue) Unfinished(ctx context.Context, within time.Duration) (int, error) {
	found, err := q.unfinished(ctx, digestArgs{}.Kind(), checkArgs{}.Kind(), alertArgs{}.Kind())
	n := 0
	for _, row := range found {
		if row.State == rivertype.JobStateRunning || time.Until(row.ScheduledAt) < within {
			n++
		}
	}
	return n, err
}

func (q *Queue) unfinished(ctx context.Context, kinds ...string) ([]*rivertype.JobRow, error) {
	found, err := q.client.JobList(ctx, river.NewJobListParams().Kinds(kinds...).States(
		rivertype.JobStateAvailable, rivertype.JobStatePending, rivertype.JobStateRetryable, rivertype.JobStateRunning, rivertype.JobStateScheduled,
	).First(maxWaiting))
	if err != nil {
		return nil, q.store.failed("list jobs that wait", err)
	}
	return found.Jobs, nil
}

// Start begins to work and returns. The queue runs until [Queue.Stop], not until ctx is done, because jobs have to
// finish first.
func (q *Queue) Start(ctx context.Context) error {
	if err := q.client.Start(context.WithoutCancel(ctx)); err != nil {
		return q.store.failed("start the queue", err)
	}
	return nil
}

// Stop accepts no more jobs and waits for running ones. If its context ends first, it cancels the jobs' contexts; those
// that return within three seconds are retried by the next worker. An error means that a job kept running; it is
// rescued later, like one of a killed process. Stopping twice, or without a start, has no effect.
func (q *Queue) Stop(ctx context.Context) error {
	err := q.client.Stop(ctx)
	if err == nil {
		return nil
	}
	if !errors.Is(err, ctx.Err()) {
		return fmt.Errorf("stop the queue: %w", err)
	}
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), hardStop)
	defer cancel()
	if err := q.client.StopAndCancel(last); err != nil {
		return fmt.Errorf("stop the queue: a job does not end with its context: %w", err)
	}
	return nil
}
