// Package redact takes what looks like a secret out of text: tokens of Slack, JSON web tokens, client secrets of Entra, addresses that work for
// whoever knows them, passwords in URLs. It knows how secrets look and none that there is.
//
// It is the second line of defence. The first is that nobody logs a secret; what is found here is a mistake elsewhere.
package redact

import (
	"bytes"
	"io"
	"regexp"
)

// hidden is what stands in the place of a secret.
const hidden = "(hidden)"

// look is one form of secret. Almost no text has one, so the text is searched for a mark first, which costs little.
type look struct {
	marks [][]byte       // one of them is in every match
	form  *regexp.Regexp // its first group is kept, what follows is not, the second group is kept again
}

func of(form string, marks ...string) look {
	l := look{form: regexp.MustCompile(form)}
	for _, m := range marks {
		l.marks = append(l.marks, []byte(m))
	}
	return l
}

var looks = []look{
	of(`(xox[a-z](?:\.xox[a-z])?-)[0-9A-Za-z-]+()`, "xox"), // tokens of Slack
	of(`(xapp-)[0-9A-Za-z-]+()`, "xapp-"),
	of(`()eyJ[0-9A-Za-z_-]{8,}\.[0-9A-Za-z_-]+(?:\.[0-9A-Za-z_-]*)?()`, "eyJ"),                                    // JSON web tokens
	of(`(hooks\.slack(?:-gov)?\.com/[a-z]+/)[^\s"'\\<>|]+()`, "hooks.slack"),                                      // response URLs and webhooks
	of(`(/(?:commands|actions|services)/[TE][0-9A-Z]+/)[^\s"'\\<>|]+()`, "/commands/", "/actions/", "/services/"), // those of another host
	of(`([?&](?:ticket|link_key)=)[^\s"'\\&]+()`, "ticket=", "link_key="),                                         // socket tickets
	of(`((?:client_secret|client_assertion|refresh_token|access_token|id_token|device_code|password|passwd|pwd)=)[^\s"'\\&]+()`,
		"_secret=", "_assertion=", "_token=", "_code=", "password=", "passwd=", "pwd="),
	of(`(://[^\s"'\\/:@]*:)[^\s"'\\/]+(@)`, "@"),                      // passwords in URLs; an @ within one is none that ends it
	of(`()\b[0-9A-Za-z_.~-]{3}[0-9]Q~[0-9A-Za-z_.~-]{30,40}()`, "Q~"), // client secrets of Entra
	of(`(Bearer )[0-9A-Za-z._~+/=-]{8,}()`, "Bearer "),
}

// hide is what a match becomes. Our own hints say where a password goes, by that word, and package api says REDACTED.
func (l look) hide(found []byte) []byte {
	example := bytes.HasSuffix(found, []byte(":password@")) && bytes.Count(found, []byte(":")) == 2 // with that of ://
	if example || bytes.Equal(found, []byte("Bearer REDACTED")) {
		return found
	}
	return l.form.ReplaceAll(found, []byte("${1}"+hidden+"${2}"))
}

// trigger is the form of a trigger id, which no mark announces.
var trigger = regexp.MustCompile(`\b[0-9]{9,13}\.[0-9]{9,13}\.[0-9a-f]{16,}\b`)

// Bytes returns text without what looks like a secret: text itself where there is none.
func Bytes(text []byte) []byte {
	for _, l := range looks {
		for _, m := range l.marks {
			if bytes.Contains(text, m) {
				text = l.form.ReplaceAllFunc(text, l.hide)
				break
			}
		}
	}
	if dotted(text) {
		text = trigger.ReplaceAll(text, []byte(hidden))
	}
	return text
}

// String is [Bytes] for a string.
func String(text string) string { return string(Bytes([]byte(text))) }

// dotted reports whether a text holds two long numbers with a dot between them, as trigger ids do.
func dotted(text []byte) bool {
	const long = 9
	digits, before := 0, 0
	for _, c := range text {
		switch {
		case c >= '0' && c <= '9':
			digits++
			if before >= long && digits >= long {
				return true
			}
			continue
		case c == '.':
			before = digits
		default:
			before = 0
		}
		digits = 0
	}
	return false
}

// Writer passes on what is written to it, masked. Each Write is looked at by itself, so a secret that is written in two
// parts is not found; loggers write a line at a time.
type Writer struct{ io.Writer }

// Write implements [io.Writer].
func (w Writer) Write(p []byte) (int, error) {
	if _, err := w.Writer.Write(Bytes(p)); err != nil {
		return 0, err
	}
	return len(p), nil
}
