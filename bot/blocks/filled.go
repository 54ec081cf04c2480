package blocks

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"

	"github.com/missingkbs/missingkbs/internal/view"
)

// Inputs are what the inputs of a submitted modal hold, by block and action. See
// https://docs.slack.dev/reference/interaction-payloads/view-interactions-payload.
type Inputs map[string]map[string]Entered

// Entered is what one input holds.
type Entered struct {
	Value        string    `json:"value"`
	Selected     *Option   `json:"selected_option"`
	Several      []*Option `json:"selected_options"`
	Conversation string    `json:"selected_conversation"`
}

// Option is a chosen option of a select.
type Option struct {
	Value string `json:"value"`
}

// values are what was entered, without what is empty.
func (e Entered) values() []string {
	all := []string{strings.TrimSpace(e.Value), e.Conversation}
	for _, o := range append([]*Option{e.Selected}, e.Several...) {
		if o != nil {
			all = append(all, o.Value)
		}
	}
	return slices.DeleteFunc(all, func(v string) bool { return v == "" })
}

// Filled is a submitted dialog: a command line, and where its answer goes.
type Filled struct {
	Words   []string // the command line
	From    string   // the channel where the dialog was opened; empty for none
	Channel string   // chosen in the dialog; empty for none
	InLine  bool     // the chosen channel is an option of the line, which is about the channel where the dialog was opened
	Share   bool     // for everyone in that channel

	fields []filledField
}

type filledField struct {
	draftField
	values []string
}

// ReadDialog reads a submitted modal by what [Dialog] kept in its metadata.
func ReadDialog(metadata string, in Inputs) (Filled, error) {
	var kept draft
	if json.Unmarshal([]byte(metadata), &kept) != nil || len(kept.Fields) == 0 {
		return Filled{}, errors.New("its metadata is not that of a dialog")
	}
	f := Filled{From: kept.Channel}
	for _, one := range kept.Fields {
		var values []string
		for _, entered := range in[one.Name] {
			values = append(values, entered.values()...)
		}
		if one.Typed {
			values = strings.Fields(strings.Join(values, " "))
		}
		f.fields = append(f.fields, filledField{one, values})
	}
	f.Words = f.line(kept.Command)
	for _, one := range f.fields {
		switch one.Kind {
		case view.ChannelField:
			f.Channel, f.InLine = strings.Join(one.values, ""), one.Option != ""
		case view.AudienceField:
			f.Share = slices.Contains(one.values, view.Everyone)
		}
	}
	return f, nil
}

// line is the command line: the words, then the options, each once.
func (f Filled) line(command []string) []string {
	line := slices.Clone(command)
	var order []string
	options := map[string]string{}
	for _, one := range f.fields {
		switch {
		case one.Option == "" && (one.Kind == view.ChannelField || one.Kind == view.AudienceField):
		case one.Option == "":
			line = append(line, one.values...)
		default:
			if _, known := options[one.Option]; !known {
				order, options[one.Option] = append(order, one.Option), one.Unset
			}
			if len(one.values) > 0 {
				options[one.Option] = strings.Join(one.values, " ")
			}
		}
	}
	for _, name := range order {
		if options[name] != "" {
			line = append(line, "--"+name+"="+options[name])
		}
	}
	return line
}

// FieldErrors is the acknowledgement of a submitted modal that keeps it open and says what is wrong, by input block. See
// https://docs.slack.dev/surfaces/modals#displaying_errors.
type FieldErrors struct {
	Action string            `json:"response_action"`
	Errors map[string]string `json:"errors"`
}

// Refuse says what is wrong at the field that filled in an option, or that has a name. A message that belongs to no field
// stands at the last one, above the buttons.
func (f Filled) Refuse(name, message string) FieldErrors {
	at := f.fields[len(f.fields)-1].Name
	found := false
	for _, one := range f.fields {
		if (one.Option == name || one.Name == name) && name != "" && (!found || len(one.values) > 0) {
			at, found = one.Name, true
		}
	}
	return FieldErrors{Action: "errors", Errors: map[string]string{at: clip(message, maxText)}}
}
