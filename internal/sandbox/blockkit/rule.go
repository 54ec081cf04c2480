package blockkit

import (
	"fmt"
	"maps"
	"math"
	"net/url"
	"regexp"
	"slices"
	"unicode/utf8"
)

// many is used where Slack publishes no bound.
const many = 1 << 20

// rule checks the value at a JSON pointer.
type rule func(c *checker, at string, v any)

// field is a member of an object.
type field struct {
	rule     rule
	required bool
}

type fields map[string]field

func need(r rule) field { return field{r, true} }
func may(r rule) field  { return field{r, false} }

// object accepts an object with these fields and no others. more checks what a table cannot express, such as "one of
// the two".
func object(f fields, more ...func(c *checker, at string, o map[string]any)) rule {
	names := slices.Sorted(maps.Keys(f))
	return func(c *checker, at string, v any) {
		o, ok := v.(map[string]any)
		if !ok {
			c.fault(at, "must provide an object")
			return
		}
		for _, name := range names {
			if _, there := o[name]; !there && f[name].required {
				c.fault(at, "missing required field: %s", name)
			}
		}
		for _, name := range slices.Sorted(maps.Keys(o)) {
			if entry, known := f[name]; known {
				entry.rule(c, at+"/"+name, o[name])
			} else {
				c.fault(at, "invalid additional property: %s", name)
			}
		}
		for _, check := range more {
			check(c, at, o)
		}
	}
}

// typed accepts an object whose type field has one value.
func typed(name string, f fields, more ...func(c *checker, at string, o map[string]any)) rule {
	f["type"] = need(oneOf(name))
	return object(f, more...)
}

// choice selects a rule by the type field.
func choice(byType map[string]rule) rule {
	return func(c *checker, at string, v any) { c.pick(at, v, func(name string) rule { return byType[name] }) }
}

// pick checks an object by the rule that find has for its type, nil for none.
func (c *checker) pick(at string, v any, find func(name string) rule) {
	o, ok := v.(map[string]any)
	if !ok {
		c.fault(at, "must provide an object")
		return
	}
	name, _ := o["type"].(string)
	switch r := find(name); {
	case r != nil:
		r(c, at, v)
	case o["type"] == nil:
		c.fault(at, "missing required field: type")
	default:
		c.fault(at+"/type", "unsupported type: %s", name)
	}
}

// list accepts least to most entries.
func list(least, most int, each rule) rule {
	return func(c *checker, at string, v any) {
		entries, ok := v.([]any)
		if !ok {
			c.fault(at, "must provide an array")
			return
		}
		switch n := len(entries); {
		case n < least:
			c.fault(at, "no fewer than %d items allowed", least)
		case n > most:
			c.fault(at, "no more than %d items allowed", most)
			entries = entries[:most]
		}
		for i, entry := range entries {
			each(c, fmt.Sprintf("%s/%d", at, i), entry)
		}
	}
}

// text accepts least to most characters.
func text(least, most int) rule {
	return func(c *checker, at string, v any) {
		s, ok := v.(string)
		if !ok {
			c.fault(at, "must provide a string")
			return
		}
		switch n := utf8.RuneCountInString(s); {
		case n < least:
			c.fault(at, "must be more than %d characters", least-1)
		case n > most:
			c.fault(at, "must be less than %d characters", most+1)
		}
	}
}

// matching accepts a text that matches a form.
func matching(form *regexp.Regexp, name string) rule {
	return func(c *checker, at string, v any) {
		if s, ok := v.(string); !ok || !form.MatchString(s) {
			c.fault(at, "must be a valid %s", name)
		}
	}
}

// link accepts an address of at most 3,000 characters.
func link(c *checker, at string, v any) {
	before := len(c.faults)
	text(1, 3000)(c, at, v)
	if len(c.faults) > before {
		return
	}
	u, err := url.Parse(v.(string))
	if err != nil || u.Scheme == "" || u.Host == "" && u.Opaque == "" {
		c.fault(at, "must be a valid URL")
	}
}

func oneOf(values ...string) rule {
	return func(c *checker, at string, v any) {
		if s, ok := v.(string); !ok || !slices.Contains(values, s) {
			c.fault(at, "must be a valid enum value")
		}
	}
}

func flag(c *checker, at string, v any) {
	if _, ok := v.(bool); !ok {
		c.fault(at, "must provide a boolean")
	}
}

func number(c *checker, at string, v any) {
	if _, ok := v.(float64); !ok {
		c.fault(at, "must provide a number")
	}
}

// whole accepts a whole number within bounds.
func whole(least, most int) rule {
	return func(c *checker, at string, v any) {
		n, ok := v.(float64)
		switch {
		case !ok || n != math.Trunc(n):
			c.fault(at, "must provide an integer")
		case n < float64(least):
			c.fault(at, "must be greater than %d", least-1)
		case n > float64(most):
			c.fault(at, "must be less than %d", most+1)
		}
	}
}

// orNull also accepts null.
func orNull(r rule) rule {
	return func(c *checker, at string, v any) {
		if v != nil {
			r(c, at, v)
		}
	}
}

// both runs rules one after the other.
func both(rs ...rule) rule {
	return func(c *checker, at string, v any) {
		for _, r := range rs {
			r(c, at, v)
		}
	}
}

// exactlyOne requires one of two fields.
func exactlyOne(a, b string) func(*checker, string, map[string]any) {
	return func(c *checker, at string, o map[string]any) {
		_, hasA := o[a]
		_, hasB := o[b]
		if hasA == hasB {
			c.fault(at, "must define either `%s` or `%s`, not both", a, b)
		}
	}
}

// notBoth rejects two fields together.
func notBoth(a, b string) func(*checker, string, map[string]any) {
	return func(c *checker, at string, o map[string]any) {
		if o[a] != nil && o[b] != nil {
			c.fault(at, "can't define both `%s` and `%s`", a, b)
		}
	}
}

// someOf requires at least one of the fields.
func someOf(names ...string) func(*checker, string, map[string]any) {
	return func(c *checker, at string, o map[string]any) {
		if !slices.ContainsFunc(names, func(n string) bool { return o[n] != nil }) {
			c.fault(at, "must define at least one of %v", names)
		}
	}
}
