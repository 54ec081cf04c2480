package digest

import (
	"context"
	"slices"

	"github.com/missingkbs/missingkbs/internal/deadline"
	"github.com/missingkbs/missingkbs/internal/patchgap"
)

// Ages has the age and the deadline of each of a list of updates; package aging makes it. It says nothing of updates that it
// does not know.
type Ages interface {
	Status(u patchgap.Update) deadline.Status
	// Late is by how many days an update is overdue, 0 for one that is not.
	Late(u patchgap.Update) int
	// Words say in a sentence how many of some updates are overdue; "" if none is.
	Words(updates []patchgap.Update) string
	// Columns are the columns of a table of some updates that say their age.
	Columns(updates []patchgap.Update) []patchgap.Extra
}

// age fills in the age and the deadline of updates. An update that became overdue since the channel was told last is told even
// if nothing else has changed.
func (w *Worker) age(ctx context.Context, r *Report) {
	if w.Ages == nil {
		return
	}
	r.Ages = w.Ages(ctx, *r)
	if r.Kind == Same && len(r.becameLate()) > 0 {
		r.Kind = Changed
	}
}

// overdue are the updates of a list that are overdue and not accepted, the longest first. One is as late as the latest of
// those that it contains.
func (r Report) overdue(updates []patchgap.Update) []patchgap.Update {
	if r.Ages == nil {
		return nil
	}
	late := slices.DeleteFunc(slices.Clone(updates), func(u patchgap.Update) bool {
		_, _, accepted := r.Accepted.Of(u)
		return accepted || r.Ages.Late(u) == 0
	})
	slices.SortStableFunc(late, func(a, b patchgap.Update) int { return r.Ages.Late(b) - r.Ages.Late(a) })
	return late
}

// becameLate are the updates whose deadline passed since the channel was told last.
func (r Report) becameLate() []patchgap.Update {
	told := deadline.DayOf(r.Subscription.Local(r.Since))
	return slices.DeleteFunc(r.overdue(r.install()), func(u patchgap.Update) bool {
		return r.Ages.Status(u).Due.Before(told)
	})
}

// overdueWords says in a sentence what is overdue; "" if nothing is.
func (r Report) overdueWords() string {
	if r.Ages == nil {
		return ""
	}
	return r.Ages.Words(r.overdue(r.install()))
}

// ageColumns are the columns of a table of updates that say their age, where that is known.
func (r Report) ageColumns(updates []patchgap.Update) []patchgap.Extra {
	if r.Ages == nil {
		return nil
	}
	return slices.DeleteFunc(r.Ages.Columns(updates), func(e patchgap.Extra) bool { return e.Hidden })
}

// firstOverdue orders updates for the table of a digest: what is overdue first.
func (r Report) firstOverdue(updates []patchgap.Update) []patchgap.Update {
	late := r.overdue(updates)
	if len(late) == 0 {
		return updates
	}
	rest := slices.DeleteFunc(slices.Clone(updates), func(u patchgap.Update) bool {
		return slices.ContainsFunc(late, func(l patchgap.Update) bool { return l.ID() == u.ID() })
	})
	return append(late, rest...)
}
