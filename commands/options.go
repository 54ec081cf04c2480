package commands

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/spf13/pflag"

	"github.com/missingkbs/missingkbs/commands/cmdline"
	"github.com/missingkbs/missingkbs/internal/view"
)

// options reads the options of a command out of its words, wherever they stand between the others. It is made anew for
// each request.
type options struct {
	set   *pflag.FlagSet
	usage string
	line  []string // what stands in front of the words on the whole command line, for lines that are offered instead
}

func newOptions(usage string, line ...string) *options {
	set := pflag.NewFlagSet("", pflag.ContinueOnError)
	set.Usage = func() {}
	set.SortFlags = false
	return &options{set: set, usage: usage, line: line}
}

// parse returns the words that are no options. What it cannot read is an [Error] that says what would be right, and
// offers that where it can tell.
func (o *options) parse(words []string) ([]string, error) {
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
		f := o.set.Lookup(optionName(typed))
		if f == nil {
			return nil, o.unknown(words, i)
		}
		takes := 0
		switch {
		case inline:
		case f.NoOptDefVal != "":
			value = f.NoOptDefVal
		case i+1 == len(words) || strings.HasPrefix(words[i+1], "--") && o.isOption(words[i+1]):
			return nil, &Error{Usage: true, Message: fmt.Sprintf("The option --%s needs a value. Usage: %s", f.Name, o.usage)}
		default:
			value, takes = words[i+1], 1
		}
		if err := o.set.Set(f.Name, value); err != nil {
			return nil, o.wrongValue(words, i+takes, f, value)
		}
		i += takes
	}
	return rest, nil
}

// isOption reports whether a word was meant as an option: one with two dashes, or one with one dash in front of letters.
// A software id may begin with dashes.
func (o *options) isOption(word string) bool {
	name := strings.TrimLeft(word, "-")
	return name != word && name != "" && unicode.IsLetter([]rune(name)[0]) && !strings.Contains(word, cmdline.IDSeparator)
}

// optionName is the name of an option however it was typed: -sort, --Sort, --min_devices.
func optionName(typed string) string {
	return strings.ReplaceAll(strings.ToLower(strings.TrimLeft(typed, "-")), "_", "-")
}

// unknown is the error of the option at a place among words.
func (o *options) unknown(words []string, at int) error {
	typed, value, inline := strings.Cut(words[at], "=")
	e := &Error{Usage: true, Message: fmt.Sprintf("There is no option %s. Usage: %s", typed, o.usage)}
	if near := cmdline.Closest(optionName(typed), o.names()); near != "" {
		e.Message = fmt.Sprintf("There is no option %s. Did you mean --%s?", typed, near)
		right := "--" + near
		if inline {
			right += "=" + value
		}
		e.Actions = o.offer(words, at, right)
	}
	return e
}

// wrongValue is the error of a value, which stands in the word at a place or follows the option's name there.
func (o *options) wrongValue(words []string, at int, f *pflag.Flag, value string) error {
	takes := f.Value.Set(value) // says what it takes
	e := &Error{Usage: true, Message: fmt.Sprintf("--%s %s is not valid: it %s.", f.Name, value, takes), Err: takes}
	choice, ok := f.Value.(choice)
	if !ok {
		return e
	}
	if near := cmdline.Closest(strings.ToLower(value), choice.of); near != "" {
		e.Message = fmt.Sprintf("--%s must be one of %s. Did you mean %s?", f.Name, strings.Join(choice.of, ", "), near)
		right := near
		if words[at] != value {
			right = "--" + f.Name + "=" + near
		}
		e.Actions = o.offer(words, at, right)
	}
	return e
}

// offer is the whole line again, with another word at a place.
func (o *options) offer(words []string, at int, right string) []view.Action {
	words = slices.Clone(words)
	words[at] = right
	return offerLine(append(slices.Clone(o.line), words...)...)
}

// offerLine offers a command line, named by itself, and help beside it.
func offerLine(words ...string) []view.Action {
	line := cmdline.Join(words...)
	return []view.Action{{Label: line, Command: line}, {Label: "Help", Command: helpName}}
}

func (o *options) names() []string {
	var names []string
	o.set.VisitAll(func(f *pflag.Flag) {
		if !f.Hidden {
			names = append(names, f.Name)
		}
	})
	return names
}

// number is an option that takes a whole number from least on.
type number struct {
	value *int
	least int
}

func (n number) String() string { return strconv.Itoa(*n.value) }
func (n number) Type() string   { return "N" }
func (n number) Set(s string) error {
	v, err := strconv.Atoi(s)
	if err != nil || v < n.least {
		return fmt.Errorf("must be a whole number, %d or more", n.least)
	}
	*n.value = v
	return nil
}

// choice is an option that takes one of a few words.
type choice struct {
	value *string
	of    []string
}

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

// fresh adds the option that the Refresh button says. It is not for people to learn.
func (o *options) fresh(value *bool) {
	o.set.BoolVar(value, "fresh", false, "")
	o.set.Lookup("fresh").Hidden = true
}
