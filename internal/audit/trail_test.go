package audit_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/missingkbs/missingkbs/internal/audit"
)

// book is a writer that a test can take away.
type book struct {
	mu      sync.Mutex
	away    bool
	hanging bool
	slow    time.Duration
	lost    bool // what is written is there, but the writer does not hear of it
	pages   []int
	list    []audit.Entry
	ids     map[string]bool
}

func (b *book) AddAudits(ctx context.Context, list []audit.Entry) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.hanging {
		b.mu.Unlock()
		<-ctx.Done()
		b.mu.Lock()
		return ctx.Err()
	}
	if b.slow > 0 {
		b.mu.Unlock()
		time.Sleep(b.slow)
		b.mu.Lock()
	}
	if b.away {
		return errors.New("away")
	}
	if b.ids == nil {
		b.ids = map[string]bool{}
	}
	b.pages = append(b.pages, len(list))
	for _, a := range list {
		if !b.ids[a.ID] {
			b.list = append(b.list, a)
		}
		b.ids[a.ID] = true
	}
	if b.lost {
		b.lost = false
		return errors.New("the answer was lost")
	}
	return nil
}

func (b *book) set(change func(*book)) {
	b.mu.Lock()
	defer b.mu.Unlock()
	change(b)
}

func (b *book) subjects() (list []string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, a := range b.list {
		list = append(list, a.Subject)
	}
	return list
}

// running is a trail that runs in a bubble.
type running struct {
	*audit.Trail
	t    *testing.T
	book *book
	log  *bytes.Buffer
	lost atomic.Int64
	stop func()
}

func run(t *testing.T, o audit.Options, test func(d *running)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		t.Helper()
		d := &running{t: t, book: &book{}, log: &bytes.Buffer{}}
		o.Log = slog.New(slog.NewTextHandler(d.log, nil))
		o.Lost = func(n int) { d.lost.Add(int64(n)) }
		d.Trail = audit.New(d.book, o)
		ctx, cancel := context.WithCancel(t.Context())
		var group sync.WaitGroup
		group.Go(func() { d.Run(ctx) })
		d.stop = func() { cancel(); group.Wait() }
		test(d)
		d.stop()
	})
}

func (d *running) want(subjects ...string) {
	d.t.Helper()
	synctest.Wait()
	if diff := cmp.Diff(subjects, d.book.subjects()); diff != "" {
		d.t.Errorf("written (-want +got):\n%s", diff)
	}
}

func entry(subject string) audit.Entry {
	return audit.Entry{At: time.Now(), User: "U1", Action: "ask", Subject: subject, Detail: "typed", Request: "of-" + subject}
}

func TestTrail(t *testing.T) {
	t.Parallel()
	run(t, audit.Options{}, func(d *running) {
		d.AddQuestion(entry("1"))
		d.AddQuestion(entry("2"))
		d.want()
		time.Sleep(time.Second)
		d.want("1", "2")
		d.AddChange(entry("3")) // at once
		d.want("1", "2", "3")
		d.AddQuestion(entry("4"))
		d.AddChange(entry("5")) // takes the question along
		d.want("1", "2", "3", "5", "4")
		if d.lost.Load() != 0 || d.log.Len() != 0 {
			t.Errorf("lost %d, log %s", d.lost.Load(), d.log)
		}
	})
}

func TestTrailWritesWhatIsLeftAtTheEnd(t *testing.T) {
	t.Parallel()
	run(t, audit.Options{}, func(d *running) {
		d.AddQuestion(entry("asked just before"))
		d.stop()
		d.want("asked just before")
	})
	run(t, audit.Options{}, func(d *running) {
		for i := range 1000 {
			d.AddQuestion(entry(strconv.Itoa(i)))
			d.AddChange(entry(fmt.Sprint("k", i)))
		}
		d.stop()
		if got := len(d.book.subjects()); got != 2000 || d.lost.Load() != 0 {
			t.Errorf("%d written, %d lost, want 2000", got, d.lost.Load())
		}
		for _, n := range d.book.pages {
			if n > 400 {
				t.Errorf("a batch of %d", n)
			}
		}
	})
}

// While the database is away nothing is lost, and when only its answer was, nothing is written twice.
func TestTrailWaitsForTheDatabase(t *testing.T) {
	t.Parallel()
	run(t, audit.Options{}, func(d *running) {
		d.book.set(func(b *book) { b.away = true })
		d.AddChange(entry("1"))
		time.Sleep(10 * time.Minute)
		d.AddQuestion(entry("2"))
		d.want()
		d.book.set(func(b *book) { b.away, b.lost = false, true })
		time.Sleep(time.Minute)
		d.want("1", "2")
		if log := d.log.String(); strings.Count(log, "cannot be written") != 1 || strings.Count(log, "written again") != 1 || d.lost.Load() != 0 {
			t.Errorf("lost %d, log:\n%s", d.lost.Load(), log)
		}
	})
}

