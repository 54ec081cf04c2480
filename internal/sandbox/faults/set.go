// Package faults holds everything that can go wrong with Slack and Defender: switches that stay on until they are
// switched off, and faults of single calls. The page, the tests and the sandbox's servers use the same [Set] and the
// same list of switches. It decides what fails and how; it knows no people, channels or messages.
package faults

import (
	"encoding/json"
	"sync"

	"github.com/missingkbs/missingkbs/api/apitest"
	"github.com/missingkbs/missingkbs/internal/sandbox/blockkit"
)

// Fitting is a switch of a service that this package does not know. Its Set must not call the set that it is part of.
type Fitting struct {
	Name, Label, Group, Help string
	Set                      func(on bool)
}

// Options connect a [Set] to its workspace. All functions are required.
type Options struct {
	Defender   *apitest.Tenant              // nil: the list has no faults of Defender
	Changed    func(values map[string]any)  // called after a switch has changed; must not call the Set
	Record     func(name string, value any) // called before a named switch is set
	More       []Fitting                    // switches of services beside Slack and Defender; none is needed
	Disconnect func(reason string)          // asks the app to reconnect all its sockets
	Drop       func()                       // cuts all sockets
}

// Set is what is currently wrong. Its methods are safe for concurrent use.
type Set struct {
	o    Options
	list []Switch

	mu       sync.Mutex
	switches Switches
	judge    Judge
	calls    []*Fault
	heal     map[string]func() // ends a fault of Defender that is on, by name
	fitted   map[string]bool   // the switches of Options.More that are on
}

// New returns a set in which nothing is wrong.
func New(o Options) *Set {
	s := &Set{o: o, heal: map[string]func(){}, fitted: map[string]bool{}}
	s.list = s.makeList()
	return s
}

// Judge finds what else this Slack refuses in blocks on a surface: message, modal or
// home. Pointers begin with /blocks.
type Judge func(surface string, blocks json.RawMessage) []blockkit.Fault

// SetJudge sets a function that checks all blocks after the rules of Block Kit; nil
// removes it.
func (s *Set) SetJudge(j Judge) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.judge = j
}

// Switches returns the switches of Slack as they are set.
func (s *Set) Switches() Switches {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.switches
}

// Switch replaces all switches of Slack.
func (s *Set) Switch(to Switches) {
	s.change(func(on *Switches) { *on = to })
}

// change alters the switches of Slack and tells the page.
func (s *Set) change(f func(*Switches)) {
	s.mu.Lock()
	f(&s.switches)
	s.mu.Unlock()
	s.o.Changed(s.Values())
}

// Heal removes all faults of single calls and switches all faults of Slack off. Faults
// of Defender stay.
func (s *Set) Heal() {
	s.change(func(on *Switches) { *on, s.calls = Switches{}, nil })
}
