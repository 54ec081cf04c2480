// Package product knows what people call software: "Windows Server 2022" for microsoft-_-windows_server_2022. The names
// of well-known software and the spelling of words are data in text files; other names are tidied, never guessed. It
// does not know which software a tenant has, nor how people search for it.
package product

import (
	_ "embed"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"
)

// separator separates the vendor from the name in Defender's software ids.
const separator = "-_-"

// unnamed is the name of software with neither a name nor an ID.
const unnamed = "Unnamed Software"

//go:embed names.txt
var nameText string

//go:embed words.txt
var wordText string

//go:embed generic.txt
var genericText string

// table is the content of the text files.
type table struct {
	names   map[string]string // by ID in lower case
	words   map[string]string // spelling of words, by the word in lower case
	generic map[string]bool   // words that mean nothing without the vendor
}

var spelling = sync.OnceValue(func() table {
	t := table{names: map[string]string{}, words: map[string]string{}, generic: map[string]bool{}}
	for line := range lines(nameText) {
		if id, name, ok := strings.Cut(line, " = "); ok {
			t.names[id] = name
		}
	}
	for line := range lines(wordText) {
		for word := range strings.FieldsSeq(line) {
			t.words[strings.ToLower(word)] = word
		}
	}
	for line := range lines(genericText) {
		for word := range strings.FieldsSeq(line) {
			t.generic[word] = true
		}
	}
	return t
})

// lines yields the lines of a file, without empty lines and comments.
func lines(text string) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		for line := range strings.Lines(text) {
			line = strings.TrimSpace(line)
			if line != "" && !strings.HasPrefix(line, "#") && !yield(line) {
				return
			}
		}
	}
}

// Name returns what people call a software. defenderName is its name in Defender's list, or empty if only the ID is
// known; both give the same name if the ID ends in that name, as Defender's do. The result is one non-empty line.
// Passing a result as the name returns it unchanged.
func Name(id, defenderName string) string {
	vendor, name, ok := strings.Cut(id, separator)
	if !ok {
		vendor, name = "", id
	}
	t := spelling()
	if known, ok := t.names[strings.ToLower(id)]; ok {
		return known
	}
	words := wordsOf(defenderName)
	if len(words) == 0 {
		words = wordsOf(name)
	}
	if t.sayNothing(words) && !strings.EqualFold(vendor, "microsoft") {
		words = append(wordsOf(vendor), words...)
	}
	if tidied := t.tidy(words); tidied != "" {
		return tidied
	}
	return unnamed
}

// Vendor returns what people call one of Defender's vendors; "" for "".
func Vendor(defenderName string) string { return spelling().tidy(wordsOf(defenderName)) }

// wordsOf splits a name at spaces, underscores and characters that do not belong on a line.
func wordsOf(s string) []string {
	return strings.FieldsFunc(s, func(r rune) bool {
		return r == '_' || unicode.IsSpace(r) || unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || r == utf8.RuneError
	})
}

// sayNothing reports whether words are too general to name a software: "tools", "system update".
func (t table) sayNothing(words []string) bool {
	for _, w := range words {
		if !t.generic[strings.ToLower(w)] {
			return false
		}
	}
	return true
}

// tidy spells words the way people do.
func (t table) tidy(words []string) string {
	out := make([]string, len(words))
	for i, w := range words {
		if out[i] = t.spell(w); i == 0 {
			out[i] = capital(out[i])
		}
	}
	return strings.Join(out, " ")
}

// brackets may surround a word.
const brackets = "()[]{},;:\"'"

// spell spells one word: as in the file, unchanged if it has capitals, or else capitalised.
func (t table) spell(word string) string {
	bare := strings.Trim(word, brackets)
	if known, ok := t.words[strings.ToLower(bare)]; ok {
		return strings.Replace(word, bare, known, 1)
	}
	parts := strings.Split(word, "-")
	known := false
	for i, p := range parts {
		if spelled, ok := t.words[strings.ToLower(p)]; ok && len(parts) > 1 {
			parts[i], known = spelled, true
		}
	}
	word = strings.Join(parts, "-")
	if known || strings.ContainsFunc(word, unicode.IsUpper) || isVersion(word) {
		return word
	}
	return capital(word)
}

// isVersion reports whether a word is a v followed by digits.
func isVersion(word string) bool {
	return len(word) > 1 && word[0] == 'v' && strings.Trim(word[1:], "0123456789.") == ""
}

// capital capitalises a word, unless it has capitals already or starts with no letter, ignoring brackets.
func capital(word string) string {
	if strings.ContainsFunc(word, unicode.IsUpper) || isVersion(word) {
		return word
	}
	at := len(word) - len(strings.TrimLeft(word, brackets))
	first, size := utf8.DecodeRuneInString(word[at:])
	upper := unicode.ToUpper(first)
	if unicode.ToLower(upper) != first { // a letter without a capital form
		return word
	}
	return word[:at] + string(upper) + word[at+size:]
}
