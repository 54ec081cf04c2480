package riskcmd

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/missingkbs/missingkbs/commands"
	"github.com/missingkbs/missingkbs/commands/cmdline"
	"github.com/missingkbs/missingkbs/internal/catalog"
	"github.com/missingkbs/missingkbs/internal/risk"
	"github.com/missingkbs/missingkbs/internal/view"
)

// list shows accepted risks: open requests first, ended ones last. Replaced ones are left out, because their successor
// is listed.
func (c command) list(ctx context.Context, req commands.Request) (view.Page, error) {
	page := 0
	o := cmdline.NewOptions(listUsage, Name, listWord)
	o.Var(cmdline.Number(&page, 1), "page", "")
	words, err := o.ReadWords(req.Words)
	if err == nil {
		err = commands.RejectWords(o.UsageLine, words, help()...)
	}
	if err != nil {
		return view.Page{}, err
	}
	all, err := c.register.Open(ctx)
	if err != nil {
		return view.Page{}, err
	}
	all = slices.DeleteFunc(all, func(a risk.Acceptance) bool { return a.End == risk.ByReplaced })
	slices.SortStableFunc(all, func(a, b risk.Acceptance) int {
		return cmp.Or(order(a.State)-order(b.State), a.Until.Compare(b.Until))
	})
	if len(all) == 0 && req.Terminal {
		return view.Page{Title: "No accepted risks", Lead: "Every missing update counts. Accept one in Slack, for example: /missingkbs accept KB5074202"}, nil
	}
	if len(all) == 0 {
		return view.Page{
			Title:   "No accepted risks",
			Lead:    fmt.Sprintf(`Every missing update counts. Accept one with, for example: accept KB5074202 --until %s --reason "why"`, c.Now().UTC().AddDate(0, 0, 30).Format("2006-01-02")),
			Actions: []view.Action{{Label: "Help", Command: cmdline.Join(commands.HelpName, Name)}},
		}, nil
	}
	t := table(all)
	t.Page = page
	return view.Page{Title: "Accepted risks", Lead: countWords(all), Parts: []view.Part{t}, Actions: view.Files(cmdline.Join(Name, listWord))}, nil
}

// order sorts what waits for a decision first and what has ended last.
func order(s risk.State) int {
	return slices.Index([]risk.State{risk.Requested, risk.Accepted, risk.Ended}, s)
}

// countWords counts acceptances by state.
func countWords(all []risk.Acceptance) string {
	n := map[risk.State]int{}
	for _, a := range all {
		n[a.State]++
	}
	words := fmt.Sprintf("%s accepted.", view.Count(n[risk.Accepted], "update"))
	if n[risk.Requested] > 0 {
		words += fmt.Sprintf(" %s for a second person.", waits(n[risk.Requested]))
	}
	if n[risk.Ended] > 0 {
		words += fmt.Sprintf(" %s ended within the last weeks.", view.Thousands(n[risk.Ended]))
	}
	return words
}

func waits(n int) string {
	if n == 1 {
		return "1 waits"
	}
	return view.Thousands(n) + " wait"
}

// table lists acceptances with a button for each. The number is hidden in Slack but not in files.
func table(all []risk.Acceptance) view.Table {
	t := view.Table{
		Caption: "Accepted risks",
		Columns: []view.Column{
			{Key: "kb", Title: "KB"},
			{Key: "software", Title: "Software"},
			{Key: "state", Title: "State"},
			{Key: "until", Title: "Until"},
			{Key: "devices", Title: "Devices then", Kind: view.Number},
			{Key: "show", Title: "Show", Kind: view.Button},
			{Key: "reason", Title: "Reason"},
			{Key: "by", Title: "By"},
			{Key: "number", Title: "Number", Hidden: true},
		},
		Command: cmdline.Join(Name, listWord),
	}
	for _, a := range all {
		t.Rows = append(t.Rows, []view.Cell{
			view.TextCell(catalog.Label(a.KB)), view.TextCell(cmp.Or(a.Software, "all")), view.TextCell(stateWords(a)), view.TextCell(a.LastDay()),
			view.NumberCell(a.Devices()),
			{Text: a.ID, Action: &view.Action{Label: "Show", Command: line(showWord, a)}},
			view.TextCell(a.Reason), view.TextCell(people(a)), view.TextCell(a.ID),
		})
	}
	return t
}

// stateWords describes the state of an acceptance.
func stateWords(a risk.Acceptance) string {
	switch a.State {
	case risk.Requested:
		return "waits for a second person"
	case risk.Ended:
		return "ended " + a.Ended.UTC().Format("2 Jan") + ": " + a.Why()
	}
	return "accepted"
}

func people(a risk.Acceptance) string {
	if a.Approver == "" {
		return a.By
	}
	return a.By + ", approved by " + a.Approver
}

func (c command) show(ctx context.Context, req commands.Request) (view.Page, error) {
	a, err := c.find(ctx, req.Words, showUsage)
	if err != nil {
		return view.Page{}, err
	}
	return c.page(a), nil
}

// page shows one acceptance with the buttons to decide on it.
func (c command) page(a risk.Acceptance) view.Page {
	page := view.Page{
		Title: "Accepted risk: " + a.Subject(),
		Parts: []view.Part{facts(a)},
	}
	switch a.State {
	case risk.Requested:
		page.Title = "Approve an accepted risk? " + a.Subject()
		page.Lead = "A second person has to approve it. Until then nothing is accepted."
		page.Note = "The request expires on " + a.At.Add(risk.RequestLife).UTC().Format("2 Jan 2006 15:04 UTC") + "."
		page.Actions = []view.Action{
			{Label: "Approve", Command: line(approveWord, a), Effect: view.Replace},
			{Label: "Decline", Command: line(endWord, a), Effect: view.Replace},
			{Label: "Share to channel", Command: line(showWord, a), Effect: view.Share},
		}
	case risk.Accepted:
		page.Lead = "It holds until its last day. It ends before if CISA lists one of its CVEs as exploited, or if the devices that lack it grow by a quarter. Older updates that it contains are not covered."
		page.Actions = []view.Action{{Label: "End it now", Command: line(endWord, a), Effect: view.Replace}}
	default:
		page.Lead = fmt.Sprintf("It ended on %s: %s.", a.Ended.UTC().Format("2 Jan 2006"), a.Why())
	}
	page.Actions = append(page.Actions,
		view.Action{Label: "Show the update", Command: cmdline.Join("kb", catalog.Label(a.KB))},
		view.Action{Label: "Accepted risks", Command: cmdline.Join(Name, listWord)},
	)
	return page
}

// facts lists what was accepted, by whom and why.
func facts(a risk.Acceptance) view.Facts {
	f := view.Facts{
		{Name: "Software", Value: cmp.Or(a.Software, "all")},
		{Name: "Last day", Value: a.LastDay() + " (UTC)"},
		{Name: "Reason", Value: a.Reason},
		{Name: "By", Value: people(a) + ", on " + a.At.UTC().Format("2 Jan 2006")},
		{Name: "Devices then", Value: view.Thousands(a.Devices())},
	}
	if len(a.Listed) > 0 {
		f = append(f, view.Fact{Name: "Exploited already", Value: view.Join(a.Listed) + ": CISA listed it when it was accepted, and that does not end it"})
	}
	return f
}
