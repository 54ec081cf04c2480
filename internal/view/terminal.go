package view

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Foreign text can control the terminal it is printed on: move the cursor, hide text, set the title, or reverse the
// reading direction. Output for people removes such characters; so does output for programs, which escapes them if its
// format has escapes.

// Lines makes foreign text safe to print on a terminal, on several lines: control characters except line breaks and
// tabs become spaces, and invisible characters that reverse or hide text are removed.
func Lines(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t':
			return r
		case unicode.IsControl(r):
			return ' '
		case unicode.Is(unicode.Cf, r):
			return -1
		}
		return r
	}, s)
}

// EscapeJSON returns a writer that passes on JSON, and escapes the characters that control terminals but that package
// json leaves unescaped. The JSON means the same. Each Write must contain whole characters, as encoders do.
func EscapeJSON(w io.Writer) io.Writer { return escaper{w} }

type escaper struct{ to io.Writer }

// Write implements [io.Writer].
func (e escaper) Write(p []byte) (int, error) {
	if _, err := e.to.Write(escaped(p)); err != nil {
		return 0, err
	}
	return len(p), nil
}

// escaped returns text unchanged if nothing has to be escaped, which is nearly always the case.
func escaped(text []byte) []byte {
	at := bytes.IndexFunc(text, steers)
	if at < 0 {
		return text
	}
	out := bytes.NewBuffer(make([]byte, 0, len(text)+16))
	for ; at >= 0; at = bytes.IndexFunc(text, steers) {
		r, size := utf8.DecodeRune(text[at:])
		out.Write(text[:at])
		if r > 0xFFFF {
			high, low := (r-0x10000)>>10+0xD800, (r-0x10000)&0x3FF+0xDC00
			fmt.Fprintf(out, `\u%04x\u%04x`, high, low)
		} else {
			fmt.Fprintf(out, `\u%04x`, r)
		}
		text = text[at+size:]
	}
	out.Write(text)
	return out.Bytes()
}

// steers reports whether a character within JSON controls terminals. Those below the space are escaped already;
// unescaped ones are line breaks and tabs between values.
func steers(r rune) bool { return r >= 0x7F && (unicode.IsControl(r) || unicode.Is(unicode.Cf, r)) }
