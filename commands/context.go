package commands

import (
	"context"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/missingkbs/missingkbs/commands/cmdline"
)

type idKey struct{}

// WithID returns a context that carries the ID of the question being answered, for logs and traces.
func WithID(ctx context.Context, id string) context.Context {
	return context.WithValue(ctx, idKey{}, id)
}

// IDOf returns the ID of the question that a context belongs to, or "".
func IDOf(ctx context.Context) string {
	id, _ := ctx.Value(idKey{}).(string)
	return id
}

type typedKey struct{}

// WithTyped returns a context that knows the line which is being answered, for [Untyped].
func WithTyped(ctx context.Context, line string) context.Context {
	return context.WithValue(ctx, typedKey{}, line)
}

// leastTyped is how long a word is that is looked for: shorter ones are in every text.
const leastTyped = 4

// Untyped returns the text of an error as a log may hold it: "(typed)" stands for each word of the line that is being answered.
// It is the second line of defence; the first is that no error repeats what was asked. Words of this program's own stay.
func Untyped(ctx context.Context, text string) string {
	line, _ := ctx.Value(typedKey{}).(string)
	var words []string
	read, _ := Parse(line) // a word may be read as another, such as the id in an address
	for _, word := range slices.Concat(cmdline.Split(line), strings.Fields(line), read.Words) {
		word = strings.ToLower(strings.Trim(word, "\"'`,;"))
		if utf8.RuneCountInString(word) >= leastTyped && !slices.Contains(ownWords, word) {
			words = append(words, regexp.QuoteMeta(word))
		}
	}
	if len(words) == 0 {
		return text
	}
	slices.SortFunc(words, func(a, b string) int { return len(b) - len(a) }) // the longest first
	form, err := regexp.Compile("(?i)" + strings.Join(slices.Compact(words), "|"))
	if err != nil { // no words that could be looked for
		return text
	}
	return form.ReplaceAllLiteralString(text, "(typed)")
}

// ownWords are the words of commands: they tell nothing of what was asked.
var ownWords = []string{
	"digest", "list", "show", "edit", "pause", "resume", "preview", "details", "remove", "export", "admin", "allow-channel", "disallow-channel",
	"search", "help", "home", "page", "until", "browse", "watch",
}
