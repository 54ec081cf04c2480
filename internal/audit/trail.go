package audit

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/missingkbs/missingkbs/internal/wait"
)

// Writer writes entries, all or none. It skips those whose ID is stored already. *store.Store implements it.
type Writer interface {
	AddAudits(ctx context.Context, list []Entry) error
}

// Options of a trail. A zero field stands for its default.
type Options struct {
	Capacity int           // entries of each queue while the database is unavailable; default 10,000, about 10 MB
	Interval time.Duration // longest delay before a question is written; default 1 s
	Flush    time.Duration // time for the entries left at the end; default 2 s
	Lost     func(n int)   // called when n entries are lost; must not block
	Log      *slog.Logger  // default: discarded
}

const (
	batch        = 200
	firstPause   = time.Second // after a failure; it doubles
	longestPause = 30 * time.Second
	// writeTime bounds one batch. It exceeds the time that SQLite waits for another writer, and ends the wait for a
	// database whose connection was cut silently. Entries that were written anyway are skipped the second time.
	writeTime = 15 * time.Second
)

// Trail queues entries, and [Trail.Run] writes them. It is safe for concurrent use, and adding an entry does not block.
type Trail struct {
	Options
	to     Writer
	urgent chan struct{}

	mu        sync.Mutex
	changes   []Entry // refusals, shares, changes
	questions []Entry
	gap       gap
}

// New returns a trail that writes to w.
func New(w Writer, o Options) *Trail {
	o.Capacity, o.Interval, o.Flush = cmp.Or(o.Capacity, 10_000), cmp.Or(o.Interval, time.Second), cmp.Or(o.Flush, 2*time.Second)
	if o.Lost == nil {
		o.Lost = func(int) {}
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return &Trail{Options: o, to: w, urgent: make(chan struct{}, 1)}
}

// AddChange queues the entry of a refusal, a share or a change, to be written at once. If it cannot be written, the log
// says who did it, where, when and with which result, but not what was typed.
func (t *Trail) AddChange(e Entry) { t.add(&t.changes, e, true) }

// AddQuestion queues the entry of a question. If the queue is full, the entry is counted and dropped.
func (t *Trail) AddQuestion(e Entry) { t.add(&t.questions, e, false) }

func (t *Trail) add(queue *[]Entry, e Entry, change bool) {
	e.ID = cmp.Or(e.ID, NewID(e.At)) // a batch whose confirmation was lost is written again
	t.mu.Lock()
	full := len(*queue) >= t.Capacity
	if full {
		t.gap.add(e)
	} else {
		*queue = append(*queue, e)
	}
	urgent := change || len(*queue) >= batch
	t.mu.Unlock()
	if full {
		t.lose(e, change)
	}
	if urgent {
		select {
		case t.urgent <- struct{}{}:
		default:
		}
	}
}

// lose counts an entry that will not be written.
func (t *Trail) lose(e Entry, change bool) {
	t.Lost(1)
	if change {
		// Without its subject and detail, which hold what was typed.
		t.Log.Error("an audit entry could not be kept", "at", e.At, "user", e.User, "team", e.Team, "channel", e.Channel, "action", e.Action,
			"result", e.Result, "reason", e.Reason, "request", e.Request)
	}
}

// Run writes until ctx is done, and then the remaining entries. While the database is unavailable it retries; the
// queues are bounded.
func (t *Trail) Run(ctx context.Context) {
	// The last batch outlives ctx, but not for long.
	work, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	stop := context.AfterFunc(ctx, func() { time.AfterFunc(t.Flush, cancel) })
	defer stop()
	tick := time.NewTicker(t.Interval)
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

// drain writes all queued entries, or returns when its context ends.
func (t *Trail) drain(ctx context.Context, stopping <-chan struct{}) {
	pause, failing := firstPause, time.Time{}
	for {
		n := t.next()
		if len(n.list) == 0 {
			return
		}
		err := t.write(ctx, n.list)
		if err == nil {
			t.drop(n)
			if !failing.IsZero() {
				t.Log.Info("audit entries are written again", "after", time.Since(failing).Round(time.Second).String())
			}
			pause, failing = firstPause, time.Time{}
			continue
		}
		if ctx.Err() != nil {
			return
		}
		if failing.IsZero() {
			failing = time.Now()
			t.Log.Warn("audit entries cannot be written; retrying", "error", err)
		}
		if !sleep(ctx, pause, &stopping) {
			return
		}
		pause = min(2*pause, longestPause)
	}
}

func (t *Trail) write(ctx context.Context, list []Entry) error {
	ctx, cancel := context.WithTimeout(ctx, writeTime)
	defer cancel()
	return t.to.AddAudits(ctx, list)
}

// sleep returns false if the context ended before the pause. Stopping the trail ends one pause early, because little
// time is left then.
func sleep(ctx context.Context, d time.Duration, stopping *<-chan struct{}) bool {
	err := wait.Unless(ctx, d, *stopping)
	if errors.Is(err, wait.ErrWoken) {
		*stopping = nil
		return true
	}
	return err == nil
}

// abandon counts and logs the entries that could not be written before the end.
func (t *Trail) abandon() {
	t.mu.Lock()
	changes, questions, lost := t.changes, len(t.questions), t.gap.n
	t.changes, t.questions, t.gap = nil, nil, gap{}
	t.mu.Unlock()
	for _, e := range changes {
		t.lose(e, true)
	}
	if questions > 0 {
		t.Lost(questions)
	}
	if n := len(changes) + questions + lost; n > 0 {
		t.Log.Error("audit entries were lost at the end", "entries", n)
	}
}
