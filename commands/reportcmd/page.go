package reportcmd

import (
	"fmt"
	"strings"

	"github.com/missingkbs/missingkbs/commands/cmdline"
	"github.com/missingkbs/missingkbs/internal/catalog"
	"github.com/missingkbs/missingkbs/internal/kpi"
	"github.com/missingkbs/missingkbs/internal/patchgap"
	"github.com/missingkbs/missingkbs/internal/triage"
	"github.com/missingkbs/missingkbs/internal/view"
)

// builder draws the page of a report.
type builder struct {
	kpi.Report

	in     kpi.Input
	query  query
	scope  string // names the software in the report
	failed int    // digests that failed since the oldest cycle began
	kept   bool   // whether a database keeps the history

	inside *triage.Triage // which missing updates contain which
}

func pageOf(r kpi.Report, in kpi.Input) *builder {
	updates := make([]patchgap.Update, len(r.Updates))
	for i, u := range r.Updates {
		updates[i] = u.Update
	}
	return &builder{Report: r, in: in, inside: triage.Of(in.Known, updates)}
}

// page puts the verdict first, then the figures, then the updates.
func (b *builder) page() view.Page {
	page := view.Page{
		Title: "Patch report: " + b.scope, Lead: b.lead(), Note: b.note(),
		Context: view.JoinSentences(fmt.Sprintf("Day %d of the %s.", b.Cycle.Day(b.Day), b.Cycle), triage.Dates(b.in.Known, b.in.Now)),
		Actions: []view.Action{
			{Label: "Refresh", Command: b.query.line("--fresh"), Effect: view.Replace},
			{Label: "Share to channel", Command: b.query.line(), Effect: view.Share},
			{Label: "What to install first", Command: cmdline.Join(append([]string{"plan"}, b.query.scope...)...)},
		},
	}
	page.Actions = append(page.Actions, view.Files(b.query.line())...)
	page.Parts = []view.Part{b.facts(), b.ages()}
	if chart := b.chart(); len(chart.Points) > 1 {
		page.Parts = append(page.Parts, chart)
	}
	page.Parts = append(page.Parts, b.cycles(), b.updates())
	return page
}

// lead summarises how many updates are missing, which are overdue, and how many devices have no old gap.
func (b *builder) lead() string {
	n := len(b.Updates)
	if len(b.Read) == 0 || b.Stale == len(b.Read) {
		return "Nothing was read lately, so how patching goes is unknown."
	}
	if n == 0 {
		return "No missing updates."
	}
	first := b.Updates[0]
	var words string
	switch {
	case b.Overdue == 1:
		words = fmt.Sprintf("1 of %s is overdue: %s, by %s.", missing(n), label(first), days(first.Overdue))
	case b.Overdue > 1:
		words = fmt.Sprintf("%d of %s are overdue, %s by %s.", b.Overdue, missing(n), label(first), days(first.Overdue))
	default:
		words = view.Count(n, "update") + " missing"
		if oldest, ok := b.Oldest(); ok {
			words += ", the oldest for " + oldest.AgeWords()
		}
		if words += "."; b.Policy {
			words += " None is overdue."
		}
	}
	if p := b.Fresh.Percent(); p >= 0 && b.Fresh.Unknown == 0 {
		most := "At most "
		if b.Fresh.Exact {
			most = ""
		}
		words += fmt.Sprintf(" %s%d %% of devices have no gap older than 30 days.", most, p)
	}
	return words
}

func missing(n int) string {
	if n == 1 {
		return "1 missing update"
	}
	return view.Thousands(n) + " missing updates"
}

func days(n int) string { return view.Count(n, "day") }

func label(u kpi.Update) string {
	if id := catalog.Label(u.KB()); id != "" {
		return id
	}
	return u.Name()
}

