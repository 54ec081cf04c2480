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

func (s *shelf) AlertStates(context.Context) (map[string]string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.away {
		return nil, errAway
	}
	return maps.Clone(s.states), nil
}

func (s *shelf) ChangeAlertState(_ context.Context, name string, change func(string) (string, error)) error {
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

// channel is a channel.
type channel struct {
	mu      sync.Mutex
	refuses bool
	tries   int
	pages   []view.Page
	keys    []string
}

func (r *channel) Post(_ context.Context, channel, key string, page view.Page) (string, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.tries++; r.refuses || channel != "C0OPS" {
		return "", errors.New("refused")
	}
	r.pages, r.keys = append(r.pages, page), append(r.keys, key)
	return "1.2", nil
}

func (r *channel) titles() (list []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, p := range r.pages {
		list = append(list, p.Title)
	}
	return list
}

// cluster is some processes with one shelf and one room, in a bubble.
type cluster struct {
	t         *testing.T
	notifiers []*alert.Notifier
	shelf     *shelf
	room      *channel
	log       *bytes.Buffer
}

func in(t *testing.T, processes int, test func(o *cluster)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		t.Helper()
		o := &cluster{t: t, shelf: &shelf{states: map[string]string{}}, room: &channel{}, log: &bytes.Buffer{}}
		ctx, cancel := context.WithCancel(t.Context())
		var running sync.WaitGroup
		log := slog.New(slog.NewTextHandler(o.log, nil)) // one for all, since the buffer has no lock of its own
		for i := range processes {
			d := alert.New(alert.Options{
				Channel: "C0OPS", Conditions: alert.Conditions(), Store: o.shelf, Poster: o.room, Process: fmt.Sprint("p", i), Interval: 30 * time.Second,
				Log: log,
			})
			o.notifiers = append(o.notifiers, d)
			running.Go(func() { d.Run(ctx) })
		}
		test(o)
		cancel()
		running.Wait()
	})
}

func (o *cluster) want(titles ...string) {
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
func (o *cluster) failing(d time.Duration) {
	for end, i := time.Now().Add(d), 0; time.Now().Before(end); i++ {
		o.notifiers[i%len(o.notifiers)].Failing(alert.Permission, "software")
		time.Sleep(step(d))
	}
}

func (o *cluster) answering(d time.Duration) {
	for end, i := time.Now().Add(d), 0; time.Now().Before(end); i++ {
		o.notifiers[i%len(o.notifiers)].Working("software", alert.Failures()...)
		time.Sleep(step(d))
	}
}

// However many fail, in however many processes, it is told once, once a day while it lasts, and once when it is over.
func TestOneCondition(t *testing.T) {
	t.Parallel()
	for _, processes := range []int{1, 3} {
		in(t, processes, func(o *cluster) {
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
	in(t, 2, func(o *cluster) {
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
	for name, happens := range map[string]func(o *cluster){
		"one failure":      func(o *cluster) { o.notifiers[0].Failing(alert.Permission, "software") },
		"many in a moment": func(o *cluster) { o.failing(50 * time.Second) },
		"now and then": func(o *cluster) {
			o.failing(10 * time.Second)
			o.answering(2 * time.Minute)
			o.failing(10 * time.Second)
		},
		"throttled for minutes": func(o *cluster) {
			for range 50 {
				o.notifiers[0].Failing(alert.Throttled, "quota")
				time.Sleep(10 * time.Second)
			}
			o.notifiers[0].Working("quota", alert.Throttled)
		},
		"twice, hours apart": func(o *cluster) {
			o.notifiers[0].Failing(alert.Permission, "software")
			time.Sleep(3 * time.Hour)
			o.notifiers[0].Failing(alert.Permission, "software")
		},
		"something unknown": func(o *cluster) { o.notifiers[0].Failing("no such condition", "software") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			in(t, 1, func(o *cluster) {
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
	in(t, 1, func(o *cluster) {
		for range 30 {
			o.notifiers[0].Failing(alert.Permission, "machine")
			o.notifiers[0].Working("software", alert.Failures()...)
			time.Sleep(10 * time.Second)
		}
		o.want(lost)
		o.answering(time.Hour)
		o.want(lost)
		o.notifiers[0].Working("machine", alert.Failures()...)
		time.Sleep(10 * time.Minute)
		o.want(lost, back)
	})
}

// What comes and goes is told less and less often.
func TestFlapping(t *testing.T) {
	t.Parallel()
	in(t, 1, func(o *cluster) {
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
	in(t, 1, func(o *cluster) {
		o.failing(5 * time.Minute)
		o.want(lost)
		kept = o.shelf.states
	})
	in(t, 1, func(o *cluster) {
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
	in(t, 1, func(o *cluster) {
		o.room.mu.Lock()
		o.room.refuses = true
		o.room.mu.Unlock()
		o.failing(12 * time.Hour)
		if n := o.room.tries; n < 10 || n > 25 {
			t.Errorf("tried %d times in 12 hours", n)
		}
		if log := o.log.String(); strings.Count(log, "cannot send an alert") != o.room.tries {
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
	in(t, 2, func(o *cluster) {
		for i := range 30 {
			o.notifiers[i%2].Happened(alert.DigestsPaused, fmt.Sprint("digest ", i))
		}
		o.want()
		time.Sleep(2 * time.Minute)
		o.want("Digests were paused")
		if got := fmt.Sprint(o.room.pages[0].Parts); !strings.Contains(got, "digest 0; ") || !strings.Contains(got, "and 10 more") {
			t.Errorf("told %s", got)
		}
		o.notifiers[0].Happened(alert.DigestsPaused, "one more")
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
func TestStoreIsUnavailable(t *testing.T) {
	t.Parallel()
	in(t, 2, func(o *cluster) {
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
func TestStoreIsReadOnly(t *testing.T) {
	t.Parallel()
	in(t, 1, func(o *cluster) {
		stuck := func(is bool) { o.shelf.mu.Lock(); o.shelf.stuck = is; o.shelf.mu.Unlock() }
		stuck(true)
		o.notifiers[0].Happened(alert.DigestsFailed, "7")
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
		r := &channel{}
		d := alert.New(alert.Options{Channel: "C0OPS", Conditions: alert.Conditions(), Store: &shelf{states: map[string]string{}}, Poster: r})
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

func (p punctual) AlertStates(ctx context.Context) (map[string]string, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return p.shelf.AlertStates(ctx)
}

// However long it takes to ask around, the last words have their own time.
func TestAskingTakesNoTimeFromTheLastWords(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := &channel{}
		d := alert.New(alert.Options{
			Channel: "C0OPS", Conditions: alert.Conditions(), Store: punctual{&shelf{states: map[string]string{}}}, Poster: r,
			Poll: func(*alert.Notifier) { time.Sleep(3 * time.Second) },
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
	in(t, 1, func(o *cluster) {
		o.answering(time.Hour)
		if o.shelf.writes != 0 {
			t.Errorf("%d writes though nothing was wrong", o.shelf.writes)
		}
	})
	var none *alert.Notifier // switched off
	none.Failing(alert.Permission, "software")
	none.Working("software", alert.Failures()...)
	none.Happened(alert.Stopped, "x")
	none.Run(t.Context())
}