// What there is no room for is counted, what matters of it is logged, and later readers are told of the gap.
func TestTrailTellsOfWhatIsLost(t *testing.T) {
	t.Parallel()
	run(t, audit.Options{Capacity: 3}, func(d *running) {
		d.book.set(func(b *book) { b.away = true })
		for i := range 5 {
			d.AddQuestion(entry(fmt.Sprint("q", i)))
			d.AddChange(entry(fmt.Sprint("k", i)))
			time.Sleep(time.Second)
		}
		if d.lost.Load() != 4 {
			t.Errorf("lost %d, want 4", d.lost.Load())
		}
		log := d.log.String()
		if strings.Count(log, "could not be kept") != 2 || !strings.Contains(log, "request=of-k4") || strings.Contains(log, "request=of-q4") || strings.Contains(log, "typed") {
			t.Errorf("the log:\n%s", log)
		}
		d.book.set(func(b *book) { b.away = false })
		time.Sleep(time.Minute)
		d.want("", "k0", "k1", "k2", "q0", "q1", "q2")
		told := d.book.list[0]
		const want = "4 audits from 2000-01-01T00:00:03Z to 2000-01-01T00:00:04Z could not be kept"
		if told.Action != audit.ActionLost || told.Detail != want || told.Result != audit.ResultLost || told.User != "" {
			t.Errorf("the gap is told as %+v, want %q", told, want)
		}
		d.AddChange(entry("after"))
		d.want("", "k0", "k1", "k2", "q0", "q1", "q2", "after") // and only once
	})
}

// What is lost while a batch is written is told with the time at which it was.
func TestTrailTellsOfWhatIsLostBehindABatch(t *testing.T) {
	t.Parallel()
	run(t, audit.Options{Capacity: 2}, func(d *running) {
		d.book.set(func(b *book) { b.slow = 3 * time.Second })
		d.AddChange(entry("k0"))
		d.AddChange(entry("k1"))
		time.Sleep(time.Second)
		d.AddChange(entry("k2"))
		time.Sleep(time.Minute)
		d.want("k0", "k1", "")
		const want = "1 audits from 2000-01-01T00:00:01Z to 2000-01-01T00:00:01Z could not be kept"
		if got := d.book.list[2].Detail; got != want {
			t.Errorf("told %q, want %q", got, want)
		}
	})
}

// A database that is away at the end costs the end no more than its time, and the log has who did what of what matters, but not what was typed.
func TestTrailEndsWithoutTheDatabase(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*book){
		"away":    func(b *book) { b.away = true },
		"hanging": func(b *book) { b.hanging = true },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			run(t, audit.Options{}, func(d *running) {
				d.book.set(change)
				d.AddChange(entry("share"))
				d.AddQuestion(entry("question"))
				time.Sleep(time.Minute)
				began := time.Now()
				d.stop()
				if took := time.Since(began); took > 2*time.Second {
					t.Errorf("the end took %v", took)
				}
				if log := d.log.String(); d.lost.Load() != 2 || !strings.Contains(log, "request=of-share") || strings.Contains(log, "typed") || !strings.Contains(log, "lost at the end\" entries=2") {
					t.Errorf("lost %d, log:\n%s", d.lost.Load(), log)
				}
			})
		})
	}
}

// Nobody who tells the trail something waits, whatever the database does.
func TestTrailNeverMakesAnybodyWait(t *testing.T) {
	t.Parallel()
	run(t, audit.Options{Capacity: 100}, func(d *running) {
		d.book.set(func(b *book) { b.hanging = true })
		began := time.Now()
		var people sync.WaitGroup
		for range 50 {
			people.Go(func() {
				for range 50 {
					d.AddChange(entry("x"))
					d.AddQuestion(entry("y"))
				}
			})
		}
		people.Wait()
		if took := time.Since(began); took != 0 {
			t.Errorf("waited %v", took)
		}
	})
}

// A database that was cut off without a word holds a batch up, but not for ever.
func TestHangingWriteIsTriedAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var b book
		b.hanging = true
		trail := audit.New(&b, audit.Options{})
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() { defer close(ended); trail.Run(ctx) }()
		trail.AddChange(audit.Entry{ID: "1", Subject: "1"})
		time.Sleep(time.Second)
		b.set(func(b *book) { b.hanging = false }) // for the next attempt
		time.Sleep(30 * time.Second)
		if got := b.subjects(); len(got) != 1 {
			t.Errorf("written: %v, want the one that hung", got)
		}
		stop()
		<-ended
	})
}
