// Package admission bounds how much is done at once, and does it fairly. A [Queue] runs tasks in a pool of workers:
// people take turns, one person gets a few workers at most, and tasks without a free worker wait or are refused. It
// knows who a task belongs to and what it waits for. It knows neither what a task does nor what people are told.
package admission

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"
)

// Options configure a [Queue].
type Options struct {
	Limits
	SlowAfter time.Duration       // an interruptible task that runs longer than this counts as slow
	OnPanic   func(recovered any) // called in the deferred function that recovered a task's panic; nil drops panics
}

// Task is work for a person.
type Task struct {
	Person string
	Key    string // tasks with the same key wait for the same thing
	Do     func(ctx context.Context)

	// Interruptible means that the context of Do may be canceled, with [ErrInterrupted] as the cause. That happens to a
	// slow task when too many are slow and another task needs its worker.
	Interruptible bool

	Rejected func() // called if [Queue.Close] finds the task waiting; may be nil
}

// Errors of [Queue.Submit] and of interrupted tasks. The other error of Submit is a [FullError].
var (
	ErrClosed      = errors.New("the queue is closed")
	ErrInterrupted = errors.New("too many tasks are slow")
)

// FullError reports that a task was refused because the queue is full.
type FullError struct {
	Person bool          // the limit is that of the person, otherwise that of the queue
	Limit  int           // how many tasks may wait
	Wait   time.Duration // estimate until there is room, from earlier tasks
}

// Error implements error.
func (e *FullError) Error() string {
	if e.Person {
		return "too many tasks of this person wait"
	}
	return "too many tasks wait"
}

// Queue runs tasks in turn. It is safe for concurrent use, and calls no function of its callers while it holds its
// lock. [Queue.Close] ends its goroutines.
type Queue struct {
	slowAfter time.Duration
	onPanic   func(recovered any)

	mu       sync.Mutex
	schedule *schedule[*Job]
	excess   []*Job        // running jobs that are slow beyond the limit, in the order in which they are interrupted
	pool     workerPool    // its goroutines run work
	idle     chan struct{} // closed when no task runs any more; nil while no caller waits for that
	closed   bool
	pace     time.Duration // duration of a task, as a moving average
}

// New returns an empty queue.
func New(o Options) *Queue {
	q := &Queue{slowAfter: o.SlowAfter, onPanic: o.OnPanic, schedule: newSchedule[*Job](o.Limits)}
	q.pool.keep = min(o.Running, maxIdle)
	return q
}

// Submit runs a task now or when its turn comes; it does not wait for that. The task's context derives from ctx.
func (q *Queue) Submit(ctx context.Context, t Task) (*Job, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		return nil, ErrClosed
	}
	j := &Job{queue: q, task: t, ctx: ctx, waiting: true}
	l := q.schedule.Limits
	switch q.schedule.add(j.entry()) {
	case personFull:
		return nil, &FullError{Person: true, Limit: l.PersonWaiting, Wait: q.waitLocked(l.PersonWaiting, l.PersonRunning)}
	case queueFull:
		return nil, &FullError{Limit: l.Waiting, Wait: q.waitLocked(l.Waiting, l.Running)}
	}
	q.startLocked()
	q.interruptLocked()
	return j, nil
}

// Close accepts no more tasks, and rejects those that wait; it returns how many did. Running tasks continue.
func (q *Queue) Close() (rejected int) {
	for _, j := range q.closeWaiting() {
		rejected++
		if j.task.Rejected != nil {
			j.task.Rejected()
		}
	}
	return rejected
}

func (q *Queue) closeWaiting() (jobs []*Job) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = true
	q.pool.close()
	for _, e := range q.schedule.clear() {
		e.item.stopWaitingLocked()
		jobs = append(jobs, e.item)
	}
	return jobs
}

// Idle returns a channel that is closed once no task runs. It returns nil if none runs now.
func (q *Queue) Idle() <-chan struct{} {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.schedule.runs > 0 && q.idle == nil {
		q.idle = make(chan struct{})
	}
	return q.idle
}

