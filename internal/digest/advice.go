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

// Advice is what MSRC and CISA publish about missing updates. The zero value knows nothing.
type Advice struct {
	Exploited map[string]bool // see [patchgap.Snapshot]; nil without any data
	Dates     string          // a sentence on how recent the data is

	// Fold finds the updates contained in others of the list. Without feeds it judges by the months in their names.
	Fold func([]patchgap.Update) Folding
	// In returns the index of the listed row that contains one that is gone, or -1.
	In func(gone patchgap.Row, listed []patchgap.Row) int
}

// Folding answers which updates of a list contain which; package triage implements it.
//
// Tables list the updates to install: one that is completely contained in another is folded into it. It still counts,
// and appears in files, in the lists of changes and among Defender's rows.
type Folding interface {
	// Parts returns the updates to install and those contained completely, both in the given order.
	Parts() (install, folded []patchgap.Update)
	// Inside returns the updates that u contains, at least in part.
	Inside(u patchgap.Update) []patchgap.Update
	// ContainedIn names the update that contains u completely, such as "KB5074202"; "" if none does.
	ContainedIn(u patchgap.Update) string
	// FoldWords returns a sentence on how many rows fold into how many updates; "" if nothing folds.
	FoldWords() string
	// Columns and FoldColumns return columns of a table of updates: everything the feeds know, or just what contains
	// what. If alone is set, each update stands for itself, as in a list of rows.
	Columns(shown []patchgap.Update, alone bool) []patchgap.Extra
	FoldColumns(shown []patchgap.Update, alone bool) []patchgap.Extra
}

// known reports whether there is data from the feeds.
func (a Advice) known() bool { return a.Exploited != nil }

// advise fills in what is known about exploits, before anything is compared, because a filter may use it.
func (k Known) advise(r *Report) {
	if k.Advise == nil {
		return
	}
	r.Advice = k.Advise(r.After.Updates(), r.Before.Updates())
	r.After.Exploited = r.Advice.Exploited
}

// unlist moves closed updates that another one contains to the unlisted ones.
func (r *Report) unlist() {
	if r.Advice.In != nil {
		r.Changes.Unlist(r.After, r.Advice.In)
	}
}

// attacked returns the exploited updates that are not accepted.
func (r Report) attacked(updates []patchgap.Update) []patchgap.Update {
	return slices.DeleteFunc(slices.Clone(updates), func(u patchgap.Update) bool {
		_, whole, _ := r.Accepted.Of(u)
		return u.Attack != patchgap.Attacked || whole
	})
}

// turned returns the updates that were missing before and have become exploited since. Exploits that were unknown at
// the last digest are not called new. If the filter only shows exploited updates, these are among the ones that rose
// above it.
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

// attackWords returns a sentence on how many of the shown updates are exploited; "" without feeds.
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

// title joins the verdict, its reason and the name of the subscription.
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

// advised returns the verdict if exploits are known: only an exploited or overdue update requires action.
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

// reason explains the verdict in a few words; "" without feeds, because the lead then explains it.
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

// urgentWords counts the updates that require action.
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

// attackColumn is the "Exploited" column of a recorded digest, as it was known then: the feeds are not asked again. An
// update that is not exploited itself names one inside it that is.
func (r Report) attackColumn() patchgap.Extra {
	return patchgap.Extra{Column: view.Column{Key: "exploited", Title: "Exploited"}, Appended: true, Cell: func(u patchgap.Update) view.Cell {
		words := []string{"unknown", "no", "yes"}[u.Attack]
		if inside := r.attackedInside(u); u.Attack != patchgap.Attacked && len(inside) > 0 {
			words = "yes (" + catalog.Label(inside[0].KB()) + ")"
		}
		return view.TextCell(words)
	}}
}
