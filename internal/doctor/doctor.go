// Package doctor checks what the bot needs: settings, proxies, Slack, Entra, Defender and the database. It runs the checks
// concurrently, each with a timeout, and writes a report for people or as JSON. Each finding that is not OK has a cure. Apart
// from the live checks it changes nothing. It does not know the command line.
package doctor

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"sync"
	"time"
)

// Status is the result of a check.
type Status string

// The statuses, from the best to the worst.
const (
	OK   Status = "ok"
	Skip Status = "skip" // not checked, because of another finding or because it is not needed
	Warn Status = "warn" // works, but the operator should know
	Fail Status = "fail" // does not work
)

// Finding is one thing that a check found.
type Finding struct {
	Status Status
	Found  string // on one line; the writers make foreign text harmless
	Cure   string // what to do; empty if there is nothing to do

	Evidence *Evidence // a call of another program, for reports; nil for none
}

// Evidence is a call of another program and its response.
type Evidence struct {
	Call  string          `json:"call"`  // the method
	Error string          `json:"error"` // the error code; empty for none
	Said  []string        `json:"said"`  // its messages, unchanged
	Sent  json.RawMessage `json:"sent,omitempty"`
}

// Check checks one thing. It must change nothing, and return when its context ends.
type Check struct {
	Name    string        // stable, for scripts: "slack-bot-token"
	After   []*Check      // checks of the same list whose results it needs; it starts after them, even if they fail
	Timeout time.Duration // from its start; default 10 s
	Always  bool          // runs with its full timeout even after the context of Run has ended; used to clean up
	Run     func(ctx context.Context) []Finding
}

// Result is a finding with its check.
type Result struct {
	Check string
	Finding
	Took time.Duration // of the whole check
}

// Report holds the results of all checks, in the order of the checks.
type Report struct {
	Results []Result
	Took    time.Duration
	Program string // that made the report, for JSON; optional
}

const defaultTimeout = 10 * time.Second

// grace is how long a check may take after its timeout to report a partial result. Then Run stops waiting for it.
const grace = 500 * time.Millisecond

// Run runs all checks and waits for them. Checks that do not depend on each other run at the same time.
func Run(ctx context.Context, checks []*Check) Report {
	began := time.Now()
	done := make(map[*Check]chan struct{}, len(checks))
	for _, c := range checks {
		done[c] = make(chan struct{})
	}
	found := make([][]Result, len(checks))
	var all sync.WaitGroup
	for i, c := range checks {
		all.Go(func() {
			defer close(done[c])
			for _, before := range c.After {
				if ended, ok := done[before]; ok {
					<-ended
				}
			}
			found[i] = c.results(ctx)
		})
	}
	all.Wait()
	return Report{Results: slices.Concat(found...), Took: time.Since(began)}
}

// results runs one check.
func (c *Check) results(ctx context.Context) []Result {
	timeout := c.Timeout
	if timeout <= 0 {
		timeout = defaultTimeout
	}
	began := time.Now()
	if c.Always {
		ctx = context.WithoutCancel(ctx)
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	findings := c.findings(ctx)
	took := time.Since(began)
	results := make([]Result, 0, len(findings))
	for _, f := range findings {
		results = append(results, Result{Check: c.Name, Finding: f, Took: took})
	}
	return results
}

// findings returns at least one finding, at the latest shortly after the deadline.
func (c *Check) findings(ctx context.Context) []Finding {
	results := make(chan []Finding, 1)
	go func() {
		defer func() {
			if r := recover(); r != nil { // a crash of one check must not hide the findings of others
				results <- []Finding{{Status: Fail, Found: fmt.Sprintf("the check itself crashed: %v", r), Cure: "this is a fault of missingkbs: please report it"}}
			}
		}()
		results <- c.Run(ctx)
	}()
	select {
	case f := <-results:
		return orOK(f)
	case <-ctx.Done():
	}
	timer := time.NewTimer(grace)
	defer timer.Stop()
	select {
	case f := <-results:
		return orOK(f)
	case <-timer.C:
		return []Finding{{Status: Fail, Found: "no result in time", Cure: "try again; if it persists, something on the way there answers neither yes nor no"}}
	}
}

func orOK(f []Finding) []Finding {
	if len(f) == 0 {
		return []Finding{{Status: OK}}
	}
	return f
}

// Count returns how many findings have a status.
func (r Report) Count(s Status) int {
	n := 0
	for _, one := range r.Results {
		if one.Status == s {
			n++
		}
	}
	return n
}

// Failed returns true if a check failed. Warnings do not count.
func (r Report) Failed() bool { return r.Count(Fail) > 0 }

// Status returns the worst status of all findings. Skipped checks count as OK.
func (r Report) Status() Status {
	switch {
	case r.Failed():
		return Fail
	case r.Count(Warn) > 0:
		return Warn
	}
	return OK
}
