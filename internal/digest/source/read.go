package source

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/missingkbs/missingkbs/api"
	"github.com/missingkbs/missingkbs/commands"
	"github.com/missingkbs/missingkbs/internal/digest"
	"github.com/missingkbs/missingkbs/internal/patchgap"
)

// errNoRows reports that no row of the answers could be read.
var errNoRows = errors.New("none of the rows of Defender's answer could be read")

// outcome is the result of reading one software.
type outcome struct {
	id  string
	gap patchGap
	err error
}

// read calls one for each software, several at a time, and joins the results.
func (d *Defender) read(ctx context.Context, ids []string, one func(id string) (patchGap, error)) (patchgap.Snapshot, error) {
	began := d.now()
	outcomes := readAll(ctx, ids, one)
	snap, interrupted := d.join(ctx, outcomes)
	switch {
	case interrupted != nil && ctx.Err() != nil && !snap.Through.Before(began):
		return patchgap.Snapshot{Unread: snap.Unread}, digest.RetryLater{After: time.Second, Going: true, Err: interrupted}
	case interrupted != nil:
		return patchgap.Snapshot{Unread: snap.Unread}, d.retryLater(interrupted)
	case len(snap.Software) == 0 && len(ids) > 0:
		return snap, d.retryLater(cmp.Or(outcomes[0].err, errNoRows))
	}
	slices.SortFunc(snap.Rows, func(a, b patchgap.Row) int {
		return cmp.Or(strings.Compare(a.Software, b.Software), strings.Compare(a.KB, b.KB), strings.Compare(a.OSBuild, b.OSBuild))
	})
	return snap, nil
}

// readAll calls one for each id and reports progress.
func readAll(ctx context.Context, ids []string, one func(id string) (patchGap, error)) []outcome {
	outcomes := make([]outcome, len(ids))
	var done atomic.Int64
	digest.Progress(ctx, 0, len(ids))
	var g errgroup.Group
	g.SetLimit(maxConcurrent)
	for i, id := range ids {
		g.Go(func() error {
			gap, err := one(id)
			if outcomes[i] = (outcome{id, gap, err}); err == nil {
				digest.Progress(ctx, int(done.Add(1)), len(ids))
			}
			return nil
		})
	}
	_ = g.Wait()
	return outcomes
}

// join makes a snapshot of what was read. It returns the error that interrupted the reading, if one did.
func (d *Defender) join(ctx context.Context, outcomes []outcome) (snap patchgap.Snapshot, interrupted error) {
	snap = patchgap.Snapshot{Tenant: digest.DefaultTenant, At: d.now()}
	for _, o := range outcomes {
		if o.err != nil {
			if errors.Is(o.err, api.ErrThrottled) || errors.Is(o.err, api.ErrBusy) || ctx.Err() != nil {
				interrupted = o.err
			}
			snap.Unread = append(snap.Unread, patchgap.Unread{Software: o.id, Reason: commands.Explain(o.err).Title + "."})
			continue
		}
		if o.gap.skipped > 0 && len(o.gap.rows) == 0 {
			snap.Unread = append(snap.Unread, patchgap.Unread{Software: o.id, Reason: "None of the rows of Defender's answer could be read."})
			continue
		}
		if o.gap.skipped > 0 {
			snap.Partial = append(snap.Partial, patchgap.Partial{Software: o.id, Rows: o.gap.skipped})
		}
		snap.Software = append(snap.Software, o.id)
		snap.Rows = append(snap.Rows, o.gap.rows...)
		if o.gap.at.Before(snap.At) {
			snap.At = o.gap.at
		}
		if o.gap.at.After(snap.Through) {
			snap.Through = o.gap.at
		}
	}
	return snap, interrupted
}
