package digest

import (
	"context"
	"slices"

	"github.com/missingkbs/missingkbs/internal/deadline"
	"github.com/missingkbs/missingkbs/internal/patchgap"
)

// Ages holds the age and deadline of each of a list of updates; package aging implements it. It returns nothing for
// other updates.
type Ages interface {
	Status(u patchgap.Update) deadline.Status
	// Late returns by how many days an update is overdue, 0 if it is not.
	Late(u patchgap.Update) int
	// Words returns a sentence on how many updates are overdue; "" if none is.
	Words(updates []patchgap.Update) string
	// Columns returns the table columns with the ages of updates.
	Columns(updates []patchgap.Update) []patchgap.Extra
}

// age fills in ages and deadlines. An update that became overdue since the last digest is reported even if nothing else
// has changed.
func (w *Worker) age(ctx context.Context, r *Report) {
	if w.Ages == nil {
		return
	}
	r.Ages = w.Ages(ctx, *r)
	if r.Kind == Same && len(r.becameLate()) > 0 {
		r.Kind = Changed
	}
}

// overdue returns the overdue updates that are not accepted, longest overdue first. An update is as late as the latest
// one inside it. In place of an accepted one it returns the overdue ones inside it that are not accepted.
func (r Report) overdue(updates []patchgap.Update) []patchgap.Update {
	if r.Ages == nil {
		return nil
	}
	var late []patchgap.Update
	add := func(u patchgap.Update) {
		if r.Ages.Late(u) > 0 && !slices.ContainsFunc(late, func(l patchgap.Update) bool { return l.ID() == u.ID() }) {
			late = append(late, u)
		}
	}
	for _, u := range updates {
		if !r.Accepted.Covers(u) {
			add(u)
			continue
		}
		for _, inside := range r.Inside(u) {
			add(inside)
		}
	}
	slices.SortStableFunc(late, func(a, b patchgap.Update) int { return r.Ages.Late(b) - r.Ages.Late(a) })
	return late
}

// becameLate returns the updates whose deadline passed since the channel's last digest.
func (r Report) becameLate() []patchgap.Update {
	told := deadline.DayOf(r.Subscription.Local(r.Since))
	return slices.DeleteFunc(r.overdue(r.install()), func(u patchgap.Update) bool {
		return r.Ages.Status(u).Due.Before(told)
	})
}

// overdueWords returns a sentence on what is overdue; "" if nothing is.
func (r Report) overdueWords() string {
	if r.Ages == nil {
		return ""
	}
	return r.Ages.Words(r.overdue(r.install()))
}

// ageColumns returns the table columns with ages, if they are known.
func (r Report) ageColumns(updates []patchgap.Update) []patchgap.Extra {
	if r.Ages == nil {
		return nil
	}
	return slices.DeleteFunc(r.Ages.Columns(updates), func(e patchgap.Extra) bool { return e.Hidden })
}

// firstOverdue sorts updates for the table of a digest, overdue ones first.
func (r Report) firstOverdue(updates []patchgap.Update) []patchgap.Update {
	late := map[string]int{}
	for _, u := range updates {
		if first := r.overdue([]patchgap.Update{u}); len(first) > 0 {
			late[u.ID()] = r.Ages.Late(first[0])
		}
	}
	if len(late) == 0 {
		return updates
	}
	ordered := slices.Clone(updates)
	slices.SortStableFunc(ordered, func(a, b patchgap.Update) int { return late[b.ID()] - late[a.ID()] })
	return ordered
}
