package plancmd

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/missingkbs/missingkbs/commands/cmdline"
	"github.com/missingkbs/missingkbs/commands/reading"
	"github.com/missingkbs/missingkbs/internal/advisory"
	"github.com/missingkbs/missingkbs/internal/catalog"
	"github.com/missingkbs/missingkbs/internal/plan"
	"github.com/missingkbs/missingkbs/internal/triage"
	"github.com/missingkbs/missingkbs/internal/view"
)

const (
	// enough is the share of open pairs that the steps in the lead close; maxFirst bounds the number of those steps.
	enough   = 0.8
	maxFirst = 5
)

// builder draws the page of a plan.
type builder struct {
	query

	scope   reading.Scope
	gap     reading.Gap
	known   *advisory.Snapshot
	now     time.Time
	problem *plan.Problem

	chosen  []int    // indexes of the updates assumed to be installed
	assumed []string // their labels
	absent  []string // updates given to --install that are not missing
	order   plan.Order
}

// choose finds the updates assumed to be installed, and plans the rest.
func (b *builder) choose(kbs []string) {
	for _, kb := range kbs {
		if i, ok := b.problem.Find(kb); ok {
			b.chosen, b.assumed = append(b.chosen, i), append(b.assumed, catalog.Label(kb))
		} else {
			b.absent = append(b.absent, catalog.Label(kb))
		}
	}
	b.order = b.problem.Order(b.chosen...)
}

// page puts the verdict first, then the steps. Its buttons assume further updates to be installed.
func (b *builder) page() view.Page {
	page := view.Page{
		Title: "What to install first: " + b.scope.Title(b.gap), Lead: b.lead(), Note: b.note(), AsOf: b.gap.AsOf, Unreadable: b.gap.Skipped,
		Actions: []view.Action{{Label: "Refresh", Command: b.line(b.assumed, "--fresh"), Effect: view.Replace}},
	}
	if len(b.scope.IDs) == 1 {
		page.Software = b.scope.IDs[0]
	}
	if len(b.assumed)+len(b.absent) > 0 {
		page.Actions = append(page.Actions, view.Action{Label: "Start over", Command: b.line(nil), Effect: view.Replace})
	} else if n := b.order.First(enough, maxFirst); n > 1 {
		var first []string
		for _, s := range b.order.Next[:n] {
			first = append(first, catalog.Label(s.KB()))
		}
		if fits(first) {
			page.Actions = append(page.Actions, view.Action{Label: fmt.Sprintf("What if these %d", n), Command: b.line(first), Effect: view.Replace})
		}
	}
	page.Actions = append(page.Actions, view.Action{Label: "Share to channel", Command: b.line(b.assumed), Effect: view.Share})
	if page.Software != "" {
		page.Actions = append(page.Actions, view.Action{Label: "Missing updates", Command: cmdline.Join(page.Software)})
	}
	page.Actions = append(page.Actions, view.Copies(b.line(b.assumed))...)
	page.Parts = []view.Part{b.table()}
	return page
}

// fits reports whether all updates can be written in a list: some of other vendors have no number.
func fits(kbs []string) bool {
	return len(kbs) <= maxChosen && !slices.ContainsFunc(kbs, func(kb string) bool { return kb == "" || strings.ContainsAny(kb, ",; ") })
}

// lead summarises what the first steps close, of everything open or of what the chosen updates leave.
func (b *builder) lead() string {
	if len(b.problem.Updates) == 0 {
		return "No missing updates, so there is nothing to plan."
	}
	total := b.order.Total.All
	if total == 0 {
		return fmt.Sprintf("%s missing, and Defender counts no CVE that they fix, so no order stands out.", view.Count(len(b.problem.Updates), "update"))
	}
	n := b.order.First(enough, maxFirst)
	var closed int
	words := ""
	if len(b.order.Chosen) > 0 {
		closed = b.order.Chosen[len(b.order.Chosen)-1].Sum.All
		words = fmt.Sprintf("With %s installed everywhere, %s of %s device × CVE pairs are closed and %s remain (approximate).",
			view.Join(b.assumed), percent(closed, total), view.Thousands(total), view.Thousands(total-closed))
	}
	if n == 0 {
		return view.JoinSentences(words, "Nothing else that is missing closes any more.")
	}
	sum := b.order.Next[n-1].Sum
	switch {
	case words != "" && n == 1:
		words += fmt.Sprintf(" The next one closes %s of these.", percent(sum.All-closed, total-closed))
	case words != "":
		words += fmt.Sprintf(" The next %d close %s of these.", n, percent(sum.All-closed, total-closed))
	case n == 1 && len(b.order.Next) == 1:
		words = fmt.Sprintf("This one closes all %s device × CVE pairs (approximate).", view.Thousands(total))
	case n == 1:
		words = fmt.Sprintf("Install the first one: it closes %s of %s device × CVE pairs (approximate).", percent(sum.All, total), view.Thousands(total))
	default:
		words = fmt.Sprintf("Install these %d first: they close %s of %s device × CVE pairs (approximate).", n, percent(sum.All, total), view.Thousands(total))
	}
	return view.JoinSentences(words, b.exploited())
}