// facts lists the figures of the report. An unknown figure is shown as unknown.
func (b *builder) facts() view.Facts {
	facts := view.Facts{{Name: "Devices without a gap older than 30 days", Value: b.fresh()}, {Name: "Median time until 90 % of devices have an update", Value: b.ninety()}}
	if b.Policy {
		facts = append(facts, view.Fact{Name: "Deadlines", Value: b.in.Policy.Words()})
	}
	if oldest, ok := b.Oldest(); ok {
		facts = append(facts, view.Fact{Name: "Oldest", Value: fmt.Sprintf("%s, missing for %s on %s", label(oldest), oldest.AgeWords(), oldest.DeviceWords())})
	}
	return facts
}

// fresh formats the share of devices without an old gap, and which devices it covers.
func (b *builder) fresh() string {
	s := b.Fresh
	if s.Percent() < 0 {
		return "unknown: no device lacked an update since " + s.From.String()
	}
	most := "at most "
	if s.Exact {
		most = ""
	}
	doubt := ""
	if s.Unknown > 0 {
		most, doubt = "at most ", fmt.Sprintf(", fewer if any of %s of unknown age is that old", view.Count(s.Unknown, "update"))
	}
	return fmt.Sprintf("%s%d %%: %s of %s%s. Counted are, for each software, the most devices that lacked one update at the same time since %s: Defender does not tell how many have it",
		most, s.Percent(), view.Thousands(s.Without), view.Count(s.Devices, "device"), doubt, s.From)
}

// ninety formats the median time to nine of ten devices, and what it does not count.
func (b *builder) ninety() string {
	n := b.Ninety
	var rest []string
	for _, r := range []struct {
		n    int
		what string
	}{{n.Open, "not at 90 % yet"}, {n.Replaced, "replaced by newer ones before"}, {n.Undated, "missing since before the bot looked"}} {
		if r.n > 0 {
			rest = append(rest, fmt.Sprintf("%d %s", r.n, r.what))
		}
	}
	words := "unknown"
	if n.Updates > 0 {
		words = fmt.Sprintf("%s, of %s", days(n.Days), view.Count(n.Updates, "update"))
	}
	if len(rest) > 0 {
		words += "; not counted: " + strings.Join(rest, ", ")
	}
	return words
}

func (b *builder) sameDay() string {
	return fmt.Sprintf("closed on day %d of each cycle", b.Cycle.Day(b.Day))
}

// chart draws the cycles whose progress is known.
func (b *builder) chart() view.Chart {
	c := view.Chart{Title: view.UpperFirst(b.sameDay()), Unit: "%", Series: []view.Series{{Name: "Closed"}}}
	for _, p := range b.Progress {
		if n := p.Percent(); n >= 0 {
			c.Points = append(c.Points, p.Cycle.Short())
			c.Series[0].Values = append(c.Series[0].Values, n)
		}
	}
	return c
}

// note explains what the figures leave out.
func (b *builder) note() string {
	var notes []string
	if !b.kept {
		notes = append(notes, "Nothing is stored here, so ages count from today, or from when MSRC published an update. Digests store what they read.")
	}
	if b.Stale > 0 && b.Stale < len(b.Read) {
		notes = append(notes, view.Count(b.Stale, "software id")+" not read for more than a week: what they lack now is unknown and not counted.")
	}
	const shown = 3
	for i, p := range b.Unread {
		if i == shown {
			notes = append(notes, fmt.Sprintf("%d more times were not read.", len(b.Unread)-shown))
			break
		}
		notes = append(notes, fmt.Sprintf("Nothing of %s was read between %s and %s.", view.Count(p.Software, "software id"), p.From, p.To))
	}
	if b.failed > 0 {
		notes = append(notes, fmt.Sprintf("For %s since %s nothing could be read.", view.Count(b.failed, "digest"), b.Cycle.Add(-kpi.Cycles).Start()))
	}
	if len(b.Updates) > 0 {
		notes = append(notes, "An age with + counts from when the bot first looked: the update may be missing for longer. Open installs count a device once for each update it lacks. What newer updates replaced is not counted as closed.")
	}
	if !b.Policy {
		notes = append(notes, "No deadlines are set (MISSINGKBS_SLA), so nothing is overdue.")
	}
	return view.JoinSentences(notes...)
}
