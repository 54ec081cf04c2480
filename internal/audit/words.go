package audit

import (
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

const (
	maxRead  = 4000 // bytes of a line that are looked at
	maxWords = 500  // characters of it that are kept
	masked   = "[masked]"
)

// secrets are what tokens look like that people paste by mistake.
var secrets = regexp.MustCompile(strings.Join([]string{
	`(?i:\bxox[a-z](?:\.xox[a-z])?-[a-z0-9-]{4,})`,     // Slack's tokens
	`(?i:\bxapp-[a-z0-9-]{4,})`,                        // and the app-level one
	`(?i:https?://hooks\.slack(?:-gov)?\.com/\S+)`,     // whoever has it can post
	`\beyJ[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]*){0,4}`,  // JSON web tokens, which Entra's are
	`[A-Za-z0-9_~.-]{3}\dQ~[A-Za-z0-9_~.-]{20,}`,       // Entra's client secrets
	`\b[01]\.A[A-Za-z0-9_-]{30,}(?:\.[A-Za-z0-9_-]*)*`, // its codes and refresh tokens
	`(?i:\bbearer\s+\S{8,})`,                           // whatever it is
	`(?s:-----BEGIN [A-Z ]*PRIVATE KEY-----.*)`,        // and all that follows
}, "|"))

// long are unbroken runs of the letters that tokens are made of. Those with capitals, small letters and digits are no
// words of a question: Defender's software ids have no capitals.
var long = regexp.MustCompile(`[A-Za-z0-9_~.+/=-]{32,}`)

// Words makes a typed line fit to be kept and shown: of bounded length, on one line, in valid UTF-8, without invisible
// characters, and with what looks like a token of Slack's or Entra's masked.
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
	line = secrets.ReplaceAllLiteralString(line, masked)
	line = long.ReplaceAllStringFunc(line, func(run string) string {
		if mixed(run) {
			return masked
		}
		return run
	})
	line = strings.TrimSpace(line)
	if utf8.RuneCountInString(line) > maxWords {
		line = string([]rune(line)[:maxWords-1]) + "…"
	}
	return line
}

func mixed(s string) bool {
	return strings.ContainsFunc(s, unicode.IsUpper) && strings.ContainsFunc(s, unicode.IsLower) && strings.ContainsFunc(s, unicode.IsDigit)
}
