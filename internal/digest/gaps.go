package digest

import (
	"fmt"
	"strings"

	"github.com/missingkbs/missingkbs/internal/catalog"
	"github.com/missingkbs/missingkbs/internal/patchgap"
	"github.com/missingkbs/missingkbs/internal/product"
	"github.com/missingkbs/missingkbs/internal/risk"
	"github.com/missingkbs/missingkbs/internal/view"
)

func (r Report) gaps() view.Table {
	shown := r.firstOverdue(r.gap().Shown)
	if r.Advice.known() {
		shown = attackedFirst(shown)
	}
	first := shown[:min(maxGaps, len(shown))]
	t := r.Subscription.table(first, r.Accepted, r.Advice, r.ageColumns(first)...)
	var order []string
	if r.Advice.known() && len(r.attacked(first)) > 0 {
		order = append(order, "exploited first")
	}
	if len(r.overdue(first)) > 0 {
		order = append(order, "overdue first")
	}
	t.Caption = fmt.Sprintf("Largest gaps, most devices first: %d of %s", t.Len(), plural(len(shown), "update"))
	if len(order) > 0 {
		words := strings.Replace(strings.Join(order, ", "), "first, overdue first", "first, then overdue", 1)
		t.Caption = fmt.Sprintf("%s, then the largest gaps: %d of %s", upperFirst(words), t.Len(), plural(len(shown), "update"))
	}
	return t
}

// attackedFirst puts updates that fix vulnerabilities under attack first, and keeps the order otherwise.
func attackedFirst(updates []patchgap.Update) []patchgap.Update {
	first, rest := []patchgap.Update{}, []patchgap.Update{}
	for _, u := range updates {
		if u.Attack == patchgap.Attacked {
			first = append(first, u)
		} else {
			rest = append(rest, u)
		}
	}
	return append(first, rest...)
}

// table lists updates with the software that lists each.
func (s Subscription) table(updates []patchgap.Update, accepted risk.Marks, advice Advice, more ...patchgap.Extra) view.Table {
	software := patchgap.Extra{Column: view.Column{Key: "software", Title: "Products", Kind: view.Words}, Cell: func(u patchgap.Update) view.Cell {
		return view.Cell{Text: strings.Join(names(u.Software()), ", "), Words: u.Software()}
	}}
	software.Hidden = s.single() || patchgap.Alike(updates, software.Cell)
	extra := []patchgap.Extra{software, patchgap.Builds(updates)}
	switch {
	case advice.Columns != nil:
		extra = append(extra, advice.Columns(updates)...)
	case advice.known():
		extra = append(extra, attackColumn())
	}
	if column := accepted.Column(updates); !column.Hidden {
		column.Appended = true
		extra = append(extra, column)
	}
	return patchgap.Table(updates, append(extra, more...)...)
}

// names are what people call software.
func names(software []string) []string {
	all := make([]string, len(software))
	for i, id := range software {
		all[i] = product.Name(id, "")
	}
	return all
}

// changed lists what changed, a line for each update, at most so many of a kind.
func (r Report) changed(most int) []view.Part {
	if r.first() {
		return nil
	}
	c := r.changes()
	var parts []view.Part
	for _, kind := range []struct {
		name    string
		changes []patchgap.Change
		words   func(patchgap.Change) string
	}{
		{"New", c.New, size},
		{"Reopened", c.Reopened, func(c patchgap.Change) string { return size(c) + ", last seen " + c.Seen.UTC().Format("2 Jan 2006") }},
		{"In software not counted last time", c.Added, size},
		{"Grew", c.Grew, moved},
		{"Rose above the filter", c.Rose, moved},
		{"Shrank", c.Shrank, moved},
		{"Fell below the filter", c.Fell, moved},
		{"Closed", c.Closed, before},
		{"No longer listed", c.Unlisted, func(c patchgap.Change) string { return before(c) + "; a newer update is listed" }},
	} {
		l := view.List{Name: kind.name, More: max(0, len(kind.changes)-most)}
		for _, change := range kind.changes[:min(most, len(kind.changes))] {
			l.Items = append(l.Items, r.Subscription.label(change.Update())+": "+kind.words(change))
		}
		if len(l.Items) > 0 {
			parts = append(parts, l)
		}
	}
	return parts
}

// maxNames is how many software ids a line names.
const maxNames = 2

// label names an update and, where a subscription watches more than one, the software that lists it.
func (s Subscription) label(u patchgap.Update) string {
	words := catalog.Label(u.KB())
	if words == "" {
		words = u.Name()
	}
	if s.single() {
		return words
	}
	listed := names(u.Software())
	if rest := len(listed) - maxNames; rest > 0 {
		return fmt.Sprintf("%s (%s and %d more)", words, strings.Join(listed[:maxNames], ", "), rest)
	}
	return words + " (" + strings.Join(listed, ", ") + ")"
}

func size(c patchgap.Change) string { return c.Now.DeviceWords() + ", " + plural(c.Now.CVEs, "CVE") }

func moved(c patchgap.Change) string {
	was := plain(c.Was.Devices)
	if c.Was.Shared() {
		was = "at least " + was
	}
	words := fmt.Sprintf("from %s to %s", was, c.Now.DeviceWords())
	if c.Was.Devices == c.Now.Devices {
		words = c.Now.DeviceWords()
	}
	if c.Was.CVEs != c.Now.CVEs {
		words += fmt.Sprintf(", from %s to %s", plain(c.Was.CVEs), plural(c.Now.CVEs, "CVE"))
	}
	return words
}

func before(c patchgap.Change) string { return "was on " + c.Was.DeviceWords() }
