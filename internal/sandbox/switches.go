package sandbox

import (
	"context"
	"net/http"
	"slices"
	"sync"
	"time"
)

// Faults are the switches that make Slack misbehave. The zero value is a Slack in
// good health. Those of Defender are switched on the tenant itself, or from the page.
type Faults struct {
	RateLimited     bool          // every Web API call and response URL answers 429
	RefuseNewBlocks bool          // blocks newer than 2025 get invalid_blocks, as in workspaces without them
	Redeliver       bool          // every envelope comes twice
	DropAcks        bool          // acknowledgements get lost
	Dismiss         string        // every new socket is told to go right after its hello, for this reason
	WebAPIError     string        // every Web API call answers this, such as invalid_auth
	HelloDelay      time.Duration // a new socket hears nothing for so long
	ClockSkew       time.Duration // the Web API's Date header is off by so much, as if this machine's clock were wrong
	Latency         time.Duration // added to every Web API call and response URL
}

// switches holds the faults that are on.
type switches struct {
	w      *Workspace
	mu     sync.Mutex
	faults Faults
	heal   map[string]func() // Defender faults that are on, by name
}

func newSwitches(w *Workspace) *switches {
	return &switches{w: w, heal: map[string]func(){}}
}

func (s *switches) get() Faults {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.faults
}

// SetFaults replaces the faults of Slack that are on.
func (w *Workspace) SetFaults(f Faults) {
	w.switches.mu.Lock()
	w.switches.faults = f
	w.switches.mu.Unlock()
	w.switches.announce()
}

// Faults returns the faults of Slack that are on.
func (w *Workspace) Faults() Faults { return w.switches.get() }

// webAPI returns what stands in the way of a Web API call, after the added latency.
func (s *switches) webAPI(ctx context.Context) error {
	f := s.get()
	if err := f.wait(ctx); err != nil {
		return err
	}
	if f.WebAPIError != "" {
		return refuse(f.WebAPIError)
	}
	return nil
}

// misdate sets the Date header of an answer where the clocks are to disagree.
func (s *switches) misdate(h http.Header) {
	if skew := s.get().ClockSkew; skew != 0 {
		h.Set("Date", time.Now().Add(skew).UTC().Format(http.TimeFormat))
	}
}

// responseURL is the same for a response URL, which knows no auth errors.
func (s *switches) responseURL(ctx context.Context) error { return s.get().wait(ctx) }

func (f Faults) wait(ctx context.Context) error {
	if f.Latency > 0 {
		select {
		case <-time.After(f.Latency):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	if f.RateLimited {
		return rateLimited{time.Second}
	}
	return nil
}

// newBlocks are refused by workspaces that do not have them yet.
func newBlocks(kind string) bool {
	return slices.Contains([]string{"alert", "card", "carousel", "container", "data_table", "data_visualization", "layout"}, kind)
}
