package alert_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/missingkbs/missingkbs/internal/alert"
	"github.com/missingkbs/missingkbs/internal/view"
)

// shelf keeps states in memory, as a database would for several processes.
type shelf struct {
	mu     sync.Mutex
	states map[string]string
	away   bool
	stuck  bool // it can be read and not written
	writes int
}

var errAway = errors.New("away")

func (s *shelf) Matters(context.Context) (map[string]string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.away {
		return nil, errAway
	}
	return maps.Clone(s.states), nil
}

func (s *shelf) ChangeMatter(_ context.Context, name string, change func(string) (string, error)) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.away || s.stuck {
		return errAway
	}
	state, err := change(s.states[name])
	if err == nil {
		s.states[name] = state
		s.writes++
	}
	return err
}

// room is a channel.
type room struct {
	mu      sync.Mutex
	refuses bool
	tries   int
	pages   []view.Page
	keys    []string
}

func (r *room) Post(_ context.Context, channel, key string, page view.Page) (string, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.tries++; r.refuses || channel != "C0OPS" {
		return "", errors.New("refused")
	}
	r.pages, r.keys = append(r.pages, page), append(r.keys, key)
	return "1.2", nil
}

func (r *room) titles() (list []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, p := range r.pages {
		list = append(list, p.Title)
	}
	return list
}

// office is some processes with one shelf and one room, in a bubble.
type office struct {
	t     *testing.T
	desks []*alert.Desk
	shelf *shelf
	room  *room
	log   *bytes.Buffer
}

func in(t *testing.T, processes int, test func(o *office)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		t.Helper()
		o := &office{t: t, shelf: &shelf{states: map[string]string{}}, room: &room{}, log: &bytes.Buffer{}}
		ctx, cancel := context.WithCancel(t.Context())
		var running sync.WaitGroup
		for i := range processes {
			d := alert.NewDesk(alert.Options{
				Channel: "C0OPS", Matters: alert.Matters(), Keeper: o.shelf, Poster: o.room, Process: fmt.Sprint("p", i), Every: 30 * time.Second,
				Log: slog.New(slog.NewTextHandler(o.log, nil)),
			})
			o.desks = append(o.desks, d)
			running.Go(func() { d.Run(ctx) })
		}
		test(o)
		cancel()
		running.Wait()
	})
}

func (o *office) want(titles ...string) {
	o.t.Helper()
	synctest.Wait()
	if diff := cmp.Diff(titles, o.room.titles()); diff != "" {
		o.t.Errorf("told (-want +got):\n%s", diff)
	}
}

const (
	lost = "Defender refuses this bot: a permission is missing"
	back = "Defender admits this bot again"
)

// step is ten seconds, or longer where a long time passes.
func step(d time.Duration) time.Duration { return max(10*time.Second, d/300) }

// failing has people fail for a while, at each process in turn.
func (o *office) failing(d time.Duration) {
	for end, i := time.Now().Add(d), 0; time.Now().Before(end); i++ {
		o.desks[i%len(o.desks)].Bad(alert.Permission, "software")
		time.Sleep(step(d))
	}
}

func (o *office) answering(d time.Duration) {
	for end, i := time.Now().Add(d), 0; time.Now().Before(end); i++ {
		o.desks[i%len(o.desks)].Good("software", alert.Failures()...)
		time.Sleep(step(d))
	}
}

// However many fail, in however many processes, it is told once, once a day while it lasts, and once when it is over.
func TestOneMatter(t *testing.T) {
	t.Parallel()
	for _, processes := range []int{1, 3} {
		in(t, processes, func(o *office) {
			o.failing(30 * time.Second)
			o.want()
			o.failing(40 * time.Minute)
			o.want(lost)
			o.answering(time.Minute)
			o.want(lost) // it may be a cache that answers
			o.answering(10 * time.Minute)
			o.want(lost, back)
			if lead := o.room.pages[1].Lead; !strings.HasPrefix(lead, "It is over after 40 min: from 2000-01-01 00:00 UTC to 2000-01-01 00:40 UTC.") {
				t.Errorf("told %q", lead)
			}
			o.answering(time.Hour)
			o.want(lost, back)
		})
	}
}

