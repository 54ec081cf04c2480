package audit

import (
	"fmt"
	"time"
)

// pending is a batch being written: the entry of a gap, and the first entries of each queue.
type pending struct {
	list               []Entry
	gap                gap
	changes, questions int
}

// next returns the next batch, changes before questions. Its entries stay in their queues until they are written.
func (t *Trail) next() pending {
	t.mu.Lock()
	defer t.mu.Unlock()
	p := pending{gap: t.gap, changes: min(batch, len(t.changes)), questions: min(batch, len(t.questions))}
	if p.gap.n > 0 {
		p.list = append(p.list, p.gap.entry())
	}
	p.list = append(append(p.list, t.changes[:p.changes]...), t.questions[:p.questions]...)
	return p
}

// drop removes a batch that was written. Entries may have been added or lost since [Trail.next].
func (t *Trail) drop(p pending) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.changes, t.questions = rest(t.changes, p.changes), rest(t.questions, p.questions)
	if p.gap.n > 0 { // the entries that were lost since then came after p.gap.last
		t.gap.n, t.gap.first = t.gap.n-p.gap.n, p.gap.last
	}
}

// rest returns a queue without its first n entries. An empty queue frees its memory.
func rest(queue []Entry, n int) []Entry {
	if n == len(queue) {
		return nil
	}
	clear(queue[:n]) // for the garbage collector
	return queue[n:]
}

// gap counts lost entries that no stored entry reports yet.
type gap struct {
	n           int
	first, last time.Time
	tenant      string // of the first one
}

func (g *gap) add(e Entry) {
	if g.n == 0 {
		g.first, g.tenant = e.At, e.Tenant
	}
	g.n, g.last = g.n+1, e.At
}

// entry returns the entry that reports the gap. Its ID derives from its content, so that a gap is reported once.
func (g gap) entry() Entry {
	first, last := g.first.UTC(), g.last.UTC()
	return Entry{
		ID: fmt.Sprintf("lost/%d/%d/%d", first.UnixNano(), last.UnixNano(), g.n), At: time.Now(), Tenant: g.tenant,
		Action: ActionLost, Result: ResultLost, Reason: "full",
		Detail: fmt.Sprintf("%d audits from %s to %s could not be kept", g.n, first.Format(time.RFC3339), last.Format(time.RFC3339)),
	}
}
