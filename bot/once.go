package bot

import (
	"sync"
	"sync/atomic"
)

// ackOnce lets the first of several goroutines acknowledge an envelope.
type ackOnce struct {
	once sync.Once
	done atomic.Bool
}

// do acknowledges by calling send, unless the envelope was acknowledged before. It waits for an acknowledgement that is
// being sent.
func (a *ackOnce) do(send func()) {
	a.once.Do(func() {
		defer a.done.Store(true)
		send()
	})
}

// isDone reports whether the envelope was acknowledged.
func (a *ackOnce) isDone() bool { return a.done.Load() }

// waitingNotice is the message that says what an answer waits for. A question has at most one, and none once its answer
// is being sent. A nil notice is never posted.
type waitingNotice struct {
	mu     sync.Mutex
	begun  bool
	posted chan struct{} // closed when the notice was posted, failed, or must no longer be posted
}

func newWaitingNotice() *waitingNotice { return &waitingNotice{posted: make(chan struct{})} }

// begin reports whether the caller has to post the notice. If so, the caller closes posted afterwards.
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

// end prevents the notice, or waits for it if it is being posted: the answer has to appear below it.
func (n *waitingNotice) end() {
	switch {
	case n == nil:
	case n.begin():
		close(n.posted)
	default:
		<-n.posted
	}
}
