package commands

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/missingkbs/missingkbs/api"
	"github.com/missingkbs/missingkbs/commands/cmdline"
	"github.com/missingkbs/missingkbs/commands/search"
	"github.com/missingkbs/missingkbs/internal/catalog"
	"github.com/missingkbs/missingkbs/internal/patchgap"
	"github.com/missingkbs/missingkbs/internal/risk"
	"github.com/missingkbs/missingkbs/internal/triage"
	"github.com/missingkbs/missingkbs/internal/view"
)

const (
	kbName  = "kb"
	kbUsage = "<number> [--devices] [--cves] [--page N]"

	// ratedCVEs is how many of an update's CVEs are looked up, most severe first. Defender returns score and exploits
	// for one CVE at a time only.
	ratedCVEs = 5
)

// KB returns the command about one update: where it is missing and what it fixes.
func KB(d Defender, idx *search.Index, opts ...Option) Command {
	return Command{
		Name:    kbName,
		Usage:   kbUsage,
		Summary: "one update: the software and builds it is missing on, its CVEs, the exposed devices",
		Help: []view.Fact{
			{Name: "--devices", Value: "list the devices exposed to a CVE that it fixes, by name"},
			{Name: "--cves", Value: "list all CVEs that it fixes on your devices"},
			{Name: "Example", Value: "kb KB5074202"},
		},
		Run: kb{d, idx, knownBy(opts)}.run,
	}
}

type kb struct {
	defender Defender
	index    *search.Index
	known    known
}

// kbQuery is a parsed line.
type kbQuery struct {
	id            string
	devices, cves bool
	page          int
	fresh         bool
	wide          bool // also ask about software without a known gap
}

// run parses the line and answers with the page, the devices or the CVEs of an update.
func (k kb) run(ctx context.Context, req Request) (view.Page, error) {
	var q kbQuery
	o := cmdline.NewOptions(kbName+" "+kbUsage, kbName)
	o.BoolVar(&q.devices, "devices", false, "")
	o.BoolVar(&q.cves, "cves", false, "")
	o.Var(cmdline.Number(&q.page, 1), "page", "")
	o.Fresh(&q.fresh)
	words, err := o.ReadWords(req.Words)
	if err != nil {
		return view.Page{}, err
	}
	if q.id = kbOf(words); q.id == "" {
		return view.Page{}, &Error{Usage: true, Message: "Which update? Type its KB number, for example: kb KB5074202"}
	}
	switch {
	case q.devices:
		return k.devices(ctx, q)
	case q.cves:
		return k.cves(ctx, q)
	}
	return k.about(ctx, q)
}

func (q kbQuery) line(more ...string) string {
	return cmdline.Join(append([]string{kbName, catalog.Label(q.id)}, more...)...)
}

// about returns the page of an update.
func (k kb) about(ctx context.Context, q kbQuery) (view.Page, error) {
	label := catalog.Label(q.id)
	page := view.Page{Title: label, Actions: q.actions()}
	var more supplement
	found, err := k.defender.KBFindings(ctx, q.id, maxAge(q.fresh)...)
	hasFindings := !more.lacks(err, vulnerabilityRole, "its CVEs and the devices that have them")
	listed, err := k.listed(ctx, q, found.Value)
	if err != nil && !hasFindings && !errors.Is(err, api.ErrPermission) {
		return view.Page{}, err
	}
	noSoftware := more.lacks(err, softwareRole, "the software and builds that lack it")
	switch {
	case noSoftware && !hasFindings:
		page.Lead, page.Note = "The bot may not ask Defender about updates.", more.note()
		return page, nil
	case len(listed.rows) == 0 && (!hasFindings || found.Value.Rows == 0):
		return view.Page{}, notListed(label, listed, more.note())
	}
	page.AsOf = listed.asOf
	if len(listed.rows) > 0 {
		u := patchgap.Updates(slices.Clone(listed.rows))[0]
		if name := u.Name(); name != "" {
			page.Title += ": " + name
		}
		marks, note := k.known.marks(ctx, listed.beside)
		page.Lead = view.JoinSentences("Missing on "+listed.devices(u)+".", acceptedWords(marks, u), k.leftWords(marks, listed, u))
		seen, unread := listed.seen(ctx, k.known.history)
		page.Context, page.Note = seen, view.JoinSentences(note, unread)
		page.Actions = append(page.Actions, k.known.acceptAction(marks, u)...)
		page.Parts = append(page.Parts, listed.table(label))
		page.LackedBy = listed.software() // in table order
	} else if !noSoftware {
		page.Lead = "None of the software that the bot checked lists it as missing."
	}
	if hasFindings {
		page.AsOf = Oldest(page.AsOf, AsOf(found))
		page.Unreadable += found.Skipped
		page.Lead = view.JoinSentences(page.Lead, kbFindingsWords(found.Value))
		page.Context = view.JoinSentences(page.Context, partly(found.Value))
		page.Parts = append(page.Parts, k.cveTable(ctx, label, found.Value, ratedCVEs))
	}
	if len(page.Parts) > 0 {
		page.Actions = append(page.Actions, view.Copies(q.line())...)
	}
	k.advise(ctx, &page, q, listed, found.Value)
	page.Note = view.JoinSentences(page.Note, listed.note(), more.note())
	return page, nil
}

