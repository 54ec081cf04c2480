package alert

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/missingkbs/missingkbs/internal/view"
)

// Keeper keeps the states of matters for all processes. *store.Store is one.
type Keeper interface {
	Matters(ctx context.Context) (map[string]string, error)
	// ChangeMatter changes one under a lock. The change may be called again when it has to be tried again.
	ChangeMatter(ctx context.Context, name string, change func(state string) (string, error)) error
}

// Poster puts a page into a channel. *bot.Poster is one, which refuses channels that other organisations read.
type Poster interface {
	Post(ctx context.Context, channel, key string, page view.Page) (message string, err error)
}

// Options of a desk.
type Options struct {
	Channel string
	Matters []Matter
	Keeper  Keeper
	Poster  Poster
	Process string           // names this process where several run
	Every   time.Duration    // between two looks; default 15 s
	Ask     func(d *Desk)    // called before each look, to ask what tells nothing by itself; nil for nothing
	Now     func() time.Time // default [time.Now]
	Log     *slog.Logger     // default: nothing is logged
}

// Desk takes in what one process hears and tells the channel what there is to tell. It is safe for concurrent use and
// never makes anybody wait. A nil desk takes everything and tells nothing.
type Desk struct {
	Options
	mu    sync.Mutex
	heard map[string]Heard

	away time.Time // since when the keeper does not answer; of the goroutine that looks
}

// NewDesk returns a desk. [Desk.Run] does the telling.
func NewDesk(o Options) *Desk {
	o.Every = cmp.Or(o.Every, 15*time.Second)
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return &Desk{Options: o, heard: map[string]Heard{}}
}

// Bad hears that a source has met a condition.
func (d *Desk) Bad(matter, source string) {
	d.hear(matter, func(now time.Time) Heard {
		return Heard{First: now, Last: now, Seen: 1, Sources: []string{source}}
	})
}

// Good hears that a source has met the opposite of some conditions.
func (d *Desk) Good(source string, matters ...string) {
	for _, m := range matters {
		d.hear(m, func(now time.Time) Heard { return Heard{Good: map[string]time.Time{source: now}} })
	}
}

// Happened hears of an event, and what it happened to: a few words of the program's own.
func (d *Desk) Happened(matter, thing string) {
	d.hear(matter, func(now time.Time) Heard { return Heard{First: now, Last: now, Things: []string{thing}} })
}

func (d *Desk) hear(matter string, what func(now time.Time) Heard) {
	if d == nil {
		return
	}
	now := d.Now().UTC().Truncate(time.Millisecond)
	d.mu.Lock()
	defer d.mu.Unlock()
	d.heard[matter] = what(now).add(d.heard[matter])
}

// lastLook is what the last look may take, when the program ends.
const lastLook = 2 * time.Second

// Run looks again and again until ctx ends, and then once more: what ends the program may be what is to be told.
func (d *Desk) Run(ctx context.Context) {
	if d == nil {
		return
	}
	tick := time.NewTicker(d.Every)
	defer tick.Stop()
	for ctx.Err() == nil {
		d.Look(ctx)
		select {
		case <-tick.C:
		case <-ctx.Done():
		}
	}
	d.ask() // in its own time
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), lastLook)
	defer cancel()
	d.look(last)
}

// Look tells what there is to tell.
func (d *Desk) Look(ctx context.Context) {
	d.ask()
	d.look(ctx)
}

func (d *Desk) ask() {
	if d.Ask != nil {
		d.Ask(d)
	}
}

func (d *Desk) look(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	states, err := d.Keeper.Matters(ctx)
	if err != nil {
		if d.away.IsZero() && ctx.Err() == nil {
			d.away = d.Now()
			d.Log.WarnContext(ctx, "matters for operators cannot be read; trying again", "error", err)
		}
		return
	}
	d.away = time.Time{}
	for _, m := range d.Matters {
		if err := d.lookAt(ctx, m, states[m.Name]); err != nil && !errors.Is(err, context.Canceled) {
			d.Log.WarnContext(ctx, "operators could not be told; trying again", "matter", m.Name, "error", err)
		}
	}
}

// lookAt tells what there is to tell of one matter. What is unchanged is not written.
func (d *Desk) lookAt(ctx context.Context, m Matter, stored string) error {
	heard := d.take(m.Name)
	s, notice, err := m.look(stored, heard, d.Now())
	if err != nil || s == stored && notice == Nothing {
		return err
	}
	var state State
	err = d.change(ctx, m, func(old State) State {
		state, notice = m.Next(m.Hear(old, heard), d.Now())
		if notice != Nothing {
			return state.Taken(d.Now())
		}
		return state
	})
	if err != nil {
		d.giveBack(m.Name, heard)
		return err
	}
	if notice == Nothing {
		return nil
	}
	return d.tell(ctx, m, notice, state)
}

// look is what would become of a stored state.
func (m Matter) look(stored string, h Heard, now time.Time) (string, Notice, error) {
	old, err := decode(stored)
	if err != nil {
		return "", Nothing, err
	}
	s, notice := m.Next(m.Hear(old, h), now)
	text, err := encode(s)
	return text, notice, err
}

func (d *Desk) take(matter string) Heard {
	d.mu.Lock()
	defer d.mu.Unlock()
	defer delete(d.heard, matter)
	return d.heard[matter]
}

func (d *Desk) giveBack(matter string, h Heard) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.heard[matter] = d.heard[matter].add(h)
}

func (d *Desk) change(ctx context.Context, m Matter, f func(State) State) error {
	return d.Keeper.ChangeMatter(ctx, m.Name, func(stored string) (string, error) {
		s, err := decode(stored)
		if err != nil {
			return "", err
		}
		return encode(f(s))
	})
}

// tell posts a notice. Between the post and the note of it a crash may repeat it; the other order would lose it.
func (d *Desk) tell(ctx context.Context, m Matter, n Notice, s State) error {
	key := fmt.Sprintf("ops/%s/%d/%s", m.Name, s.Since.Unix(), n)
	_, err := d.Poster.Post(ctx, d.Channel, key, m.page(n, s, d.Now()))
	noted := context.WithoutCancel(ctx)
	noted, cancel := context.WithTimeout(noted, lastLook)
	defer cancel()
	if err != nil {
		return errors.Join(err, d.change(noted, m, func(now State) State { return now.Failed(d.Now()) }))
	}
	if err := d.change(noted, m, func(now State) State { return m.Told(now, n, s, d.Now()) }); err != nil {
		return fmt.Errorf("note that operators were told: %w", err)
	}
	d.Log.InfoContext(ctx, "operators were told", "matter", m.Name, "notice", string(n))
	return nil
}

func decode(stored string) (s State, err error) {
	if stored == "" {
		return s, nil
	}
	if err := json.Unmarshal([]byte(stored), &s); err != nil {
		return s, fmt.Errorf("read the state of a matter: %w", err)
	}
	return s, nil
}

func encode(s State) (string, error) {
	text, err := json.Marshal(s)
	if err != nil {
		return "", fmt.Errorf("write the state of a matter: %w", err)
	}
	if string(text) == "{}" { // as when nothing is stored
		return "", nil
	}
	return string(text), nil
}
