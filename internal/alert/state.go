// Package alert decides which alerts a channel of operators gets: one when a [Condition] begins, one a day while it
// lasts, and one when it ends, regardless of how many users and replicas meet it. A single failed call sends nothing.
// Three pure functions change the [State] of a condition: [Condition.Observe] adds what was observed, [Condition.Next]
// decides which [Alert] is due, [Condition.Sent] records that it was sent. States are shared through the database, so
// several replicas send one alert; each process has a [Notifier]. The package knows neither Slack nor SQL nor Defender,
// and its alerts contain no error texts, because these may contain anything.
package alert

import (
	"slices"
	"time"
)

// Condition is something that operators should know about.
type Condition struct {
	Name string // key of its state
	Text Text

	// A lasting condition is reported once it was met MinCount times over MinDuration without a recovery.
	MinDuration time.Duration
	MinCount    int

	// An event is collected for MinDuration and reported together with similar ones, at most once per Cooldown.
	Event    bool
	Cooldown time.Duration
}

// Text is the text of the alerts of a condition.
type Text struct {
	Title, Lead string // what is wrong, and what to do
	Closed      string // title when it has ended
}

// State is what all replicas know about a condition. The zero value is a condition that was never met.
type State struct {
	Since     time.Time `json:"since,omitzero"` // when it began; zero if it has ended
	Last      time.Time `json:"last,omitzero"`  // when it was last met
	Count     int       `json:"seen,omitzero"`
	Sources   []string  `json:"sources,omitzero"` // who met it, sorted
	Recovered time.Time `json:"good,omitzero"`    // since when a source meets the opposite; zero if it has failed again
	Sent      time.Time `json:"told,omitzero"`    // when the last alert was sent; zero if none was
	Closed    time.Time `json:"over,omitzero"`    // when the previous end was reported
	Flaps     int       `json:"flaps,omitzero"`   // consecutive returns within flapWindow

	Subjects []string `json:"things,omitzero"` // of an event, not yet reported
	Omitted  int      `json:"more,omitzero"`   // subjects beyond these

	Lease time.Time `json:"lease,omitzero"` // until when a replica may send the alert
	Fails int       `json:"fails,omitzero"` // consecutive failures to send
}

// Alert is the kind of an alert.
type Alert string

// The alerts.
const (
	None     Alert = ""
	Opened   Alert = "open"
	Reminder Alert = "lasting"
	Closed   Alert = "over"
	Occurred Alert = "events"
)

const (
	// settleTime is how long a source must meet the opposite before a condition has ended: cached answers prove little.
	settleTime    = 5 * time.Minute
	maxSettleTime = 4 * time.Hour
	// flapWindow is the time after its end within which a returning condition counts as flapping. Each time settleTime
	// doubles.
	flapWindow       = time.Hour
	reminderInterval = 24 * time.Hour
	// reminderWindow is how recently a condition must have been met for a reminder.
	reminderWindow = 6 * time.Hour
	// expiry drops a condition without an alert if it was neither met nor contradicted for this long.
	expiry = 7 * 24 * time.Hour

	leaseTime = 2 * time.Minute
)

// Observe returns the state after an observation.
func (c Condition) Observe(s State, o Observation) State {
	if o.Count > 0 {
		s = s.merge(o)
	}
	for _, source := range s.Sources {
		if good, ok := o.Recovered[source]; ok && good.After(s.Last) && s.Recovered.IsZero() {
			s.Recovered = good
		}
	}
	if n := len(o.Subjects) + o.Omitted; n > 0 {
		if s.Since.IsZero() {
			s.Since = o.First
		}
		taken := min(max(0, maxSubjects-len(s.Subjects)), len(o.Subjects))
		s.Subjects = append(slices.Clone(s.Subjects), o.Subjects[:taken]...)
		s.Omitted += n - taken
	}
	return s
}

func (s State) merge(o Observation) State {
	if s.Since.IsZero() {
		s.Since = o.First
		s.Flaps++
		if s.Closed.IsZero() || o.First.Sub(s.Closed) > flapWindow {
			s.Flaps = 0
		}
	}
	if o.Last.After(s.Last) {
		s.Last = o.Last
	}
	if !s.Recovered.After(s.Last) {
		s.Recovered = time.Time{}
	}
	s.Count += o.Count
	s.Sources = union(s.Sources, o.Sources)
	return s
}

// Next returns the alert that is due. The returned state drops a condition that ended before it was reported.
func (c Condition) Next(s State, now time.Time) (State, Alert) {
	if c.Event {
		return s, c.nextEvent(s, now)
	}
	switch {
	case s.Since.IsZero():
	case s.Recovered.IsZero() && now.Sub(s.Last) > expiry:
		return s.ended(), None
	case s.Sent.IsZero() && !s.Recovered.IsZero():
		if now.Sub(s.Recovered) >= time.Minute {
			return s.ended(), None // it did not last
		}
	case s.Sent.IsZero():
		if s.Count >= c.MinCount && s.Last.Sub(s.Since) >= c.MinDuration {
			return s, unlessLeased(s, now, Opened)
		}
	case !s.Recovered.IsZero():
		if now.Sub(s.Recovered) >= min(settleTime<<min(s.Flaps, 10), maxSettleTime) {
			return s, unlessLeased(s, now, Closed)
		}
	case s.Last.After(s.Sent) && now.Sub(s.Sent) >= reminderInterval && now.Sub(s.Last) < reminderWindow:
		return s, unlessLeased(s, now, Reminder)
	}
	return s, None
}

func (c Condition) nextEvent(s State, now time.Time) Alert {
	if len(s.Subjects) == 0 || now.Sub(s.Since) < c.MinDuration || !s.Sent.IsZero() && now.Sub(s.Sent) < c.Cooldown {
		return None
	}
	return unlessLeased(s, now, Occurred)
}

// unlessLeased returns None while another process sends an alert.
func unlessLeased(s State, now time.Time, a Alert) Alert {
	if s.Lease.After(now) {
		return None
	}
	return a
}

// Leased returns the state while this process sends an alert.
func (s State) Leased(now time.Time) State {
	s.Lease = now.Add(leaseTime)
	return s
}

// Sent returns the state after an alert was sent. It keeps observations made in the meantime.
func (c Condition) Sent(s State, a Alert, sent State, now time.Time) State {
	s.Lease, s.Fails = time.Time{}, 0
	switch a {
	case Opened, Reminder:
		s.Sent = now
	case Closed:
		if s.Recovered.IsZero() { // it came back while its end was reported
			over := s
			over.Since, over.Count = s.Last, max(1, s.Count-sent.Count)
			over.Sent, over.Closed, over.Flaps = time.Time{}, now, s.Flaps+1
			return over
		}
		s = s.ended()
		s.Closed = now
	case Occurred:
		s.Subjects, s.Omitted = s.Subjects[min(len(sent.Subjects), len(s.Subjects)):], max(0, s.Omitted-sent.Omitted)
		s.Sent, s.Since = now, now
		if len(s.Subjects) == 0 {
			s.Since = time.Time{}
		}
	}
	return s
}

// SendFailed returns the state after an alert could not be sent. The pause before the next attempt doubles each time.
func (s State) SendFailed(now time.Time) State {
	s.Fails++
	s.Lease = now.Add(min(time.Minute<<min(s.Fails-1, 10), time.Hour))
	return s
}

// ended returns the state of a condition that has ended. It keeps what flapping needs.
func (s State) ended() State { return State{Closed: s.Closed, Flaps: s.Flaps} }
