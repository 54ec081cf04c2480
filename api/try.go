package api

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"

	"github.com/missingkbs/missingkbs/internal/quota"
)

// maxSilences is how many tries of a call may end because Defender stays silent.
const maxSilences = 2

// tryLimit is the policy that ends a try on which Defender is silent for too long: neither a header nor more of the
// body arrives. An answer that arrives slowly continues, however long it takes; the whole call has its own limit. The
// next try uses a fresh connection. It comes after the rate limit, whose waits are not silence.
type tryLimit struct {
	after time.Duration // of the first try; the last one has as long as its callers wait, for a Defender that is slow but there
	conns *connections  // nil where the transport is not ours to renew
}

// callMargin is how long before its callers leave the last try ends, so that they learn why.
const callMargin = time.Second

// Do implements [policy.Policy].
func (l tryLimit) Do(req *policy.Request) (*http.Response, error) {
	ctx := req.Raw().Context()
	call := callStateOf(ctx)
	patience := l.patience(ctx, call.silences)
	limited, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	w := newSilenceTimer(patience, positionOf(ctx), func(after time.Duration) { cancel(&silence{after}) })
	w.start(call.silences == maxSilences-1)
	defer w.end()
	call.silenceTimer = w

	resp, err := req.Clone(limited).Next()
	if err == nil && resp.StatusCode != http.StatusOK {
		_, err = runtime.Payload(resp) // the context of the try ends here
		if _, silent := errors.AsType[*silence](context.Cause(limited)); !silent {
			err = nil // what can be read of a refusal is enough
		}
	}
	silent, ok := errors.AsType[*silence](context.Cause(limited))
	if err == nil || !ok || ctx.Err() != nil {
		return resp, err
	}
	if l.conns != nil {
		l.conns.renew(call.conns)
	}
	if call.silences++; call.silences < maxSilences {
		call.silence = silent.after
		return nil, silent
	}
	return nil, &gaveUp{call.silence, silent.after}
}

// patience is how long a try may be silent, after so many that were.
func (l tryLimit) patience(ctx context.Context, silences int) time.Duration {
	deadline, ok := ctx.Deadline()
	if silences < maxSilences-1 || !ok {
		return l.after
	}
	if until := positionOf(ctx).awaited(); time.Until(until) > callMargin && until.Before(deadline) {
		deadline = until
	}
	left := max(time.Until(deadline), 0)
	return left - min(callMargin, left/4)
}

// silence reports why a try ended.
type silence struct{ after time.Duration }

func (e *silence) Error() string { return fmt.Sprintf("no answer within %s", rounded(e.after)) }

// gaveUp reports that the tries of a call were silent.
type gaveUp struct{ first, last time.Duration }

func (e *gaveUp) Error() string {
	return fmt.Sprintf("Defender took the call and did not answer within %s, nor on a fresh connection within %s",
		rounded(e.first), rounded(e.last))
}

// rounded rounds a duration for people.
func rounded(d time.Duration) time.Duration {
	if d < time.Second {
		return d.Round(time.Millisecond)
	}
	return d.Round(time.Second)
}

// NonRetriable keeps azcore's retry policy from trying again.
func (*gaveUp) NonRetriable() {}

// silenceTimer ends a try that receives nothing for too long. Its position records since when. A try that only background
// callers wait for gets more time: a Defender that is slow for hours would otherwise be asked everything twice.
type silenceTimer struct {
	patience time.Duration
	position *queuePosition
	giveUp   func(after time.Duration)

	mu     sync.Mutex
	timer  *time.Timer
	longer bool // it was given more time
	last   bool // it has all the time that there is
}

// patienceOfDigests is how long a try may be silent while only digests wait for it, where a question would wait for d.
func patienceOfDigests(d time.Duration) time.Duration { return d * 5 / 2 }

func newSilenceTimer(patience time.Duration, p *queuePosition, giveUp func(after time.Duration)) *silenceTimer {
	return &silenceTimer{patience: patience, position: p, giveUp: giveUp}
}

// start starts the timer. The last try has all the time that there is, and gets no more.
func (w *silenceTimer) start(last bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.last = last
	w.timer = time.AfterFunc(w.patience, w.over)
	w.position.silentSince(time.Now())
}

// over is called when the patience is over.
func (w *silenceTimer) over() {
	w.mu.Lock()
	defer w.mu.Unlock()
	more := patienceOfDigests(w.patience) - w.patience
	_, background := w.position.background()
	switch {
	case w.longer:
		w.giveUp(patienceOfDigests(w.patience))
	case background && !w.last:
		w.longer = true
		w.timer.Reset(more)
	default:
		w.giveUp(w.patience)
	}
}

// progress restarts the timer because something arrived.
func (w *silenceTimer) progress() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.longer = false
	w.timer.Reset(w.patience)
	w.position.silentSince(time.Now())
}

// pause stops the timer while nothing is expected of Defender. [silenceTimer.progress] starts it again.
func (w *silenceTimer) pause() { w.end() }

func (w *silenceTimer) end() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.timer.Stop()
	w.position.silentSince(time.Time{})
}

// watchedBody is a body whose every byte is progress.
type timedBody struct {
	io.ReadCloser
	*silenceTimer
}

// Read implements [io.Reader].
func (b timedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if n > 0 {
		b.progress()
	}
	return n, err
}

// await notes until when a caller waits for the call: its deadline, or for ever.
func (p *queuePosition) await(ctx context.Context) {
	p.mu.Lock()
	defer p.mu.Unlock()
	deadline, ok := ctx.Deadline()
	p.forever = p.forever || !ok
	p.until = quota.Later(p.until, deadline)
}

// awaited is when the last caller leaves; zero where one waits for ever.
func (p *queuePosition) awaited() time.Time {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.forever {
		return time.Time{}
	}
	return p.until
}

// silentSince notes since when Defender has said nothing to the try that is under way; zero where none is.
func (p *queuePosition) silentSince(t time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.silent = t
}

// silentFor reports whether the try that is under way has been silent for so long.
func (p *queuePosition) silentFor(d time.Duration) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return !p.silent.IsZero() && time.Since(p.silent) >= d
}
