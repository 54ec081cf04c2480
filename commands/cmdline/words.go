package cmdline

import (
	"strings"
	"unicode"
)

// IDSeparator separates the vendor from the name in Defender's software ids.
const IDSeparator = "-_-"

const (
	// MaxTyped bounds a typed line, in bytes. Real questions are shorter.
	MaxTyped = 1000
	// MaxOffered bounds the line of a button, in bytes: a typed line plus quotes and options. Slack's limit for the
	// value of a button is the same.
	MaxOffered = 2 * MaxTyped
)

// Split splits a line of plain characters into words. Quotes group words. An unclosed quote is an ordinary character,
// and so is a backslash, because names such as CORP\web-01 contain it: no shell library reads lines like this. Split is
// the inverse of [Join]; use [Read] for what a person typed.
func Split(line string) []string {
	var words []string
	rest := []rune(strings.TrimSpace(line))
	for len(rest) > 0 {
		var w string
		w, rest = nextWord(rest)
		if w != "" {
			words = append(words, w)
		}
		for len(rest) > 0 && unicode.IsSpace(rest[0]) {
			rest = rest[1:]
		}
	}
	return words
}

// nextWord reads one word and returns it with the rest.
func nextWord(r []rune) (string, []rune) {
	var b strings.Builder
	for i := 0; i < len(r); i++ {
		if unicode.IsSpace(r[i]) {
			return b.String(), r[i:]
		}
		opens := i == 0 || r[i-1] == '=' // the apostrophe in "it's" opens nothing
		if isQuote(r[i]) && opens {
			if end := closing(r[i+1:], r[i]); end >= 0 {
				b.WriteString(string(r[i+1 : i+1+end]))
				i += end + 1
				continue
			}
		}
		b.WriteRune(r[i])
	}
	return b.String(), nil
}

// closing returns the index of the quote that closes an open one and ends a word, or -1. "O'Brien's" is not a
// quotation.
func closing(r []rune, quote rune) int {
	for i, c := range r {
		if c == quote && (i+1 == len(r) || unicode.IsSpace(r[i+1])) {
			return i
		}
	}
	return -1
}

func isQuote(r rune) bool { return r == '"' || r == '\'' || r == '`' }

// Join writes words as a line that [Split] reads back, unless a word mixes spaces with all three kinds of quotes.
func Join(words ...string) string {
	quoted := make([]string, len(words))
	for i, w := range words {
		quoted[i] = quote(w)
	}
	return strings.Join(quoted, " ")
}

// quote encloses a word in the first kind of quotes that survives Split, if it needs any.
func quote(w string) string {
	if one := Split(w); !opensQuote(w) && len(one) == 1 && one[0] == w {
		return w
	}
	for _, q := range []string{`"`, `'`, "`"} {
		if s := q + w + q; w != "" {
			if one := Split(s); len(one) == 1 && one[0] == w {
				return s
			}
		}
	}
	return w
}

// opensQuote reports whether a word opens a quotation that a later word may close.
func opensQuote(w string) bool {
	before := '='
	for _, r := range w {
		if before == '=' && isQuote(r) {
			return true
		}
		before = r
	}
	return false
}
