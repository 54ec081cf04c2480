package audit_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/missingkbs/missingkbs/internal/audit"
)

func TestWords(t *testing.T) {
	t.Parallel()
	for line, want := range map[string]string{
		"":                                "",
		" microsoft-_-edge ":              "microsoft-_-edge",
		"windows\n11\x00\t<!channel>\xff": "windows 11  <!channel>\uFFFD",
		"a\u202egpj.exe\u200b":            "agpj.exe",
		`digest add microsoft-_-windows_server_2012_r2_standard_edition --at "mon 09:00"`: `digest add microsoft-_-windows_server_2012_r2_standard_edition --at "mon 09:00"`,
		"machine 1e5bc9d7e413ddd7902c2932e418702b84d0cc07":                                "machine 1e5bc9d7e413ddd7902c2932e418702b84d0cc07",
		"8b1f2e9c-3d4a-4f6b-9c2d-1e0f5a7b8c9d":                                            "8b1f2e9c-3d4a-4f6b-9c2d-1e0f5a7b8c9d",
		"xoxb-12-34-abcDEF edge":                                                          "xoxb-(hidden) edge",
		"XOXB-1234-5678":                                                                  "XOXB-(hidden)",
		"token=xoxe.xoxp-1-Mi0yLT":                                                        "token=xoxe.xoxp-(hidden)",
		"xapp-1-A0123-456-abcdef":                                                         "xapp-(hidden)",
		"see https://hooks.slack.com/commands/T1/2/abc ok":                                "see https://hooks.slack.com/commands/(hidden) ok",
		"eyJ0eXAiOiJKV1QiLCJhbGciOi.eyJhdWQiOiJodHRw.c2ln kb":                             "(hidden) kb",
		"aB38Q~dE_fGhIjKlMnOpQrStUvWxYz0123456789":                                        "(hidden)",
		"authorization: Bearer abcdefghijkl":                                              "authorization: Bearer (hidden)",
		"0.AXoAzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz.b.c":                             "(hidden)",
		"-----BEGIN RSA PRIVATE KEY-----\nMIIE\nx":                                        "(hidden)",
		"Zm9vYmFyYmF6cXV4Zm9vYmFyYmF6cXV4Zm9v":                                            "(hidden)",
		strings.Repeat("ö", 600):                                                          strings.Repeat("ö", 499) + "…",
	} {
		if got := audit.Redact(line); got != want {
			t.Errorf("%q:\n got %q\nwant %q", line, got, want)
		}
	}
}

func FuzzWords(f *testing.F) {
	f.Add("digest add microsoft-_-edge\x00\xff xoxb-1-2-secret")
	f.Add(strings.Repeat("\u202e", 5000))
	f.Fuzz(func(t *testing.T, line string) {
		got := audit.Redact(line)
		if !utf8.ValidString(got) || utf8.RuneCountInString(got) > 500 || strings.ContainsAny(got, "\x00\n\r") {
			t.Errorf("%q became %q", line, got)
		}
		if again := audit.Redact(got + " xoxb-1234-5678-abcd"); len(line) < 300 && strings.Contains(again, "xoxb-1234") {
			t.Errorf("%q: a token stays in %q", line, again)
		}
	})
}
