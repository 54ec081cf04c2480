package cmdline

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// Normalize replaces lookalikes of plain characters, which chat clients, web pages and office programs put into what
// people copy. It does not change ASCII text or its own result. Do not use it on lines that this program wrote: a
// software id may contain any character.
func Normalize(s string) string {
	if isASCII(s) {
		return s
	}
	// Fold compatibility forms between two passes: the first may join a letter with its accent, and folding may yield
	// characters that have a plain form here.
	// characters that have a plain form here.
	s = norm.NFKC.String(strings.Map(plainRune, optionDashes(s)))
	return strings.Map(plainRune, s)
}

// optionDashes restores the "--" before an option, which some clients turn into a long dash. It looks for dashes at the
// start of a word and before a letter, with at least one long dash among them.
func optionDashes(s string) string {
	var b strings.Builder
	var run []rune // dashes not written yet
	long, begins := false, true
	for _, r := range s {
		plain := plainRune(r)
		switch {
		case plain == dropped:
			continue
		case plain == dash && begins:
			run, long = append(run, r), long || r != dash
			continue
		}
		if len(run) > 0 {
			if long && unicode.IsLetter(r) {
				run = []rune("--")
			}
			b.WriteString(string(run))
			run, long = nil, false
		}
		b.WriteRune(r)
		begins = plain < utf8.RuneSelf && strings.ContainsRune(" \t\r\n\"'`(<[", plain)
	}
	b.WriteString(string(run))
	return b.String()
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

const (
	dash        = '-'
	doubleQuote = '"'
	apostrophe  = '\''
	dropped     = -1
)

// lookalikes has the plain forms of characters that no class of [plainRune] covers.
var lookalikes = map[rune]rune{
	'\u2212': dash, '\u2043': dash, '\u02d7': dash, '\u2796': dash,
	'“': doubleQuote, '”': doubleQuote, '„': doubleQuote, '‟': doubleQuote, '«': doubleQuote, '»': doubleQuote, '″': doubleQuote, '〝': doubleQuote, '〞': doubleQuote,
	'「': doubleQuote, '」': doubleQuote, '『': doubleQuote, '』': doubleQuote,
	'‘': apostrophe, '’': apostrophe, '‚': apostrophe, '‛': apostrophe, '‹': apostrophe, '›': apostrophe, '′': apostrophe, '´': apostrophe, 'ʼ': apostrophe, 'ˈ': apostrophe,
	'〈': '<', '〉': '>', '⟨': '<', '⟩': '>', '《': doubleQuote, '》': doubleQuote,
	'\u2217': '*', '\u2731': '*', '\u2044': '/', '\u2215': '/', '、': ',', '。': '.', '™': dropped, '®': dropped, '©': dropped,
	'\u2800': ' ', '\u3164': ' ', '\uffa0': ' ', '\u1160': ' ', '\u115f': ' ', // blank, though classed as letters or symbols
}

// plainRune returns the plain form of a character, or -1 if it is invisible.
func plainRune(r rune) rune {
	if r < utf8.RuneSelf {
		return r
	}
	if plain, ok := lookalikes[r]; ok {
		return plain
	}
	switch {
	case unicode.Is(unicode.Pd, r):
		return dash
	case unicode.IsSpace(r), unicode.In(r, unicode.Zs, unicode.Zl, unicode.Zp):
		return ' '
	case unicode.In(r, unicode.Cf, unicode.Variation_Selector, unicode.Other_Default_Ignorable_Code_Point):
		return dropped
	}
	return r
}
