package health

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"
)

// Parts holds the readiness check of each part. The zero value is ready; parts are added while the program starts. It is
// safe for concurrent use.
type Parts struct {
	mu   sync.Mutex
	list []*part
}

// Starting adds parts that are not ready because they have not started yet.
func (p *Parts) Starting(names ...string) {
	for _, name := range names {
		p.Set(name, func(context.Context) (string, error) { return "it is being started", nil })
	}
}

// Set sets the check of a part.
func (p *Parts) Set(name string, check Check) {
	p.mu.Lock()
	defer p.mu.Unlock()
	set := &part{name: name, check: check}
	at := slices.IndexFunc(p.list, func(old *part) bool { return old.name == name })
	if at < 0 {
		p.list = append(p.list, set)
		return
	}
	set.reason = p.list[at].last()
	p.list[at] = set
}

// Ready runs all checks and returns which parts are ready, as /readyz does.
func (p *Parts) Ready(ctx context.Context) map[string]bool {
	ready := map[string]bool{}
	for name, s := range p.run(ctx, slog.New(slog.DiscardHandler)).Parts {
		ready[name] = s.Ready
	}
	return ready
}

// run runs all checks concurrently.
func (p *Parts) run(ctx context.Context, log *slog.Logger) report {
	p.mu.Lock()
	list := slices.Clone(p.list)
	p.mu.Unlock()
	states := make([]state, len(list))
	var g sync.WaitGroup
	for i, one := range list {
		g.Go(func() { states[i] = one.run(ctx, log) })
	}
	g.Wait()
	r := report{Ready: true, Parts: make(map[string]state, len(list))}
	for i, one := range list {
		r.Parts[one.name] = states[i]
		r.Ready = r.Ready && states[i].Ready
	}
	return r
}

// part is one part and its check.
type part struct {
	name  string
	check Check
	calls singleflight.Group

	mu     sync.Mutex
	reason *string // of the last check; nil before the first
}

// noAnswer is the reason of a check that does not return.
const noAnswer = "it does not answer"

// run runs the check with a timeout. Concurrent requests share one call, so a check that hangs costs one goroutine.
func (p *part) run(ctx context.Context, log *slog.Logger) state {
	if p.check == nil {
		return state{Ready: true}
	}
	done := p.calls.DoChan("", func() (any, error) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), checkTimeout)
		defer cancel()
		reason, err := p.recovered(ctx)
		p.record(log, reason, err)
		return state{Ready: reason == "", Reason: reason}, nil
	})
	giveUp := time.NewTimer(checkTimeout + checkTimeout/4)
	defer giveUp.Stop()
	select {
	case r := <-done:
		return r.Val.(state)
	case <-giveUp.C:
		p.record(log, noAnswer, nil)
		return state{Reason: noAnswer}
	}
}

// last returns the reason of the last completed check.
func (p *part) last() *string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.reason
}

// recovered runs the check and turns a panic into an error.
func (p *part) recovered(ctx context.Context) (reason string, err error) {
	defer func() {
		if crash := recover(); crash != nil {
			reason, err = "the check crashed", fmt.Errorf("panic: %v", crash)
		}
	}()
	return p.check(ctx)
}

// record logs what changed since the last check.
func (p *part) record(log *slog.Logger, reason string, err error) {
	p.mu.Lock()
	before := p.reason
	p.reason = &reason
	p.mu.Unlock()
	switch {
	case before != nil && *before == reason, before == nil && reason == "":
	case reason == "":
		log.Info("a part is ready again", "part", p.name)
	default:
		log.Warn("a part is not ready", "part", p.name, "reason", reason, "error", err)
	}
}

// state is the result of one check.
type state struct {
	Ready  bool   `json:"ready"`
	Reason string `json:"reason,omitempty"`
}

// report is the result of all checks.
type report struct {
	Ready bool             `json:"ready"`
	Parts map[string]state `json:"parts"`
}

// write writes a liveness answer as plain text.
func (s state) write(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	if !s.Ready {
		w.WriteHeader(http.StatusServiceUnavailable)
		fmt.Fprintln(w, s.Reason)
		return
	}
	fmt.Fprintln(w, "ok")
}

// write writes a readiness answer as JSON.
func (r report) write(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "application/json")
	if !r.Ready {
		w.WriteHeader(http.StatusServiceUnavailable)
	}
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	_ = e.Encode(r) // an error means that the client is gone
}
