package blocks_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/slack-go/slack"

	"github.com/missingkbs/missingkbs/bot/blocks"
	"github.com/missingkbs/missingkbs/internal/sandbox/blockkit"
	"github.com/missingkbs/missingkbs/internal/view"
)

var update = flag.Bool("update", false, "write the golden files anew")

var asOf = view.AsOf{Time: time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC), Age: 40 * time.Second}

// kbPage is a page of n rows, the first of them the one that Microsoft's documentation shows.
func kbPage(n int) view.Page {
	t := view.Table{
		Caption: "Missing updates of microsoft-_-edge",
		Columns: []view.Column{
			{Key: "kb", Title: "KB"},
			{Key: "name", Title: "Update"},
			{Key: "products", Title: "Products"},
			{Key: "os_build", Title: "OS build"},
			{Key: "devices", Title: "Devices", Kind: view.Number},
			{Key: "cves", Title: "CVEs", Kind: view.Number},
			{Key: "url", Title: "Catalog", Kind: view.Button},
		},
		Command: "microsoft-_-edge",
		Sorts:   []view.Action{{Label: "Sort by CVEs", Command: "microsoft-_-edge --sort cves", Effect: view.Replace}},
	}
	for i := range n {
		kb := fmt.Sprintf("KB%d", 4540673+i)
		t.Rows = append(t.Rows, []view.Cell{
			view.TextCell(kb), view.TextCell("March 2020 Security Updates"), view.TextCell("edge"), view.TextCell(""),
			view.NumberCell(max(0, 240-i)), view.NumberCell(14),
			{Text: "Catalog", Action: &view.Action{Label: "Catalog", URL: "https://catalog.update.microsoft.com/v7/site/Search.aspx?q=" + kb}},
		})
	}
	return view.Page{
		Title: "Missing updates: microsoft-_-edge",
		Lead:  fmt.Sprintf("%s missing, worst on 240 devices.", view.Count(n, "update")),
		Parts: []view.Part{t},
		Actions: []view.Action{
			{Label: "Refresh", Command: "microsoft-_-edge --fresh", Effect: view.Replace},
			{Label: "Share to channel", Command: "microsoft-_-edge", Effect: view.Share},
		},
		AsOf: asOf,
	}
}

// hostilePage holds words that would be markup if they stood where Slack reads it.
func hostilePage() view.Page {
	const evil = "<!channel> <@U0ALICE01> <https://evil.example|click> *b* _i_ ~s~ `c` > & :boom: <!date^0^{date}|x>"
	return view.Page{
		Title: evil, Lead: evil, Note: evil, AsOf: asOf,
		Parts: []view.Part{
			view.Facts{{Name: evil, Value: evil}},
			view.Table{
				Caption: evil,
				Columns: []view.Column{{Key: "a", Title: evil}, {Key: "b", Title: evil, Kind: view.Button}},
				Rows: [][]view.Cell{
					{view.TextCell(evil), {Text: evil, Action: &view.Action{Label: evil, Command: evil}}},
					{view.TextCell(evil), {Text: evil, Action: &view.Action{Label: evil, URL: "javascript:alert(1)"}}},
				},
			},
		},
		Actions: []view.Action{{Label: evil, Command: evil}},
	}
}

// rungs are all ways to draw tables.
func rungs() []blocks.Tables {
	return []blocks.Tables{blocks.ButtonTables, blocks.LinkTables, blocks.PlainTables, blocks.SectionTables}
}

// forms are all forms.
func forms() []blocks.Form {
	var all []blocks.Form
	for _, tables := range rungs() {
		all = append(all, blocks.Form{Tables: tables}, blocks.Form{Tables: tables, TextCharts: true})
	}
	return all
}

// newsPage has what a digest has beside facts and charts: a context line, lists, and a column that only programs get.
func newsPage() view.Page {
	return view.Page{
		Title: "Action required: microsoft-_-windows_11", Lead: "1 new. 12 updates missing.", Context: "Since Mon 16 Nov, read 23 Nov 10:00 CET.", AsOf: asOf,
		Parts: []view.Part{
			view.List{Name: "New", Items: []string{"KB5074224: 20 devices, <!channel> *66* CVEs"}, More: 1200},
			view.List{Name: "Nothing"},
			view.Table{
				Caption: "Largest gaps",
				Columns: []view.Column{
					{Key: "kb", Title: "KB"},
					{Key: "devices", Title: "Devices", Kind: view.Number},
					{Key: "products", Title: "Products", Kind: view.Words},
					{Key: "software", Title: "Software", Hidden: true},
				},
				Rows: [][]view.Cell{
					{view.TextCell("KB5074224"), view.NumberCell(20), view.WordsCell([]string{"windows_10", "internet_explorer"}), view.TextCell("unseen")},
					{view.TextCell("KB5074225"), view.NumberCell(10), view.WordsCell(nil), view.TextCell("unseen")},
				},
			},
		},
	}
}

