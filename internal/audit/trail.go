// Package audit writes down who did what without anybody waiting for it: a [Trail] keeps what it is told for a moment and
// writes it in batches, [Words] makes what people typed fit to be kept.
//
// It knows the type of an audit and nothing of Slack, SQL or what is worth being kept. What it cannot write is never lost
// in silence: it is counted and logged, and an audit of its own tells later readers of the gap.
package audit

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/missingkbs/missingkbs/internal/digest"
)

// Writer writes audits, all or none. What has an ID that was written before it passes over. *store.Store is one.
type Writer interface {
	AddAudits(ctx context.Context, list []digest.Audit) error
}

// Options of a trail. The zero value of each field stands for its default.
type Options struct {
	Room  int           // audits of each kind that wait while the database is away; default 10,000, some 10 MB
	Every time.Duration // how long a question may wait to be written; default a second
	Flush time.Duration // for what is left when the trail ends; default 2 s
	Lost  func(n int)   // told when audits were lost; must not block
	Log   *slog.Logger  // default: nothing is logged
}

// LostAction is the action of the audit that tells how many others could not be kept.
const LostAction = "audit.lost"

const (
	batch        = 200
	firstPause   = time.Second // after a failure; it doubles
	longestPause = 30 * time.Second
	// writeTime is how long a batch may take: longer than SQLite waits for another writer, and an end to the wait for a
	// database that was cut off without a word. What was written all the same is passed over the second time.
	writeTime = 15 * time.Second
)

// Trail takes audits and writes them soon. It is safe for concurrent use, and never makes anybody wait. [Trail.Run] does
// the writing.
type Trail struct {
	Options
	to     Writer
	urgent chan struct{}

	mu    sync.Mutex
	kept  []digest.Audit // refusals, shares, changes
	asked []digest.Audit // questions
	gap   gap
}

// gap is what was lost and not yet told.
type gap struct {
	n           int
	first, last time.Time
}

// New returns a trail that writes to w.
func New(w Writer, o Options) *Trail {
	o.Room, o.Every, o.Flush = cmp.Or(o.Room, 10_000), cmp.Or(o.Every, time.Second), cmp.Or(o.Flush, 2*time.Second)
	if o.Lost == nil {
		o.Lost = func(int) {}
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return &Trail{Options: o, to: w, urgent: make(chan struct{}, 1)}
}

// Keep takes an audit that matters: a refusal, a share, a change. It is written at once. Where it cannot be kept the log
// has who did it, where, when and how it ended, but not what was typed.
func (t *Trail) Keep(a digest.Audit) { t.take(&t.kept, a, true) }

// Note takes the audit of a question. When there are too many it is counted and no more.
func (t *Trail) Note(a digest.Audit) { t.take(&t.asked, a, false) }

func (t *Trail) take(queue *[]digest.Audit, a digest.Audit, matters bool) {
	a.ID = cmp.Or(a.ID, digest.AuditID(a.At)) // so that it can be written again when an answer was lost
	t.mu.Lock()
	full := len(*queue) >= t.Room
	if full {
		t.gap.add(a)
	} else {
		*queue = append(*queue, a)
	}
	hurry := matters || len(*queue) >= batch
	t.mu.Unlock()
	if full {
		t.lose(matters, a)
	}
	if hurry {
		select {
		case t.urgent <- struct{}{}:
		default:
		}
	}
}

func (g *gap) add(a digest.Audit) {
	if g.n == 0 {
		g.first = a.At
	}
	g.n, g.last = g.n+1, a.At
}

// lose tells of an audit that will not be written.
func (t *Trail) lose(matters bool, a digest.Audit) {
	t.Lost(1)
	if matters {
		// Not its subject and detail, which are what was typed.
		t.Log.Error("an audit could not be kept", "at", a.At, "user", a.User, "team", a.Team, "channel", a.Channel, "action", a.Action,
			"result", a.Result, "reason", a.Reason, "request", a.Request)
	}
}

// Run writes until ctx ends, and then what is left. While the database is away it tries again and again; what waits
// meanwhile is bounded.
func (t *Trail) Run(ctx context.Context) {
	// The last batch outlives ctx, but not for long.
	work, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	stop := context.AfterFunc(ctx, func() { time.AfterFunc(t.Flush, cancel) })
	defer stop()
	tick := time.NewTicker(t.Every)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			t.drain(work, ctx.Done())
			t.abandon()
			return
		case <-t.urgent:
		case <-tick.C:
		}
		t.drain(work, ctx.Done())
	}
}

