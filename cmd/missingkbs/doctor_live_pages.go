package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/missingkbs/missingkbs/bot"
	"github.com/missingkbs/missingkbs/bot/blocks"
	"github.com/missingkbs/missingkbs/internal/view"
)

// specimen is a message that the bot can send.
type specimen struct {
	name, what string
	user       bool           // it is for one person
	needs      blocks.Feature // not sent where this was refused before; empty for none
	form       blocks.Form
	page       view.Page
	as         func(context.Context, *liveTrial, specimen) bot.TrialResult // nil: a message in the channel
}

func (s specimen) send(ctx context.Context, l *liveTrial) bot.TrialResult {
	if s.as == nil {
		return l.trial.Post(ctx, s.page, s.form, "", "")
	}
	return s.as(ctx, l, s)
}

// tableKinds are the ways to draw tables, in words.
func tableKinds() []string {
	return []string{
		blocks.ButtonTables:  "a data_table with a button in each row",
		blocks.LinkTables:    "a data_table with a link in each row",
		blocks.PlainTables:   "a table with a link in each row",
		blocks.SectionTables: "a section with a button for each row",
	}
}

// specimens are all kinds of messages, so that each newer block is met alone before it comes with others. Those at the
// end are drawn as richly as the workspace took tables before.
func (l *liveTrial) specimens() []specimen {
	var all []specimen
	for i, name := range []string{"live-table-buttons", "live-table-links", "live-table-plain", "live-table-sections"} {
		all = append(all, specimen{name: name, what: tableKinds()[i], form: blocks.Form{Tables: blocks.Tables(i)}, page: l.page("a table", sampleTable(3))})
	}
	chart := view.Chart{Title: "Devices", Unit: "devices", Points: []string{"W46", "W47", "W48"}, Series: []view.Series{{Name: "Missing", Values: []int{1234, 17, 0}}}}
	classic := blocks.Classic()
	return append(all,
		specimen{name: "live-chart", what: "a chart (data_visualization)", form: blocks.Form{Tables: blocks.SectionTables}, page: l.page("a chart", chart)},
		specimen{name: "live-chart-text", what: "a chart as text", form: classic, page: l.page("a chart as text", chart)},
		specimen{name: "live-page", what: "a heading, facts, a list, dates and buttons", form: classic, page: l.wordyPage()},
		specimen{name: "live-text", what: "text without blocks", form: blocks.Form{Tables: blocks.SectionTables, TextCharts: true, TextOnly: true}, page: l.page("text alone", sampleTable(3))},
		specimen{name: "live-large-sections", what: "as many sections as the bot sends", form: classic, page: l.page("many sections", sampleTable(120))},
		specimen{name: "live-large-plain", needs: blocks.Table, what: "as large a table block as the bot sends", form: blocks.Form{Tables: blocks.PlainTables, TextCharts: true}, page: l.page("a large plain table", sampleTable(120))},
		specimen{name: "live-large-table", what: "as large a table as the bot sends", form: classic, page: l.page("a large table", sampleTable(120)), as: inBestForm},
		specimen{name: "live-thread", what: "a reply in a thread", form: classic, page: l.page("a reply", sampleTable(3)), as: inThread},
		specimen{name: "live-direct", what: "a direct message", form: classic, user: true, page: l.page("a direct message", sampleTable(3)), as: direct},
		specimen{name: "live-ephemeral", what: "an ephemeral message", form: classic, user: true, page: l.page("an ephemeral message", sampleTable(3)), as: ephemeral},
	)
}

func inBestForm(ctx context.Context, l *liveTrial, s specimen) bot.TrialResult {
	return l.trial.Post(ctx, s.page, l.best, "", "")
}

func inThread(ctx context.Context, l *liveTrial, s specimen) bot.TrialResult {
	if l.head == "" { // nothing was taken that could be replied to
		return l.trial.Post(ctx, s.page, s.form, "", "")
	}
	return l.trial.Post(ctx, s.page, l.best, l.head, "")
}

func direct(ctx context.Context, l *liveTrial, s specimen) bot.TrialResult {
	return l.trial.Direct(ctx, s.page, l.best)
}

func ephemeral(ctx context.Context, l *liveTrial, s specimen) bot.TrialResult {
	return l.trial.Ephemeral(ctx, s.page, l.best)
}

// title is what the titles of all messages begin with.
func (l *liveTrial) title() string { return "missingkbs test " + l.mark }

// page is an invented page.
func (l *liveTrial) page(what string, parts ...view.Part) view.Page {
	return view.Page{
		Title: l.title() + ": " + what, Lead: "An invented message, deleted again in a moment.",
		Parts: parts, Actions: []view.Action{{Label: "Help", Command: "help"}},
	}
}

// wordyPage has everything that pages hold beside tables and charts.
func (l *liveTrial) wordyPage() view.Page {
	now := l.e.now()
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

// sampleTable is a table of invented updates, with numbers of every length.
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