// A list is as hostile as any text, and what does not fit of it is counted.
func TestLongLists(t *testing.T) {
	t.Parallel()
	p := hostilePage()
	evil := p.Title
	for range 60 {
		p.Parts = append(p.Parts, view.List{Name: evil, Items: slices.Repeat([]string{evil + strings.Repeat("x", 700)}, 9), More: 5})
	}
	m := blocks.Render(p, blocks.Options{})
	check(t, m)
	raw, err := json.Marshal(m.Blocks)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(raw), "14 more lines under") {
		t.Error("what is left out of lists is not counted")
	}
}

func TestGolden(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		page view.Page
		o    blocks.Options
	}{
		{"edge", kbPage(1), blocks.Options{}},
		{"edge_links", kbPage(1), blocks.Options{Form: blocks.Form{Tables: blocks.LinkTables}}},
		{"edge_plain", kbPage(1), blocks.Options{Form: blocks.Form{Tables: blocks.PlainTables}}},
		{"edge_classic", kbPage(1), blocks.Options{Form: blocks.Classic()}},
		{"edge_shared", kbPage(1), blocks.Options{SharedBy: "U0ALICE01"}},
		{"classic_second_page", onPage(kbPage(30), 2), blocks.Options{Form: blocks.Classic()}},
		{"hostile", hostilePage(), blocks.Options{}},
		{"hostile_classic", hostilePage(), blocks.Options{Form: blocks.Classic()}},
		{"failure", view.Page{
			Title: "Unknown software", Lead: "Defender knows no software x-_-y.", Note: "Reference: 1a2b3c4d.",
			Actions: []view.Action{{Label: "Most exposed software", Command: "search"}},
		}, blocks.Options{}},
		{"facts", view.Page{Title: "Help", Parts: []view.Part{view.Facts{{Name: "search <words>", Value: "finds software"}}}}, blocks.Options{}},
		{"news", newsPage(), blocks.Options{}},
		{"news_classic", newsPage(), blocks.Options{Form: blocks.Classic()}},
		{"empty", view.Page{}, blocks.Options{}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			golden(t, c.name, blocks.Render(c.page, c.o))
		})
	}
}

