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

// Store keeps the states of conditions for all replicas. *store.Store implements it.
type Store interface {
	AlertStates(ctx context.Context) (map[string]string, error)
	// ChangeState changes one state under a lock. It may call change several times, if the transaction is retried.
	ChangeAlertState(ctx context.Context, name string, change func(state string) (string, error)) error
}

// Poster posts a page into a channel. *post.Poster implements it, and refuses channels that other organisations read.
type Poster interface {
	Post(ctx context.Context, channel, key string, page view.Page) (message string, err error)
}

// Options configure a notifier.
type Options struct {
	Channel    string
	Conditions []Condition
	Store      Store
	Poster     Poster
	Process    string            // names this process in alerts, if there are several
	Interval   time.Duration     // between two checks; default 15 s
	Poll       func(n *Notifier) // called before each check, to observe conditions that nothing else reports; may be nil
	Now        func() time.Time  // default [time.Now]
	Log        *slog.Logger      // default: discarded
}

// Notifier collects the observations of one process and posts the resulting alerts. It is safe for concurrent use, and
// observing does not block. A nil notifier ignores all observations.
type Notifier struct {
	Options
	mu       sync.Mutex
	observed map[string]Observation // by condition

	unavailableSince time.Time // since when the store fails; only used by Run's goroutine
}

// New returns a notifier. [Notifier.Run] sends its alerts.
func New(o Options) *Notifier {
	o.Interval = cmp.Or(o.Interval, 15*time.Second)
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return &Notifier{Options: o, observed: map[string]Observation{}}
}

// Failing records that a source has met a condition.
func (n *Notifier) Failing(condition, source string) {
	n.observe(condition, func(now time.Time) Observation {
		return Observation{First: now, Last: now, Count: 1, Sources: []string{source}}
	})
}

// Working records that a source has met the opposite of some conditions.
func (n *Notifier) Working(source string, conditions ...string) {
	for _, c := range conditions {
		n.observe(c, func(now time.Time) Observation { return Observation{Recovered: map[string]time.Time{source: now}} })
	}
}

// Happened records an event, with its subject in a few words of the program.
func (n *Notifier) Happened(event, subject string) {
	n.observe(event, func(now time.Time) Observation {
		return Observation{First: now, Last: now, Subjects: []string{subject}}
	})
}

func (n *Notifier) observe(condition string, what func(now time.Time) Observation) {
	if n == nil {
		return
	}
	now := n.Now().UTC().Truncate(time.Millisecond)
	n.mu.Lock()
	defer n.mu.Unlock()
	n.observed[condition] = what(now).add(n.observed[condition])
}

// lastCheckTime bounds the last check, when the program ends.
const lastCheckTime = 2 * time.Second

// Run checks at each interval until ctx is done, and once more then: the reason for the end may deserve an alert.
func (n *Notifier) Run(ctx context.Context) {
	if n == nil {
		return
	}
	tick := time.NewTicker(n.Interval)
	defer tick.Stop()
	for ctx.Err() == nil {
		n.Check(ctx)
		select {
		case <-tick.C:
		case <-ctx.Done():
		}
	}
	n.poll() // must not use up the time of the last check
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), lastCheckTime)
	defer cancel()
	n.check(last)
}

// Check sends the alerts that are due.
func (n *Notifier) Check(ctx context.Context) {
	n.poll()
	n.check(ctx)
}

func (n *Notifier) poll() {
	if n.Poll != nil {
		n.Poll(n)
	}
}

func (n *Notifier) check(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	states, err := n.Store.AlertStates(ctx)
	if err != nil {
		if n.unavailableSince.IsZero() && ctx.Err() == nil {
			n.unavailableSince = n.Now()
			n.Log.WarnContext(ctx, "cannot read the states of alerts; retrying", "error", err)
		}
		return
	}
	n.unavailableSince = time.Time{}
	for _, c := range n.Conditions {
		if err := n.checkCondition(ctx, c, states[c.Name]); err != nil && !errors.Is(err, context.Canceled) {
			n.Log.WarnContext(ctx, "cannot send an alert to the operations channel; retrying", "condition", c.Name, "error", err)
		}
	}
}

// checkCondition sends the alert that is due for one condition. It writes nothing if the state has not changed.
func (n *Notifier) checkCondition(ctx context.Context, c Condition, stored string) error {
	observed := n.takeObservation(c.Name)
	next, due, err := c.next(stored, observed, n.Now())
	if err != nil || next == stored && due == None {
		return err
	}
	var state State
	err = n.change(ctx, c, func(old State) State {
		state, due = c.Next(c.Observe(old, observed), n.Now())
		if due != None {
			return state.Leased(n.Now())
		}
		return state
	})
	if err != nil {
		n.putBack(c.Name, observed)
		return err
	}
	if due == None {
		return nil
	}
	return n.send(ctx, c, due, state)
}

func (n *Notifier) takeObservation(condition string) Observation {
	n.mu.Lock()
	defer n.mu.Unlock()
	defer delete(n.observed, condition)
	return n.observed[condition]
}

func (n *Notifier) putBack(condition string, o Observation) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.observed[condition] = n.observed[condition].add(o)
}

// send posts an alert and then stores that it was sent. A crash between the two may repeat it; the other order would
// lose it.
func (n *Notifier) send(ctx context.Context, c Condition, a Alert, s State) error {
	key := fmt.Sprintf("ops/%s/%d/%s", c.Name, s.Since.Unix(), a)
	_, postErr := n.Poster.Post(ctx, n.Channel, key, c.page(a, s, n.Now()))
	after, cancel := context.WithTimeout(context.WithoutCancel(ctx), lastCheckTime)
	defer cancel()
	if postErr != nil {
		return errors.Join(postErr, n.change(after, c, func(now State) State { return now.SendFailed(n.Now()) }))
	}
	if err := n.change(after, c, func(now State) State { return c.Sent(now, a, s, n.Now()) }); err != nil {
		return fmt.Errorf("store that an alert was sent: %w", err)
	}
	n.Log.InfoContext(ctx, "sent an alert to the operations channel", "condition", c.Name, "alert", string(a))
	return nil
}

func (n *Notifier) change(ctx context.Context, c Condition, f func(State) State) error {
	return n.Store.ChangeAlertState(ctx, c.Name, func(stored string) (string, error) {
		s, err := decode(stored)
		if err != nil {
			return "", err
		}
		return encode(f(s))
	})
}

// next returns what a stored state would become.
func (c Condition) next(stored string, o Observation, now time.Time) (string, Alert, error) {
	old, err := decode(stored)
	if err != nil {
		return "", None, err
	}
	s, due := c.Next(c.Observe(old, o), now)
	text, err := encode(s)
	return text, due, err
}

func decode(stored string) (s State, err error) {
	if stored == "" {
		return s, nil
	}
	if err := json.Unmarshal([]byte(stored), &s); err != nil {
		return s, fmt.Errorf("decode the state of a condition: %w", err)
	}
	return s, nil
}

func encode(s State) (string, error) {
	text, err := json.Marshal(s)
	if err != nil {
		return "", fmt.Errorf("encode the state of a condition: %w", err)
	}
	if string(text) == "{}" { // the same as no stored state
		return "", nil
	}
	return string(text), nil
}
