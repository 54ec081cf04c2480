package digest

import (
	"context"
	"fmt"
	"slices"

	"github.com/missingkbs/missingkbs/internal/patchgap"
	"github.com/missingkbs/missingkbs/internal/risk"
	"github.com/missingkbs/missingkbs/internal/view"
)

// Accepted answers which missing updates are accepted. *[risk.Register] implements it.
type Accepted interface {
	Marks(ctx context.Context, rows []patchgap.Row) (risk.Marks, error)
}

// markAccepted fills in what is accepted. An acceptance that ended is reported even if nothing else has changed,
// because its update counts like any other from now on.
func (w *Worker) markAccepted(ctx context.Context, r *Report) (err error) {
	if w.Accepted == nil {
		return nil
	}
	if r.Accepted, err = w.Accepted.Marks(ctx, r.After.Rows); err != nil {
		return fmt.Errorf("read which updates of a digest are accepted: %w", err)
	}
	if r.Kind == Same && len(r.back()) > 0 {
		r.Kind = Changed
	}
	return nil
}

// back returns the acceptances that ended since the channel's last digest.
func (r Report) back() []risk.Acceptance {
	if r.first() {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(r.Accepted.Past), func(a risk.Acceptance) bool { return !a.Ended.After(r.Since) })
}

// cameBack lists updates that are no longer accepted, with the reason.
func (r Report) cameBack() view.List {
	back := r.back()
	l := view.List{Name: "No longer accepted", More: max(0, len(back)-maxListed)}
	for _, a := range back[:min(maxListed, len(back))] {
		l.Items = append(l.Items, a.Subject()+": "+a.Why())
	}
	return l
}

// acceptedWords returns a sentence that counts accepted updates; "" if none is accepted.
func (r Report) acceptedWords() string {
	words := r.Accepted.Words(r.gap().Shown)
	if words == "" {
		return ""
	}
	return words + "."
}
