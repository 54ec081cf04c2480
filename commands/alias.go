package commands

import (
	_ "embed"
	"slices"
	"strings"
	"sync"
)

//go:embed aliases.txt
var aliasText string

// alias says that some typed words stand for those of a name.
type alias struct{ typed, name []string }

// aliases are those of the file, with the longest typed words first.
var aliases = sync.OnceValue(func() []alias {
	var all []alias
	for line := range strings.Lines(aliasText) {
		typed, name, ok := strings.Cut(line, "=")
		if ok && !strings.HasPrefix(line, "#") {
			all = append(all, alias{wordsOf(typed), wordsOf(name)})
		}
	}
	slices.SortStableFunc(all, func(a, b alias) int { return len(b.typed) - len(a.typed) })
	return all
})

// spelledOut is terms with what people call software replaced by the words of its name.
func spelledOut(terms []string) []string {
	var out []string
	for len(terms) > 0 {
		name, n := terms[:1], 1
		if at := slices.IndexFunc(aliases(), func(a alias) bool { return len(a.typed) <= len(terms) && slices.Equal(terms[:len(a.typed)], a.typed) }); at >= 0 {
			name, n = aliases()[at].name, len(aliases()[at].typed)
		}
		out, terms = append(out, name...), terms[n:]
	}
	return out
}
