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

// Work does a job. Its attempt counts every start of the job, from 1: whatever is above may have been at work before,
// and have been cut off anywhere.
//
// An error that is a [digest.RetryLater] puts the job off for that long, one that is [digest.ErrChannelGone] ends it
// for good, any other is tried again with growing pauses until the attempts are used up. So is a panic, and work that
// its context cut off because its time was up.
type Work func(ctx context.Context, job digest.Job, attempt int) error

// QueueOptions of a queue. The zero value is what a bot should use.
type QueueOptions struct {
	Workers     int           // jobs at a time; 0 means 10
	MaxAttempts int           // failures until a job is given up; 0 means 10, which is some three hours
	JobTimeout  time.Duration // 0 means a minute
	// Rescue is how long after its start a job that has not come back is taken from a process that was killed, and
	// tried again. It is looked for every 30 seconds, so 0 means 70 seconds: after a crash no job waits two minutes.
	// It must be longer than JobTimeout.
	Rescue time.Duration
	// CutOff is how long a job waits that a stop has cut off; 0 means 8 seconds. What it was about to post can be seen by
	// then: the chat system may still have taken the message, and another process that looks at once finds nothing.
	CutOff    time.Duration
	Retention time.Duration // how long finished jobs are kept, and so cannot be taken again; 0 means 14 days
	// Backoff is the pause after so many failures; nil means 5 seconds that grow to an hour.
	Backoff func(failures int) time.Duration
	// GivenUp is called for each job whose attempts are used up, with the error of the last one; may be nil.
	GivenUp func(ctx context.Context, job digest.Job, err error)
	// Send sends an event that [Store.Record] has left in the database; last says that no attempt follows. An error that
	// wraps [ErrNoRetry] ends the job; after any other the event is sent again, nine times within a day. Nil leaves events
	// where they are. The caller logs errors.
	Send func(ctx context.Context, e digest.Event, last bool) error
	// Feeds brings the feeds up to date, several times a day in one of all processes. failures is how often it was put off;
	// again puts it off once more, 0 until the usual time. Nil leaves it to other processes.
	Feeds func(ctx context.Context, failures int) (again time.Duration)
	// Check and Tell do the checks and the alerts that [Store.Record] and [Store.ClaimAlert] have left in the database, with the
	// errors of a [Work]. Nil leaves them where they are.
	Check func(ctx context.Context, c between.Check) error
	Tell  func(ctx context.Context, a between.Alert, attempt int) error
	// SendBackoff is the pause after so many failures of Send; nil means 5 seconds that grow to eight hours.
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

// hardStop is how long a stop waits for jobs after it has cancelled their contexts.
const hardStop = 3 * time.Second

// Queue is the queue of digests that are due. Several queues, in one process or in many, may work on one PostgreSQL
// database: each job is done by one of them.
type Queue struct {
	client client
	store  *Store
}

// client is what we use of a river.Client, whose type depends on the database.
type client interface {
	Insert(ctx context.Context, args river.JobArgs, opts *river.InsertOpts) (*rivertype.JobInsertResult, error)
	Start(ctx context.Context) error
	Stop(ctx context.Context) error
	StopAndCancel(ctx context.Context) error
	JobList(ctx context.Context, params *river.JobListParams) (*river.JobListResult, error)
}

// Queue makes a queue whose jobs are done by work, once it is started.
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

// Enqueue puts a job into the queue. It is safe to repeat: a job that was taken before, done or not, is not taken again
// until it is forgotten.
func (q *Queue) Enqueue(ctx context.Context, job digest.Job) error {
	args := digestArgs{Subscription: job.Subscription, DueMS: toMillis(job.Due)}
	if _, err := q.client.Insert(ctx, args, nil); err != nil {
		return q.store.failedWrite("enqueue a digest", err)
	}
	return nil
}

// maxWaiting bounds how many jobs [Queue.Waiting] reads.
const maxWaiting = 1000

// Waiting lists the jobs that are not over: they wait, are worked on, or are to be tried again. It reads the oldest
// thousand.
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

// Unfinished counts the digests, and the checks and alerts between them, that are worked on, or will be within a time from now.
// It reads the oldest thousand.
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

// Start begins to work and returns. The end of its context does not stop the queue: [Queue.Stop] does, because jobs
// are to be finished first.
func (q *Queue) Start(ctx context.Context) error {
	if err := q.client.Start(context.WithoutCancel(ctx)); err != nil {
		return q.store.failed("start the queue", err)
	}
	return nil
}

// Stop takes no more jobs and waits until those that run are done. When its context ends before, the jobs' contexts are
// cancelled, and those that stop within three seconds are retried by the next worker. An error means that a job
// went on in spite of that; it is rescued later, like one of a process that was killed. Stopping twice, or without a
// start, is fine.
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
