package admission

import (
	"context"
	"time"
)

// Job is a task that a [Queue] has accepted. It is safe for concurrent use.
type Job struct {
	queue *Queue
	task  Task
	ctx   context.Context

	// Guarded by the queue's lock:
	timers    []*time.Timer // started by [Job.AfterWaiting]
	waiting   bool
	slow      bool // counts as slow
	done      bool
	interrupt context.CancelCauseFunc // set if the job may be interrupted
}

// Position is how far a waiting job is from its turn.
type Position struct {
	Ahead     int           // jobs that run first
	Wait      time.Duration // estimate until its turn, from earlier tasks; 0 before the first of them
	BehindOwn bool          // it waits for other jobs of the same person
}

// Waiting reports whether the job still waits for its turn.
func (j *Job) Waiting() bool {
	j.queue.mu.Lock()
	defer j.queue.mu.Unlock()
	return j.waiting
}

// Position returns the position of a job; ok is false if it does not wait.
func (j *Job) Position() (p Position, ok bool) {
	q := j.queue
	q.mu.Lock()
	defer q.mu.Unlock()
	if !j.waiting {
		return Position{}, false
	}
	s := q.schedule
	p.Ahead = s.ahead(j.entry())
	p.Wait = q.waitLocked(p.Ahead, s.Running)
	p.BehindOwn = s.running[j.task.Person] >= s.PersonRunning
	return p, true
}

// Withdraw takes the job out of the queue, and reports whether it waited. A job that runs is not affected.
func (j *Job) Withdraw() bool {
	j.queue.mu.Lock()
	defer j.queue.mu.Unlock()
	if !j.waiting {
		return false
	}
	j.stopWaitingLocked()
	return j.queue.schedule.remove(j.entry())
}

// AfterWaiting calls do, in a goroutine of its own, if the job still waits after d. The job may start while do runs.
func (j *Job) AfterWaiting(d time.Duration, do func()) {
	j.queue.mu.Lock()
	defer j.queue.mu.Unlock()
	if !j.waiting {
		return
	}
	j.timers = append(j.timers, time.AfterFunc(d, func() {
		if j.Waiting() {
			do()
		}
	}))
}

// stopWaitingLocked stops the timers of a job that no longer waits.
func (j *Job) stopWaitingLocked() {
	j.waiting = false
	for _, t := range j.timers {
		t.Stop()
	}
	j.timers = nil
}

func (j *Job) entry() entry[*Job] {
	return entry[*Job]{person: j.task.Person, key: j.task.Key, item: j}
}