// exploited returns a sentence on how many open pairs are exploited.
func (b *builder) exploited() string {
	n, devices := 0, 0
	for _, s := range b.order.Next {
		if s.Closes.Exploited > 0 {
			n++
			devices = max(devices, s.Devices)
		}
	}
	all := len(b.order.Next)
	switch {
	case n == 0:
		return ""
	case all == 1:
		return fmt.Sprintf("It fixes vulnerabilities under attack, on %s.", view.Count(devices, "device"))
	case n == 1:
		return fmt.Sprintf("1 of %s updates to install fixes vulnerabilities under attack, on %s, and comes first.", view.Thousands(all), view.Count(devices, "device"))
	}
	return fmt.Sprintf("%d of %s updates to install fix vulnerabilities under attack, on at least %s, and come first.", n, view.Thousands(all), view.Count(devices, "device"))
}

// percent formats n of total in whole per cent. It only says 100 for everything and 0 for nothing.
func percent(n, total int) string {
	switch share := 100 * n / max(total, 1); {
	case n == 0:
		return "0 %"
	case share == 0:
		return "under 1 %"
	case n < total && 100*n >= 99*total:
		return "over 99 %"
	default:
		return fmt.Sprintf("%d %%", share)
	}
}

// note explains what the table leaves out and how it counts.
func (b *builder) note() string {
	var notes []string
	if len(b.absent) > 0 {
		notes = append(notes, view.Join(b.absent)+" is not missing here, so it changes nothing.")
	}
	for _, i := range b.chosen {
		if u := b.problem.Updates[i]; u.Contained {
			notes = append(notes, fmt.Sprintf("%s is contained in %s, which closes more.", catalog.Label(u.KB()), catalog.Label(u.In)))
		}
	}
	if older := b.contained(); older > 0 {
		by := ""
		if b.problem.Assumed {
			by = ", as far as their months tell where no feed does"
		}
		notes = append(notes, fmt.Sprintf("%s not listed: newer updates contain %s%s.", olderUpdates(older), them(older), by))
	}
	if len(b.problem.Updates) > 0 {
		notes = append(notes, "Pairs are devices times CVEs of each row: Defender tells counts here, not which devices.")
		if dated := dates(b.known); dated != "" {
			notes = append(notes, dated, triage.Old(b.known, b.now))
		} else {
			notes = append(notes, "What is exploited is not known here, so it does not come first.")
		}
	}
	return view.JoinSentences(append(notes, b.scope.Note, b.gap.Note())...)
}

func olderUpdates(n int) string {
	if n == 1 {
		return "1 older update is"
	}
	return view.Thousands(n) + " older updates are"
}

func them(n int) string {
	if n == 1 {
		return "it"
	}
	return "them"
}

// dates returns a sentence on how recent the feeds are; "" without feeds.
func dates(known *advisory.Snapshot) string {
	if updates, _ := known.Len(); updates == 0 {
		return ""
	}
	words := "Exploited by MSRC to " + known.LastMonth
	if !known.KEV.IsZero() {
		words = fmt.Sprintf("Exploited by KEV of %s and MSRC to %s", known.KEV.Format("2 Jan 2006"), known.LastMonth)
	}
	return words + "."
}

// contained counts updates that are left out because another one contains them.
func (b *builder) contained() int {
	return len(b.problem.Updates) - len(b.order.Next) - len(b.order.Chosen)
}

