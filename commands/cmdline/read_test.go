package cmdline_test

import (
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/missingkbs/missingkbs/commands/cmdline"
	"github.com/missingkbs/missingkbs/commands/cmdline/cmdlinetest"
)

// escapes are the ways in which an address may hold an id.
var escapes = []func(string) string{
	func(s string) string { return s },
	func(s string) string { return strings.ReplaceAll(s, "_", "%5F") },
	func(s string) string { return strings.ReplaceAll(s, "-", "%2D") },
	func(s string) string { return strings.ReplaceAll(s, "-", "%252d") },
	func(s string) string { return strings.ReplaceAll(s, "+", "%2B") },
}

func TestReadIds(t *testing.T) {
	t.Parallel()
	for _, id := range []string{"microsoft-_-edge", "microsoft-_-.net_framework", "7-zip-_-7-zip", "notepad++-_-notepad++", "nodejs-_-node.js", "microsoft-_-visual_c++_2015-2022_redistributable"} {
		for _, form := range cmdlinetest.Pasted() {
			for _, escape := range escapes {
				line := fmt.Sprintf(form, id, escape(id))
				got := cmdline.Read(line)
				if strings.HasPrefix(form, "GET ") && len(got) == 2 {
					got = got[1:]
				}
				if diff := cmp.Diff([]string{id}, got); diff != "" {
					t.Errorf("Read(%q) (-want +got):\n%s", line, diff)
				}
			}
		}
	}
}

func TestRead(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		line string
		want []string
	}{
		{"", nil},
		{"   ", nil},
		{"microsoft-_-edge —sort cves", []string{"microsoft-_-edge", "--sort", "cves"}},
		{"a –min-devices=5", []string{"a", "--min-devices=5"}},
		{"a —-sort cves", []string{"a", "--sort", "cves"}},
		{"a –-sort -–page ‑‑min‑cves －－fresh", []string{"a", "--sort", "--page", "--min-cves", "--fresh"}},
		{"a −−sort \u200b—page", []string{"a", "--sort", "--page"}},
		{"a — b", []string{"a", "-", "b"}},
		{"“windows 11” x", []string{"windows 11", "x"}},
		{"‘windows 11’", []string{"windows", "11"}},
		{"`digest list`", []string{"digest", "list"}},
		{`digest add "windows 11", "windows 10".`, []string{"digest", "add", "windows 11", "windows 10"}},
		{"O’Brien’s laptop", []string{"O'Brien's", "laptop"}},
		{"digest show *4711*", []string{"digest", "show", "4711"}},
		{"digest show #4711.", []string{"digest", "show", "#4711"}},
		{"*digest* `list`", []string{"digest", "list"}},
		{"*digest list*", []string{"digest", "list"}},
		{"?", []string{"?"}},
		{"🙂 - …", []string{"🙂", "-", "..."}},
		{"> - edge", []string{"edge"}},
		{"/missingkbs digest list", []string{"digest", "list"}},
		{"missingkbs", []string{"missingkbs"}},

		// Lists of ids.
		{"microsoft-_-edge,google-_-chrome;", []string{"microsoft-_-edge", "google-_-chrome"}},
		{"microsoft-_-edge, google-_-chrome , 7-zip-_-7-zip.", []string{"microsoft-_-edge", "google-_-chrome", "7-zip-_-7-zip"}},
		{`"microsoft-_-edge","google-_-chrome"`, []string{"microsoft-_-edge", "google-_-chrome"}},
		{"*microsoft-_-edge google-_-chrome*", []string{"microsoft-_-edge", "google-_-chrome"}},
		{"_microsoft-_-edge google-_-chrome_", []string{"microsoft-_-edge", "google-_-chrome"}},
		{"va-_-microsoft-_-edge,va-_-google-_-chrome", []string{"microsoft-_-edge", "google-_-chrome"}},
		{"(microsoft-_-edge google-_-chrome)", []string{"microsoft-_-edge", "google-_-chrome"}},

		// Patterns, schedules and mentions keep what they are made of.
		{"digest add microsoft-_-windows* google-_-*", []string{"digest", "add", "microsoft-_-windows*", "google-_-*"}},
		{"*microsoft-_-windows**", []string{"microsoft-_-windows*"}},
		{"`microsoft-_-windows*`,", []string{"microsoft-_-windows*"}},
		{"all --at “mon–fri 09:00”", []string{"all", "--at", "mon-fri 09:00"}},
		{"all --at mon‐fri 09：00.", []string{"all", "--at", "mon-fri", "09:00"}},
		{"all --cron 0 9 * * 1", []string{"all", "--cron", "0", "9", "*", "*", "1"}},
		{"all --cron */15 * ? * 1-5,7", []string{"all", "--cron", "*/15", "*", "?", "*", "1-5,7"}},
		{"all --cron “*/15 * * * *”", []string{"all", "--cron", "*/15 * * * *"}},
		{"all --cron */20,*/30 * * 2#2 *", []string{"all", "--cron", "*/20,*/30", "*", "*", "2#2", "*"}},
		{"admin who <@U012AB3CDE|ada> <#C1|> <!here>", []string{"admin", "who", "<@U012AB3CDE>", "<#C1>", "<!here>"}},
		{"admin allow-channel &lt;#C024BE91L|general&gt;", []string{"admin", "allow-channel", "<#C024BE91L>"}},

		// Addresses without an id, and words that look like labels.
		{"<https://example.com/a|Windows 11>", []string{"Windows", "11"}},
		{"<http://paint.net|paint.net>", []string{"paint.net"}},
		{"<http://paint.net/|paint.net>", []string{"paint.net"}},
		{"https://security.microsoft.com/vulnerabilities", []string{"https://security.microsoft.com/vulnerabilities"}},
		{"https://example.com/?url=https%3A%2F%2Fexample.org%2Fa", []string{"https://example.com/?url=https%3A%2F%2Fexample.org%2Fa"}},
		{"identity software", []string{"identity", "software"}},
		{"software", []string{"software"}},
		{"at&amp;t AT&T", []string{"at&t", "AT&T"}},
	} {
		if diff := cmp.Diff(c.want, cmdline.Read(c.line)); diff != "" {
			t.Errorf("Read(%q) (-want +got):\n%s", c.line, diff)
		}
	}
}