// leftWords names the exploited updates inside an accepted one that are not accepted; "" if there are none.
func (k kb) leftWords(m risk.Marks, l listing, u patchgap.Update) string {
	if _, _, found := m.Of(u); !found {
		return ""
	}
	return triage.LeftWords(triage.Of(k.known.advisories(), patchgap.Updates(l.beside)).Left(u, m.Covers))
}

// advise adds what the feeds say about the update, and its age.
func (k kb) advise(ctx context.Context, page *view.Page, q kbQuery, l listing, found api.Findings) {
	feeds := k.known.advisories()
	t := triage.Of(feeds, patchgap.Updates(l.beside))
	facts, late := t.About(q.id), ""
	if ages, ok := k.known.ages(ctx, l.software()...); ok {
		u := patchgap.Updates(slices.Clone(l.rows))[0]
		facts, late = append(facts, ages.About(u, t.Inside(u))...), ages.LateWords(u, t.Inside(u))
	}
	if len(facts) > 0 {
		page.Parts = slices.Insert(page.Parts, 0, view.Part(facts))
	}
	defender := ""
	if len(found.CVEs) > 0 {
		defender = found.CVEs[0].Severity
	}
	page.Lead = view.JoinSentences(t.AboutWords(q.id), late, page.Lead)
	page.Note = view.JoinSentences(t.AboutSeverity(q.id, defender), page.Note)
	page.Context = view.JoinSentences(page.Context, triage.Dates(feeds, k.known.now()))
}

// actions returns the buttons on the page of an update.
func (q kbQuery) actions() []view.Action {
	actions := []view.Action{
		{Label: "Devices", Command: q.line("--devices")},
		{Label: "All CVEs", Command: q.line("--cves")},
		{Label: "Refresh", Command: q.line("--fresh"), Effect: view.Replace},
	}
	if address := catalog.URL(q.id, ""); address != "" {
		actions = append(actions, view.Action{Label: "Catalog", URL: address}, view.Action{Label: "Support article", URL: "https://support.microsoft.com/help/" + q.id})
	}
	return actions
}

// kbFindingsWords returns a sentence on how much an update fixes.
func kbFindingsWords(f api.Findings) string {
	if len(f.CVEs) == 0 {
		return "Defender lists no CVE that it fixes here."
	}
	worst := f.CVEs[0]
	words := fmt.Sprintf("It fixes %s on %s", view.Count(len(f.CVEs), "CVE"), view.Count(len(f.Devices), "device"))
	if worst.Severity != "" {
		words += ", the worst of them " + strings.ToLower(view.OneLine(worst.Severity)) + " by Defender"
	}
	return words + "."
}

// cveTable lists the CVEs of an update, the first few with their scores.
func (k kb) cveTable(ctx context.Context, label string, f api.Findings, rated int) view.Table {
	facts := k.rate(ctx, f.CVEs[:min(rated, len(f.CVEs))])
	t := view.Table{
		Caption: "CVEs that " + label + " fixes",
		Columns: []view.Column{
			{Key: "cve", Title: "CVE"},
			{Key: "severity", Title: "Severity (Defender)"},
			{Key: "devices", Title: "Devices", Kind: view.Number},
			{Key: "details", Title: "Details", Kind: view.Button},
			{Key: "cvss", Title: "CVSS"},
			{Key: "epss", Title: "EPSS"},
			{Key: "exploit", Title: "Exploit"},
		},
	}
	for i, c := range f.CVEs {
		row := []view.Cell{view.TextCell(c.ID), view.TextCell(unknownIfEmpty(c.Severity)), view.NumberCell(c.Devices), detailsButton(cveName, c.ID), view.TextCell(""), view.TextCell(""), view.TextCell("")}
		if i < len(facts) && facts[i].ID != "" {
			v := facts[i]
			row[4], row[5], row[6] = view.TextCell(score(v.CVSSV3, 1, 1)), view.TextCell(percent(v.EPSS)), view.TextCell(exploit(v))
		}
		t.Rows = append(t.Rows, row)
	}
	return t
}