// table lists the chosen updates, then the planned steps.
func (b *builder) table() view.Table {
	steps := slices.Concat(b.order.Chosen, b.order.Next)
	_, listed := b.known.Len()
	t := view.Table{
		Caption: "What to install first",
		Columns: []view.Column{
			{Key: "kb", Title: "KB"},
			{Key: "closes_percent", Title: "Closes"},
			{Key: "sum_percent", Title: "In all"},
			{Key: "devices", Title: "Devices", Kind: view.Number},
			{Key: "cves", Title: "CVEs", Kind: view.Number},
			{Key: "exploited", Title: "Exploited", Hidden: listed == 0},
			{Key: "contains", Title: "Contains", Kind: view.Words, Hidden: !slices.ContainsFunc(steps, func(s plan.Step) bool { return len(s.Contains) > 0 })},
			{Key: "name", Title: "Update"},
			{Key: "what_if", Title: "What if", Kind: view.Button, Optional: true},
			{Key: "details", Title: "Details", Kind: view.Button, Optional: true},
			{Key: "step", Title: "Step", Kind: view.Number, Hidden: true},
			{Key: "pairs", Title: "Pairs", Kind: view.Number, Hidden: true},
			{Key: "pairs_sum", Title: "Pairs in all", Kind: view.Number, Hidden: true},
			{Key: "assumed", Title: "Assumed", Hidden: true},
		},
		CSV:     []string{"step", "kb", "name", "devices", "cves", "exploited", "contains", "pairs", "pairs_sum", "closes_percent", "sum_percent", "assumed"},
		Page:    b.query.page,
		Command: b.line(b.assumed),
	}
	t.More = view.LazyRows{Count: len(steps), Make: func(i int) []view.Cell { return b.row(i, steps[i]) }}
	return t
}

// row returns the cells of step i. The last four are hidden in Slack but not in files.
func (b *builder) row(i int, s plan.Step) []view.Cell {
	label := catalog.Label(s.KB())
	var older []string
	for _, id := range s.Contains {
		older = append(older, catalog.Label(id))
	}
	assumed := i < len(b.order.Chosen)
	details := view.TextCell("")
	if s.KB() != "" {
		line := cmdline.Join("kb", s.KB())
		details = view.Cell{Text: line, Action: &view.Action{Label: "Details", Command: line}}
	}
	return []view.Cell{
		view.TextCell(label), view.TextCell(percent(s.Closes.All, b.order.Total.All)), view.TextCell(percent(s.Sum.All, b.order.Total.All)),
		view.NumberCell(s.Devices), view.NumberCell(s.CVEs), view.TextCell(b.attacked(s)), view.WordsCell(older), view.TextCell(s.Name()),
		b.whatIf(label, assumed), details,
		view.NumberCell(i + 1), view.NumberCell(s.Closes.All), view.NumberCell(s.Sum.All), view.TextCell(map[bool]string{true: "installed", false: ""}[assumed]),
	}
}

// attacked returns the "Exploited" cell of a step: of the update itself or, if it is not exploited, of one that it
// contains, because installing it installs that one too.
func (b *builder) attacked(s plan.Step) string {
	f := finding(s.Update)
	for _, id := range s.Contains {
		if i, ok := b.problem.Find(id); ok {
			f.Contains = append(f.Contains, finding(b.problem.Updates[i]))
		}
	}
	listed := time.Time{}
	if b.known != nil {
		listed = b.known.KEV
	}
	return f.ExploitedWords(false, listed)
}

func finding(u plan.Update) *triage.Finding {
	return &triage.Finding{Update: u.Update, Facts: u.Facts, Known: u.Known}
}

// whatIf returns the button that adds or removes an update from those assumed to be installed.
func (b *builder) whatIf(label string, assumed bool) view.Cell {
	action := view.Action{Label: "What if", Effect: view.Replace}
	var install []string
	if assumed {
		action.Label = "Undo"
		install = slices.DeleteFunc(slices.Clone(b.assumed), func(kb string) bool { return kb == label })
	} else {
		install = append(slices.Clone(b.assumed), label)
	}
	if !fits(install) {
		return view.TextCell("")
	}
	if action.Command = b.line(install); len(action.Command) > cmdline.MaxOffered {
		return view.TextCell("")
	}
	return view.Cell{Text: action.Label, Action: &action}
}
