package blocks

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/slack-go/slack"

	"github.com/missingkbs/missingkbs/internal/view"
)

const (
	// ShortcutCallback is the callback ID of the app's global shortcut, as declared in manifest.yaml.
	ShortcutCallback = "missingkbs_ask"
	// MessageCallback is the callback ID of its message shortcut.
	MessageCallback = "missingkbs_message"
	// DialogCallback is the callback ID of every modal that draws a [view.Dialog].
	DialogCallback = "missingkbs_dialog"
)

// draft is what a modal remembers of its dialog until submission, in private_metadata. Slack returns it unchanged.
type draft struct {
	Command []string     `json:"command"`
	Channel string       `json:"channel,omitempty"` // where the dialog was opened
	Fields  []draftField `json:"fields"`
}

type draftField struct {
	Name   string         `json:"name"`
	Option string         `json:"option,omitempty"`
	Unset  string         `json:"unset,omitempty"`
	Kind   view.FieldKind `json:"kind,omitempty"`
	Typed  bool           `json:"typed,omitempty"` // values that a select cannot hold are typed, separated by spaces
}

// Dialog draws a dialog as a modal opened in a channel; empty for none. It returns an error for a dialog that Slack
// would refuse.
func Dialog(d view.Dialog, channel string) (slack.ModalViewRequest, error) {
	keep := draft{Command: d.Command, Channel: channel}
	var all []slack.Block
	if d.Lead != "" {
		all = append(all, slack.NewSectionBlock(plain(d.Lead, maxText), nil, nil))
	}
	for _, f := range d.Fields {
		typed := !choosable(f)
		element := input(f, typed)
		if element == nil {
			return slack.ModalViewRequest{}, fmt.Errorf("the field %s has nothing to choose from", f.Name)
		}
		keep.Fields = append(keep.Fields, draftField{f.Name, f.Option, f.Unset, f.Kind, typed})
		block := slack.NewInputBlock(f.Name, plain(f.Label, maxLabel), nil, element)
		if f.Hint != "" {
			block.Hint = plain(f.Hint, maxLabel)
		}
		block.Optional = !f.Required
		all = append(all, block)
	}
	metadata, err := json.Marshal(keep)
	switch {
	case err != nil:
		return slack.ModalViewRequest{}, fmt.Errorf("write what the modal keeps: %w", err)
	case length(string(metadata)) > maxMetadata:
		return slack.ModalViewRequest{}, fmt.Errorf("the line of the dialog has %d bytes, too many for a modal", len(metadata))
	}
	return slack.ModalViewRequest{
		Type:            slack.VTModal,
		CallbackID:      DialogCallback,
		Title:           plain(d.Title, maxModalTitle),
		Submit:          plain(d.Submit, maxModalTitle),
		Close:           plain("Cancel", maxModalTitle),
		Blocks:          slack.Blocks{BlockSet: all},
		PrivateMetadata: string(metadata),
	}, nil
}

// choosable reports whether a select can hold the values of a field. Other values are typed.
func choosable(f view.Field) bool {
	if f.Kind != view.SoftwareField && f.Kind != view.WatchField {
		return true
	}
	return len(f.Values) <= MaxSuggestions && !slices.ContainsFunc(f.Values, func(v string) bool { return length(v) > maxOptionValue })
}

// input draws the element of a field; nil for one that Slack would refuse.
func input(f view.Field, typed bool) slack.BlockElement {
	id := Fill.actionID(1)
	switch {
	case typed || f.Kind == view.TextField:
		return textInput(id, strings.Join(f.Values, " "))
	case f.Kind == view.NumberField:
		n := slack.NewNumberInputBlockElement(nil, id, false)
		n.MinValue, n.InitialValue = "0", strings.Join(f.Values, "")
		return n
	case f.Kind == view.SoftwareField:
		s := softwareSelect(Pick)
		if len(f.Values) > 0 {
			s.InitialOption = chosen(f)[0]
		}
		return s
	case f.Kind == view.WatchField:
		s := slack.NewOptionsMultiSelectBlockElement(slack.MultiOptTypeExternal, plain(chooseLabel, maxPlaceholder), Watch.actionID(1))
		least := 0
		s.MinQueryLength, s.InitialOptions = &least, chosen(f)
		return s
	case f.Kind == view.ChannelField:
		s := slack.NewOptionsSelectBlockElement(slack.OptTypeConversations, plain("Choose a channel", maxPlaceholder), id)
		s.ResponseURLEnabled = true
		s.InitialConversation = strings.Join(f.Values, "")
		s.DefaultToCurrentConversation = s.InitialConversation == ""
		return s
	}
	return choices(f, id)
}

func textInput(id, value string) *slack.PlainTextInputBlockElement {
	text := slack.NewPlainTextInputBlockElement(nil, id)
	text.InitialValue, text.MaxLength = value, maxText
	return text
}

// choices draws a field with few choices: as radio buttons if they all fit, otherwise as a menu.
func choices(f view.Field, id string) slack.BlockElement {
	var all []*slack.OptionBlockObject
	var first *slack.OptionBlockObject
	for _, c := range f.Choices {
		o := slack.NewOptionBlockObject(c.Value, plain(c.Label, maxButtonText), nil)
		if slices.Contains(f.Values, c.Value) {
			first = o
		}
		all = append(all, o)
	}
	switch {
	case len(all) == 0 || len(all) > MaxSuggestions:
		return nil
	case f.Kind == view.AudienceField:
		r := slack.NewRadioButtonsBlockElement(id, all...)
		r.InitialOption = first
		return r
	}
	s := slack.NewOptionsSelectBlockElement(slack.OptTypeStatic, plain("Choose", maxPlaceholder), id, all...)
	s.InitialOption = first
	return s
}

// chosen returns the values of a field as options of a select, with the labels of its choices.
func chosen(f view.Field) []*slack.OptionBlockObject {
	var all []*slack.OptionBlockObject
	for _, value := range f.Values {
		label := value
		for _, c := range f.Choices {
			if c.Value == value {
				label = c.Label
			}
		}
		all = append(all, slack.NewOptionBlockObject(value, plain(view.OneLine(label), maxButtonText), nil))
	}
	return all
}
