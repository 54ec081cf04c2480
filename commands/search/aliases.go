package search

import (
	_ "embed"
	"slices"
	"strings"
	"sync"
)

//go:embed aliases.txt
var aliasText string

// alias is what people call software and the words of its name. An alias without a name does not say which software.
type alias struct {
	typed, name []string
	sorted      []string // typed, sorted
	alone       bool     // only applies if nothing else is typed
}

// aliases returns the aliases of the file, most words first, so that the longest match wins.
var aliases = sync.OnceValue(func() []alias {
	var all []alias
	for line := range strings.Lines(aliasText) {
		typed, name, ok := strings.Cut(line, "=")
		if ok && !strings.HasPrefix(line, "#") {
			a := alias{typed: wordsOf(typed), name: wordsOf(name), alone: strings.HasPrefix(name, "=")}
			a.sorted = slices.Sorted(slices.Values(a.typed))
			all = append(all, a)
		}
	}
	slices.SortStableFunc(all, func(a, b alias) int { return len(b.typed) - len(a.typed) })
	return all
})

// readings returns the ways to understand terms: as typed, and with aliases replaced by names.
func readings(terms []string) []reading {
	all := []reading{{terms, wholeBonus}}
	if full := termsOf(spelledOut(terms)); len(full) > 0 && !slices.Equal(full, terms) {
		all = append(all, reading{full, aliasBonus})
	}
	return all
}

// spelledOut replaces aliases by names. If all terms together are one alias, their order does not matter.
func spelledOut(terms []string) []string {
	sorted := slices.Sorted(slices.Values(terms))
	for _, a := range aliases() {
		if len(a.typed) == len(terms) && slices.Equal(a.sorted, sorted) {
			return a.name
		}
	}
	var out []string
	for rest := terms; len(rest) > 0; {
		name, n := rest[:1], 1
		if at := slices.IndexFunc(aliases(), func(a alias) bool {
			return !a.alone && len(a.typed) <= len(rest) && slices.Equal(rest[:len(a.typed)], a.typed)
		}); at >= 0 {
			name, n = aliases()[at].name, len(aliases()[at].typed)
		}
		out, rest = append(out, name...), rest[n:]
	}
	return out
}
