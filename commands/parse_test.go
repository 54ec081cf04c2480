package commands_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/missingkbs/missingkbs/commands"
	"github.com/missingkbs/missingkbs/commands/cmdline"
)

// Whatever an id holds, a button that names it asks for that very id.
func TestLineKeepsEveryWord(t *testing.T) {
	t.Parallel()
	odd := rapid.StringOf(rapid.OneOf(rapid.RuneFrom([]rune("ab-_*.,;:!?()<>[]&%=#/+ '`\"“”—–‑\u00a0\u200b\u2060\ufeff１Ａ－")), rapid.Rune()))
	rapid.Check(t, func(t *rapid.T) {
		words := rapid.SliceOfN(odd.Filter(func(w string) bool {
			return w != "" && !strings.ContainsRune(w, 0) && utf8.ValidString(w) && !mixesQuotes(w)
		}), 1, 4).Draw(t, "words")
		line := cmdline.Join(words...)
		if len(line) > cmdline.MaxOffered {
			t.Skip()
		}
		req, err := commands.ParseOffered(line)
		if diff := cmp.Diff(words, req.Words); diff != "" || err != nil {
			t.Fatalf("%q: %v (-want +got):\n%s", line, err, diff)
		}
	})
}

func FuzzParse(f *testing.F) {
	f.Add("microsoft-_-edge --sort cves")
	f.Add("help —page")
	f.Add("\ufdfa" + strings.Repeat("\ufdfa", 300))
	f.Fuzz(func(t *testing.T, line string) {
		req, err := commands.Parse(line)
		// A NUL is refused, and beyond ASCII a line may grow as it is read.
		ascii := !strings.ContainsFunc(line, func(r rune) bool { return r == 0 || r >= utf8.RuneSelf })
		if len(line) > cmdline.MaxTyped && err == nil || len(line) <= cmdline.MaxTyped && err != nil && ascii {
			t.Errorf("Parse of %d bytes: %v, %v", len(line), req, err)
		}
		if _, err := commands.ParseOffered(cmdline.Join(req.Words...)); err != nil {
			t.Errorf("what was read of %q can be offered by no button: %v", line, err)
		}
	})
}

// mixesQuotes reports whether a word has all quotes where they would close a quotation, which [commands.Line] cannot write.
func mixesQuotes(w string) bool {
	for _, q := range []string{`"`, `'`, "`"} {
		if line := q + w + q; len(cmdline.Split(line)) == 1 && cmdline.Split(line)[0] == w {
			return false
		}
	}
	return true
}