// Each character stands for a plain one, wherever it comes from.
func TestReadLookalikes(t *testing.T) {
	t.Parallel()
	const id = "microsoft-_-edge_11"
	for _, hyphen := range "\u2010\u2011\u2012\u2013\u2014\u2015\u2212\ufe58\ufe63\uff0d" {
		if got := cmdline.Read(strings.ReplaceAll(id, "-", string(hyphen))); !cmp.Equal(got, []string{id}) {
			t.Errorf("%U for a hyphen: got %q", hyphen, got)
		}
	}
	for _, none := range "\u200b\u200c\u200d\u2060\ufeff\u00ad\u200e\u200f\u202a\u202c\u2066\u2069\u180e\u034f\ufe0f" {
		line := string(none) + strings.Join(strings.Split(id, ""), string(none)) + string(none)
		if got := cmdline.Read(line); !cmp.Equal(got, []string{id}) {
			t.Errorf("%U between letters: got %q", none, got)
		}
	}
	for _, space := range "\u00a0\u1680\u2000\u2002\u2003\u2007\u2009\u200a\u202f\u205f\u3000\u2028\u2029\u0085" {
		if got := cmdline.Read("windows" + string(space) + "11" + string(space)); !cmp.Equal(got, []string{"windows", "11"}) {
			t.Errorf("%U for a space: got %q", space, got)
		}
	}
	for wide, want := range map[string]string{
		"ｍｉｃｒｏｓｏｆｔ－＿－ｅｄｇｅ＿１１": id, "ﬁrefox": "firefox", "ｗｉｎｄｏｗｓ": "windows", "Windows®": "Windows", "Edge™": "Edge", "①": "1", "cafe\u0301": "café",
	} {
		if got := cmdline.Read(wide); !cmp.Equal(got, []string{want}) {
			t.Errorf("%q: got %q, want %q", wide, got, want)
		}
	}
}

var anyText = rapid.StringOf(rapid.OneOf(
	rapid.RuneFrom([]rune("abcé -_*.,:'\"<>()|=&;~`12\n\t")),
	rapid.RuneFrom([]rune("—–‑−－“”‘’«»…\u00a0\u200b\u200d\u2060\ufeff\u00ad\u3000\u0301\u0338ﬁ①™ＡＺ＿")),
	rapid.Rune(),
))

// What was read is read the same again, so that no line depends on how often it was read.
func TestNormalizingIsIdempotent(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s := anyText.Draw(t, "text")
		once := cmdline.Normalize(s)
		if twice := cmdline.Normalize(once); twice != once {
			t.Fatalf("%q becomes %q, and that %q", s, once, twice)
		}
	})
}

func TestNormalizingKeepsPlainText(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.StringMatching(`[\x00-\x7f]*`).Draw(t, "text")
		if got := cmdline.Normalize(s); got != s {
			t.Fatalf("%q becomes %q", s, got)
		}
	})
}

// Plain words that nothing stands around are read as they are.
func TestReadKeepsPlainWords(t *testing.T) {
	t.Parallel()
	word := rapid.StringMatching(`[a-z0-9][a-z0-9+_.-]{0,12}[a-z0-9+]`).Filter(func(w string) bool { return !strings.HasPrefix(w, "va-_-") })
	rapid.Check(t, func(t *rapid.T) {
		words := rapid.SliceOfN(word, 1, 5).Filter(func(ws []string) bool {
			return ws[0] != "missingkbs" && !strings.Contains(strings.Join(ws[1:], " "), "-_-")
		}).Draw(t, "words")
		if diff := cmp.Diff(words, cmdline.Read(strings.Join(words, " "))); diff != "" {
			t.Fatalf("(-want +got):\n%s", diff)
		}
	})
}

func FuzzRead(f *testing.F) {
	for _, form := range cmdlinetest.Pasted() {
		f.Add(fmt.Sprintf(form, "microsoft-_-edge", "microsoft%2D_%2Dedge"))
	}
	f.Fuzz(func(t *testing.T, line string) {
		words := cmdline.Read(line)
		for _, w := range words {
			if w == "" {
				t.Errorf("Read(%q) gave an empty word", line)
			}
		}
		if len(words) == 0 && strings.ContainsFunc(line, func(r rune) bool { return r < utf8.RuneSelf && (r >= 'a' && r <= 'z' || r >= '0' && r <= '9') }) {
			t.Errorf("Read(%q) lost everything", line)
		}
		if once := cmdline.Normalize(line); utf8.ValidString(line) && cmdline.Normalize(once) != once {
			t.Errorf("%q becomes %q, and that %q", line, once, cmdline.Normalize(once))
		}
	})
}
