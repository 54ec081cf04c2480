package search

import (
	_ "embed"
	"slices"
	"strings"
	"sync"
)

//go:embed aliases.txt
var aliasText string

// alias is what people call software, and the words of its name. An alias without a name says nothing of which software.
type alias struct {
	typed, name []string
	sorted      []string // typed, sorted
	alone       bool     // it stands for the name only where nothing else is typed
}

// aliases returns the aliases of the file, the longest typed words first.
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

// readings are the ways to understand terms: as they were typed, and with aliases replaced by the words of the name.
func readings(terms []string) []reading {
	all := []reading{{terms, wholeBonus}}
	if full := termsOf(spelledOut(terms)); len(full) > 0 && !slices.Equal(full, terms) {
		all = append(all, reading{full, aliasBonus})
	}
	return all
}

// spelledOut replaces aliases by the words of the name. Where terms are one alias and no more, their order does not matter.
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
