package cmdline_test

import (
	"slices"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/missingkbs/missingkbs/commands/cmdline"
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
		if diff := cmp.Diff(c.want, cmdline.Split(c.line)); diff != "" {
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
		if diff := cmp.Diff(words, cmdline.Split(cmdline.Join(words...))); diff != "" {
			t.Errorf("%q became %q (-want +got):\n%s", words, cmdline.Join(words...), diff)
		}
	}
}

// mixesQuotes reports whether a word has all quotes where they would close a quotation, which [cmdline.Join] cannot write.
func mixesQuotes(w string) bool {
	for _, q := range []string{`"`, `'`, "`"} {
		if line := q + w + q; len(cmdline.Split(line)) == 1 && cmdline.Split(line)[0] == w {
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
		words := cmdline.Split(line)
		for _, w := range words {
			if w == "" {
				t.Errorf("Split(%q) gave an empty word", line)
			}
		}
		if slices.ContainsFunc(words, mixesQuotes) || !utf8.ValidString(line) {
			return
		}
		if again := cmdline.Split(cmdline.Join(words...)); !cmp.Equal(words, again) {
			t.Errorf("%q became %q", words, again)
		}
	})
}

func BenchmarkRead(b *testing.B) {
	for _, line := range []string{"microsoft-_-windows_11 --sort cves --min-devices 5", "*microsoft‑_‑windows_11* —sort cves"} {
		b.Run(line, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				cmdline.Read(line)
			}
		})
	}
}
