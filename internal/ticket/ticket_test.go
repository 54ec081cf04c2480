package ticket_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/missingkbs/missingkbs/internal/ticket"
	"github.com/missingkbs/missingkbs/internal/view"
)

// updates is a page of n missing updates.
func updates(n int) view.Page {
	address := func(i int) *view.Action {
		return &view.Action{Label: "Catalog", URL: fmt.Sprint("https://www.catalog.update.microsoft.com/Search.aspx?q=KB", 5000000+i)}
	}
	return view.Page{
		Title: "Missing updates: Windows 11", Lead: "1 is exploited.", Software: "microsoft-_-windows_11",
		AsOf: view.AsOf{Time: time.Date(2026, 11, 29, 9, 30, 0, 0, time.UTC)},
		Actions: []view.Action{
			{Label: "Refresh", Command: "microsoft-_-windows_11 --fresh"},
			{Label: "Support article", URL: "https://support.microsoft.com/help/5000000"},
		},
		Parts: []view.Part{view.Table{
			Caption: "Missing updates",
			Columns: []view.Column{
				{Key: "kb", Title: "KB"},
				{Key: "devices", Title: "Devices", Kind: view.Number},
				{Key: "cves", Title: "CVEs", Kind: view.Number},
				{Key: "name", Title: "Update"},
				{Key: "url", Title: "Catalog", Kind: view.Button},
				{Key: "details", Title: "Details", Kind: view.Button},
				{Key: "exploited", Title: "Exploited"},
				{Key: "software", Title: "Software", Hidden: true},
			},
			Page: 2,
			More: view.LazyRows{Count: n, Make: func(i int) []view.Cell {
				return []view.Cell{
					view.TextCell(fmt.Sprint("KB", 5000000+i)), view.NumberCell(1240 - i), view.NumberCell(i), view.TextCell("November 2026\x1b[2J Updates"),
					{Text: "Catalog", Action: address(i)},
					{Action: &view.Action{Label: "Details", Command: "kb 1"}},
					view.TextCell(map[bool]string{true: "KEV, due 9 Dec"}[i == 0]), view.TextCell("hidden"),
				}
			}},
		}},
	}
}

func textOf(t *testing.T, p view.Page) string {
	t.Helper()
	if len(p.Parts) != 1 {
		t.Fatalf("parts %+v", p.Parts)
	}
	return p.Parts[0].(view.Code).Text
}

func TestUpdates(t *testing.T) {
	t.Parallel()
	got := ticket.Page(updates(2), "microsoft-_-windows_11")
	want := `Missing updates: Windows 11
1 is exploited. As of 2026-11-29 09:30 UTC.
Software id: microsoft-_-windows_11
Support article: https://support.microsoft.com/help/5000000

KB5000000 November 2026 [2J Updates
  1,240 devices; 0 CVEs; exploited: KEV, due 9 Dec
  https://www.catalog.update.microsoft.com/Search.aspx?q=KB5000000

KB5000001 November 2026 [2J Updates
  1,239 devices; 1 CVE
  https://www.catalog.update.microsoft.com/Search.aspx?q=KB5000001`
	if diff := cmp.Diff(want, textOf(t, got)); diff != "" {
		t.Errorf("text (-want +got):\n%s", diff)
	}
	if got.Title != "As text: Missing updates: Windows 11" || got.Lead != "Copy this into a ticket." {
		t.Errorf("title %q, lead %q", got.Title, got.Lead)
	}
	if diff := cmp.Diff(view.Files("microsoft-_-windows_11"), got.Actions); diff != "" {
		t.Errorf("actions (-want +got):\n%s", diff)
	}
}

// What a list has beside updates is named, and a list of updates without addresses gets those of the catalog.
func TestOtherParts(t *testing.T) {
	t.Parallel()
	p := view.Page{
		Title: "web-01",
		Parts: []view.Part{
			view.Facts{{Name: "System", Value: "Windows11"}},
			view.List{Name: "New", Items: []string{"a"}, More: 3},
			view.List{Name: "Nothing"},
			view.Table{Caption: "Empty", Columns: []view.Column{{Key: "kb", Title: "KB"}}},
			view.Table{Caption: "Steps", Columns: []view.Column{{Key: "kb", Title: "KB"}}, Rows: [][]view.Cell{{view.TextCell("KB5074202")}, {view.TextCell("RHSA-2024:9315")}}},
			view.Table{
				Caption: "Software that lacks it", Columns: []view.Column{{Key: "name", Title: "Software"}, {Key: "devices", Title: "Devices", Kind: view.Number}, {Key: "os_build", Title: "OS build"}},
				Rows: [][]view.Cell{{view.TextCell("Windows 11"), view.NumberCell(1), view.TextCell("22631")}},
			},
			view.Table{Caption: "CVEs", Columns: []view.Column{{Key: "cve", Title: "CVE"}}, Rows: [][]view.Cell{{view.TextCell("CVE-2026-1")}}},
		},
	}
	want := `web-01

System: Windows11

New:
- a
- 3 more

KB5074202
  https://www.catalog.update.microsoft.com/Search.aspx?q=KB5074202

RHSA-2024:9315

Software that lacks it:
- Windows 11: 1 device; OS build: 22631

CVEs:
- CVE-2026-1`
	if diff := cmp.Diff(want, textOf(t, ticket.Page(p, "machine web-01"))); diff != "" {
		t.Errorf("text (-want +got):\n%s", diff)
	}
}

// A long list keeps within its bound, has whole updates only, and counts the others.
func TestLongList(t *testing.T) {
	t.Parallel()
	p := updates(5000)
	got := ticket.Page(p, "microsoft-_-windows_11")
	text := textOf(t, got)
	n := strings.Count(text, "\nKB")
	if len(text) > ticket.MaxBytes || n < 40 || strings.Count(text, "https://www.catalog") != n {
		t.Errorf("%d bytes, %d updates", len(text), n)
	}
	if want := fmt.Sprintf("(%s more rows not in this text)", view.Thousands(5000-n)); !strings.HasSuffix(text, want) {
		t.Errorf("no %q in …%s", want, text[len(text)-100:])
	}
	if want := fmt.Sprintf("It has %d of 5,000 rows: the CSV file has all.", n); !strings.Contains(got.Lead, want) {
		t.Errorf("lead %q, want %q", got.Lead, want)
	}
}