// golden compares a message with the file of its name, and checks it.
func golden(t *testing.T, name string, m blocks.Message) {
	t.Helper()
	var got bytes.Buffer
	enc := json.NewEncoder(&got)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(map[string]any{"text": m.Text, "blocks": m.Blocks}); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join("testdata", name+".golden.json")
	if *update {
		if err := os.WriteFile(path, got.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got.String()); diff != "" {
		t.Errorf("run with -update if this is meant (-want +got):\n%s", diff)
	}
	check(t, m)
}

func onPage(p view.Page, page int) view.Page {
	t := p.Parts[0].(view.Table)
	t.Page = page
	p.Parts[0] = t
	return p
}

// check fails the test if Slack would refuse the message.
func check(t *testing.T, m blocks.Message) {
	t.Helper()
	raw, err := json.Marshal(m.Blocks)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range blockkit.Check("message", raw) {
		t.Errorf("Slack refuses %s: %s", f.Pointer, f.Message)
	}
	if n := len([]rune(m.Text)); n > 4000 {
		t.Errorf("the fallback text has %d characters", n)
	}
	if n := visible(t, raw); n > 12000 {
		t.Errorf("%d visible characters", n)
	}
}

// visible counts the characters a reader sees: every "text" that is a string.
func visible(t *testing.T, raw []byte) int {
	t.Helper()
	var v any
	if err := json.Unmarshal(raw, &v); err != nil {
		t.Fatal(err)
	}
	n := 0
	visitObject(v, func(o map[string]any) {
		if s, ok := o["text"].(string); ok {
			n += len([]rune(s))
		}
	})
	return n
}

// Every mrkdwn in a message is our own: no character of a page reaches it.
func TestForeignTextIsNeverMarkup(t *testing.T) {
	t.Parallel()
	for _, f := range forms() {
		m := blocks.Render(hostilePage(), blocks.Options{Form: f, SharedBy: "U1> <!channel>"})
		raw, err := json.Marshal(m.Blocks)
		if err != nil {
			t.Fatal(err)
		}
		var v any
		if err := json.Unmarshal(raw, &v); err != nil {
			t.Fatal(err)
		}
		found := 0
		visitObject(v, func(o map[string]any) {
			if o["type"] == "mrkdwn" {
				found++
				if want := "As of <!date^1795424400^{time}, {date_short}|2026-11-23 09:00 UTC>, cached 40 s ago."; o["text"] != want {
					t.Errorf("mrkdwn %q, want only %q", o["text"], want)
				}
			}
			if u, ok := o["url"].(string); ok {
				t.Errorf("a link to %q", u)
			}
		})
		if found != 1 {
			t.Errorf("%d mrkdwn texts, want the one that says when", found)
		}
		if strings.Contains(m.Text, "<!channel>") || strings.Contains(m.Text, "<@U0") || !strings.Contains(m.Text, "&lt;!channel&gt;") {
			t.Errorf("the fallback text is not escaped: %s", m.Text)
		}
	}
}

func visitObject(v any, visit func(map[string]any)) {
	switch v := v.(type) {
	case map[string]any:
		visit(v)
		for _, x := range v {
			visitObject(x, visit)
		}
	case []any:
		for _, x := range v {
			visitObject(x, visit)
		}
	}
}

// The pages of a long table show every row once, and each says how many there are.
func TestPagesCoverEveryRow(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		rows   int
		tables blocks.Tables
		pages  int
	}{
		{1, blocks.ButtonTables, 1},
		{100, blocks.ButtonTables, 1},
		{101, blocks.ButtonTables, 2},
		{1000, blocks.ButtonTables, 10},
		{100, blocks.LinkTables, 1},
		{101, blocks.LinkTables, 2},
		{1, blocks.PlainTables, 1},
		{200, blocks.PlainTables, 3},
		{20, blocks.SectionTables, 1},
		{21, blocks.SectionTables, 2},
		{45, blocks.SectionTables, 3},
	} {
		var shown []string
		pages := 0
		for page, more := 1, true; more; page++ {
			m := blocks.Render(onPage(kbPage(c.rows), page), blocks.Options{Form: blocks.Form{Tables: c.tables}})
			check(t, m)
			shown = append(shown, rowsOf(m)...)
			if drawn := len(rowsOf(m)); m.Hidden != c.rows-drawn {
				t.Errorf("%d rows, page %d: %d are drawn and %d hidden", c.rows, page, drawn, m.Hidden)
			}
			more = strings.Contains(buttons(m), fmt.Sprintf("--page %d", page+1))
			if back := strings.Contains(buttons(m), fmt.Sprintf("microsoft-_-edge --page %d;", page-1)); back != (page > 1) {
				t.Errorf("%d rows, page %d: a way back: %v", c.rows, page, back)
			}
			pages++
		}
		if len(shown) != c.rows || pages != c.pages {
			t.Errorf("%d rows, rung %d: %d rows on %d pages, want all on %d", c.rows, c.tables, len(shown), pages, c.pages)
		}
		for i, kb := range shown {
			if want := fmt.Sprintf("KB%d", 4540673+i); kb != want {
				t.Fatalf("row %d is %s, want %s", i, kb, want)
			}
		}
	}
}

// A page beyond the last is the last.
func TestPageBeyondTheEnd(t *testing.T) {
	t.Parallel()
	m := blocks.Render(onPage(kbPage(250), 99), blocks.Options{})
	if got := rowsOf(m); len(got) != 50 || got[49] != "KB4540922" {
		t.Errorf("got %d rows, the last %v", len(got), got[len(got)-1])
	}
}

func rowsOf(m blocks.Message) []string {
	var names []string
	for _, b := range m.Blocks {
		switch b := b.(type) {
		case *slack.DataTableBlock:
			for _, row := range b.Rows[1:] {
				names = append(names, row[0].(*slack.DataTableRawTextCell).Text)
			}
		case *slack.TableBlock:
			for _, row := range b.Rows[1:] {
				names = append(names, row[0].(*slack.TableRawTextCell).Text)
			}
		case *slack.SectionBlock:
			if b.Accessory != nil {
				names = append(names, strings.Fields(b.Text.Text)[0])
			}
		}
	}
	return names
}

