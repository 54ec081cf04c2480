package view_test

import (
	"encoding/csv"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/missingkbs/missingkbs/internal/view"
)

// edge is the page of the one KB that Microsoft's own documentation shows:
// https://learn.microsoft.com/en-us/defender-endpoint/api/get-missing-kbs-software.
func edge() view.Page {
	return view.Page{
		Title: "Missing updates: microsoft-_-edge",
		Lead:  "1 update missing, worst on 240 devices.",
		Parts: []view.Part{
			view.Facts{{Name: "Vendor", Value: "microsoft"}},
			view.Table{
				Caption: "Missing updates of microsoft-_-edge",
				Columns: []view.Column{
					{Key: "kb", Title: "KB"},
					{Key: "name", Title: "Update"},
					{Key: "os_build", Title: "OS build"},
					{Key: "devices", Title: "Devices", Kind: view.Number},
					{Key: "url", Title: "Catalog", Kind: view.Button},
				},
				Rows: [][]view.Cell{{
					view.TextCell("KB4540673"),
					view.TextCell("March 2020 Security Updates"),
					view.TextCell(""),
					view.NumberCell(240),
					{Text: "Catalog", Action: &view.Action{URL: "https://catalog.update.microsoft.com/v7/site/Search.aspx?q=KB4540673"}},
				}},
				Command: "microsoft-_-edge",
			},
		},
		Note: "A note.",
		AsOf: view.AsOf{Time: time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC), Age: 40 * time.Second},
	}
}

func TestWriteText(t *testing.T) {
	t.Parallel()
	want := `Missing updates: microsoft-_-edge
1 update missing, worst on 240 devices.

Vendor  microsoft

KB         Update                       OS build  Devices  Catalog
KB4540673  March 2020 Security Updates  -         240      https://catalog.update.microsoft.com/v7/site/Search.aspx?q=KB4540673

A note.

As of 2026-11-23 09:00 UTC, cached 40 s ago
`
	if diff := cmp.Diff(want, text(t, edge())); diff != "" {
		t.Errorf("text (-want +got):\n%s", diff)
	}
}

