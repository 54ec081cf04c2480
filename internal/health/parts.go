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

// Parts are what has to work before the program is ready. The zero value is ready; parts are added as the program
// starts. It is safe for concurrent use.
type Parts struct {
	mu   sync.Mutex
	list []*watched
}

// Starting adds parts that are not ready for now, because the program has not come so far.
func (p *Parts) Starting(names ...string) {
	for _, name := range names {
		p.Set(name, func(context.Context) (string, error) { return "it is being started", nil })
	}
}

// Set says how to look at a part.
func (p *Parts) Set(name string, look Look) {
	p.mu.Lock()
	defer p.mu.Unlock()
	w := &watched{name: name, look: look}
	at := slices.IndexFunc(p.list, func(w *watched) bool { return w.name == name })
	if at < 0 {
		p.list = append(p.list, w)
		return
	}
	w.reason = p.list[at].reason
	p.list[at] = w
}

// Ready looks at all parts and tells of each whether it is ready, as /readyz does.
func (p *Parts) Ready(ctx context.Context) map[string]bool {
	ready := map[string]bool{}
	for name, s := range p.see(ctx, slog.New(slog.DiscardHandler)).Parts {
		ready[name] = s.Ready
	}
	return ready
}

// see looks at all parts at the same time.
func (p *Parts) see(ctx context.Context, log *slog.Logger) report {
	p.mu.Lock()
	list := slices.Clone(p.list)
	p.mu.Unlock()
	states := make([]state, len(list))
	var g sync.WaitGroup
	for i, w := range list {
		g.Go(func() { states[i] = w.see(ctx, log) })
	}
	g.Wait()
	r := report{Ready: true, Parts: make(map[string]state, len(list))}
	for i, w := range list {
		r.Parts[w.name] = states[i]
		r.Ready = r.Ready && states[i].Ready
	}
	return r
}

// watched is one thing to look at.
type watched struct {
	name  string
	look  Look
	looks singleflight.Group

	mu     sync.Mutex
	reason *string // what the last look gave; nil before the first
}

// silent is the reason of a look that does not come back.
const silent = "it does not answer"

// see looks, for as long as it may take. Those who ask at the same time share a look, so that one which hangs costs one
// goroutine and not one for each who asks.
func (w *watched) see(ctx context.Context, log *slog.Logger) state {
	if w.look == nil {
		return state{Ready: true}
	}
	landed := w.looks.DoChan("", func() (any, error) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
		defer cancel()
		reason, err := w.safely(ctx)
		w.note(log, reason, err)
		return state{Ready: reason == "", Reason: reason}, nil
	})
	giveUp := time.NewTimer(patience + patience/4)
	defer giveUp.Stop()
	select {
	case r := <-landed:
		return r.Val.(state)
	case <-giveUp.C:
		w.note(log, silent, nil)
		return state{Reason: silent}
	}
}

func (w *watched) safely(ctx context.Context) (reason string, err error) {
	defer func() {
		if crash := recover(); crash != nil {
			reason, err = "the check crashed", fmt.Errorf("panic: %v", crash)
		}
	}()
	return w.look(ctx)
}

// note logs what changed since the last look.
func (w *watched) note(log *slog.Logger, reason string, err error) {
	w.mu.Lock()
	before := w.reason
	w.reason = &reason
	w.mu.Unlock()
	switch {
	case before != nil && *before == reason, before == nil && reason == "":
	case reason == "":
		log.Info("a part is ready again", "part", w.name)
	default:
		log.Warn("a part is not ready", "part", w.name, "reason", reason, "error", err)
	}
}

// state is what a look saw.
type state struct {
	Ready  bool   `json:"ready"`
	Reason string `json:"reason,omitempty"`
}

// report is what all looks saw.
type report struct {
	Ready bool             `json:"ready"`
	Parts map[string]state `json:"parts"`
}

// write answers a question for life in plain words.
func (s state) write(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	if !s.Ready {
		w.WriteHeader(http.StatusServiceUnavailable)
		fmt.Fprintln(w, s.Reason)
		return
	}
	fmt.Fprintln(w, "ok")
}

// write answers a question for readiness as JSON.
func (r report) write(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "application/json")
	if !r.Ready {
		w.WriteHeader(http.StatusServiceUnavailable)
	}
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	_ = e.Encode(r) // whoever asked has gone
}
