package faults

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/missingkbs/missingkbs/internal/sandbox/blockkit"
	"github.com/missingkbs/missingkbs/internal/sandbox/protocol"
)

// Switches make Slack misbehave until they are switched off. The zero value is a
// healthy Slack. Faults of Defender are switched on the tenant, or by [Set.SetNamed].
type Switches struct {
	RateLimited     bool          // every Web API call and response URL answers 429
	RefuseNewBlocks bool          // blocks newer than 2025 get invalid_blocks, as in workspaces without them
	Refused         RefusedBlocks // single types of blocks, old or new
	Redeliver       bool          // every envelope comes twice
	DropAcks        bool          // acknowledgements get lost
	Dismiss         string        // every new socket is told to go right after its hello, for this reason
	WebAPIError     string        // every Web API call answers this, such as invalid_auth
	HelloDelay      time.Duration // a new socket gets no hello for so long
	ClockSkew       time.Duration // the Web API's Date header is off by so much, as if this machine's clock were wrong
	Latency         time.Duration // added to every Web API call and response URL
}

// RefusedBlocks are blocks and cells that a workspace does not know. Slack answers
// "unsupported type" with a pointer to the block or cell.
type RefusedBlocks struct {
	ActionCell        bool // in a data_table
	DataTable         bool
	Table             bool
	DataVisualization bool
	Mutely            bool // a refusal of blocks says nothing but its code
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

// WebAPI waits for the added latency and returns the refusal of a Web API call, if a
// switch refuses it.
func (s *Set) WebAPI(ctx context.Context) error {
	f := s.Switches()
	if err := f.wait(ctx); err != nil {
		return err
	}
	if f.WebAPIError != "" {
		return protocol.Refuse(f.WebAPIError)
	}
	return nil
}

// Misdate sets the Date header of an answer if the clocks are to disagree.
func (s *Set) Misdate(h http.Header) {
	if skew := s.Switches().ClockSkew; skew != 0 {
		h.Set("Date", time.Now().Add(skew).UTC().Format(http.TimeFormat))
	}
}

// ResponseURL is WebAPI for a response URL, which needs no token and so has no error of
// one.
func (s *Set) ResponseURL(ctx context.Context) error { return s.Switches().wait(ctx) }

func (f Switches) wait(ctx context.Context) error {
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

// RefuseBlocks returns what the workspace refuses in blocks that break no rule of Block
// Kit.
func (s *Set) RefuseBlocks(surface string, blocks json.RawMessage) []blockkit.Fault {
	s.mu.Lock()
	f, judge := s.switches, s.judge
	s.mu.Unlock()
	types := f.Refused.types()
	if f.RefuseNewBlocks {
		types = append(types, newBlocks()...)
	}
	found := unknownBlocks(blocks, types)
	if judge != nil {
		found = append(found, judge(surface, blocks)...)
	}
	return found
}

// unknownBlocks returns the errors for blocks of the given types, and for cells of them
// in blocks that the workspace knows.
func unknownBlocks(blocks json.RawMessage, types []string) []blockkit.Fault {
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
	var out []blockkit.Fault
	unknown := func(t typed, at string, a ...any) bool {
		if !slices.Contains(types, t.Type) {
			return false
		}
		out = append(out, blockkit.Fault{Pointer: fmt.Sprintf(at, a...), Message: "unsupported type: " + t.Type})
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
