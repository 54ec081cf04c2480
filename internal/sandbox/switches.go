package sandbox

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/missingkbs/missingkbs/internal/sandbox/protocol"
)

// Faults are the switches that make Slack misbehave. The zero value is a healthy
// Slack. The faults of Defender are switched on the tenant, or from the page.
type Faults struct {
	RateLimited     bool          // every Web API call and response URL answers 429
	RefuseNewBlocks bool          // blocks newer than 2025 get invalid_blocks, as in workspaces without them
	Refused         RefusedBlocks // single ones of them, whatever their age
	Redeliver       bool          // every envelope comes twice
	DropAcks        bool          // acknowledgements get lost
	Dismiss         string        // every new socket is told to go right after its hello, for this reason
	WebAPIError     string        // every Web API call answers this, such as invalid_auth
	HelloDelay      time.Duration // a new socket gets no hello for so long
	ClockSkew       time.Duration // the Web API's Date header is off by so much, as if this machine's clock were wrong
	Latency         time.Duration // added to every Web API call and response URL
}

// RefusedBlocks are blocks and cells that a workspace does not know: Slack says
// "unsupported type" of them, with the pointer of their place.
type RefusedBlocks struct {
	ActionCell        bool // in a data_table
	DataTable         bool
	Table             bool
	DataVisualization bool
	Mutely            bool // a refusal of blocks, whatever for, says nothing but its code
}

// types are the names of what is refused.
func (r RefusedBlocks) types() []string {
	var names []string
	for name, on := range map[string]bool{
		"action_cell": r.ActionCell, "data_table": r.DataTable, "table": r.Table, "data_visualization": r.DataVisualization,
	} {
		if on {
			names = append(names, name)
		}
	}
	return names
}

// Judge finds what else this Slack refuses in blocks on a surface: message, modal or
// home. Pointers begin with /blocks.
type Judge func(surface string, blocks json.RawMessage) []BlockError

// SetJudge sets a function that checks all blocks after the rules of Block Kit; nil
// removes it.
func (w *Workspace) SetJudge(j Judge) {
	w.switches.mu.Lock()
	defer w.switches.mu.Unlock()
	w.switches.judge = j
}

// switches holds the faults that are on.
type switches struct {
	w      *Workspace
	mu     sync.Mutex
	faults Faults
	judge  Judge
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
		return protocol.Refuse(f.WebAPIError)
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
		return protocol.RateLimit(time.Second)
	}
	return nil
}

// newBlocks are refused by workspaces that do not have them yet.
func newBlocks() []string {
	return []string{"alert", "card", "carousel", "container", "data_table", "data_visualization", "layout"}
}

// refuse finds what the workspace refuses in blocks that break no rule of Block Kit.
func (s *switches) refuse(surface string, blocks json.RawMessage) []BlockError {
	s.mu.Lock()
	f, judge := s.faults, s.judge
	s.mu.Unlock()
	types := f.Refused.types()
	if f.RefuseNewBlocks {
		types = append(types, newBlocks()...)
	}
	faults := unknownBlocks(blocks, types)
	if judge != nil {
		faults = append(faults, judge(surface, blocks)...)
	}
	return faults
}

// unknownBlocks is what a workspace says to types that it does not have: of a block,
// or of a cell in one that it has.
func unknownBlocks(blocks json.RawMessage, types []string) []BlockError {
	if len(types) == 0 {
		return nil
	}
	type typed struct {
		Type string `json:"type"`
	}
	var list []struct {
		typed
		Rows [][]json.RawMessage `json:"rows"`
	}
	_ = json.Unmarshal(blocks, &list)
	var out []BlockError
	unknown := func(t typed, at string, a ...any) bool {
		if !slices.Contains(types, t.Type) {
			return false
		}
		out = append(out, BlockError{Pointer: fmt.Sprintf(at, a...), Message: "unsupported type: " + t.Type})
		return true
	}
	for i, b := range list {
		if unknown(b.typed, "/blocks/%d/type", i) {
			continue
		}
		for j, row := range b.Rows {
			for k, raw := range row {
				var cell typed
				_ = json.Unmarshal(raw, &cell)
				unknown(cell, "/blocks/%d/rows/%d/%d/type", i, j, k)
			}
		}
	}
	return out
}
