package e2e

import (
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/chromedp/chromedp/kb"
	"github.com/google/go-cmp/cmp"
)

func askWithTheKeyboard(p *tab) {
	p.tabTo(hook("composer"))
	p.press("/mi")
	offers := read[[]string](p, "the command to be offered", offered, "/missingkbs")
	if len(offers) != 1 {
		p.t.Errorf("offered %q, want the one command", offers)
	}
	p.press(kb.Enter) // takes the offer, sends nothing
	p.see("the usage", `(s) => document.querySelector(s)?.innerText.includes("<software-id>")`, hook("usage"))
	p.press("wind")
	read[[]string](p, "words to be offered", offered, "microsoft-_-windows_11")
	p.press(kb.Escape)
	p.see("the offers to close", `(s) => !document.querySelector(s)`, hook("completions"))
	p.press(strings.Repeat(kb.Backspace, len("wind")) + "microsoft-_-e")
	read[[]string](p, "the software to be offered", offered, "microsoft-_-edge")
	p.press(kb.Tab)
	p.see("the whole line", `(s) => document.querySelector(s).value === "/missingkbs microsoft-_-edge"`, hook("composer"))
	p.press(kb.Enter)

	m := p.answer("Missing updates: Edge")
	if !m.Only {
		p.t.Error("the answer is not marked as visible to Alice alone")
	}
	got := p.table(m)
	want := table{
		Caption: got.Caption,
		Head:    []string{"KB", "Devices", "CVEs", "Update", "Catalog", "Details", "Exploited", "Severity (MSRC)", "Deadline"},
		Sorted:  []string{"none", "none", "none", "none", "", "", "none", "none", "none"},
		Rows:    [][]string{{"KB4540673", "240", "14", "March 2020 Security Updates", "Catalog", "Details", "unknown", "unknown", "overdue by 2368+ days"}},
		Range:   "1–1 of 1",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		p.t.Errorf("the table (-want +got):\n%s", diff)
	}
	checkCatalogLink(p)

	p.press(kb.ArrowUp)
	p.see("the line to come back", `(s) => document.querySelector(s).value === "/missingkbs microsoft-_-edge"`, hook("composer"))
}

// offered gives the completions once one begins with a text.
const offered = `(text) => {
	const all = [...document.querySelectorAll("[data-testid=completion]")].map((e) => e.innerText);
	return all.some((o) => o.startsWith(text)) && all;
}`

// checkCatalogLink reads where the catalog button leads; nobody goes there.
func checkCatalogLink(p *tab) {
	p.t.Helper()
	type link struct {
		Tag, Href, Target string
		Rel               []string
	}
	got := read[link](p, "the catalog button", `() => {
		const a = document.querySelector("[data-testid=row] [data-testid=button]");
		return a && { Tag: a.tagName, Href: a.getAttribute("href"), Target: a.target, Rel: [...a.relList] };
	}`)
	want := link{"A", "https://catalog.update.microsoft.com/v7/site/Search.aspx?q=KB4540673", "_blank", []string{"noopener", "noreferrer"}}
	if diff := cmp.Diff(want, got); diff != "" {
		p.t.Errorf("the link (-want +got):\n%s", diff)
	}
}

func sortTable(p *tab) {
	p.ask("microsoft-_-windows_10 --all") // without it, older updates fold into two
	m := p.answer("Missing updates: Windows 10")
	first := p.table(m)
	exploited, others := first.perKB(p.t)
	if len(first.Rows) < 5 || len(exploited) < 2 || len(others) < 2 || !slices.IsSortedFunc(exploited, down) || !slices.IsSortedFunc(others, down) {
		p.t.Errorf("first the exploited KBs are overdue by %v days, the others by %v, want the most first: %q", exploited, others, first.Rows)
	}
	p.clickOn(hook("sort"), "Devices")
	if devices := numbers(p.t, p.sorted(m, "Devices", "ascending").column("Devices")); !slices.IsSorted(devices) {
		p.t.Errorf("after a click the devices are %v", devices)
	}
	p.clickOn(hook("sort"), "Devices")
	if devices := numbers(p.t, p.sorted(m, "Devices", "descending").column("Devices")); !slices.IsSortedFunc(devices, down) {
		p.t.Errorf("after another click the devices are %v", devices)
	}

	p.tabTo(hook("sort")+":not(.sorted)", kb.ModifierShift)
	heading := read[string](p, "the heading", `() => document.activeElement.textContent.replace(/[^\w ]/g, "").trim()`)
	p.press(kb.Enter)
	byKey := p.sorted(m, heading, "ascending").column(heading)
	if !slices.IsSorted(byKey) {
		p.t.Errorf("after Enter on %s its cells are %q", heading, byKey)
	}
	p.press(" ")
	byKey = p.sorted(m, heading, "descending").column(heading)
	slices.Reverse(byKey)
	if !slices.IsSorted(byKey) {
		p.t.Errorf("after Space on %s its cells are, backwards, %q", heading, byKey)
	}
	p.press(kb.Enter)
	p.see("the first order", `() => !document.querySelector("th[aria-sort=ascending], th[aria-sort=descending]")`)
	if diff := cmp.Diff(first, p.table(m)); diff != "" {
		p.t.Errorf("the first order did not come back (-want +got):\n%s", diff)
	}
}

