// Package alert tells a channel of operators what a person should know: that something has gone wrong and stays so, once a
// day while it does, and when it is over. One failed call tells nothing, and however many people fail at the same thing,
// it is told once.
//
// A [Matter] is one such thing, its [State] is what is known of it, and three pure functions move it: [Matter.Hear] takes
// in what was heard, [Matter.Next] says whether there is something to tell, [Matter.Told] notes that it was told. The state
// lies in the database, so several processes have one opinion and one voice; a [Desk] is the part of it in each process.
//
// The package knows neither Slack nor SQL nor Defender. It holds no words but its own and those that it is given as names
// of things: no error texts, since these may hold anything.
package alert

import (
	"maps"
	"slices"
	"time"
)

// Matter is something that whoever runs the program should know.
type Matter struct {
	Name string // the key of its state
	Text Text

	// A condition lasts: it is told when it was seen so often, over so long, and never gone meanwhile.
	Hold  time.Duration
	Least int

	// An event happens: things are gathered for as long as Hold and told together, and then not again for a while.
	Event bool
	Again time.Duration
}

// Text is what is told of a matter.
type Text struct {
	Title, Lead string // what is wrong, and what to do
	Over        string // the heading when it is over
}

// State is what is known of a matter. The zero value is that of one of which nothing was heard.
type State struct {
	Since   time.Time `json:"since,omitzero"` // when it was seen first; zero while it is not
	Last    time.Time `json:"last,omitzero"`  // and last
	Seen    int       `json:"seen,omitzero"`
	Sources []string  `json:"sources,omitzero"` // who saw it, sorted
	Good    time.Time `json:"good,omitzero"`    // since when one of those saw the opposite; zero when it was seen again after that
	Told    time.Time `json:"told,omitzero"`    // when the channel heard of it last; zero when it did not
	Over    time.Time `json:"over,omitzero"`    // when the channel heard that the one before was over
	Flaps   int       `json:"flaps,omitzero"`   // how often in a row it came back soon after that

	Things []string `json:"things,omitzero"` // of an event, to be told
	More   int      `json:"more,omitzero"`   // things beyond those

	Lease time.Time `json:"lease,omitzero"` // until when somebody is about to tell
	Fails int       `json:"fails,omitzero"` // how often in a row that did not work
}

// Heard is what was heard of a matter since the last look. The zero value is nothing.
type Heard struct {
	First, Last time.Time // when it was seen
	Seen        int
	Sources     []string
	Good        map[string]time.Time // when each source saw the opposite, first after it was seen
	Things      []string
	More        int
}

// Notice is what there is to tell.
type Notice string

// The notices.
const (
	Nothing Notice = ""
	Opened  Notice = "open"
	Lasting Notice = "lasting" // a reminder
	Closed  Notice = "over"
	Events  Notice = "events"
)

const (
	// calm is how long the opposite must be seen before a matter is over: answers out of a cache prove little.
	calm     = 5 * time.Minute
	mostCalm = 4 * time.Hour
	// soon after its end a matter that comes back is the same one, flapping: each time it has to stay away twice as long.
	soon   = time.Hour
	remind = 24 * time.Hour
	// lately is how long ago it may have been seen last for anybody to say that it lasts.
	lately = 6 * time.Hour
	// forgotten is what nobody has heard of for so long, though nobody said that it is over.
	forgotten = 7 * 24 * time.Hour

	maxThings = 20
	lease     = 2 * time.Minute
)

// Hear is the state after something was heard.
func (m Matter) Hear(s State, h Heard) State {
	if h.Seen > 0 {
		s = s.see(h)
	}
	for _, source := range s.Sources {
		if good, ok := h.Good[source]; ok && good.After(s.Last) && s.Good.IsZero() {
			s.Good = good
		}
	}
	if n := len(h.Things) + h.More; n > 0 {
		if s.Since.IsZero() {
			s.Since = h.First
		}
		room := max(0, maxThings-len(s.Things))
		taken := min(room, len(h.Things))
		s.Things = append(slices.Clone(s.Things), h.Things[:taken]...)
		s.More += n - taken
	}
	return s
}

