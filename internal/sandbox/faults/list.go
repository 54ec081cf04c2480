package faults

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/missingkbs/missingkbs/internal/sandbox/protocol"
)

// Switch describes one switch to the page and to [Set.SetNamed].
type Switch struct {
	Name    string   `json:"name"`
	Label   string   `json:"label"`
	Group   string   `json:"group"` // Slack, Defender or a group of [Options].More
	Kind    string   `json:"kind"`  // bool, number, choice, or action, which is done once
	Help    string   `json:"help,omitempty"`
	Options []string `json:"options,omitempty"`

	set   func(value json.RawMessage) error
	value func(f Switches) any // nil for an action and for all but Slack
}

// List returns all switches in the order of the page. The caller must not change it.
func (s *Set) List() []Switch { return s.list }

func (s *Set) makeList() []Switch {
	list := s.slackSwitches()
	for i := range list {
		list[i].Group = "Slack"
	}
	for _, d := range defenderFaults() {
		if s.o.Defender == nil {
			break
		}
		list = append(list, Switch{
			Name: d.name, Label: d.label, Group: "Defender", Kind: "bool", Help: d.help,
			set: func(value json.RawMessage) error { return s.switchDefender(d, value) },
		})
	}
	for _, f := range s.o.More {
		list = append(list, Switch{
			Name: f.Name, Label: f.Label, Group: f.Group, Kind: "bool", Help: f.Help,
			set: func(value json.RawMessage) error { return s.switchFitting(f, value) },
		})
	}
	return list
}

// slackSwitches lists the switches of Slack in the order of the page.
func (s *Set) slackSwitches() []Switch {
	return []Switch{
		{
			Name: "slack_disconnect", Label: "Refresh connections", Help: "Slack asks the app to reconnect", Kind: "action",
			set: func(json.RawMessage) error { s.o.Disconnect("refresh_requested"); return nil },
		},
		{
			Name: "slack_drop", Label: "Cut connections", Help: "without a word", Kind: "action",
			set: func(json.RawMessage) error { s.o.Drop(); return nil },
		},
		s.toggle("slack_rate_limited", "Rate limited", "429 for every call", func(f *Switches) *bool { return &f.RateLimited }),
		s.toggle("slack_refuse_new_blocks", "Refuse new blocks", "as workspaces that lack tables and charts", func(f *Switches) *bool { return &f.RefuseNewBlocks }),
		s.toggle("slack_refuse_action_cell", "Refuse buttons in tables", "action_cell", func(f *Switches) *bool { return &f.Refused.ActionCell }),
		s.toggle("slack_refuse_data_table", "Refuse data tables", "data_table", func(f *Switches) *bool { return &f.Refused.DataTable }),
		s.toggle("slack_refuse_table", "Refuse plain tables", "table", func(f *Switches) *bool { return &f.Refused.Table }),
		s.toggle("slack_refuse_data_visualization", "Refuse charts", "data_visualization", func(f *Switches) *bool { return &f.Refused.DataVisualization }),
		s.toggle("slack_refuse_mutely", "Refuse without a reason", "a refusal of blocks does not say which", func(f *Switches) *bool { return &f.Refused.Mutely }),
		s.toggle("slack_redeliver", "Deliver twice", "every envelope comes again", func(f *Switches) *bool { return &f.Redeliver }),
		s.toggle("slack_drop_acks", "Lose acknowledgements", "as when they come too late", func(f *Switches) *bool { return &f.DropAcks }),
		{
			Name: "slack_web_api_error", Label: "Web API fails with", Kind: "choice",
			Options: []string{"", "internal_error", "service_unavailable", "fatal_error", "invalid_auth", "token_revoked", "account_inactive"},
			set: func(value json.RawMessage) error {
				return changeField(s, value, func(f *Switches) *string { return &f.WebAPIError })
			},
			value: func(f Switches) any { return f.WebAPIError },
		},
		{
			Name: "slack_latency_ms", Label: "Added latency (ms)", Kind: "number", set: s.setLatency,
			value: func(f Switches) any { return f.Latency.Milliseconds() },
		},
	}
}

// toggle describes a switch that is on or off.
func (s *Set) toggle(name, label, help string, field func(*Switches) *bool) Switch {
	return Switch{
		Name: name, Label: label, Help: help, Kind: "bool",
		set:   func(value json.RawMessage) error { return changeField(s, value, field) },
		value: func(f Switches) any { return *field(&f) },
	}
}

// changeField sets one field of the switches from JSON.
func changeField[T any](s *Set, value json.RawMessage, field func(*Switches) *T) error {
	was := s.Switches()
	to := *field(&was) // null leaves it as it is
	if err := json.Unmarshal(value, &to); err != nil {
		return fmt.Errorf("read the value: %w", err)
	}
	s.change(func(on *Switches) { *field(on) = to })
	return nil
}

const maxLatency = time.Minute

func (s *Set) setLatency(value json.RawMessage) error {
	var ms int64
	if err := json.Unmarshal(value, &ms); err != nil {
		return fmt.Errorf("read the value: %w", err)
	}
	s.change(func(on *Switches) {
		on.Latency = min(max(0, time.Duration(ms)*time.Millisecond), maxLatency)
	})
	return nil
}

// switchDefender switches a fault of the tenant on or off.
func (s *Set) switchDefender(d defenderFault, value json.RawMessage) error {
	var on bool
	if err := json.Unmarshal(value, &on); err != nil {
		return fmt.Errorf("read the value: %w", err)
	}
	s.mu.Lock()
	undo := s.heal[d.name]
	switch {
	case on && undo == nil:
		s.heal[d.name] = d.on(s.o.Defender)
	case !on && undo != nil:
		undo()
		delete(s.heal, d.name)
	}
	s.mu.Unlock()
	s.o.Changed(s.Values())
	return nil
}

func (s *Set) switchFitting(f Fitting, value json.RawMessage) error {
	var on bool
	if err := json.Unmarshal(value, &on); err != nil {
		return fmt.Errorf("read the value: %w", err)
	}
	s.mu.Lock()
	s.fitted[f.Name] = on
	f.Set(on)
	s.mu.Unlock()
	s.o.Changed(s.Values())
	return nil
}

// Values returns the value of each switch by its name.
func (s *Set) Values() map[string]any {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := map[string]any{}
	for _, one := range s.list {
		switch {
		case one.Group == "Defender":
			out[one.Name] = s.heal[one.Name] != nil
		case one.value != nil:
			out[one.Name] = one.value(s.switches)
		default:
			out[one.Name] = s.fitted[one.Name]
		}
	}
	return out
}

// SetNamed sets one switch by the name that the page uses, such as
// "defender_failing". The value is a bool, a string or a number.
func (s *Set) SetNamed(name string, value any) error {
	var names []string
	for _, one := range s.list {
		names = append(names, one.Name)
		if one.Name == name {
			s.o.Record(name, value)
			return one.set(protocol.Encode(value))
		}
	}
	return fmt.Errorf("there is no fault %q; there are %s", name, strings.Join(names, ", "))
}
