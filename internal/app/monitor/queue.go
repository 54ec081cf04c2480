package monitor

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/missingkbs/missingkbs/bot"
	"github.com/missingkbs/missingkbs/bot/access"
	"github.com/missingkbs/missingkbs/internal/metrics"
)

// stuckAfter is how long questions may wait without one finishing. A running question may take half of that.
const stuckAfter = time.Minute

// queueProgress tracks whether the queue of questions makes progress.
type queueProgress struct {
	load func() bot.Load

	mu    sync.Mutex
	moved time.Time // when a question last finished, or none was waiting
}

// step records that a question has finished.
func (p *queueProgress) step() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.moved = time.Now()
}

// check is a [health.Check].
func (p *queueProgress) check(context.Context) (reason string, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	waiting := p.load().Waiting
	if waiting == 0 || p.moved.IsZero() {
		p.moved = time.Now()
	}
	if still := time.Since(p.moved); still > stuckAfter {
		return fmt.Sprintf("%d questions wait, and none has been finished for %v", waiting, still.Round(time.Second)), nil
	}
	return "", nil
}

// AddQueue makes readiness depend on the queue of questions. It returns an observer that counts questions and notices
// progress.
func (m *Monitor) AddQueue(load func() bot.Load) bot.Observer {
	progress := &queueProgress{load: load}
	m.Parts.Set(Queue, progress.check)
	return func(_ context.Context, o bot.Observation) {
		if o.Outcome != bot.Busy && o.Outcome != bot.Restarting { // a rejected question says nothing about the queue
			progress.step()
		}
		m.Metrics.Question(metrics.Question{
			Typing: o.Entry == bot.EntryTypeahead, Unseen: o.Outcome == bot.Refused && slices.Contains(access.IdentityUnavailable(), o.Reason),
			Entry: string(o.Entry), Command: o.Command, Outcome: string(o.Outcome), Reason: o.Reason,
			Queued: o.Queued, Working: o.Working, Reply: o.Reply,
		})
	}
}
