// Package redact hides what looks like a secret in text: tokens of Slack and Entra, keys, passwords, and addresses that
// work for anyone who has them. It knows the formats of secrets, not their values, and nothing of where a text goes:
// the log, the audit, error texts and pages all use it. It is the second line of defence: no code logs a secret on
// purpose, so what it finds is a mistake elsewhere, or was pasted by a user.
package redact

import "io"

// Hidden replaces a secret.
const Hidden = "(hidden)"

// passes bounds how often a text is searched: hiding one secret can expose the next, but not many times.
const passes = 4

// Bytes returns text without what looks like a secret, or text itself if there is none. Repeating it changes nothing.
func Bytes(text []byte) []byte {
	for range passes {
		clean, changed := once(text)
		if !changed {
			break
		}
		text = clean
	}
	return text
}

// String is [Bytes] for a string.
func String(text string) string {
	clean, changed := once([]byte(text))
	if !changed {
		return text
	}
	return string(Bytes(clean))
}

// once applies each form, and reports whether it changed anything. It does not modify the given slice.
func once(text []byte) (clean []byte, changed bool) {
	announced := forms.announced(text)
	for i := range forms.forms {
		if announced&(1<<i) == 0 {
			continue
		}
		if hidden, found := forms.forms[i].hide(text); found {
			text, changed = hidden, true
		}
	}
	return text, changed
}

// hide replaces the matches of a form, and reports whether there was one that is not hidden already.
func (f *form) hide(text []byte) (clean []byte, found bool) {
	end := 0
	for _, at := range f.re.FindAllSubmatchIndex(text, -1) {
		from, to := at[3], at[4] // between the two groups
		if string(text[from:to]) == Hidden || f.keep != nil && f.keep(string(text[at[0]:from]), string(text[from:to])) {
			continue
		}
		clean = append(append(clean, text[end:from]...), Hidden...)
		end, found = to, true
	}
	if !found {
		return text, false
	}
	return append(clean, text[end:]...), true
}

// Writer passes on what is written to it, with secrets hidden. It searches each Write separately, so it misses a secret
// written in two parts; loggers write a line at a time.
type Writer struct{ io.Writer }

// Write implements [io.Writer].
func (w Writer) Write(p []byte) (int, error) {
	if _, err := w.Writer.Write(Bytes(p)); err != nil {
		return 0, err
	}
	return len(p), nil
}
