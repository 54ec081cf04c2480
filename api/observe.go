package api

import (
	"context"
	"net/http"
	"sync/atomic"
	"time"
)

// CallObservation describes one HTTP call to Defender, for metrics and traces. Its texts come from small sets: nothing
// in it names a software or a device.
type CallObservation struct {
	Kind       string        // what was asked: "missing_kbs", "machine_missing_kbs", "software", "catalog", "machine" or "machines"
	Status     int           // HTTP status; 0 when there was no answer
	Duration   time.Duration // until the answer was there, without its wait for others that are long
	Waited     time.Duration // before that, for its turn under the rate limit
	Try        int           // 1 for the first try of a call, 2 for its first retry
	Background bool          // for a digest: see [Background]
}

// Stats are counters since the client was created.
type Stats struct {
	Hits         uint64 // questions answered from memory
	Joined       uint64 // questions that joined a call under way
	Asked        uint64 // questions for which a call was begun
	Stale        uint64 // questions answered with an old answer, because Defender could not be asked; counted beside Joined or Asked
	Waits        uint64 // HTTP calls that had to wait for their turn under our own limit
	Refused      uint64 // HTTP calls that were not made because their turn would have come too late
	Throttled    uint64 // responses of Defender with status 429
	Unreadable   uint64 // rows of answers that could not be read
	BudgetErrors uint64 // bookings that the shared budget did not answer
}

// Stats returns what the client has counted.
func (c *Client) Stats() Stats {
	n := c.counts
	return Stats{
		Hits: n.hits.Load(), Joined: n.joined.Load(), Asked: n.asked.Load(), Stale: n.stale.Load(),
		Waits: n.waits.Load(), Refused: n.refused.Load(), Throttled: n.throttled.Load(), Unreadable: n.unreadable.Load(), BudgetErrors: n.budgetErrors.Load(),
	}
}

type counts struct {
	hits, joined, asked, stale, waits, refused, throttled, unreadable, budgetErrors atomic.Uint64
}

// callState is the state of a call on its way through the pipeline. Its tries follow one another.
type callState struct {
	kind   string
	tries  int
	waited time.Duration

	silences int           // tries that Defender left without an answer
	silence  time.Duration // of the first of them

	// Of the last try:
	silenceTimer *silenceTimer // ends it when Defender is silent; nil for none
	conns        *http.Client  // that it used
	body         []byte        // of a good answer
	leaves       func()        // releases the memory that it holds; nil for none
	held         time.Duration // waiting for memory
	turnedAway   bool          // there was none in time
}

// leave releases the memory that the answer holds.
func (c *callState) leave() {
	if c.leaves != nil {
		c.leaves()
	}
	c.body, c.leaves = nil, nil
}

type callStateKey struct{}

func withCallState(ctx context.Context, op string) context.Context {
	return context.WithValue(ctx, callStateKey{}, &callState{kind: kindOfCall(op)})
}

// callStateOf returns the state that ctx carries, or a new one that is not used.
func callStateOf(ctx context.Context) *callState {
	if c, ok := ctx.Value(callStateKey{}).(*callState); ok {
		return c
	}
	return &callState{}
}

// kindOfCall returns the label that metrics use for an operation, which names a span.
func kindOfCall(op string) string {
	switch op {
	case "MissingKBs":
		return "missing_kbs"
	case "MachineMissingKBs":
		return "machine_missing_kbs"
	case "SoftwareByID":
		return "software"
	case "AllSoftware":
		return "catalog"
	case "MachineByID":
		return "machine"
	case "MachinesByName":
		return "machines"
	}
	return "other"
}
