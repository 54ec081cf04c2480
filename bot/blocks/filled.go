package blocks

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"

	"github.com/missingkbs/missingkbs/internal/view"
)

// Inputs are the values of a submitted modal, by block and action. See
// https://docs.slack.dev/reference/interaction-payloads/view-interactions-payload.
type Inputs map[string]map[string]Entered

// Entered is the value of one input.
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

// values returns what was entered, without empty values.
func (e Entered) values() []string {
	all := []string{strings.TrimSpace(e.Value), e.Conversation}
	for _, o := range append([]*Option{e.Selected}, e.Several...) {
		if o != nil {
			all = append(all, o.Value)
		}
	}
	return slices.DeleteFunc(all, func(v string) bool { return v == "" })
}

// Filled is a submitted dialog: a command line and the destination of its answer.
type Filled struct {
	Words   []string // the command line
	From    string   // the channel where the dialog was opened; empty for none
	Channel string   // chosen in the dialog; empty for none
	InLine  bool     // the chosen channel is an option of the line; the line is about the channel where the dialog was opened
	Share   bool     // for everyone in that channel

	fields []filledField
}

type filledField struct {
	draftField
	values []string
}

// ReadDialog reads a submitted modal with the help of what [Dialog] put in its metadata.
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

// line returns the command line: the words, then the options without repeats.
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

// FieldErrors is the acknowledgement of a submitted modal that keeps it open and shows errors by input block. See
// https://docs.slack.dev/surfaces/modals#displaying_errors.
type FieldErrors struct {
	Action string            `json:"response_action"`
	Errors map[string]string `json:"errors"`
}

// Refuse returns the error at the field with that name or of that option. A message without a field is shown at the
// last one, above the buttons.
func (f Filled) Refuse(name, message string) FieldErrors {
	if _, rest, ok := strings.Cut(message, " is not valid: it "); ok && strings.HasPrefix(message, "--"+name+" ") {
		message = "It " + rest // a form has fields, not options
	}
	at := f.fields[len(f.fields)-1].Name
	found := false
	for _, one := range f.fields {
		if (one.Option == name || one.Name == name) && name != "" && (!found || len(one.values) > 0) {
			at, found = one.Name, true
		}
	}
	return FieldErrors{Action: "errors", Errors: map[string]string{at: clip(message, maxText)}}
}