func (s State) see(h Heard) State {
	if s.Since.IsZero() {
		s.Since = h.First
		s.Flaps++
		if s.Over.IsZero() || h.First.Sub(s.Over) > soon {
			s.Flaps = 0
		}
	}
	if h.Last.After(s.Last) {
		s.Last = h.Last
	}
	if !s.Good.After(s.Last) {
		s.Good = time.Time{}
	}
	s.Seen += h.Seen
	s.Sources = slices.Compact(slices.Sorted(slices.Values(append(slices.Clone(s.Sources), h.Sources...))))
	return s
}

// Next says what there is to tell, and returns the state without what is over before it was told.
func (m Matter) Next(s State, now time.Time) (State, Notice) {
	if m.Event {
		return s, m.nextEvent(s, now)
	}
	switch {
	case s.Since.IsZero():
	case s.Good.IsZero() && now.Sub(s.Last) > forgotten:
		return s.ended(), Nothing
	case s.Told.IsZero() && !s.Good.IsZero():
		if now.Sub(s.Good) >= time.Minute {
			return s.ended(), Nothing // it did not last
		}
	case s.Told.IsZero():
		if s.Seen >= m.Least && s.Last.Sub(s.Since) >= m.Hold {
			return s, free(s, now, Opened)
		}
	case !s.Good.IsZero():
		if now.Sub(s.Good) >= min(calm<<min(s.Flaps, 10), mostCalm) {
			return s, free(s, now, Closed)
		}
	case s.Last.After(s.Told) && now.Sub(s.Told) >= remind && now.Sub(s.Last) < lately:
		return s, free(s, now, Lasting)
	}
	return s, Nothing
}

func (m Matter) nextEvent(s State, now time.Time) Notice {
	if len(s.Things) == 0 || now.Sub(s.Since) < m.Hold || !s.Told.IsZero() && now.Sub(s.Told) < m.Again {
		return Nothing
	}
	return free(s, now, Events)
}

// free is a notice unless somebody is telling already.
func free(s State, now time.Time, n Notice) Notice {
	if s.Lease.After(now) {
		return Nothing
	}
	return n
}

// Taken is the state while somebody tells.
func (s State) Taken(now time.Time) State {
	s.Lease = now.Add(lease)
	return s
}

// Told is the state after something was told: what was heard meanwhile stays.
func (m Matter) Told(s State, n Notice, told State, now time.Time) State {
	s.Lease, s.Fails = time.Time{}, 0
	switch n {
	case Opened, Lasting:
		s.Told = now
	case Closed:
		if s.Good.IsZero() { // it came back while its end was told
			over := s
			over.Since, over.Seen = s.Last, max(1, s.Seen-told.Seen)
			over.Told, over.Over, over.Flaps = time.Time{}, now, s.Flaps+1
			return over
		}
		s = s.ended()
		s.Over = now
	case Events:
		s.Things, s.More = s.Things[min(len(told.Things), len(s.Things)):], max(0, s.More-told.More)
		s.Told, s.Since = now, now
		if len(s.Things) == 0 {
			s.Since = time.Time{}
		}
	}
	return s
}

// Failed is the state after it could not be told: it is tried again later and later.
func (s State) Failed(now time.Time) State {
	s.Fails++
	s.Lease = now.Add(min(time.Minute<<min(s.Fails-1, 10), time.Hour))
	return s
}

// ended is the state of a matter that is over. That it was lately is remembered.
func (s State) ended() State { return State{Over: s.Over, Flaps: s.Flaps} }

// add takes in what was heard before.
func (h Heard) add(before Heard) Heard {
	if before.Seen > 0 || len(before.Things) > 0 {
		if h.First.IsZero() || before.First.Before(h.First) {
			h.First = before.First
		}
		if before.Last.After(h.Last) {
			h.Last = before.Last
		}
	}
	good := map[string]time.Time{}
	maps.Copy(good, h.Good)
	if h.Seen == 0 { // what was good before it was seen again says nothing
		maps.Copy(good, before.Good) // the first counts
	}
	h.Seen += before.Seen
	h.Sources = slices.Compact(slices.Sorted(slices.Values(append(slices.Clone(before.Sources), h.Sources...))))
	h.Good = good
	things := append(slices.Clone(before.Things), h.Things...)
	kept := min(maxThings, len(things))
	h.Things, h.More = things[:kept], h.More+before.More+len(things)-kept
	return h
}
