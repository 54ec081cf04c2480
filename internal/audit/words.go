package audit

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/missingkbs/missingkbs/internal/redact"
)

const (
	maxRead  = 4000 // bytes of a line that are looked at
	maxWords = 500  // characters of it that are kept
)

// Words makes a typed line fit to be kept and shown: of bounded length, on one line, in valid UTF-8, without invisible
// characters, and with what looks like a secret hidden as package redact does it everywhere.
func Words(line string) string {
	if len(line) > maxRead {
		line = line[:maxRead]
	}
	line = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsControl(r) || unicode.IsSpace(r):
			return ' '
		case unicode.Is(unicode.Cf, r):
			return -1 // such as those that turn the direction of writing
		}
		return r
	}, strings.ToValidUTF8(line, "\uFFFD"))
	line = redact.String(line)
	line = strings.TrimSpace(line)
	if utf8.RuneCountInString(line) > maxWords {
		line = string([]rune(line)[:maxWords-1]) + "…"
	}
	return line
}