// Load is how busy a queue is.
type Load struct {
	Running int
	Slow    int // of those running
	Waiting int
	Pace    time.Duration // duration of a task, as a moving average; 0 before the first
}

// Load returns the current load.
func (q *Queue) Load() Load {
	q.mu.Lock()
	defer q.mu.Unlock()
	return Load{Running: q.schedule.runs, Slow: q.schedule.slows, Waiting: q.schedule.waits, Pace: q.pace}
}

// startLocked starts the jobs whose turn it is.
func (q *Queue) startLocked() {
	for j := q.nextLocked(); j != nil; j = q.nextLocked() {
		q.pool.start(j, q.work)
	}
}

// nextLocked returns the job whose turn it is, or nil. It counts as running.
func (q *Queue) nextLocked() *Job {
	e, ok := q.schedule.next()
	if !ok {
		return nil
	}
	e.item.stopWaitingLocked()
	return e.item
}

// work is one worker: it runs a job and those that follow, until it is no longer needed.
func (q *Queue) work(j *Job) {
	next := make(chan *Job, 1)
	for j != nil {
		began := time.Now()
		q.run(j)
		j = q.finish(j, time.Since(began), next)
	}
}

// run executes the task of a job.
func (q *Queue) run(j *Job) {
	ctx := j.ctx
	if j.task.Interruptible {
		var interrupt context.CancelCauseFunc
		ctx, interrupt = context.WithCancelCause(ctx)
		defer interrupt(nil)
		timer := time.AfterFunc(q.slowAfter, func() { q.markSlow(j, interrupt) })
		defer timer.Stop()
	}
	defer func() {
		if p := recover(); p != nil && q.onPanic != nil {
			q.onPanic(p)
		}
	}()
	j.task.Do(ctx)
}

// finish frees the slot of a job that took so long, and returns the next job for its worker. If there is none, the
// worker waits at next. Nil ends the worker.
func (q *Queue) finish(j *Job, took time.Duration, next chan *Job) *Job {
	q.mu.Lock()
	j.done = true
	q.excess = slices.DeleteFunc(q.excess, func(x *Job) bool { return x == j })
	q.schedule.finish(j.entry(), j.slow)
	q.paceLocked(took)
	following := q.nextLocked()
	q.startLocked()
	if q.schedule.runs == 0 && q.idle != nil {
		close(q.idle)
		q.idle = nil
	}
	parked := following == nil && q.pool.park(next)
	q.mu.Unlock()
	if parked {
		return q.await(next)
	}
	return following
}

// await waits for the next job of an idle worker. Nil ends the worker.
func (q *Queue) await(next chan *Job) *Job {
	timer := time.NewTimer(idleTime)
	defer timer.Stop()
	select {
	case j := <-next:
		return j
	case <-timer.C:
	}
	q.mu.Lock()
	left := q.pool.leave(next)
	q.mu.Unlock()
	if left {
		return nil
	}
	return <-next
}

// markSlow counts a job as slow. Beyond the limit the job goes on until another needs its worker.
func (q *Queue) markSlow(j *Job, interrupt context.CancelCauseFunc) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if j.done {
		return
	}
	if j.slow = q.schedule.slow(); !j.slow {
		j.interrupt = interrupt
		q.excess = append(q.excess, j)
		q.interruptLocked()
	}
}

// interruptLocked interrupts a job that is slow beyond the limit, if another waits only for a worker.
func (q *Queue) interruptLocked() {
	if len(q.excess) > 0 && q.schedule.needsWorker() {
		q.excess[0].interrupt(ErrInterrupted)
		q.excess = q.excess[1:]
	}
}

// paceLocked adds how long a task took to the moving average.
func (q *Queue) paceLocked(took time.Duration) {
	if q.pace == 0 {
		q.pace = took
	}
	q.pace += (took - q.pace) / 10
}

// waitLocked estimates how long a task waits behind others, of which some run at once.
func (q *Queue) waitLocked(ahead, atOnce int) time.Duration {
	return q.pace * time.Duration(ahead+1) / time.Duration(max(1, atOnce))
}
