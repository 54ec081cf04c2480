package digest

import (
	"fmt"
	"slices"
	"strings"

	"github.com/missingkbs/missingkbs/internal/catalog"
	"github.com/missingkbs/missingkbs/internal/patchgap"
	"github.com/missingkbs/missingkbs/internal/product"
	"github.com/missingkbs/missingkbs/internal/view"
)

// gaps is the table of a digest: the most urgent updates, then the largest gaps. The details have the rest.
func (r Report) gaps() view.Table {
	shown := r.order(r.install())
	first := shown[:min(maxGaps, len(shown))]
	t := r.table(first, nil)
	t.Caption = fmt.Sprintf("Largest gaps, most devices first: %d of %s", t.Len(), r.toInstall(len(shown)))
	if words := r.orderWords(first); words != "" {
		t.Caption = fmt.Sprintf("%s, then the largest gaps: %d of %s", upperFirst(words), t.Len(), r.toInstall(len(shown)))
	}
	return t
}

// table lists updates with the software that misses each; in files also the contained ones.
func (r Report) table(updates, folded []patchgap.Update) view.Table {
	s := r.Subscription
	software := patchgap.Extra{Column: view.Column{Key: "software", Title: "Products", Kind: view.Words}, Cell: func(u patchgap.Update) view.Cell {
		return view.Cell{Text: strings.Join(names(u.Software()), ", "), Words: u.Software()}
	}}
	software.Hidden = s.single() || patchgap.Alike(updates, software.Cell)
	extra := []patchgap.Extra{software, patchgap.Builds(updates)}
	extra = append(extra, r.adviceColumns(updates)...)
	if column := r.Accepted.Column(slices.Concat(updates, folded), r.attackedInside); !column.Hidden {
		column.Appended = true
		extra = append(extra, column)
	}
	extra = append(extra, r.ageColumns(updates)...)
	t := patchgap.Table(updates, extra...)
	if len(folded) > 0 {
		t.Folded = patchgap.Table(folded, extra...).More
	}
	return t
}

// adviceColumns returns the columns about exploits and about what contains what.
func (r Report) adviceColumns(updates []patchgap.Update) (extra []patchgap.Extra) {
	if r.Advice.known() && (r.recorded || r.folding == nil) {
		extra = append(extra, r.attackColumn())
	}
	switch {
	case r.folding == nil:
	case r.recorded:
		extra = append(extra, r.folding.FoldColumns(updates, r.alone)...)
	default:
		extra = append(extra, r.folding.Columns(updates, r.alone)...)
	}
	return extra
}

// names returns the names of software for people.
func names(software []string) []string {
	all := make([]string, len(software))
	for i, id := range software {
		all[i] = product.Name(id, "")
	}
	return all
}

// changed lists the changes, one line per update, at most most of a kind.
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
			l.Items = append(l.Items, r.Subscription.label(change.Update())+": "+kind.words(change)+r.insideOf(change))
		}
		if len(l.Items) > 0 {
			parts = append(parts, l)
		}
	}
	return parts
}

// insideOf names the update that contains a changed one that is still missing.
func (r Report) insideOf(c patchgap.Change) string {
	if len(c.Now.Rows) == 0 {
		return ""
	}
	return r.insideWords(c.Now)
}

// maxNames is how many software ids a line names.
const maxNames = 2

// label names an update and, if a subscription watches more than one software, the software that misses it.
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

// moved describes how the numbers of an update changed.
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
