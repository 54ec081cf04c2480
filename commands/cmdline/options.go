package cmdline

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/spf13/pflag"
)

// Options parses the options of a command, which may stand anywhere between its other words. Create one for each
// request.
type Options struct {
	*pflag.FlagSet

	UsageLine string // usage that errors quote

	prefix []string // words of the command line before those that are parsed
}

// NewOptions returns an option set without flags. Errors quote usage. The prefix completes the command line that an
// [OptionError] suggests.
func NewOptions(usage string, prefix ...string) *Options {
	set := pflag.NewFlagSet("", pflag.ContinueOnError)
	set.Usage = func() {}
	set.SortFlags = false
	return &Options{FlagSet: set, UsageLine: usage, prefix: prefix}
}

// OptionError reports an option that could not be read.
type OptionError struct {
	Name    string   // the option's name; as typed if unknown
	Message string   // what is wrong and what would be right, for the user
	Line    []string // the corrected command line; nil without a near match
	Err     error    // the flag's own error; may be nil
}

// Error returns the message and the cause, for logs.
func (e *OptionError) Error() string {
	if e.Err != nil {
		return e.Message + ": " + e.Err.Error()
	}
	return e.Message
}

// Unwrap returns the flag's own error.
func (e *OptionError) Unwrap() error { return e.Err }

// ReadWords returns the words that are not options. It returns an [OptionError] for an option it cannot read.
func (o *Options) ReadWords(words []string) ([]string, error) {
	var rest []string
	for i := 0; i < len(words); i++ {
		w := words[i]
		typed, value, inline := strings.Cut(w, "=")
		if w == "--" {
			return append(rest, words[i+1:]...), nil
		}
		if !o.isOption(w) {
			rest = append(rest, w)
			continue
		}
		f := o.Lookup(OptionName(typed))
		if f == nil {
			return nil, o.unknown(words, i)
		}
		takes := 0
		switch {
		case inline:
		case f.NoOptDefVal != "":
			value = f.NoOptDefVal
		case i+1 == len(words) || strings.HasPrefix(words[i+1], "--") && o.isOption(words[i+1]):
			return nil, &OptionError{Name: f.Name, Message: fmt.Sprintf("The option --%s needs a value. Usage: %s", f.Name, o.UsageLine)}
		default:
			value, takes = words[i+1], 1
		}
		if err := o.Set(f.Name, value); err != nil {
			return nil, o.wrongValue(words, i+takes, f, value)
		}
		i += takes
	}
	return rest, nil
}

// isOption reports whether a word is meant as an option: dashes before a letter. A software id may start with dashes
// too.
func (o *Options) isOption(word string) bool {
	name := strings.TrimLeft(word, "-")
	return name != word && name != "" && unicode.IsLetter([]rune(name)[0]) && !strings.Contains(word, IDSeparator)
}

// OptionName returns the name of an option in any spelling: -sort, --Sort, --min_devices.
func OptionName(typed string) string {
	return strings.ReplaceAll(strings.ToLower(strings.TrimLeft(typed, "-")), "_", "-")
}

// unknown returns the error for the unknown option at an index.
func (o *Options) unknown(words []string, at int) error {
	typed, value, inline := strings.Cut(words[at], "=")
	e := &OptionError{Name: OptionName(typed), Message: fmt.Sprintf("There is no option %s. Usage: %s", typed, o.UsageLine)}
	if near := Closest(OptionName(typed), o.names()); near != "" {
		e.Message = fmt.Sprintf("There is no option %s. Did you mean --%s?", typed, near)
		right := "--" + near
		if inline {
			right += "=" + value
		}
		e.Line = o.corrected(words, at, right)
	}
	return e
}

// wrongValue returns the error for an invalid value, which is the word at an index or its part after "=".
func (o *Options) wrongValue(words []string, at int, f *pflag.Flag, value string) error {
	takes := f.Value.Set(value) // the error says what the option takes
	e := &OptionError{Name: f.Name, Message: fmt.Sprintf("--%s %s is not valid: it %s.", f.Name, value, takes), Err: takes}
	choice, ok := f.Value.(choice)
	if !ok {
		return e
	}
	if near := Closest(strings.ToLower(value), choice.of); near != "" {
		e.Message = fmt.Sprintf("--%s must be one of %s. Did you mean %s?", f.Name, strings.Join(choice.of, ", "), near)
		right := near
		if words[at] != value {
			right = "--" + f.Name + "=" + near
		}
		e.Line = o.corrected(words, at, right)
	}
	return e
}

// corrected returns the whole command line with the word at an index replaced.
func (o *Options) corrected(words []string, at int, right string) []string {
	words = slices.Clone(words)
	words[at] = right
	return append(slices.Clone(o.prefix), words...)
}

func (o *Options) names() []string {
	var names []string
	o.VisitAll(func(f *pflag.Flag) {
		if !f.Hidden {
			names = append(names, f.Name)
		}
	})
	return names
}

// wholeNumber is a flag value: a whole number of at least least.
type wholeNumber struct {
	value *int
	least int
}

// Number returns a flag value that accepts whole numbers of at least least.
func Number(value *int, least int) pflag.Value { return wholeNumber{value, least} }

func (n wholeNumber) String() string { return strconv.Itoa(*n.value) }
func (n wholeNumber) Type() string   { return "N" }
func (n wholeNumber) Set(s string) error {
	v, err := strconv.Atoi(s)
	if err != nil || v < n.least {
		return fmt.Errorf("must be a whole number, %d or more", n.least)
	}
	*n.value = v
	return nil
}

// choice is a flag value: one of a few words.
type choice struct {
	value *string
	of    []string
}

// OneOf returns a flag value that accepts the given words in any case.
func OneOf(value *string, words ...string) pflag.Value { return choice{value, words} }

func (c choice) String() string { return *c.value }
func (c choice) Type() string   { return strings.Join(c.of, "|") }
func (c choice) Set(s string) error {
	s = strings.ToLower(s)
	if !slices.Contains(c.of, s) {
		return fmt.Errorf("must be one of %s", strings.Join(c.of, ", "))
	}
	*c.value = s
	return nil
}

// Fresh adds the hidden option --fresh, which only the Refresh button uses.
func (o *Options) Fresh(value *bool) {
	o.BoolVar(value, "fresh", false, "")
	o.Lookup("fresh").Hidden = true
}