// perKB returns by how many days each KB is overdue; its rows stand together. First those of KBs that are exploited, then the
// others.
func (got table) perKB(t *testing.T) (exploited, others []int) {
	t.Helper()
	kbs, states := got.column("KB"), got.column("Exploited")
	seen := map[string]bool{}
	for i, words := range got.column("Deadline") {
		if i > 0 && kbs[i] == kbs[i-1] {
			continue
		}
		if seen[kbs[i]] {
			t.Errorf("the rows of %s do not stand together", kbs[i])
		}
		seen[kbs[i]] = true
		days := strings.TrimSuffix(strings.TrimSuffix(strings.TrimPrefix(words, "overdue by "), "s"), " day")
		late := numbers(t, []string{days})[0]
		if states[i] == "no" || states[i] == "unknown" {
			others = append(others, late)
			continue
		}
		exploited = append(exploited, late)
		if len(others) > 0 {
			t.Errorf("%s is exploited and comes after what is not", kbs[i])
		}
	}
	return exploited, others
}

// sorted waits until a table is sorted by one column alone, as the page tells screen readers, and reads it.
func (p *tab) sorted(m message, head, direction string) table {
	p.t.Helper()
	p.see(head+" to be "+direction, `(ts, head, direction) => {
		const sorted = [...document.querySelectorAll("[data-ts='" + ts + "'] th")].filter((h) => h.ariaSort && h.ariaSort !== "none");
		return sorted.length === 1 && sorted[0].ariaSort === direction && sorted[0].innerText.startsWith(head);
	}`, m.TS, head, direction)
	return p.table(m)
}

func down(a, b int) int { return b - a }

func numbers(t *testing.T, cells []string) []int {
	t.Helper()
	out := make([]int, len(cells))
	for i, c := range cells {
		n, err := strconv.Atoi(strings.ReplaceAll(c, ",", ""))
		if err != nil {
			t.Fatalf("%q is no number", c)
		}
		out[i] = n
	}
	return out
}

func pageTable(p *tab) {
	p.ask("search")
	m := p.answer("All software")
	first := p.table(m)
	total, ok := strings.CutPrefix(first.Range, "1–10 of ")
	if !ok || len(first.Rows) != 10 {
		p.t.Fatalf("the first page has %d rows and says %q", len(first.Rows), first.Range)
	}
	p.click("table-next", "")
	p.rangeIs("11–20 of " + total)
	second := p.table(m)
	if len(second.Rows) != 10 || second.Rows[0][0] == first.Rows[0][0] {
		p.t.Errorf("the second page has %d rows and begins with %q", len(second.Rows), second.Rows[0])
	}
	p.click("table-prev", "")
	p.rangeIs(first.Range)
	if diff := cmp.Diff(first, p.table(m)); diff != "" {
		p.t.Errorf("the first page did not come back (-want +got):\n%s", diff)
	}

	p.click("table-filter", "")
	p.press("adobe acrobat")
	p.see("the filter to work", `(s, total) => document.querySelector(s).innerText.endsWith("(filtered from " + total + ")")`, hook("table-range"), total)
	for _, row := range p.table(m).Rows {
		if !strings.Contains(row[0], "Acrobat") {
			p.t.Errorf("the filter lets %q through", row)
		}
	}
}

func (p *tab) rangeIs(want string) {
	p.t.Helper()
	p.see("rows "+want, `(s, want) => document.querySelector(s)?.innerText === want`, hook("table-range"), want)
}

// Where the workspace takes no tables, the bot pages by its own buttons, each of which replaces the message.
func pageClassic(p *tab) {
	p.fault("slack_refuse_new_blocks", true)
	p.ask("search")
	const title = "All software"
	m := p.answer(title)
	if strings.Contains(m.Text, "unsupported") || !strings.Contains(m.Text, "Rows 1 to 20 of ") {
		p.t.Errorf("the first page says %q", m.Text)
	}
	p.click("button", "Next page")
	p.see("the second page", hasText, m.TS, "Rows 21 to 40 of ")
	p.click("button", "Previous page")
	p.see("the first page again", hasText, m.TS, "Rows 1 to 20 of ")
	if again := p.answer(title); again.TS != m.TS {
		p.t.Errorf("the page came as message %s, want it in place of %s", again.TS, m.TS)
	}
}

const hasText = `(ts, text) => document.querySelector("[data-testid=message][data-ts='" + ts + "']")?.innerText.includes(text)`

func searchAndChoose(p *tab) {
	p.ask("chorme")
	if m := p.answer("Missing updates: Chrome"); !strings.Contains(m.Text, `Nothing matches "chorme" exactly`) {
		p.t.Errorf("the answer hides that it guessed: %q", m.Text)
	}
	p.ask("search chorme")
	found := p.table(p.answer(`Software matching "chorme"`))
	if diff := cmp.Diff([]string{"Chrome"}, found.column("Software")); diff != "" {
		p.t.Errorf("found (-want +got):\n%s", diff)
	}
	p.ask("search edge")
	choice := p.table(p.answer(`Software matching "edge"`))
	if diff := cmp.Diff([]string{"Edge", "Edge (Chromium)"}, choice.column("Software")); diff != "" {
		p.t.Errorf("found (-want +got):\n%s", diff)
	}
	p.click("button", "Show") // the last one
	p.answer("Missing updates: Edge (Chromium)")
}
