package admission

import (
	"slices"
	"time"
)

const (
	// maxIdle bounds the idle workers of a queue.
	maxIdle = 16
	// idleTime is how long a worker waits for a job before it ends: a quiet bot should keep no stacks.
	idleTime = 10 * time.Second
)

// workerPool keeps the goroutines of idle workers. A task grows the stack of its goroutine; growing a new one for each
// task would take about a tenth of its time. It is not safe for concurrent use.
type workerPool struct {
	keep int         // idle workers
	idle []chan *Job // channels of idle workers, most recently used last
}

// start gives a job to an idle worker, or to a new one that runs work.
func (p *workerPool) start(j *Job, work func(*Job)) {
	last := len(p.idle) - 1
	if last < 0 {
		go work(j)
		return
	}
	next := p.idle[last]
	p.idle = p.idle[:last]
	next <- j // does not block: each worker waits for one job
}

// park keeps a worker that will wait at next, and reports whether there is room for it.
func (p *workerPool) park(next chan *Job) bool {
	if len(p.idle) >= p.keep {
		return false
	}
	p.idle = append(p.idle, next)
	return true
}

// leave removes the worker that waits at next, and reports whether it was there. If not, a job is on its way to it.
func (p *workerPool) leave(next chan *Job) bool {
	i := slices.Index(p.idle, next)
	if i < 0 {
		return false
	}
	p.idle = slices.Delete(p.idle, i, i+1)
	return true
}

// close ends all idle workers and keeps no more.
func (p *workerPool) close() {
	for _, next := range p.idle {
		close(next)
	}
	p.idle, p.keep = nil, 0
}