func buttons(m blocks.Message) string {
	var s strings.Builder
	for _, b := range m.Blocks {
		if actions, ok := b.(*slack.ActionBlock); ok {
			for _, e := range actions.Elements.ElementSet {
				s.WriteString(e.(*slack.ButtonBlockElement).Value + ";")
			}
		}
	}
	return s.String()
}

// Each limit of limits.go, met and passed.
func TestLimits(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("ä🎈 ", 20000)
	many := func(n int) []view.Action {
		actions := make([]view.Action, n)
		for i := range actions {
			actions[i] = view.Action{Label: "x", Command: "x"}
		}
		return actions
	}
	wide := func(n int) view.Table {
		t := view.Table{Rows: [][]view.Cell{make([]view.Cell, n)}}
		t.Columns = make([]view.Column, n)
		return t
	}
	facts := make(view.Facts, 500)
	for i := range facts {
		facts[i] = view.Fact{Name: long, Value: long}
	}
	for name, p := range map[string]view.Page{
		"title":                     {Title: long},
		"lead":                      {Lead: long},
		"note":                      {Note: long},
		"facts":                     {Parts: []view.Part{facts, facts}},
		"cells":                     {Parts: []view.Part{view.Table{Columns: []view.Column{{Title: long}}, Rows: [][]view.Cell{{view.TextCell(long)}}, Caption: long}}},
		"columns":                   {Parts: []view.Part{wide(20)}},
		"too many columns":          {Parts: []view.Part{wide(21)}},
		"buttons":                   {Actions: many(100)},
		"button label":              {Actions: []view.Action{{Label: long, Command: "x"}}},
		"button value":              {Actions: []view.Action{{Label: "x", Command: long}}},
		"button address":            {Actions: []view.Action{{Label: "x", URL: "https://x/" + long}}},
		"everything":                {Title: long, Lead: long, Note: long, Parts: []view.Part{facts, kbPage(500).Parts[0], kbPage(500).Parts[0]}, Actions: many(30), AsOf: asOf},
		"two tables":                {Parts: []view.Part{kbPage(500).Parts[0], kbPage(500).Parts[0]}},
		"many tables":               {Parts: slicesRepeat(view.Part(wide(3)), 80)},
		"not UTF-8":                 {Title: "\xff\xfe", Lead: "\xff", Note: "\xff"},
		"blanks":                    {Title: " ", Lead: " ", Note: " ", Actions: []view.Action{{Label: " ", Command: " "}}},
		"number beyond its column":  {Parts: []view.Part{view.Table{Columns: []view.Column{{Title: "n", Kind: view.Number}}, Rows: [][]view.Cell{{view.NumberCell(1 << 60)}}}}},
		"code":                      {Lead: long, Note: long, Parts: []view.Part{view.Code{Text: strings.Repeat("<!channel> *b*\n", 2000)}, facts}, Actions: many(25)},
		"line of code":              {Parts: []view.Part{view.Code{Text: long}, view.Code{}}},
		"button without its action": {Parts: []view.Part{view.Table{Columns: []view.Column{{Title: "b", Kind: view.Button}}, Rows: [][]view.Cell{{{}}}}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, tables := range rungs() {
				check(t, blocks.Render(p, blocks.Options{Form: blocks.Form{Tables: tables}}))
			}
		})
	}
}

func slicesRepeat[T any](v T, n int) []T {
	s := make([]T, n)
	for i := range s {
		s[i] = v
	}
	return s
}

func TestWhatIsLeftOutIsCounted(t *testing.T) {
	t.Parallel()
	m := blocks.Render(kbPage(1234), blocks.Options{})
	raw, _ := json.Marshal(m.Blocks)
	for _, want := range []string{"Rows 1 to 100 of 1,234.", "Next page (1,134 more)"} {
		if !strings.Contains(string(raw), want) {
			t.Errorf("the page does not say %q", want)
		}
	}
	if !strings.Contains(m.Text, "more lines not read out here") {
		t.Errorf("the fallback text does not count what it leaves out: …%s", m.Text[len(m.Text)-200:])
	}
}

