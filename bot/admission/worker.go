package admission

import (
	"slices"
	"time"
)

const (
	// maxIdle is how many idle workers a queue keeps at most.
	maxIdle = 16
	// idleTime is how long a worker waits for a job before it ends: a bot that is asked little keeps no stacks.
	idleTime = 10 * time.Second
)

// workerPool keeps the goroutines of workers that are idle. A task grows the stack of its goroutine; in a new goroutine
// that would cost every task about a tenth of its time. It is not safe for concurrent use.
type workerPool struct {
	keep int         // idle workers
	idle []chan *Job // where idle workers wait, the one that worked last at the end
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
	next <- j // there is room: each worker waits for one job
}

// park keeps a worker that will wait at next, and reports whether it may.
func (p *workerPool) park(next chan *Job) bool {
	if len(p.idle) >= p.keep {
		return false
	}
	p.idle = append(p.idle, next)
	return true
}

// leave takes the worker that waits at next off the list, and reports whether it was there. If not, a job is on its way.
func (p *workerPool) leave(next chan *Job) bool {
	i := slices.Index(p.idle, next)
	if i < 0 {
		return false
	}
	p.idle = slices.Delete(p.idle, i, i+1)
	return true
}

// close ends all idle workers, and keeps none any more.
func (p *workerPool) close() {
	for _, next := range p.idle {
		close(next)
	}
	p.idle, p.keep = nil, 0
}
