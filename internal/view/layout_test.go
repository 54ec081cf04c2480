package view

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func narrowPage() Page {
	return Page{
		Title: "Missing updates: microsoft-_-windows_11", Lead: "2 updates missing, the largest on 1,240 devices.",
		Parts: []Part{
			Facts{{"<software-id> [--sort devices|cves|kb] [--min-devices N]", "the missing KBs of one software: devices, CVEs and the catalog page of each"}, {"home", "the first page"}},
			Table{
				Columns: []Column{{Title: "KB"}, {Title: "Devices", Kind: Number}, {Title: "Update"}, {Title: "Catalog", Kind: Button}},
				Rows: [][]Cell{
					{TextCell("KB5074202"), NumberCell(1240), TextCell("November 2026 Security Updates for everyone"), {Action: &Action{URL: "https://catalog.update.microsoft.com/v7/site/Search.aspx?q=KB5074202"}}},
					{TextCell("KB1"), NumberCell(3), TextCell("Short"), {}},
				},
			},
		},
		Note: "Nothing matches exactly; these are the closest.",
	}
}

// On a narrow terminal cells go on below, and the addresses of buttons are left out with a word about it.
func TestTerminalWidth(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	if err := (Terminal{Width: 44}).Write(&b, narrowPage()); err != nil {
		t.Fatal(err)
	}
	want := `Missing updates: microsoft-_-windows_11
2 updates missing, the largest on 1,240
devices.

<software-id> [--sort devices|cves|kb]
[--min-devices N]
    the missing KBs of one software:
    devices, CVEs and the catalog page of
    each
home
    the first page

KB         Devices  Update
KB5074202  1,240    November 2026 Security
                    Updates for everyone
KB1        3        Short
(the window is too narrow for the column
Catalog: -o csv and -o json have all)

Nothing matches exactly; these are the
closest.
`
	if diff := cmp.Diff(want, b.String()); diff != "" {
		t.Errorf("text (-want +got):\n%s", diff)
	}
}

// A wide terminal gets what a file gets; colours change no letter.
func TestWideTerminal(t *testing.T) {
	t.Parallel()
	var file, wide, coloured strings.Builder
	for out, terminal := range map[*strings.Builder]Terminal{&file: {}, &wide: {Width: 500}, &coloured: {Width: 500, Color: true}} {
		if err := terminal.Write(out, narrowPage()); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(file.String(), wide.String()); diff != "" {
		t.Errorf("wide terminal (-file +terminal):\n%s", diff)
	}
	if strings.Contains(file.String(), "\x1b") || !strings.Contains(coloured.String(), bold+"KB  ") || !strings.Contains(coloured.String(), faint) {
		t.Errorf("coloured:\n%q", coloured.String())
	}
	plainText := strings.NewReplacer(bold, "", faint, "", plain, "").Replace(coloured.String())
	if diff := cmp.Diff(file.String(), plainText); diff != "" {
		t.Errorf("colours change text (-file +terminal):\n%s", diff)
	}
}

// No line is longer than the window, and but for buttons no word of a page is lost in it.
func TestNarrowTerminalLosesNothing(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		words := rapid.StringMatching(`[a-zé中]{0,30}( [a-z]{1,12}){0,5}`)
		width := rapid.IntRange(30, 200).Draw(t, "width")
		columns := rapid.IntRange(1, 5).Draw(t, "columns")
		table := Table{}
		for range columns {
			table.Columns = append(table.Columns, Column{Title: words.Draw(t, "title")})
		}
		for range rapid.IntRange(1, 4).Draw(t, "rows") {
			var row []Cell
			for range columns {
				row = append(row, TextCell(words.Draw(t, "cell")))
			}
			table.Rows = append(table.Rows, row)
		}
		p := Page{Title: words.Draw(t, "t"), Lead: words.Draw(t, "l"), Note: words.Draw(t, "n"), Parts: []Part{Facts{{words.Draw(t, "f"), words.Draw(t, "v")}}, table}}
		var narrow, file strings.Builder
		if err := (Terminal{Width: width}).Write(&narrow, p); err != nil {
			t.Fatal(err)
		}
		if err := WriteText(&file, p); err != nil {
			t.Fatal(err)
		}
		for line := range strings.SplitSeq(narrow.String(), "\n") {
			if utf8.RuneCountInString(line) > width {
				t.Fatalf("a line of %d in a window of %d: %q", utf8.RuneCountInString(line), width, line)
			}
		}
		if got, want := letters(narrow.String()), letters(file.String()); got != want {
			t.Fatalf("letters differ: %d of %d", len(got), len(want))
		}
	})
}

// letters are how often each letter stands in a text.
func letters(s string) string {
	n := map[rune]int{}
	for _, r := range s {
		n[r]++
	}
	var b strings.Builder
	for r := 'a'; r <= 'z'; r++ {
		b.WriteString(strings.Repeat(string(r), n[r]))
	}
	b.WriteString(strings.Repeat("é", n['é']) + strings.Repeat("中", n['中']))
	return b.String()
}

func TestWrap(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		s     string
		width int
		want  []string
	}{
		{"", 5, []string{""}},
		{"short", 5, []string{"short"}},
		{"two words", 5, []string{"two", "words"}},
		{"abcdefghij", 4, []string{"abcd", "efgh", "ij"}},
		{"a bcdefgh", 4, []string{"a", "bcde", "fgh"}},
		{"any width", 0, []string{"any width"}},
	} {
		if diff := cmp.Diff(c.want, wrap(c.s, c.width)); diff != "" {
			t.Errorf("%q in %d (-want +got):\n%s", c.s, c.width, diff)
		}
	}
}
