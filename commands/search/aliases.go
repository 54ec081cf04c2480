package search

import (
	_ "embed"
	"slices"
	"strings"
	"sync"
)

//go:embed aliases.txt
var aliasText string

// Alias is what people call software, and the words of its name.
type Alias struct{ Typed, Name []string }

// Aliases returns the aliases of the file, the longest typed words first.
var Aliases = sync.OnceValue(func() []Alias {
	var all []Alias
	for line := range strings.Lines(aliasText) {
		typed, name, ok := strings.Cut(line, "=")
		if ok && !strings.HasPrefix(line, "#") {
			all = append(all, Alias{wordsOf(typed), wordsOf(name)})
		}
	}
	slices.SortStableFunc(all, func(a, b Alias) int { return len(b.Typed) - len(a.Typed) })
	return all
})

// spelledOut replaces aliases by the words of the name.
func spelledOut(terms []string) []string {
	var out []string
	for len(terms) > 0 {
		name, n := terms[:1], 1
		if at := slices.IndexFunc(Aliases(), func(a Alias) bool { return len(a.Typed) <= len(terms) && slices.Equal(terms[:len(a.Typed)], a.Typed) }); at >= 0 {
			name, n = Aliases()[at].Name, len(Aliases()[at].Typed)
		}
		out, terms = append(out, name...), terms[n:]
	}
	return out
}