func TestReminder(t *testing.T) {
	t.Parallel()
	in(t, 2, func(o *office) {
		o.failing(49 * time.Hour)
		o.want(lost, "Still: "+lost, "Still: "+lost)
		seen := fmt.Sprint(o.room.pages[2].Parts)
		if !strings.Contains(seen, "for 2 d") || !strings.Contains(seen, "by software") {
			t.Errorf("told %s", seen)
		}
		time.Sleep(30 * time.Hour) // nobody asks: who knows whether it lasts
		o.want(lost, "Still: "+lost, "Still: "+lost)
	})
}

func TestSmallTroubleIsNotTold(t *testing.T) {
	t.Parallel()
	for name, happens := range map[string]func(o *office){
		"one failure":      func(o *office) { o.desks[0].Bad(alert.Permission, "software") },
		"many in a moment": func(o *office) { o.failing(50 * time.Second) },
		"now and then": func(o *office) {
			o.failing(10 * time.Second)
			o.answering(2 * time.Minute)
			o.failing(10 * time.Second)
		},
		"throttled for minutes": func(o *office) {
			for range 50 {
				o.desks[0].Bad(alert.Throttled, "quota")
				time.Sleep(10 * time.Second)
			}
			o.desks[0].Good("quota", alert.Throttled)
		},
		"twice, hours apart": func(o *office) {
			o.desks[0].Bad(alert.Permission, "software")
			time.Sleep(3 * time.Hour)
			o.desks[0].Bad(alert.Permission, "software")
		},
		"something unknown": func(o *office) { o.desks[0].Bad("no such matter", "software") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			in(t, 1, func(o *office) {
				happens(o)
				time.Sleep(2 * time.Hour)
				o.want()
			})
		})
	}
}

// One kind of question works while another fails: what works says nothing of what fails.
func TestSourcesAreApart(t *testing.T) {
	t.Parallel()
	in(t, 1, func(o *office) {
		for range 30 {
			o.desks[0].Bad(alert.Permission, "machine")
			o.desks[0].Good("software", alert.Failures()...)
			time.Sleep(10 * time.Second)
		}
		o.want(lost)
		o.answering(time.Hour)
		o.want(lost)
		o.desks[0].Good("machine", alert.Failures()...)
		time.Sleep(10 * time.Minute)
		o.want(lost, back)
	})
}

// What comes and goes is told less and less often.
func TestFlapping(t *testing.T) {
	t.Parallel()
	in(t, 1, func(o *office) {
		for range 60 {
			o.failing(5 * time.Minute)
			o.answering(6 * time.Minute)
		}
		if n := len(o.room.titles()); n < 3 || n > 8 {
			t.Errorf("told %d times in 11 hours: %q", n, o.room.titles())
		}
	})
}

// Another process takes over what the first had told: it was told, so it is only told that it is over.
func TestRestart(t *testing.T) {
	t.Parallel()
	kept := map[string]string{}
	in(t, 1, func(o *office) {
		o.failing(5 * time.Minute)
		o.want(lost)
		kept = o.shelf.states
	})
	in(t, 1, func(o *office) {
		o.shelf.mu.Lock()
		o.shelf.states = kept
		o.shelf.mu.Unlock()
		time.Sleep(10 * time.Minute)
		o.failing(5 * time.Minute)
		o.want()
		o.answering(10 * time.Minute)
		o.want(back)
	})
}

// A channel that refuses is tried less and less often, and told when it takes messages again.
func TestChannelRefuses(t *testing.T) {
	t.Parallel()
	in(t, 1, func(o *office) {
		o.room.mu.Lock()
		o.room.refuses = true
		o.room.mu.Unlock()
		o.failing(12 * time.Hour)
		if n := o.room.tries; n < 10 || n > 25 {
			t.Errorf("tried %d times in 12 hours", n)
		}
		if log := o.log.String(); strings.Count(log, "operators could not be told") != o.room.tries {
			t.Errorf("the log:\n%s", log)
		}
		o.room.mu.Lock()
		o.room.refuses = false
		o.room.mu.Unlock()
		o.failing(time.Hour)
		o.want(lost)
	})
}

