package commands_test

import (
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/missingkbs/missingkbs/commands"
)

func TestSplit(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		line string
		want []string
	}{
		{"", nil},
		{"   ", nil},
		{"microsoft-_-edge", []string{"microsoft-_-edge"}},
		{"  a   b\tc\nd ", []string{"a", "b", "c", "d"}},
		{`"windows 11" x`, []string{"windows 11", "x"}},
		{"`microsoft-_-edge`", []string{"microsoft-_-edge"}},
		{"O'Brien's laptop", []string{"O'Brien's", "laptop"}},
		{`"never closed`, []string{`"never`, "closed"}},
		{`CORP\web-01`, []string{`CORP\web-01`}},
		{`--at "mon 09:00"`, []string{"--at", "mon 09:00"}},
		{`--at="mon 09:00"`, []string{"--at=mon 09:00"}},
		{`""`, nil},
		{"\u00a0microsoft-_-edge\u00a0", []string{"microsoft-_-edge"}},
		// A line of a page is read exactly: an id may hold any character.
		{"—sort a,b-_-c *d* “e”", []string{"—sort", "a,b-_-c", "*d*", "“e”"}},
	} {
		if diff := cmp.Diff(c.want, commands.Split(c.line)); diff != "" {
			t.Errorf("Split(%q) (-want +got):\n%s", c.line, diff)
		}
	}
}

func TestLineIsTheInverse(t *testing.T) {
	t.Parallel()
	for _, words := range [][]string{
		{"microsoft-_-edge", "--sort", "cves"},
		{"windows 11", "--page", "2"},
		{`it's`, `a "b" c`},
		{"x'", "'y z"},
		{"—dash", "“curly”", "a\u00a0b", "\u200b"},
	} {
		if diff := cmp.Diff(words, commands.Split(commands.Line(words...))); diff != "" {
			t.Errorf("%q became %q (-want +got):\n%s", words, commands.Line(words...), diff)
		}
	}
}

// Whatever an id holds, a button that names it asks for that very id.
func TestLineKeepsEveryWord(t *testing.T) {
	t.Parallel()
	odd := rapid.StringOf(rapid.OneOf(rapid.RuneFrom([]rune("ab-_*.,;:!?()<>[]&%=#/+ '`\"“”—–‑\u00a0\u200b\u2060\ufeff１Ａ－")), rapid.Rune()))
	rapid.Check(t, func(t *rapid.T) {
		words := rapid.SliceOfN(odd.Filter(func(w string) bool {
			return w != "" && !strings.ContainsRune(w, 0) && utf8.ValidString(w) && !mixesQuotes(w)
		}), 1, 4).Draw(t, "words")
		line := commands.Line(words...)
		if len(line) > commands.MaxOffered {
			t.Skip()
		}
		req, err := commands.ParseOffered(line)
		if diff := cmp.Diff(words, req.Words); diff != "" || err != nil {
			t.Fatalf("%q: %v (-want +got):\n%s", line, err, diff)
		}
	})
}

// mixesQuotes reports whether a word has all quotes where they would close a quotation, which [commands.Line] cannot write.
func mixesQuotes(w string) bool {
	for _, q := range []string{`"`, `'`, "`"} {
		if line := q + w + q; len(commands.Split(line)) == 1 && commands.Split(line)[0] == w {
			return false
		}
	}
	return true
}

func FuzzSplit(f *testing.F) {
	for _, s := range []string{"", "a b", `"a b" c`, "—sort cves", "‘x", "`id`", "it's \"so\"", "\x00\xff"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, line string) {
		words := commands.Split(line)
		for _, w := range words {
			if w == "" {
				t.Errorf("Split(%q) gave an empty word", line)
			}
		}
		if slices.ContainsFunc(words, mixesQuotes) || !utf8.ValidString(line) {
			return
		}
		if again := commands.Split(commands.Line(words...)); !cmp.Equal(words, again) {
			t.Errorf("%q became %q", words, again)
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
		if len(line) > commands.MaxLine && err == nil || len(line) <= commands.MaxLine && err != nil && ascii {
			t.Errorf("Parse of %d bytes: %v, %v", len(line), req, err)
		}
		if _, err := commands.ParseOffered(commands.Line(req.Words...)); err != nil {
			t.Errorf("what was read of %q can be offered by no button: %v", line, err)
		}
	})
}

func BenchmarkRead(b *testing.B) {
	for _, line := range []string{"microsoft-_-windows_11 --sort cves --min-devices 5", "*microsoft‑_‑windows_11* —sort cves"} {
		b.Run(line, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				commands.Read(line)
			}
		})
	}
}
