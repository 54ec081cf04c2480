package digest

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/missingkbs/missingkbs/internal/patchgap"
	"github.com/missingkbs/missingkbs/internal/view"
)

// Known holds what the program knows about updates beyond Defender's data. The zero value knows nothing.
type Known struct {
	// Advise says what MSRC and CISA publish of the updates that are missing now and of those that were.
	Advise func(is, was []patchgap.Update) Advice

	// Accepted marks accepted updates.
	Accepted Accepted

	// Ages tells how old the updates of a report's reading are and by when they are due, in the zone of its subscription.
	// What the reading is the first to have appeared since the one before.
	Ages func(ctx context.Context, r Report) Ages
}

// Details is the page of all updates of a recorded snapshot that a subscription's filter lets pass, in the order of a
// digest; with eachRow, of their rows as Defender gives them. What was exploited is as the digest knew it.
func (k Known) Details(ctx context.Context, s Subscription, at patchgap.Snapshot, now time.Time, eachRow bool) (page view.Page, err error) {
	r := Report{Subscription: s, After: at.Missing(), Now: now}
	if k.Advise != nil {
		r.Advice.Fold = k.Advise(r.After.Updates(), nil).Fold
	}
	r.Advice.Exploited, r.recorded, r.alone = at.Exploited, true, eachRow
	r.fold()
	if k.Accepted != nil {
		if r.Accepted, err = k.Accepted.Marks(ctx, r.After.Rows); err != nil {
			return page, fmt.Errorf("read which updates of a digest are accepted: %w", err)
		}
	}
	if k.Ages != nil {
		r.Ages = k.Ages(ctx, r)
	}
	return r.details(), nil
}

// fold finds the updates that another update of the digest contains. Updates that the digest does not show contain none.
func (r *Report) fold() {
	if r.Advice.Fold != nil {
		r.folding = r.Advice.Fold(r.gap().Shown)
	}
}

// install are the updates that the digest shows and nothing contains wholly: installing them installs all.
func (r Report) install() []patchgap.Update {
	if r.folding == nil {
		return r.gap().Shown
	}
	install, _ := r.folding.Parts()
	return slices.Clone(install)
}

// contained are the updates that the digest shows and others contain wholly.
func (r Report) contained() []patchgap.Update {
	if r.folding == nil {
		return nil
	}
	_, folded := r.folding.Parts()
	return slices.Clone(folded)
}

// Inside are the updates that one contains and that are not accepted: installing it is due when they are. A page of rows tells
// each by itself.
func (r Report) Inside(u patchgap.Update) []patchgap.Update {
	if r.folding == nil || r.alone {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(r.folding.Inside(u)), func(inside patchgap.Update) bool {
		_, _, accepted := r.Accepted.Of(inside)
		return accepted
	})
}

// attackedInside are the updates that one contains and that fix vulnerabilities under attack.
func (r Report) attackedInside(u patchgap.Update) []patchgap.Update {
	if r.folding == nil || r.alone {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(r.folding.Inside(u)), func(inside patchgap.Update) bool {
		return inside.Attack != patchgap.Attacked
	})
}

// insideWords name the update that contains one of a list, to install instead; "" if none does.
func (r Report) insideWords(u patchgap.Update) string {
	if r.folding == nil {
		return ""
	}
	in := r.folding.ContainedIn(u)
	if in == "" {
		return ""
	}
	return "; contained in " + in
}

// foldWords say how many rows come down to how many updates to install; "" if nothing is folded.
func (r Report) foldWords() string {
	if r.folding == nil {
		return ""
	}
	return r.folding.FoldWords()
}

// toInstall counts updates of the table: all that are shown, or those to install where that makes a difference.
func (r Report) toInstall(n int) string {
	if len(r.contained()) == 0 {
		return plural(n, "update")
	}
	return plural(n, "update") + " to install"
}

// order puts the updates of a table as a digest has them: exploited ones first, by themselves or by what they contain,
// then those that are overdue. Otherwise it keeps the order.
func (r Report) order(updates []patchgap.Update) []patchgap.Update {
	updates = r.firstOverdue(updates)
	if !r.Advice.known() {
		return updates
	}
	first, rest := []patchgap.Update{}, []patchgap.Update{}
	for _, u := range updates {
		if u.Attack == patchgap.Attacked || len(r.attackedInside(u)) > 0 {
			first = append(first, u)
		} else {
			rest = append(rest, u)
		}
	}
	return append(first, rest...)
}

// orderWords say how updates that [Report.order] has put in order are ordered; "" where the largest simply come first.
func (r Report) orderWords(updates []patchgap.Update) string {
	var order []string
	if r.Advice.known() && slices.ContainsFunc(updates, func(u patchgap.Update) bool {
		return u.Attack == patchgap.Attacked || len(r.attackedInside(u)) > 0
	}) {
		order = append(order, "exploited first")
	}
	if len(r.overdue(updates)) > 0 {
		order = append(order, "overdue first")
	}
	return strings.Replace(strings.Join(order, ", "), "first, overdue first", "first, then overdue", 1)
}
