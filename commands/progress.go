package commands

import (
	"context"
	"fmt"
	"math"
	"sync"
	"time"

	"github.com/missingkbs/missingkbs/api"
)

// Progress tells the person who asked what the answer waits for. It is safe for concurrent use.
type Progress struct {
	defender api.Progress

	mu       sync.Mutex
	other    string    // what is waited for beside Defender
	deadline time.Time // when the question is given up
}

// WithProgress returns a context for a question whose progress is to be told.
func WithProgress(ctx context.Context) (context.Context, *Progress) {
	p := &Progress{}
	return context.WithValue(api.WithProgress(ctx, &p.defender), progressKey{}, p), p
}

type progressKey struct{}

// ProgressOf returns the progress of the question that a context belongs to, or one without a reader.
func ProgressOf(ctx context.Context) *Progress {
	if p, ok := ctx.Value(progressKey{}).(*Progress); ok {
		return p
	}
	return &Progress{}
}

// Begin notes when the question is given up at the latest.
func (p *Progress) Begin(deadline time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.deadline = deadline
}

// Asking notes who is asked, beside Defender; "" for no one.
func (p *Progress) Asking(who string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.other = who
}

// Words say what is waited for and for how long.
func (p *Progress) Words() string {
	now := time.Now()
	w := p.defender.Waiting()
	p.mu.Lock()
	other, left := p.other, inSeconds(p.deadline.Sub(now))
	p.mu.Unlock()
	within := "Your answer follows within " + left + "."
	switch w.For {
	case api.ForAnswer:
		return "Asking Defender… " + within
	case api.ForSignIn:
		return "Signing in to Defender… " + within
	case api.ForRetry:
		return "Defender failed; asking again… " + within
	case api.ForPause:
		return fmt.Sprintf("Defender asked for a pause of %s; your answer follows then.", inSeconds(w.Until.Sub(now)))
	case api.ForTurn:
		return fmt.Sprintf("The limit of Defender calls is reached; your turn comes in %s, and your answer follows then.", inSeconds(w.Until.Sub(now)))
	}
	if other != "" {
		return "Asking " + other + "… " + within
	}
	return "Still working on it… " + within
}

// inSeconds is a span in whole seconds, rounded up.
func inSeconds(d time.Duration) string {
	return fmt.Sprintf("%d s", max(1, int(math.Ceil(d.Seconds()))))
}
