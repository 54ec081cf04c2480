// Package doctor runs checks and tells what they found: several at a time, each within a time of its own, as a table for
// people or as JSON for scripts.
//
// It knows nothing of what is checked. A [Check] is a name and a function that looks at something and changes nothing;
// what it found is a [Finding], and everything that is not well comes with its cure.
package doctor

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"sync"
	"time"
)

// Status says how a finding stands.
type Status string

// The statuses, from the best to the worst.
const (
	OK   Status = "ok"
	Skip Status = "skip" // not looked at, because of something that another finding tells, or because nothing asks for it
	Warn Status = "warn" // works, but somebody should know
	Fail Status = "fail" // does not work
)

// Finding is one thing that a check found.
type Finding struct {
	Status Status
	Found  string // what is the case, on one line; foreign text in it is made harmless when it is written
	Cure   string // what to do about it; empty for what is well

	Evidence *Evidence // what another program was asked and said, for reports; nil for none
}

// Evidence is a call of another program, as it was made.
type Evidence struct {
	Call  string          `json:"call"`  // the method
	Error string          `json:"error"` // its code for a refusal; empty for none
	Said  []string        `json:"said"`  // its words, as they came
	Sent  json.RawMessage `json:"sent,omitempty"`
}

// Check looks at one thing. It must change nothing, and end with its context.
type Check struct {
	Name    string        // stable, for scripts: "slack-bot-token"
	After   []*Check      // checks of the same list whose results it needs; it starts when they are over, however they ended
	Timeout time.Duration // from its start; 10 s unless set
	Always  bool          // runs, and has its time, also after the context of Run has ended: what clears up
	Run     func(ctx context.Context) []Finding
}

// Result is a finding with the check that made it.
type Result struct {
	Check string
	Finding
	Took time.Duration // of the whole check
}

// Report is what all checks found, in the order of the checks.
type Report struct {
	Results []Result
	Took    time.Duration
	Program string // what made it, for JSON; empty is left out
}

const defaultTimeout = 10 * time.Second

// grace is what a check gets after its time is over to say how far it came. One that does not heed its context is left
// behind then.
const grace = 500 * time.Millisecond

// Run runs all checks and waits for them. Those that do not wait for each other run at the same time.
func Run(ctx context.Context, checks []*Check) Report {
	began := time.Now()
	over := make(map[*Check]chan struct{}, len(checks))
	for _, c := range checks {
		over[c] = make(chan struct{})
	}
	found := make([][]Result, len(checks))
	var all sync.WaitGroup
	for i, c := range checks {
		all.Go(func() {
			defer close(over[c])
			for _, before := range c.After {
				if done, ok := over[before]; ok {
					<-done
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

// findings never is empty, and never comes much later than the deadline.
func (c *Check) findings(ctx context.Context) []Finding {
	came := make(chan []Finding, 1)
	go func() {
		defer func() {
			if r := recover(); r != nil { // one check's fault must not hide what the others found
				came <- []Finding{{Status: Fail, Found: fmt.Sprintf("the check itself crashed: %v", r), Cure: "this is a fault of missingkbs: please report it"}}
			}
		}()
		came <- c.Run(ctx)
	}()
	select {
	case f := <-came:
		return orNothing(f)
	case <-ctx.Done():
	}
	late := time.NewTimer(grace)
	defer late.Stop()
	select {
	case f := <-came:
		return orNothing(f)
	case <-late.C:
		return []Finding{{Status: Fail, Found: "no result in time", Cure: "try again; if it persists, something on the way there answers neither yes nor no"}}
	}
}

func orNothing(f []Finding) []Finding {
	if len(f) == 0 {
		return []Finding{{Status: OK}}
	}
	return f
}

// Count is how many findings have a status.
func (r Report) Count(s Status) int {
	n := 0
	for _, one := range r.Results {
		if one.Status == s {
			n++
		}
	}
	return n
}

// Failed reports whether anything does not work. Warnings are no failure.
func (r Report) Failed() bool { return r.Count(Fail) > 0 }

// Status is the worst of all findings, where what was not looked at counts as well.
func (r Report) Status() Status {
	switch {
	case r.Failed():
		return Fail
	case r.Count(Warn) > 0:
		return Warn
	}
	return OK
}