func text(t *testing.T, p view.Page) string {
	t.Helper()
	var b strings.Builder
	if err := view.WriteText(&b, p); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestTextPages(t *testing.T) {
	t.Parallel()
	rows := make([][]view.Cell, 120)
	for i := range rows {
		rows[i] = []view.Cell{view.NumberCell(i)}
	}
	for _, c := range []struct {
		page  int
		lines int // header, rows, count
		end   string
	}{
		{0, 1 + 120, "119"},
		{1, 1 + 50 + 1, "(rows 1 to 50 of 120)"},
		{3, 1 + 20 + 1, "(rows 101 to 120 of 120)"},
		{4, 1 + 1, "(no rows on page 4: the last is page 3)"},
	} {
		got := text(t, view.Page{Parts: []view.Part{view.Table{
			Columns: []view.Column{{Title: "N", Kind: view.Number}}, Rows: rows, Page: c.page,
		}}})
		lines := strings.Split(strings.TrimSpace(got), "\n")
		if len(lines) != c.lines || lines[len(lines)-1] != c.end {
			t.Errorf("page %d: got %d lines that end in %q, want %d that end in %q", c.page, len(lines), lines[len(lines)-1], c.lines, c.end)
		}
	}
}

// A column of commands is not headed as if it held figures.
func TestTextHeadsCommands(t *testing.T) {
	t.Parallel()
	got := text(t, view.Page{Parts: []view.Part{view.Table{
		Columns: []view.Column{{Title: "Missing updates", Kind: view.Button}, {Title: "Catalog", Kind: view.Button}, {Title: "Devices", Kind: view.Number}},
		Rows:    [][]view.Cell{{{Action: &view.Action{Command: "edge"}}, {Action: &view.Action{URL: "https://example.com"}}, view.NumberCell(3)}},
	}}})
	if head, _, _ := strings.Cut(got, "\n"); head != "Missing updates (type)  Catalog              Devices" {
		t.Errorf("headings: %q", head)
	}
}

// Foreign text must not steer the terminal it is printed on.
func TestTextIsHarmless(t *testing.T) {
	t.Parallel()
	evil := "a\x1b[31mred\x07\u202egnirts\r\nb"
	got := text(t, view.Page{Title: evil, Lead: evil, Note: evil, Parts: []view.Part{
		view.Facts{{Name: evil, Value: evil}},
		view.Table{Columns: []view.Column{{Title: evil}}, Rows: [][]view.Cell{{view.TextCell(evil)}}},
	}})
	if strings.ContainsAny(got, "\x1b\x07\r\u202e") {
		t.Errorf("control characters in %q", got)
	}
}

func TestWriteJSON(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	if err := view.WriteJSON(&b, edge()); err != nil {
		t.Fatal(err)
	}
	var got any
	if err := json.Unmarshal([]byte(b.String()), &got); err != nil {
		t.Fatal(err)
	}
	want := map[string]any{
		"title":       "Missing updates: microsoft-_-edge",
		"lead":        "1 update missing, worst on 240 devices.",
		"as_of":       "2026-11-23T09:00:00Z",
		"age_seconds": 40.0,
		"note":        "A note.",
		"facts":       []any{map[string]any{"name": "Vendor", "value": "microsoft"}},
		"tables": []any{map[string]any{
			"caption": "Missing updates of microsoft-_-edge",
			"rows": []any{map[string]any{
				"kb": "KB4540673", "name": "March 2020 Security Updates", "os_build": "", "devices": 240.0,
				"url": "https://catalog.update.microsoft.com/v7/site/Search.aspx?q=KB4540673",
			}},
		}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("JSON (-want +got):\n%s", diff)
	}
}

// news is a page with a context line, lists, and columns of words and for programs alone.
func news() view.Page {
	return view.Page{
		Title: "t", Lead: "l", Context: "Since Monday.", Software: "microsoft-_-windows_11",
		Parts: []view.Part{
			view.List{Name: "New", Items: []string{"KB1", "KB2"}, More: 1200},
			view.List{Name: "None"},
			view.Table{
				Columns: []view.Column{
					{Key: "kb", Title: "KB"}, {Key: "software", Title: "Software", Hidden: true}, {Key: "products", Title: "Products", Kind: view.Words},
				},
				Rows: [][]view.Cell{{view.TextCell("KB1"), view.TextCell("s"), view.WordsCell([]string{"a", "b"})}},
				CSV:  []string{"kb", "products", "gone"},
				More: view.LazyRows{Count: 1, Make: func(int) []view.Cell {
					return []view.Cell{view.TextCell("KB2"), view.TextCell("s"), view.WordsCell(nil)}
				}},
			},
		},
	}
}

// Programs get every column, people those that say something.
func TestNewsInEachForm(t *testing.T) {
	t.Parallel()
	wantText := "t\nl\nSince Monday.\n\nNew\n  KB1\n  KB2\n  1,200 more\n\nKB   Products\nKB1  a, b\nKB2  -\n\nSoftware id: microsoft-_-windows_11\n"
	if diff := cmp.Diff(wantText, text(t, news())); diff != "" {
		t.Errorf("text (-want +got):\n%s", diff)
	}
	var csv, raw strings.Builder
	if err := errors.Join(view.WriteCSV(&csv, news()), view.WriteJSON(&raw, news())); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff("kb,products\nKB1,\"a, b\"\nKB2,\n", csv.String()); diff != "" {
		t.Errorf("CSV (-want +got):\n%s", diff)
	}
	var got any
	if err := json.Unmarshal([]byte(raw.String()), &got); err != nil {
		t.Fatal(err)
	}
	want := map[string]any{
		"title": "t", "lead": "l", "context": "Since Monday.", "software": "microsoft-_-windows_11", "age_seconds": 0.0,
		"lists": []any{
			map[string]any{"name": "New", "items": []any{"KB1", "KB2"}, "more": 1200.0},
			map[string]any{"name": "None", "items": []any{}, "more": 0.0},
		},
		"tables": []any{map[string]any{"caption": "", "rows": []any{
			map[string]any{"kb": "KB1", "software": "s", "products": []any{"a", "b"}},
			map[string]any{"kb": "KB2", "software": "s", "products": []any{}},
		}}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("JSON (-want +got):\n%s", diff)
	}
}

func TestJSONWithoutDataHasNoTime(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	if err := view.WriteJSON(&b, view.Page{Title: "t"}); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(b.String(), "as_of") {
		t.Errorf("a page without data says when it was fetched: %s", b.String())
	}
}

func TestWriteCSV(t *testing.T) {
	t.Parallel()
	want := `kb,name,os_build,devices,url
KB4540673,March 2020 Security Updates,,240,https://catalog.update.microsoft.com/v7/site/Search.aspx?q=KB4540673
`
	var b strings.Builder
	if err := view.WriteCSV(&b, edge()); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, b.String()); diff != "" {
		t.Errorf("CSV (-want +got):\n%s", diff)
	}
	if err := view.WriteCSV(&b, view.Page{Parts: []view.Part{view.Facts{}}}); !errors.Is(err, view.ErrNoTable) {
		t.Errorf("CSV of a page without a table: got %v, want ErrNoTable", err)
	}
}

func TestCSVFormulas(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"=1+1":                "'=1+1",
		"+1":                  "'+1",
		"-1":                  "'-1",
		"@SUM(A1)":            "'@SUM(A1)",
		" =1":                 "' =1",
		"\t=1":                "'\t=1",
		"＝1":                  "'＝1",
		"KB1":                 "KB1",
		"a=b":                 "a=b",
		"":                    "",
		"line\nbreak, \"q\"":  "line\nbreak, \"q\"",
		"<!channel> & *bold*": "<!channel> & *bold*",
	} {
		var b strings.Builder
		p := view.Page{Parts: []view.Part{view.Table{
			Columns: []view.Column{{Key: "a"}, {Key: "b"}}, Rows: [][]view.Cell{{view.TextCell("x"), view.TextCell(in)}},
		}}}
		if err := view.WriteCSV(&b, p); err != nil {
			t.Fatal(err)
		}
		rows, err := csv.NewReader(strings.NewReader(b.String())).ReadAll()
		if err != nil {
			t.Fatal(err)
		}
		if got := rows[1][1]; got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
}

func TestWords(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ got, want string }{
		{view.Count(0, "device"), "0 devices"},
		{view.Count(1, "device"), "1 device"},
		{view.Count(12000, "device"), "12,000 devices"},
		{view.Thousands(-1234567), "-1,234,567"},
		{view.Thousands(999), "999"},
		{view.Age(119 * time.Second), "119 s"},
		{view.Age(5 * time.Minute), "5 min"},
		{view.Age(3 * time.Hour), "3 h"},
		{view.Age(72 * time.Hour), "3 d"},
		{view.AsOf{}.String(), ""},
		{view.AsOf{Time: time.Unix(0, 0)}.String(), "As of 1970-01-01 00:00 UTC, fetched just now"},
	} {
		if c.got != c.want {
			t.Errorf("got %q, want %q", c.got, c.want)
		}
	}
}

// Rows that could not be read are counted where a program reads the answer.
func TestUnreadableRows(t *testing.T) {
	t.Parallel()
	page := view.Page{Parts: []view.Part{view.Table{Columns: []view.Column{{Key: "kb"}}, Rows: [][]view.Cell{{{Text: "KB1"}}}}}}
	for n, want := range map[int]struct{ csv, json string }{
		0: {"kb\nKB1\n", ""},
		3: {"kb,unreadable_rows\nKB1,3\n", `"unreadable_rows": 3`},
	} {
		page.Unreadable = n
		var csv, json strings.Builder
		if err := errors.Join(view.WriteCSV(&csv, page), view.WriteJSON(&json, page)); err != nil {
			t.Fatal(err)
		}
		if csv.String() != want.csv {
			t.Errorf("%d: CSV %q, want %q", n, csv.String(), want.csv)
		}
		if want.json != "" && !strings.Contains(json.String(), want.json) || want.json == "" && strings.Contains(json.String(), "unreadable") {
			t.Errorf("%d: JSON %s", n, json.String())
		}
	}
}

// A cut knows its place in the whole, also a cut of a cut, and rows that are made when they are looked at.
func TestCut(t *testing.T) {
	t.Parallel()
	all := view.Table{Rows: [][]view.Cell{{view.NumberCell(0)}, {view.NumberCell(1)}}, More: view.LazyRows{Count: 4, Make: func(i int) []view.Cell { return []view.Cell{view.NumberCell(2 + i)} }}, Page: 3}
	for name, c := range map[string]struct {
		cut    view.Table
		before int
		want   []int
	}{
		"all":      {all.Cut(0, 6), 0, []int{0, 1, 2, 3, 4, 5}},
		"a part":   {all.Cut(1, 4), 1, []int{1, 2, 3}},
		"of a cut": {all.Cut(1, 6).Cut(2, 4), 3, []int{3, 4}},
		"nothing":  {all.Cut(2, 2), 2, nil},
	} {
		var got []int
		for i := range c.cut.Len() {
			got = append(got, c.cut.Row(i)[0].Number)
		}
		if !slices.Equal(got, c.want) || c.cut.Before != c.before || c.cut.Whole != 6 || c.cut.Page != 0 {
			t.Errorf("%s: rows %v after %d of %d, page %d; want %v after %d", name, got, c.cut.Before, c.cut.Whole, c.cut.Page, c.want, c.before)
		}
	}
}
