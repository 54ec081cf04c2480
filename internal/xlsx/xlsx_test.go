package xlsx_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/xuri/excelize/v2"
	"pgregory.net/rapid"

	"github.com/missingkbs/missingkbs/internal/view"
	"github.com/missingkbs/missingkbs/internal/xlsx"
)

func table(caption string, rows ...[]view.Cell) view.Table {
	return view.Table{
		Caption: caption,
		Columns: []view.Column{
			{Key: "kb", Title: "KB"},
			{Key: "devices", Title: "Devices", Kind: view.Number},
			{Key: "url", Title: "Catalog", Kind: view.Button},
			{Key: "products", Title: "Products", Kind: view.Words, Hidden: true},
		},
		CSV:  []string{"kb", "products", "devices", "url"},
		Rows: rows,
	}
}

func row(kb string, devices int, url string, products ...string) []view.Cell {
	return []view.Cell{view.TextCell(kb), view.NumberCell(devices), {Text: "Catalog", Action: &view.Action{Label: "Catalog", URL: url}}, view.WordsCell(products)}
}

// read writes a page and reads the sheets of the file, by name.
func read(tb testing.TB, p view.Page) (*excelize.File, map[string][][]string) {
	tb.Helper()
	var b bytes.Buffer
	if err := xlsx.Write(&b, p); err != nil {
		tb.Fatal(err)
	}
	f, err := excelize.OpenReader(&b)
	if err != nil {
		tb.Fatal(err)
	}
	sheets := map[string][][]string{}
	for _, name := range f.GetSheetList() {
		if sheets[name], err = f.GetRows(name); err != nil {
			tb.Fatal(err)
		}
	}
	return f, sheets
}

func TestWrite(t *testing.T) {
	t.Parallel()
	_, got := read(t, view.Page{
		Title: "Missing updates: a-_-b", Lead: "2 updates missing.", Software: "a-_-b", Note: "Small print.", Unreadable: 3,
		AsOf: view.AsOf{Time: time.Date(2026, 11, 29, 9, 0, 0, 0, time.UTC), Age: time.Hour, Stale: view.Unreachable},
		Parts: []view.Part{
			view.Facts{{Name: "x", Value: "y"}},
			table("Missing: [all]", row("KB5074202", 1240, "https://catalog.update.microsoft.com/a", "edge", "windows_11"), []view.Cell{{Text: "KB2"}, {Number: 0}, {}, {}}),
			table("Missing: [all]", row("KB3", 1, "")),
			table(""),
		},
	})
	want := map[string][][]string{
		"Missing   all": {{"KB", "Products", "Devices", "Catalog"}, {"KB5074202", "edge, windows_11", "1240", "https://catalog.update.microsoft.com/a"}, {"KB2", "", "0"}},
		"Table 2":       {{"KB", "Products", "Devices", "Catalog"}, {"KB3", "", "1"}},
		"Table 3":       {{"KB", "Products", "Devices", "Catalog"}},
		"About": {
			{"Title", "Missing updates: a-_-b"},
			{"", "2 updates missing."},
			{"Software", "a-_-b"},
			{"", "Small print."},
			{"As of", "2026-11-29T09:00:00Z"},
			{"", view.AsOf{Time: time.Date(2026, 11, 29, 9, 0, 0, 0, time.UTC), Age: time.Hour, Stale: view.Unreachable}.Notice()},
			{"Unreadable rows", "3"},
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("sheets (-want +got):\n%s", diff)
	}
	if err := xlsx.Write(io.Discard, view.Page{Title: "none"}); !errors.Is(err, view.ErrNoTable) {
		t.Errorf("a page without a table: %v", err)
	}
}

// Whatever stands in a cell is read back as that text, and never is a formula; numbers are numbers.
func TestForeignTextIsText(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		text := rapid.OneOf(
			rapid.SampledFrom([]string{"=1+1", "@SUM(A1)", "+1", "-1", "\t=1", "＝1", "=HYPERLINK(\"https://evil.example\")", "1E5", "007", "TRUE", "</t><f>1</f>", "_x000D_", "\x00\x01\u2028", "2026-01-01"}),
			rapid.String(),
		).Draw(rt, "text")
		f, sheets := read(t, view.Page{Parts: []view.Part{table("T", row(text, 42, "https://x.example/"))}})
		if formula, err := f.GetCellFormula("T", "A2"); err != nil || formula != "" {
			rt.Fatalf("%q is the formula %q, %v", text, formula, err)
		}
		if kind, err := f.GetCellType("T", "C2"); err != nil || kind != excelize.CellTypeUnset && kind != excelize.CellTypeNumber {
			rt.Fatalf("the number is of type %v, %v", kind, err)
		}
		want := view.Lines(text)
		got := sheets["T"][1][0]
		if strings.TrimSpace(got) != strings.TrimSpace(want) {
			rt.Fatalf("%q came back as %q", want, got)
		}
	})
}

// A cell holds at most 32,767 characters; a workbook with more does not open.
func TestLongText(t *testing.T) {
	t.Parallel()
	_, sheets := read(t, view.Page{Parts: []view.Part{table("T", row(strings.Repeat("🙂", 40_000), 1, ""))}})
	if got := sheets["T"][1][0]; !strings.HasPrefix(got, "🙂🙂") || len([]rune(got)) != excelize.TotalCellChars/2 {
		t.Errorf("%d characters", len([]rune(got)))
	}
}

// manyRows are as many rows as the largest answers have.
func manyRows(n int) view.Page {
	t := table("Missing updates of microsoft-_-windows_11")
	t.More = view.LazyRows{Count: n, Make: func(i int) []view.Cell {
		return row("KB"+strconv.Itoa(5_000_000+i), i, fmt.Sprintf("https://catalog.update.microsoft.com/v7/site/Search.aspx?q=KB%d", 5_000_000+i), "windows_11", "windows_10")
	}}
	return view.Page{Title: "Missing updates", Lead: "Many.", Parts: []view.Part{t}}
}

func TestManyRows(t *testing.T) {
	t.Parallel()
	if _, sheets := read(t, manyRows(10_000)); len(sheets["Missing updates of microsoft-_-"]) != 10_001 {
		t.Errorf("%d rows", len(sheets["Missing updates of microsoft-_-"]))
	}
}

func BenchmarkWrite10000(b *testing.B) {
	p := manyRows(10_000)
	b.ReportAllocs()
	for b.Loop() {
		if err := xlsx.Write(io.Discard, p); err != nil {
			b.Fatal(err)
		}
	}
}