func TestEventsAreGathered(t *testing.T) {
	t.Parallel()
	in(t, 2, func(o *office) {
		for i := range 30 {
			o.desks[i%2].Happened(alert.DigestsPaused, fmt.Sprint("digest ", i))
		}
		o.want()
		time.Sleep(2 * time.Minute)
		o.want("Digests were paused")
		if got := fmt.Sprint(o.room.pages[0].Parts); !strings.Contains(got, "digest 0; ") || !strings.Contains(got, "and 10 more") {
			t.Errorf("told %s", got)
		}
		o.desks[0].Happened(alert.DigestsPaused, "one more")
		time.Sleep(5 * time.Minute)
		o.want("Digests were paused")
		time.Sleep(10 * time.Minute)
		o.want("Digests were paused", "Digests were paused")
		if got := fmt.Sprint(o.room.pages[1].Parts); !strings.Contains(got, "[{Which one more}]") {
			t.Errorf("told %s", got)
		}
		time.Sleep(3 * time.Hour)
		o.want("Digests were paused", "Digests were paused")
	})
}

// While the database is away nothing is told; afterwards that it was, and what happened meanwhile.
func TestKeeperIsAway(t *testing.T) {
	t.Parallel()
	in(t, 2, func(o *office) {
		away := func(is bool) { o.shelf.mu.Lock(); o.shelf.away = is; o.shelf.mu.Unlock() }
		away(true)
		time.Sleep(25 * time.Second)
		away(false)
		time.Sleep(10 * time.Minute)
		o.want() // short
		away(true)
		o.failing(12 * time.Minute)
		o.want()
		away(false)
		o.failing(3 * time.Minute)
		o.want(lost)
	})
}

// What could not be written is heard again.
func TestKeeperIsStuck(t *testing.T) {
	t.Parallel()
	in(t, 1, func(o *office) {
		stuck := func(is bool) { o.shelf.mu.Lock(); o.shelf.stuck = is; o.shelf.mu.Unlock() }
		stuck(true)
		o.desks[0].Happened(alert.DigestsFailed, "7")
		time.Sleep(10 * time.Minute)
		stuck(false)
		time.Sleep(time.Minute)
		o.want("Digests were given up")
	})
}

// What ends a process is told before it ends.
func TestLastWords(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := &room{}
		d := alert.NewDesk(alert.Options{Channel: "C0OPS", Matters: alert.Matters(), Keeper: &shelf{states: map[string]string{}}, Poster: r})
		ctx, cancel := context.WithCancel(t.Context())
		var running sync.WaitGroup
		running.Go(func() { d.Run(ctx) })
		synctest.Wait()
		d.Happened(alert.Stopped, "host-1: Slack refuses it")
		cancel()
		running.Wait()
		if got := r.titles(); len(got) != 1 || got[0] != "A process of this bot has ended" {
			t.Errorf("told %q", got)
		}
	})
}

// punctual is a shelf that answers nobody whose time is over.
type punctual struct{ *shelf }

func (p punctual) Matters(ctx context.Context) (map[string]string, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return p.shelf.Matters(ctx)
}

// However long it takes to ask around, the last words have their own time.
func TestAskingTakesNoTimeFromTheLastWords(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := &room{}
		d := alert.NewDesk(alert.Options{
			Channel: "C0OPS", Matters: alert.Matters(), Keeper: punctual{&shelf{states: map[string]string{}}}, Poster: r,
			Ask: func(*alert.Desk) { time.Sleep(3 * time.Second) },
		})
		ctx, cancel := context.WithCancel(t.Context())
		var running sync.WaitGroup
		running.Go(func() { d.Run(ctx) })
		time.Sleep(5 * time.Second)
		d.Happened(alert.Stopped, "host-1: Slack refuses it")
		cancel()
		running.Wait()
		if got := r.titles(); len(got) != 1 {
			t.Errorf("told %q", got)
		}
	})
}

func TestQuietCostsNothing(t *testing.T) {
	t.Parallel()
	in(t, 1, func(o *office) {
		o.answering(time.Hour)
		if o.shelf.writes != 0 {
			t.Errorf("%d writes though nothing was wrong", o.shelf.writes)
		}
	})
	var none *alert.Desk // switched off
	none.Bad(alert.Permission, "software")
	none.Good("software", alert.Failures()...)
	none.Happened(alert.Stopped, "x")
	none.Run(t.Context())
}