// rate looks up CVEs concurrently. One that fails stays empty, and its own page shows why.
func (k kb) rate(ctx context.Context, cves []api.CVEFindings) []api.Vulnerability {
	facts := make([]api.Vulnerability, len(cves))
	var all sync.WaitGroup
	for i, c := range cves {
		all.Go(func() {
			if answer, err := k.defender.VulnerabilityByID(ctx, c.ID); err == nil {
				facts[i] = answer.Value
			}
		})
	}
	all.Wait()
	return facts
}

// cves lists all CVEs of an update.
func (k kb) cves(ctx context.Context, q kbQuery) (view.Page, error) {
	label := catalog.Label(q.id)
	page := view.Page{Title: "CVEs that " + label + " fixes", Actions: q.back("--cves")}
	var more supplement
	found, err := k.defender.KBFindings(ctx, q.id, maxAge(q.fresh)...)
	if more.lacks(err, vulnerabilityRole, "the CVEs that an update fixes") {
		if !errors.Is(err, api.ErrPermission) {
			return view.Page{}, fmt.Errorf("list CVEs: %w", err)
		}
		page.Lead, page.Note = "The bot may not ask Defender about CVEs.", more.note()
		return page, nil
	}
	page.Lead, page.Context = kbFindingsWords(found.Value), partly(found.Value)
	t := k.cveTable(ctx, label, found.Value, 0)
	t.Columns = t.Columns[:4]
	for i := range t.Rows {
		t.Rows[i] = t.Rows[i][:4]
	}
	t.Page, t.Command = q.page, q.line("--cves")
	if len(t.Rows) > 0 {
		page.Parts = []view.Part{t}
		page.Actions = append(page.Actions, view.Files(t.Command)...)
	}
	page.AsOf, page.Unreadable = AsOf(found), found.Skipped
	return page, nil
}

func (q kbQuery) back(of string) []view.Action {
	return []view.Action{
		{Label: "Back to " + catalog.Label(q.id), Command: q.line(), Effect: view.Replace},
		{Label: "Refresh", Command: q.line(of, "--fresh"), Effect: view.Replace},
	}
}

// devices lists the devices that miss an update, as far as Defender reports it: those with a CVE that it fixes. Names
// come from the devices exposed to the worst of these CVEs.
func (k kb) devices(ctx context.Context, q kbQuery) (view.Page, error) {
	label := catalog.Label(q.id)
	page := view.Page{Title: "Devices that lack " + label, Actions: q.back("--devices")}
	var more supplement
	found, err := k.defender.KBFindings(ctx, q.id, maxAge(q.fresh)...)
	if more.lacks(err, vulnerabilityRole, "the devices that lack an update") {
		if !errors.Is(err, api.ErrPermission) {
			return view.Page{}, fmt.Errorf("list devices: %w", err)
		}
		page.Lead, page.Note = "The bot may not ask Defender which devices lack an update; the page of the update says how many do.", more.note()
		return page, nil
	}
	page.AsOf, page.Unreadable = AsOf(found), found.Skipped
	page.Context = partly(found.Value)
	if len(found.Value.Devices) == 0 {
		page.Lead = "Defender lists no device with a CVE that it fixes."
		return page, nil
	}
	page.Lead = fmt.Sprintf("%s with a CVE that %s fixes, those with most first.", view.Count(len(found.Value.Devices), "device"), label)
	names, err := k.names(ctx, found.Value)
	more.lacks(err, vulnerabilityRole, "the names of some devices")
	page.Parts = []view.Part{findingsTable(page.Title, q, found.Value.Devices, names)}
	page.Actions = append(page.Actions, view.Files(q.line("--devices"))...)
	page.Note = more.note()
	return page, nil
}
