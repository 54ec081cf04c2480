package grants

import (
	"sync"
	"time"

	"github.com/missingkbs/missingkbs/internal/sandbox/protocol"
)

// PostLimit allows one message per second and channel, Slack's published rule
// (https://docs.slack.dev/apis/web-api/rate-limits). Slack enforces it less strictly.
type PostLimit struct {
	strict bool
	every  time.Duration
	mu     sync.Mutex
	free   map[string]time.Time // when a channel takes the next message
}

// NewPostLimit returns limits that hold if strict is true.
func NewPostLimit(strict bool, every time.Duration) *PostLimit {
	return &PostLimit{strict: strict, every: every, free: map[string]time.Time{}}
}

// Allow allows a message to the channel now, or returns how long to wait.
func (l *PostLimit) Allow(channelID string) error {
	if !l.strict {
		return nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	if wait := l.free[channelID].Sub(now); wait > 0 {
		return protocol.RateLimit(wait)
	}
	l.free[channelID] = now.Add(l.every)
	return nil
}
