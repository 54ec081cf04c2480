package sandbox

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/missingkbs/missingkbs/internal/sandbox/protocol"
)

// faultSwitch describes a switch to the page.
type faultSwitch struct {
	Name    string   `json:"name"`
	Label   string   `json:"label"`
	Group   string   `json:"group"` // Slack or Defender
	Kind    string   `json:"kind"`  // bool, number, choice, or action, which is done once
	Help    string   `json:"help,omitempty"`
	Options []string `json:"options,omitempty"`

	set   func(w *Workspace, value json.RawMessage) error
	value func(f Faults) any // nil for an action and for Defender
}

func (w *Workspace) faultList() []faultSwitch {
	list := slackSwitches()
	for i := range list {
		list[i].Group = "Slack"
	}
	if w.opts.Defender == nil {
		return list
	}
	for _, d := range defenderFaults() {
		list = append(list, faultSwitch{
			Name: d.name, Label: d.label, Group: "Defender", Kind: "bool", Help: d.help,
			set: func(w *Workspace, value json.RawMessage) error { return w.switches.defender(d, value) },
		})
	}
	return list
}

func slackSwitches() []faultSwitch {
	return []faultSwitch{
		{
			Name: "slack_disconnect", Label: "Refresh connections", Help: "Slack asks the app to reconnect", Kind: "action",
			set: func(w *Workspace, _ json.RawMessage) error { w.Disconnect("refresh_requested"); return nil },
		},
		{
			Name: "slack_drop", Label: "Cut connections", Help: "without a word", Kind: "action",
			set: func(w *Workspace, _ json.RawMessage) error { w.Drop(); return nil },
		},
		toggle("slack_rate_limited", "Rate limited", "429 for every call", func(f *Faults) *bool { return &f.RateLimited }),
		toggle("slack_refuse_new_blocks", "Refuse new blocks", "as workspaces that lack tables and charts", func(f *Faults) *bool { return &f.RefuseNewBlocks }),
		toggle("slack_refuse_action_cell", "Refuse buttons in tables", "action_cell", func(f *Faults) *bool { return &f.Refused.ActionCell }),
		toggle("slack_refuse_data_table", "Refuse data tables", "data_table", func(f *Faults) *bool { return &f.Refused.DataTable }),
		toggle("slack_refuse_table", "Refuse plain tables", "table", func(f *Faults) *bool { return &f.Refused.Table }),
		toggle("slack_refuse_data_visualization", "Refuse charts", "data_visualization", func(f *Faults) *bool { return &f.Refused.DataVisualization }),
		toggle("slack_refuse_mutely", "Refuse without a reason", "a refusal of blocks does not say which", func(f *Faults) *bool { return &f.Refused.Mutely }),
		toggle("slack_redeliver", "Deliver twice", "every envelope comes again", func(f *Faults) *bool { return &f.Redeliver }),
		toggle("slack_drop_acks", "Lose acknowledgements", "as when they come too late", func(f *Faults) *bool { return &f.DropAcks }),
		{
			Name: "slack_web_api_error", Label: "Web API fails with", Kind: "choice",
			Options: []string{"", "internal_error", "service_unavailable", "fatal_error", "invalid_auth", "token_revoked", "account_inactive"},
			set: func(w *Workspace, value json.RawMessage) error {
				return change(w, value, func(f *Faults) *string { return &f.WebAPIError })
			},
			value: func(f Faults) any { return f.WebAPIError },
		},
		{
			Name: "slack_latency_ms", Label: "Added latency (ms)", Kind: "number", set: setLatency,
			value: func(f Faults) any { return f.Latency.Milliseconds() },
		},
	}
}

// toggle describes a switch that is on or off.
func toggle(name, label, help string, field func(*Faults) *bool) faultSwitch {
	return faultSwitch{
		Name: name, Label: label, Help: help, Kind: "bool",
		set:   func(w *Workspace, value json.RawMessage) error { return change(w, value, field) },
		value: func(f Faults) any { return *field(&f) },
	}
}

// change sets one field of the faults from JSON.
func change[T any](w *Workspace, value json.RawMessage, field func(*Faults) *T) error {
	f := w.Faults()
	if err := json.Unmarshal(value, field(&f)); err != nil {
		return fmt.Errorf("read the value: %w", err)
	}
	w.SetFaults(f)
	return nil
}

const maxLatency = time.Minute

func setLatency(w *Workspace, value json.RawMessage) error {
	var ms int64
	if err := json.Unmarshal(value, &ms); err != nil {
		return fmt.Errorf("read the value: %w", err)
	}
	f := w.Faults()
	f.Latency = min(max(0, time.Duration(ms)*time.Millisecond), maxLatency)
	w.SetFaults(f)
	return nil
}

// defender switches a fault of the tenant.
func (s *switches) defender(d defenderFault, value json.RawMessage) error {
	var on bool
	if err := json.Unmarshal(value, &on); err != nil {
		return fmt.Errorf("read the value: %w", err)
	}
	s.mu.Lock()
	undo := s.heal[d.name]
	switch {
	case on && undo == nil:
		s.heal[d.name] = d.on(s.w.opts.Defender)
	case !on && undo != nil:
		undo()
		delete(s.heal, d.name)
	}
	s.mu.Unlock()
	s.announce()
	return nil
}

func (s *switches) announce() {
	s.w.feed.Send("faults", object{"faults": s.values()})
}

// values returns what each switch stands at.
func (s *switches) values() object {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := object{}
	for _, one := range s.w.faultList() {
		switch {
		case one.Group == "Defender":
			out[one.Name] = s.heal[one.Name] != nil
		case one.value != nil:
			out[one.Name] = one.value(s.faults)
		default:
			out[one.Name] = false
		}
	}
	return out
}

// SetFault sets one switch by the name that the page uses, such as
// "defender_failing": a bool, a string or a number.
func (w *Workspace) SetFault(name string, value any) error {
	var names []string
	for _, one := range w.faultList() {
		names = append(names, one.Name)
		if one.Name == name {
			w.trace.add(TraceUI, "fault "+name, 0, object{"value": value})
			return one.set(w, protocol.Encode(value))
		}
	}
	return fmt.Errorf("there is no fault %q; there are %s", name, strings.Join(names, ", "))
}