// drain writes all that waits. It gives up when its context ends.
func (t *Trail) drain(ctx context.Context, stopping <-chan struct{}) {
	pause, failing := firstPause, time.Time{}
	for {
		l := t.peek()
		if len(l.list) == 0 {
			return
		}
		err := t.write(ctx, l.list)
		if err == nil {
			t.drop(l)
			if !failing.IsZero() {
				t.Log.Info("audits are written again", "after", time.Since(failing).Round(time.Second))
			}
			pause, failing = firstPause, time.Time{}
			continue
		}
		if ctx.Err() != nil {
			return
		}
		if failing.IsZero() {
			failing = time.Now()
			t.Log.Warn("audits cannot be written; trying again", "error", err)
		}
		if !sleep(ctx, pause, &stopping) {
			return
		}
		pause = min(2*pause, longestPause)
	}
}

func (t *Trail) write(ctx context.Context, list []digest.Audit) error {
	ctx, cancel := context.WithTimeout(ctx, writeTime)
	defer cancel()
	return t.to.AddAudits(ctx, list)
}

// sleep reports whether the pause was over before the context. The stop of the trail ends one pause early, since there is
// little time left.
func sleep(ctx context.Context, d time.Duration, stopping *<-chan struct{}) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-*stopping:
		*stopping = nil
		return true
	case <-ctx.Done():
		return false
	}
}

// load is a batch: the audit of a gap, and so many of each queue.
type load struct {
	list        []digest.Audit
	gap         gap
	kept, asked int
}

// peek is the next batch, what matters first. It stays in its queues until it is written.
func (t *Trail) peek() load {
	t.mu.Lock()
	defer t.mu.Unlock()
	l := load{gap: t.gap, kept: min(batch, len(t.kept)), asked: min(batch, len(t.asked))}
	if l.gap.n > 0 {
		l.list = append(l.list, l.gap.audit())
	}
	l.list = append(append(l.list, t.kept[:l.kept]...), t.asked[:l.asked]...)
	return l
}

// audit tells of the gap. Its id is made of what it says, so that it is told once.
func (g gap) audit() digest.Audit {
	first, last := g.first.UTC(), g.last.UTC()
	return digest.Audit{
		ID: fmt.Sprintf("lost/%d/%d/%d", first.UnixNano(), last.UnixNano(), g.n), At: time.Now(), Tenant: digest.DefaultTenant,
		Action: LostAction, Result: digest.ResultLost, Reason: "full",
		Detail: fmt.Sprintf("%d audits from %s to %s could not be kept", g.n, first.Format(time.RFC3339), last.Format(time.RFC3339)),
	}
}

// drop forgets a batch that was written. Behind it more may have come, and more may have been lost.
func (t *Trail) drop(l load) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.kept, t.asked = rest(t.kept, l.kept), rest(t.asked, l.asked)
	if l.gap.n > 0 { // what was lost meanwhile was lost after that
		t.gap.n, t.gap.first = t.gap.n-l.gap.n, l.gap.last
	}
}

// rest is a queue without its first; an empty one gives its memory back.
func rest(queue []digest.Audit, n int) []digest.Audit {
	if n == len(queue) {
		return nil
	}
	clear(queue[:n]) // what they held may go
	return queue[n:]
}

// abandon tells of what could not be written before the end.
func (t *Trail) abandon() {
	t.mu.Lock()
	kept, asked, gone := t.kept, len(t.asked), t.gap.n
	t.kept, t.asked, t.gap = nil, nil, gap{}
	t.mu.Unlock()
	for _, a := range kept {
		t.lose(true, a)
	}
	if asked > 0 {
		t.Lost(asked)
	}
	if n := len(kept) + asked + gone; n > 0 {
		t.Log.Error("audits were lost at the end", "audits", n)
	}
}
