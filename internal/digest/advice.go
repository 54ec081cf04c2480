package digest

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/missingkbs/missingkbs/internal/catalog"
	"github.com/missingkbs/missingkbs/internal/patchgap"
	"github.com/missingkbs/missingkbs/internal/view"
)

// Advice is what MSRC and CISA publish of missing updates. The zero value knows nothing.
type Advice struct {
	Exploited map[string]bool // see [patchgap.Snapshot]; nil if there is no data at all
	Dates     string          // of when the data is, in a sentence

	// Fold finds the updates that others in the list contain. Without data of the feeds it goes by the months in their names.
	Fold func([]patchgap.Update) Folding
	// In returns the listed row that contains one that is gone, or -1.
	In func(gone patchgap.Row, listed []patchgap.Row) int
}

// Folding tells which updates of a list others contain; package triage makes it.
//
// Tables list the updates to install: one that another contains wholly is folded into it ([Folding]). It is counted all the
// same, and stands in files, in the lists of what changed and among the rows as Defender gave them.
type Folding interface {
	// Parts are the updates to install, and those that others contain wholly, both in the order that was given.
	Parts() (install, folded []patchgap.Update)
	// Inside are the updates that one contains, at least in part.
	Inside(u patchgap.Update) []patchgap.Update
	// ContainedIn names what contains an update wholly: "KB5074202"; "" if nothing does.
	ContainedIn(u patchgap.Update) string
	// FoldWords say how many rows come down to how many updates; "" if nothing is folded.
	FoldWords() string
	// Columns and FoldColumns are columns of a table of updates: of all that the feeds know, and of folding alone. With
	// alone, each update is told by itself, as in a list of rows.
	Columns(shown []patchgap.Update, alone bool) []patchgap.Extra
	FoldColumns(shown []patchgap.Update, alone bool) []patchgap.Extra
}

// known reports whether there is data.
func (a Advice) known() bool { return a.Exploited != nil }

// advise fills in what is known of attacks, before anything is compared: a filter may ask for it.
func (k Known) advise(r *Report) {
	if k.Advise == nil {
		return
	}
	r.Advice = k.Advise(r.After.Updates(), r.Before.Updates())
	r.After.Exploited = r.Advice.Exploited
}

// unlist calls no update closed that another one contains.
func (r *Report) unlist() {
	if r.Advice.In != nil {
		r.Changes.Unlist(r.Before, r.After, r.Advice.In)
	}
}

// attacked are the updates that fix vulnerabilities under attack, and are not accepted as they are.
func (r Report) attacked(updates []patchgap.Update) []patchgap.Update {
	return slices.DeleteFunc(slices.Clone(updates), func(u patchgap.Update) bool {
		_, whole, _ := r.Accepted.Of(u)
		return u.Attack != patchgap.Attacked || whole
	})
}

// turned are the updates that were missing before and have become exploited since. What was not known then is not called
// new, and where a filter asks for exploited updates alone, those are among the ones that rose above it.
func (r Report) turned() []patchgap.Update {
	if r.first() || r.Subscription.Filter.Exploited {
		return nil
	}
	was := map[string]bool{}
	for _, u := range r.gapBefore().All() {
		was[u.ID()] = u.Attack == patchgap.NotAttacked
	}
	return slices.DeleteFunc(r.attacked(r.gap().Shown), func(u patchgap.Update) bool { return !was[u.ID()] })
}

// nowExploited lists updates that have become exploited.
func (r Report) nowExploited() view.List {
	turned := r.turned()
	l := view.List{Name: "Now exploited", More: max(0, len(turned)-maxListed)}
	for _, u := range turned[:min(maxListed, len(turned))] {
		l.Items = append(l.Items, r.Subscription.label(u)+": "+u.DeviceWords()+r.insideWords(u))
	}
	return l
}

// attackWords says how many of the updates that a digest shows fix vulnerabilities under attack; "" without data.
func (r Report) attackWords() string {
	if !r.Advice.known() {
		if r.Subscription.Filter.Exploited {
			return "Which updates fix vulnerabilities under attack is unknown: the bot has no data of CISA and MSRC."
		}
		return ""
	}
	words := patchgap.AttackWords(r.gap().Shown, func(u patchgap.Update) patchgap.Attack { return u.Attack }, true)
	if words == "" {
		return ""
	}
	return words + "."
}

// title is the verdict with its reason, and whose it is.
func (r Report) title() string {
	title := string(r.Verdict())
	if reason := r.reason(); reason != "" {
		title += " (" + reason + ")"
	}
	title += ": " + r.Subscription.Name()
	if r.late() {
		title += " (late)"
	}
	return title
}

// advised is the verdict where it is known what is exploited: only that, or a deadline that has passed, requires action.
func (r Report) advised() Verdict {
	is, changes := r.gap(), r.changes()
	switch {
	case len(r.attacked(is.All())) > 0 || len(r.overdue(r.install())) > 0:
		return ActionRequired
	case r.first() && len(is.Shown) > 0 || len(changes.New)+len(changes.Reopened)+len(changes.Added) > 0 || r.worse() || len(r.back()) > 0:
		return WorthALook
	case !r.After.Whole() || len(r.After.Software) == 0:
		return CouldNotTell
	case len(is.Shown)+len(is.Hidden) == 0:
		return Clean
	}
	return OnTrack
}

// reason is why the verdict is what it is, in a few words; "" where nothing is known of attacks, for then the sentence
// below says it.
func (r Report) reason() string {
	filtered := r.Subscription.Filter.Exploited
	switch verdict := r.Verdict(); {
	case verdict == CouldNotTell && filtered && !r.Advice.known():
		return "nothing is known of exploits"
	case !r.Advice.known():
		return ""
	case verdict == ActionRequired:
		return r.urgentWords()
	case verdict == WorthALook && r.first():
		return "first digest"
	case verdict == WorthALook:
		return cmp.Or(r.news(), plain(len(r.back()))+" no longer accepted")
	case verdict == CouldNotTell:
		return "not all could be read"
	case verdict == Clean:
		return "nothing missing"
	}
	return "none known to be exploited"
}

// urgentWords counts what requires action.
func (r Report) urgentWords() string {
	is := r.gap()
	shown, hidden := len(r.attacked(is.Shown)), len(r.attacked(is.Hidden))
	var words []string
	if shown > 0 {
		words = append(words, plain(shown)+" exploited")
	}
	if hidden > 0 {
		words = append(words, fmt.Sprintf("%s exploited, hidden by the filter", plain(hidden)))
	}
	if late := len(r.overdue(r.install())); late > 0 {
		words = append(words, plain(late)+" overdue")
	}
	return strings.Join(words, ", ")
}

// attackColumn says of updates whether they are exploited, where the feeds themselves cannot be asked any more: as it was
// known when the digest was made. An update that is not names one that it contains and that is.
func (r Report) attackColumn() patchgap.Extra {
	return patchgap.Extra{Column: view.Column{Key: "exploited", Title: "Exploited"}, Appended: true, Cell: func(u patchgap.Update) view.Cell {
		words := []string{"unknown", "no", "yes"}[u.Attack]
		if inside := r.attackedInside(u); u.Attack != patchgap.Attacked && len(inside) > 0 {
			words = "yes (" + catalog.Label(inside[0].KB()) + ")"
		}
		return view.TextCell(words)
	}}
}
