package doctor

import (
	"context"
	"fmt"
	"strings"

	"github.com/missingkbs/missingkbs/bot/blocks"
	"github.com/missingkbs/missingkbs/internal/view"
)

// liveMessage is a message that the bot can send.
type liveMessage struct {
	name, what string
	forUser    bool           // it is for one person
	needs      blocks.Feature // if Slack refused this before, the message is not sent; empty for none
	form       blocks.Form
	page       view.Page
	post       func(context.Context, *liveRun, liveMessage) callResult // nil posts into the channel
}

func (m liveMessage) send(ctx context.Context, l *liveRun) callResult {
	if m.post == nil {
		return l.poster.post(ctx, m.page, m.form, "", "")
	}
	return m.post(ctx, l, m)
}

// tableKinds returns the ways to draw tables, in words.
func tableKinds() []string {
	return []string{
		blocks.ButtonTables:  "a data_table with a button in each row",
		blocks.LinkTables:    "a data_table with a link in each row",
		blocks.PlainTables:   "a table with a link in each row",
		blocks.SectionTables: "a section with a button for each row",
	}
}

// messages returns all kinds of messages. Each newer block comes alone first, then with others. The last ones use the richest
// form of tables that the workspace took.
func (l *liveRun) messages() []liveMessage {
	var all []liveMessage
	for i, name := range []string{"live-table-buttons", "live-table-links", "live-table-plain", "live-table-sections"} {
		all = append(all, liveMessage{name: name, what: tableKinds()[i], form: blocks.Form{Tables: blocks.Tables(i)}, page: l.page("a table", sampleTable(3))})
	}
	chart := view.Chart{Title: "Devices", Unit: "devices", Points: []string{"W46", "W47", "W48"}, Series: []view.Series{{Name: "Missing", Values: []int{1234, 17, 0}}}}
	classic := blocks.Classic()
	return append(all,
		liveMessage{name: "live-chart", what: "a chart (data_visualization)", form: blocks.Form{Tables: blocks.SectionTables}, page: l.page("a chart", chart)},
		liveMessage{name: "live-chart-text", what: "a chart as text", form: classic, page: l.page("a chart as text", chart)},
		liveMessage{name: "live-page", what: "a heading, facts, a list, dates and buttons", form: classic, page: l.wordyPage()},
		liveMessage{name: "live-text", what: "text without blocks", form: blocks.Form{Tables: blocks.SectionTables, TextCharts: true, TextOnly: true}, page: l.page("text alone", sampleTable(3))},
		liveMessage{name: "live-large-sections", what: "as many sections as the bot sends", form: classic, page: l.page("many sections", sampleTable(120))},
		liveMessage{name: "live-large-plain", needs: blocks.Table, what: "as large a table block as the bot sends", form: blocks.Form{Tables: blocks.PlainTables, TextCharts: true}, page: l.page("a large plain table", sampleTable(120))},
		liveMessage{name: "live-large-table", what: "as large a table as the bot sends", form: classic, page: l.page("a large table", sampleTable(120)), post: inRichestForm},
		liveMessage{name: "live-thread", what: "a reply in a thread", form: classic, page: l.page("a reply", sampleTable(3)), post: inThread},
		liveMessage{name: "live-direct", what: "a direct message", form: classic, forUser: true, page: l.page("a direct message", sampleTable(3)), post: direct},
		liveMessage{name: "live-ephemeral", what: "an ephemeral message", form: classic, forUser: true, page: l.page("an ephemeral message", sampleTable(3)), post: ephemeral},
	)
}

func inRichestForm(ctx context.Context, l *liveRun, m liveMessage) callResult {
	return l.poster.post(ctx, m.page, l.richest, "", "")
}

func inThread(ctx context.Context, l *liveRun, m liveMessage) callResult {
	if l.first == "" { // Slack took no message to reply to
		return l.poster.post(ctx, m.page, m.form, "", "")
	}
	return l.poster.post(ctx, m.page, l.richest, l.first, "")
}

func direct(ctx context.Context, l *liveRun, m liveMessage) callResult {
	return l.poster.direct(ctx, m.page, l.richest)
}

func ephemeral(ctx context.Context, l *liveRun, m liveMessage) callResult {
	return l.poster.ephemeral(ctx, m.page, l.richest)
}

// title returns what the titles of all messages begin with.
func (l *liveRun) title() string { return "missingkbs test " + l.mark }

// page returns an invented page.
func (l *liveRun) page(what string, parts ...view.Part) view.Page {
	return view.Page{
		Title: l.title() + ": " + what, Lead: "An invented message, deleted again in a moment.",
		Parts: parts, Actions: []view.Action{{Label: "Help", Command: "help"}},
	}
}

// wordyPage returns a page with every part except tables and charts.
func (l *liveRun) wordyPage() view.Page {
	now := l.checker.now()
	p := l.page("words", view.Facts{{Name: "Vendor", Value: "contoso"}, {Name: "Devices", Value: "1,234"}}, view.List{Name: "Changed", Items: []string{"KB5000001 is new <&>"}, More: 2})
	p.Context = "Since yesterday."
	p.AsOf = view.AsOf{Time: now, Stale: view.Unreachable, Again: now}
	p.Actions = []view.Action{
		{Label: "Refresh", Command: "contoso-_-app --refresh", Effect: view.Replace},
		{Label: "Share", Command: "contoso-_-app", Effect: view.Share},
		{Label: "Catalog", URL: catalogSample},
	}
	return p
}

const catalogSample = "https://catalog.update.microsoft.com/v7/site/Search.aspx?q=KB5000001"

// sampleTable returns a table of invented updates, with numbers of different lengths.
func sampleTable(rows int) view.Table {
	catalog := view.Action{Label: "Catalog", URL: catalogSample}
	t := view.Table{Caption: "Missing updates", Columns: []view.Column{
		{Key: "kb", Title: "KB"}, {Key: "name", Title: "Update"}, {Key: "devices", Title: "Devices", Kind: view.Number}, {Key: "catalog", Title: "Catalog", Kind: view.Button},
	}}
	for i := range rows {
		t.Rows = append(t.Rows, []view.Cell{
			view.TextCell(fmt.Sprintf("KB%d", 5000001+i)), view.TextCell("Invented cumulative update " + strings.Repeat("of many words ", i%8)),
			view.NumberCell([]int{1234567, 240, 0}[i%3]),
			{Text: "–", Action: &catalog},
		})
	}
	return t
}
