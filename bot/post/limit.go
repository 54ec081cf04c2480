package post

import (
	"context"
	"errors"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/missingkbs/missingkbs/internal/digest"
	"github.com/missingkbs/missingkbs/internal/wait"
)

const (
	defaultPerChannel = 1100 * time.Millisecond
	defaultPerMinute  = 240
	// postBurst is how many messages may be sent at once, into different channels.
	postBurst = 20
	// maxTurn is the longest time that a worker waits. A message that would wait longer is retried later.
	maxTurn = 20 * time.Second
	// maxLimiters bounds the channels that are remembered.
	maxLimiters = 1000
)

// errTurn is the cause of a [digest.RetryLater] that is due to our own limits.
var errTurn = errors.New("many digests are being posted")

// postLimits enforces Slack's limits on posting: one message a second in a channel, and several hundred a minute in a
// workspace (https://docs.slack.dev/apis/web-api/rate-limits). It only counts this process. The workspace limit leaves
// room for a second replica; further ones rely on Slack's refusals.
type postLimits struct {
	every time.Duration
	all   *rate.Limiter // nil: no limit

	mu       sync.Mutex
	channels map[string]*rate.Limiter
}

// newPostLimits returns limits; zero stands for the default, a negative value for no limit.
func newPostLimits(perChannel time.Duration, perMinute int) *postLimits {
	if perChannel == 0 {
		perChannel = defaultPerChannel
	}
	if perMinute == 0 {
		perMinute = defaultPerMinute
	}
	l := &postLimits{every: perChannel, channels: map[string]*rate.Limiter{}}
	if perMinute > 0 {
		l.all = rate.NewLimiter(rate.Limit(float64(perMinute)/60), postBurst)
	}
	return l
}

// wait returns when a message may be posted into a channel, or a [digest.RetryLater] if that takes too long. It waits
// for the workspace's limit first, because the channel's interval starts when its last message was sent.
func (l *postLimits) wait(ctx context.Context, channel string) error {
	if far := l.next(channel); far > maxTurn {
		return digest.RetryLater{After: far, Err: errTurn}
	}
	for _, limiter := range []*rate.Limiter{l.all, l.channel(channel)} {
		if err := waitTurn(ctx, limiter); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// waitTurn waits for one limiter; nil is no limit.
func waitTurn(ctx context.Context, limiter *rate.Limiter) error {
	if limiter == nil {
		return nil
	}
	turn := limiter.Reserve()
	delay := turn.Delay()
	if delay > maxTurn {
		turn.Cancel()
		return digest.RetryLater{After: delay, Err: errTurn}
	}
	if delay > 0 && !wait.For(ctx, delay) {
		turn.Cancel()
		return ctx.Err()
	}
	return nil
}

// ahead estimates how long a message into a channel would wait now.
func (l *postLimits) ahead(channel string) time.Duration {
	wait := l.next(channel)
	if l.all != nil {
		wait = max(wait, time.Duration((1-l.all.Tokens())/float64(l.all.Limit())*float64(time.Second)))
	}
	return wait
}

// next returns the time until the channel accepts a message.
func (l *postLimits) next(channel string) time.Duration {
	if l.every < 0 {
		return 0
	}
	return max(0, time.Duration((1-l.channel(channel).Tokens())*float64(l.every)))
}

// channel returns the limiter of a channel.
func (l *postLimits) channel(id string) *rate.Limiter {
	if l.every < 0 {
		return nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if limiter, ok := l.channels[id]; ok {
		return limiter
	}
	if len(l.channels) >= maxLimiters {
		l.forgetLocked()
	}
	limiter := rate.NewLimiter(rate.Every(l.every), 1)
	l.channels[id] = limiter
	return limiter
}

// forgetLocked drops limiters that no longer delay anything: new ones would do the same.
func (l *postLimits) forgetLocked() {
	for id, limiter := range l.channels {
		if limiter.Tokens() >= 1 {
			delete(l.channels, id)
		}
	}
}
