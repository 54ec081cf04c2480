package main

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/missingkbs/missingkbs/bot"
)

// stuckAfter is how long questions may wait while none is finished. A question that runs may take half of that.
const stuckAfter = time.Minute

// line tells whether the line of questions moves.
type line struct {
	mu    sync.Mutex
	load  func() bot.Load
	moved time.Time // when a question was over last, or nobody waited
}

// step notes that a question is over.
func (l *line) step() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.moved = time.Now()
}

// look is a [probe.Look].
func (l *line) look(context.Context) (reason string, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	waiting := l.load().Waiting
	if waiting == 0 || l.moved.IsZero() {
		l.moved = time.Now()
	}
	if still := time.Since(l.moved); still > stuckAfter {
		return fmt.Sprintf("%d questions wait, and none has been finished for %v", waiting, still.Round(time.Second)), nil
	}
	return "", nil
}

// queue looks at the line of questions.
func (m *monitor) queue(load func() bot.Load) {
	m.line.load = load
	m.parts.Set(partQueue, m.line.look)
}
