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
	// Advise returns what MSRC and CISA publish about the updates missing now and those missing before.
	Advise func(is, was []patchgap.Update) Advice

	// Accepted marks accepted updates.
	Accepted Accepted

	// Ages returns the age and deadline of the updates in a report's reading, in the time zone of its subscription. An
	// update that only this reading has was first seen since the previous one.
	Ages func(ctx context.Context, r Report) Ages
}

// Details returns the page of all updates in a recorded snapshot that pass the subscription's filter, in the order of
// the digest; with eachRow, of Defender's rows. Exploits are shown as the digest knew them.
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

// fold finds the shown updates that another shown update contains. Hidden updates contain none.
func (r *Report) fold() {
	if r.Advice.Fold != nil {
		r.folding = r.Advice.Fold(r.gap().Shown)
	}
}

// install returns the shown updates that are not completely contained in another: installing them installs all.
func (r Report) install() []patchgap.Update {
	if r.folding == nil {
		return r.gap().Shown
	}
	install, _ := r.folding.Parts()
	return slices.Clone(install)
}

// contained returns the shown updates that others contain completely.
func (r Report) contained() []patchgap.Update {
	if r.folding == nil {
		return nil
	}
	_, folded := r.folding.Parts()
	return slices.Clone(folded)
}

// Inside returns the updates that u contains and that are not accepted, because installing u is as urgent as they are.
// On a page of rows each row stands for itself.
func (r Report) Inside(u patchgap.Update) []patchgap.Update {
	if r.folding == nil || r.alone {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(r.folding.Inside(u)), func(inside patchgap.Update) bool {
		return r.Accepted.Covers(inside)
	})
}

// attackedInside returns the exploited updates that u contains.
func (r Report) attackedInside(u patchgap.Update) []patchgap.Update {
	if r.folding == nil || r.alone {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(r.folding.Inside(u)), func(inside patchgap.Update) bool {
		return inside.Attack != patchgap.Attacked
	})
}

// insideWords names the update to install instead of u; "" if none contains it.
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

// foldWords returns a sentence on how many rows fold into how many updates to install; "" if nothing folds.
func (r Report) foldWords() string {
	if r.folding == nil {
		return ""
	}
	return r.folding.FoldWords()
}

// toInstall counts the updates of the table: all shown ones, or those to install if that differs.
func (r Report) toInstall(n int) string {
	if len(r.contained()) == 0 {
		return plural(n, "update")
	}
	return plural(n, "update") + " to install"
}

// order sorts updates as in a digest: exploited ones first, by themselves or by what they contain, then overdue ones.
// Otherwise it keeps the order.
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

// orderWords describes the order made by [Report.order]; "" if the largest simply come first.
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
