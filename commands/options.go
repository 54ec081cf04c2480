package commands

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/hbollon/go-edlib"
	"github.com/spf13/pflag"
)

// options reads the options of a command out of its words, wherever they stand between the others. It is made anew for
// each request.
type options struct {
	set   *pflag.FlagSet
	usage string
}

func newOptions(usage string) *options {
	set := pflag.NewFlagSet("", pflag.ContinueOnError)
	set.Usage = func() {}
	set.SortFlags = false
	return &options{set: set, usage: usage}
}

// parse returns the words that are no options. What it cannot read is an [Error] that says what would be right.
func (o *options) parse(words []string) ([]string, error) {
	if err := o.set.Parse(words); err != nil {
		return nil, o.explain(err)
	}
	return o.set.Args(), nil
}

func (o *options) explain(err error) error {
	e := &Error{Usage: true, Err: err, Message: "The options could not be read. Usage: " + o.usage}
	if unknown, ok := errors.AsType[*pflag.NotExistError](err); ok {
		name := unknown.GetSpecifiedName()
		if short := unknown.GetSpecifiedShortnames(); short != "" {
			name = short // "-sort" is read as a bundle of letters: judge it as one word
		}
		e.Message = fmt.Sprintf("There is no option --%s. Usage: %s", name, o.usage)
		if near := nearest(name, o.names()); near != "" {
			e.Message = fmt.Sprintf("There is no option --%s. Did you mean --%s?", name, near)
		}
	}
	if missing, ok := errors.AsType[*pflag.ValueRequiredError](err); ok {
		e.Message = fmt.Sprintf("The option --%s needs a value. Usage: %s", missing.GetFlag().Name, o.usage)
	}
	if bad, ok := errors.AsType[*pflag.InvalidValueError](err); ok {
		e.Message = fmt.Sprintf("--%s %s: %s", bad.GetFlag().Name, bad.GetValue(), bad.Unwrap())
	}
	return e
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
		return fmt.Errorf("this takes a whole number from %d on, such as %d", n.least, max(n.least, 10))
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
		return fmt.Errorf("this takes one of %s", strings.Join(c.of, ", "))
	}
	*c.value = s
	return nil
}

// nearest is the candidate that somebody who typed word may have meant, or "".
func nearest(word string, candidates []string) string {
	best, bestAt := "", allowedTypos(word)+1
	for _, c := range candidates {
		if d := edlib.OSADamerauLevenshteinDistance(word, c); d < bestAt {
			best, bestAt = c, d
		}
	}
	return best
}

// allowedTypos is how many wrong, missing, swapped or extra letters a word may have and still be taken for another.
func allowedTypos(word string) int {
	switch n := len([]rune(word)); {
	case n < 4:
		return 0
	case n < 8:
		return 1
	default:
		return 2
	}
}
