package audit

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/missingkbs/missingkbs/internal/redact"
)

const (
	maxRead   = 4000 // bytes of a line that are processed
	maxDetail = 500  // characters of it that are kept
)

// Redact returns a typed line in the form that an entry may keep: on one line, in valid UTF-8, without invisible
// characters, cut to a bound, and with secrets hidden by package redact.
func Redact(line string) string {
	if len(line) > maxRead {
		line = line[:maxRead]
	}
	line = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsControl(r) || unicode.IsSpace(r):
			return ' '
		case unicode.Is(unicode.Cf, r):
			return -1 // for example those that reverse the writing direction
		}
		return r
	}, strings.ToValidUTF8(line, "\uFFFD"))
	line = redact.String(line)
	line = strings.TrimSpace(line)
	if utf8.RuneCountInString(line) > maxDetail {
		line = string([]rune(line)[:maxDetail-1]) + "…"
	}
	return line
}
