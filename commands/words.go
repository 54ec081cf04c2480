package commands

import (
	"strings"
	"unicode"
)

const (
	// MaxLine is how many bytes a typed line may have; no honest question is longer.
	MaxLine = 1000
	// MaxOffered is how many bytes the line of a button may have: a typed one with quotes and options added to it. Slack
	// keeps no longer values.
	MaxOffered = 2 * MaxLine
)

// Split cuts a typed line into words, the way people type in Slack: its clients turn "--" into a dash and straight
// quotes into curly ones, and people paste ids in backticks. Quotes group words; a quote that is never closed is an
// ordinary character. A backslash is one too, unlike in a shell, for it stands in names such as CORP\web-01: no shell
// library reads lines so.
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

// nextWord reads one word and returns what follows it.
func nextWord(r []rune) (string, []rune) {
	var b strings.Builder
	for i := 0; i < len(r); i++ {
		if unicode.IsSpace(r[i]) {
			return straightDashes(b.String()), r[i:]
		}
		opens := i == 0 || r[i-1] == '=' // the apostrophe of "it's" opens nothing
		if q := straightQuote(r[i]); q != 0 && opens {
			if end := closing(r[i+1:], q); end >= 0 {
				b.WriteString(string(r[i+1 : i+1+end]))
				i += end + 1
				continue
			}
		}
		b.WriteRune(r[i])
	}
	return straightDashes(b.String()), nil
}

// closing finds the quote that closes one opened just before r and ends a word, or -1. "O'Brien's" holds no quotation.
func closing(r []rune, quote rune) int {
	for i, c := range r {
		if straightQuote(c) == quote && (i+1 == len(r) || unicode.IsSpace(r[i+1])) {
			return i
		}
	}
	return -1
}

// straightQuote is the ASCII quote that a quotation mark stands for, or 0.
func straightQuote(r rune) rune {
	switch r {
	case '"', '“', '”', '„', '‟', '«', '»':
		return '"'
	case '\'', '‘', '’', '‚', '‛':
		return '\''
	case '`':
		return '`'
	}
	return 0
}

// straightDashes undoes the dash that a client made of the "--" before an option.
func straightDashes(w string) string {
	for _, dash := range []string{"—", "–", "―", "−−", "‐‐"} {
		if rest, ok := strings.CutPrefix(w, dash); ok && rest != "" && unicode.IsLetter([]rune(rest)[0]) {
			return "--" + rest
		}
	}
	return w
}

// Line is the inverse of [Split]: it writes words as a line that Split reads back as the same words, as long as no
// word mixes spaces with both kinds of quotes.
func Line(words ...string) string {
	quoted := make([]string, len(words))
	for i, w := range words {
		quoted[i] = quote(w)
	}
	return strings.Join(quoted, " ")
}

func quote(w string) string {
	if one := Split(w); len(one) == 1 && one[0] == w {
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
