package view

// Dialog is a form for the rest of a command line, for media with modals. In other media the page that has it says what
// to type.
type Dialog struct {
	Title   string   // of the modal; Slack shows 24 characters
	Lead    string   // text above the fields; may be empty
	Submit  string   // label of the button that runs the line
	Command []string // first words of the line
	Fields  []Field  // in the order of the modal and of the line
}

// Field is a field of a [Dialog].
type Field struct {
	Name     string // unique within the dialog
	Option   string // option of the line that it fills in; empty if its values are words of the line
	Label    string
	Hint     string
	Kind     FieldKind
	Required bool     // the modal cannot be submitted while it is empty
	Values   []string // initial values
	Choices  []Choice // for a ChoiceField
	Unset    string   // value of the option if the field is left empty; "" omits the option
}

// Choice is one choice of a field.
type Choice struct{ Label, Value string }

// FieldKind is the kind of value that a field takes.
type FieldKind int

// The kinds of fields. If two fields fill in the same option, the later one counts unless it is empty.
const (
	TextField     FieldKind = iota // a line of text
	NumberField                    // a whole number of at least 0
	ChoiceField                    // one of a few
	SoftwareField                  // one software id, searched for while typing
	WatchField                     // several software ids, searched for while typing; also patterns and "all"
	ChannelField                   // a channel; without an option it is only where the answer goes
	AudienceField                  // who sees the answer; not part of the line
)

// The values of an AudienceField.
const (
	OnlyMe   = "me"
	Everyone = "everyone" // everyone in the channel of the ChannelField
)

// AudienceName is the name of an AudienceField.
const AudienceName = "audience"

// WordsField is the name of the field whose values are words of the line. Errors about them name it.
const WordsField = "words"
