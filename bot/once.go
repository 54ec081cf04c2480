package bot

import (
	"sync"
	"sync/atomic"
)

// waitingNotice is the line that tells what an answer waits for. There is one for a question at most, and none once the
// answer is on its way. A nil one is never posted.
type waitingNotice struct {
	mu    sync.Mutex
	begun bool
	said  chan struct{} // closed when it was posted, could not be, or must not be any more
}

func newWaitingNotice() *waitingNotice { return &waitingNotice{said: make(chan struct{})} }

// begin reports whether the line is to be posted now; then the caller closes said.
func (n *waitingNotice) begin() bool {
	if n == nil {
		return false
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	first := !n.begun
	n.begun = true
	return first
}

// end keeps the line from being said, or waits until it is: what comes afterwards is to stand below it.
func (n *waitingNotice) end() {
	switch {
	case n == nil:
	case n.begin():
		close(n.said)
	default:
		<-n.said
	}
}

// ackOnce lets an envelope be acknowledged once, by whichever goroutine comes first.
type ackOnce struct {
	once sync.Once
	done atomic.Bool
}

// do acknowledges by send. If that was done before it does nothing, and if that is under way it waits.
func (a *ackOnce) do(send func()) {
	a.once.Do(func() {
		defer a.done.Store(true)
		send()
	})
}

// isDone reports whether the envelope was acknowledged.
func (a *ackOnce) isDone() bool { return a.done.Load() }
