package view

// Dialog asks for the rest of a command line, field by field, where the medium has windows for that. Elsewhere the page that
// has it says what to type.
type Dialog struct {
	Title   string   // of the window; Slack shows 24 characters
	Submit  string   // the label of the button that runs the line
	Command []string // the words with which the line begins
	Fields  []Field  // in this order in the window and in the line
}

// Field is a field of a [Dialog].
type Field struct {
	Name     string // tells the fields of a dialog apart
	Option   string // the option of the line that it fills in; empty: its values are words of the line
	Label    string
	Hint     string
	Kind     FieldKind
	Required bool     // the window does not close while it is empty
	Values   []string // what stands there at first
	Choices  []Choice // of a ChoiceField
	Unset    string   // the option's value when the field is left empty; empty leaves the option out
}

// Choice is what can be chosen in a field.
type Choice struct{ Label, Value string }

// FieldKind says what a field takes.
type FieldKind int

// The kinds of fields. Where two fields fill in the same option, the later one counts if it is not empty.
const (
	TextField     FieldKind = iota // a line of text
	NumberField                    // a whole number from 0 on
	ChoiceField                    // one of a few
	SoftwareField                  // one software id, found while one types
	WatchField                     // several software ids, found while one types; a pattern or "all", too
	ChannelField                   // a channel; without an option only the answer goes there
	AudienceField                  // who sees the answer; never part of the line
)

// What an AudienceField holds.
const (
	OnlyMe   = "me"
	Everyone = "everyone" // everyone in the channel of the ChannelField
)

// AudienceName is the name of an AudienceField.
const AudienceName = "audience"

// WordsField is the name of the field whose values are the words of the line. An error about them names it.
const WordsField = "words"