// Text to be copied is drawn as it is, in pieces that Slack takes, and lines that do not fit are counted.
func TestCode(t *testing.T) {
	t.Parallel()
	text := strings.Repeat("KB5074202 <!channel> *b*\n  https://x\n\n", 120)
	for copies, rest := range map[int]string{1: "", 4: "more lines not shown."} {
		m := blocks.Render(view.Page{Title: "As text", Parts: []view.Part{view.Code{Text: strings.Repeat(text, copies)}}}, blocks.Options{})
		check(t, m)
		code := m.Blocks[1].(*slack.RichTextBlock).Elements[0].(*slack.RichTextPreformatted)
		var got strings.Builder
		for _, e := range code.Elements {
			got.WriteString(e.(*slack.RichTextSectionTextElement).Text)
		}
		if whole := got.String() == text; whole != (copies == 1) || !strings.HasPrefix(strings.Repeat(text, copies), got.String()) {
			t.Errorf("%d copies: drew %d characters of %d", copies, got.Len(), len(text)*copies)
		}
		raw, err := json.Marshal(m.Blocks)
		if err != nil || rest != "" && !strings.Contains(string(raw), rest) {
			t.Errorf("%d copies: no %q, %v", copies, rest, err)
		}
		if !strings.Contains(m.Text, "KB5074202 &lt;!channel&gt; *b*") {
			t.Errorf("text %q", m.Text)
		}
	}
}

func TestActionIDs(t *testing.T) {
	t.Parallel()
	for id, want := range map[string]blocks.ActionKind{"open:1": blocks.Open, "run:22": blocks.Run, "replace:3": blocks.Replace, "share:4": blocks.Share, "csv:5": blocks.CSV, "xlsx:6": blocks.XLSX, "text:7": blocks.Text} {
		if got, ok := blocks.ParseActionID(id); got != want || !ok {
			t.Errorf("%s: got %q, %v", id, got, ok)
		}
	}
	for _, id := range []string{"", "x:1", "openly"} {
		if _, ok := blocks.ParseActionID(id); ok {
			t.Errorf("%q is taken for one of ours", id)
		}
	}
}

// No page whatever renders beyond the limits.
func FuzzRender(f *testing.F) {
	f.Add("title", "lead", "cell", 3, 2, 1, 0, false)
	f.Add("<!channel>", strings.Repeat("ä", 5000), "\xff", 300, 7, 2, 7, true)
	f.Add("", "", strings.Repeat("🎈", 400), 90, 25, 0, 2, true)
	f.Add("a", "", strings.Repeat("x", 2000), 400, 20, 3, 4, true)
	f.Add("title", "lead", "cell", 3, 2, 1, 35, true)
	f.Fuzz(func(t *testing.T, title, lead, cell string, rows, columns, page, way int, links bool) {
		rows, columns = bound(rows, 0, 400), bound(columns, 1, 30)
		table := view.Table{Caption: title, Page: page, Command: cell, Columns: make([]view.Column, columns)}
		for i := range table.Columns {
			table.Columns[i] = view.Column{Title: lead, Kind: view.Kind(i % 3)}
		}
		for i := range rows {
			row := make([]view.Cell, columns)
			for j := range row {
				row[j] = view.Cell{Text: cell, Number: i, Action: &view.Action{Label: cell, URL: title, Command: lead}}
				if links {
					row[j].Action = &view.Action{Label: lead, URL: "https://example.com/" + url.PathEscape(cell)}
				}
			}
			table.Rows = append(table.Rows, row)
		}
		p := view.Page{
			Title: title, Lead: lead, Note: cell, AsOf: asOf,
			Parts:   []view.Part{view.Facts{{Name: title, Value: cell}}, table, view.Facts{{Name: cell, Value: lead}}},
			Actions: []view.Action{{Label: title, Command: cell}, {Label: cell, URL: "https://" + lead}},
		}
		check(t, blocks.Render(p, blocks.Options{Form: forms()[bound(way, 0, len(forms())-1)], SharedBy: title}))
	})
}

func bound(n, low, high int) int { return low + max(n, -n-1)%(high-low+1) }

func BenchmarkRender(b *testing.B) {
	for _, n := range []int{10, 1000, 10000} {
		page := kbPage(n)
		b.Run(strconv.Itoa(n), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				m := blocks.Render(page, blocks.Options{})
				if _, err := json.Marshal(m.Blocks); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
