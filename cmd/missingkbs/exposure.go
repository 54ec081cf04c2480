package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/missingkbs/missingkbs/api"
	"github.com/missingkbs/missingkbs/commands"
	"github.com/missingkbs/missingkbs/internal/digest"
)

// exposure joins the client of Defender to digests: it reads the patch gap of what a subscription watches.
//
// What it has read it keeps for a while, so that subscriptions which are due together share the calls, and so that a
// reading which the rate limit cut short goes on where it was, until it is whole: each software is read once for a
// digest.
//
// It waits behind people's questions, and never takes an old answer for a reading.
type exposure struct {
	defender *api.Client
	now      func() time.Time
	kept     *parts
	people   bool // somebody waits for the reading
}

const (
	// partsAtOnce is how many calls are under way at a time for one digest.
	partsAtOnce = 8
	// longestRest is the longest pause of a reading: what it waits for may come sooner than was said.
	longestRest = time.Hour
	// busyRest is the pause where Defender's answers found no room.
	busyRest = 10 * time.Second
)

func newExposure(defender *api.Client, now func() time.Time) *exposure {
	return &exposure{defender: defender, now: now, kept: newParts(now())}
}

// forPeople is the same for previews: a small one is a question like any other, a large one would use up what is left
// to questions.
func (e *exposure) forPeople() *exposure {
	return &exposure{defender: e.defender, now: e.now, kept: e.kept, people: true}
}

// urgency is how to ask for so many readings.
func (e *exposure) urgency(n int) api.CallOption {
	if e.people && n <= partsAtOnce {
		return api.Fresh()
	}
	return api.Background()
}

// Snapshot reads the patch gap of what is watched. It is a [digest.RetryLater] when the rate limit, or the time that
// there is, does not let it finish: the next try goes on.
func (e *exposure) Snapshot(ctx context.Context, s digest.Subscription, due time.Time) (digest.Snapshot, error) {
	name := strings.Join(append([]string{strconv.FormatBool(e.people), s.ID}, s.Watch...), " ")
	since := e.kept.begin(name, due, e.now())
	snap, err := e.snapshot(ctx, s.Watch, since)
	_, goesOn := errors.AsType[digest.RetryLater](err)
	switch {
	case err == nil:
		e.kept.whole(name)
	case !goesOn && ctx.Err() == nil:
		e.kept.forget(name)
	}
	return snap, err
}

func (e *exposure) snapshot(ctx context.Context, watch []string, since time.Time) (digest.Snapshot, error) {
	ids, lacking, err := e.resolve(ctx, watch, since)
	if err != nil {
		return digest.Snapshot{}, e.later(err)
	}
	urgency := e.urgency(len(ids))
	snap, err := e.read(ctx, ids, func(id string) (part, error) { return e.part(ctx, id, since, urgency) })
	snap.Unread = append(snap.Unread, lacking.Unread...)
	snap.Partial = append(snap.Partial, lacking.Partial...)
	return snap, err
}

// Confirm reads software a second time, past everything that is kept but a second reading.
func (e *exposure) Confirm(ctx context.Context, software []string) (digest.Snapshot, error) {
	urgency := e.urgency(len(software))
	return e.read(ctx, software, func(id string) (part, error) { return e.again(ctx, id, urgency) })
}

// resolve turns what is watched into software ids: ids stand for themselves, a pattern for what fits it in the catalog.
// What the catalog does not tell of a pattern is told, for silence would read as "nothing is missing".
func (e *exposure) resolve(ctx context.Context, watch []string, since time.Time) (ids []string, lacking digest.Snapshot, err error) {
	found := map[string]bool{}
	for _, w := range watch {
		if w != digest.All && !strings.Contains(w, "*") {
			found[w] = true
			continue
		}
		list, err := e.list(ctx, since)
		if err != nil {
			return nil, lacking, fmt.Errorf("read the software list: %w", err)
		}
		pattern, fits := digest.Subscription{Watch: []string{w}}, false
		for _, s := range list.list {
			if pattern.Watches(s.id) && (w != digest.All || s.weak) {
				found[s.id], fits = true, true
			}
		}
		switch {
		case !fits && list.skipped > 0:
			lacking.Unread = append(lacking.Unread, digest.Unread{Software: w, Reason: "No software matches this, of what could be read of the software list."})
		case !fits:
			lacking.Unread = append(lacking.Unread, digest.Unread{Software: w, Reason: "No software matches this."})
		case list.skipped > 0:
			lacking.Partial = append(lacking.Partial, digest.Partial{Software: w, Rows: list.skipped})
		}
	}
	return slices.Sorted(maps.Keys(found)), lacking, nil
}

// list reads the software list, or remembers it: a reading that asked for it again at each attempt would have no calls
// left for anything else under a low limit.
func (e *exposure) list(ctx context.Context, since time.Time) (software, error) {
	if list, ok := e.kept.list(since); ok {
		return list, nil
	}
	all, err := e.defender.Catalog(ctx, e.urgency(1))
	if err != nil {
		return software{}, err
	}
	list := software{make([]listing, len(all.Value)), all.Skipped}
	for i, s := range all.Value {
		list.list[i] = listing{s.ID, s.Weaknesses > 0}
	}
	e.kept.putList(list, all.FetchedAt, e.now())
	return list, nil
}

// read reads software one by one, several at a time.
func (e *exposure) read(ctx context.Context, ids []string, one func(id string) (part, error)) (digest.Snapshot, error) {
	began := e.now()
	parts := make([]part, len(ids))
	failures := make([]error, len(ids))
	var done atomic.Int64
	digest.Progress(ctx, 0, len(ids))
	var g errgroup.Group
	g.SetLimit(partsAtOnce)
	for i, id := range ids {
		g.Go(func() error {
			if parts[i], failures[i] = one(id); failures[i] == nil {
				digest.Progress(ctx, int(done.Add(1)), len(ids))
			}
			return nil
		})
	}
	_ = g.Wait()
	snap := digest.Snapshot{Tenant: digest.DefaultTenant, At: e.now()}
	var cutShort error
	for i, id := range ids {
		if err := failures[i]; err != nil {
			if errors.Is(err, api.ErrThrottled) || errors.Is(err, api.ErrBusy) || ctx.Err() != nil {
				cutShort = err
			}
			snap.Unread = append(snap.Unread, digest.Unread{Software: id, Reason: commands.Explain(err).Title + "."})
			continue
		}
		if parts[i].skipped > 0 && len(parts[i].rows) == 0 {
			snap.Unread = append(snap.Unread, digest.Unread{Software: id, Reason: "None of the rows of Defender's answer could be read."})
			continue
		}
		if parts[i].skipped > 0 {
			snap.Partial = append(snap.Partial, digest.Partial{Software: id, Rows: parts[i].skipped})
		}
		snap.Software = append(snap.Software, id)
		snap.Rows = append(snap.Rows, parts[i].rows...)
		snap.At = earlier(snap.At, parts[i].at)
		if parts[i].at.After(snap.Through) {
			snap.Through = parts[i].at
		}
	}
	switch {
	case cutShort != nil && ctx.Err() != nil && !snap.Through.Before(began):
		return digest.Snapshot{Unread: snap.Unread}, digest.RetryLater{After: time.Second, Going: true, Err: cutShort}
	case cutShort != nil:
		return digest.Snapshot{Unread: snap.Unread}, e.later(cutShort)
	case len(snap.Software) == 0 && len(ids) > 0:
		return snap, e.later(cmp.Or(failures[0], errNoRows))
	}
	slices.SortFunc(snap.Rows, func(a, b digest.Row) int {
		return cmp.Or(strings.Compare(a.Software, b.Software), strings.Compare(a.KB, b.KB), strings.Compare(a.OSBuild, b.OSBuild))
	})
	return snap, nil
}

// errNoRows is the failure of a reading that is all unreadable rows.
var errNoRows = errors.New("none of the rows of Defender's answer could be read")

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

// later says when to go on, for a failure that ends by itself; others stay what they are.
func (e *exposure) later(err error) error {
	failure, ok := errors.AsType[*api.Error](err)
	switch {
	case ok && errors.Is(err, api.ErrThrottled):
		rest := min(max(failure.RetryAfter, time.Second), longestRest)
		return digest.RetryLater{After: rest, Going: e.kept.getsOn(e.now()), Err: err}
	case ok && errors.Is(err, api.ErrBusy):
		return digest.RetryLater{After: busyRest, Going: e.kept.getsOn(e.now()), Err: err}
	}
	return err
}

// part reads one software, or remembers it.
func (e *exposure) part(ctx context.Context, id string, since time.Time, urgency api.CallOption) (part, error) {
	if p, ok := e.kept.get(id); ok && !p.at.Before(since) {
		return p, nil
	}
	p, err := e.fetch(ctx, id, e.now().Sub(since), urgency)
	if err == nil {
		e.kept.put(id, p, e.now())
	}
	return p, err
}

// again reads one software a second time, or remembers that.
func (e *exposure) again(ctx context.Context, id string, urgency api.CallOption) (part, error) {
	first, known := e.kept.get(id)
	if known && first.again != nil {
		return *first.again, nil
	}
	p, err := e.fetch(ctx, id, 0, urgency)
	if errors.Is(err, api.ErrNotFound) {
		// A software that has left the tenant lacks nothing any more. Only a second reading may say so: a single 404 is
		// known to be wrong at times (https://github.com/MicrosoftDocs/microsoft-365-docs/issues/13047).
		p, err = part{at: e.now()}, nil
	}
	if err == nil && known {
		e.kept.confirm(id, first, p, e.now())
	}
	return p, err
}

func (e *exposure) fetch(ctx context.Context, id string, maxAge time.Duration, urgency api.CallOption) (part, error) {
	answer, err := e.defender.MissingKBs(ctx, id, api.MaxAge(maxAge), urgency)
	if err != nil {
		return part{}, err
	}
	return part{at: answer.FetchedAt, skipped: answer.Skipped, rows: commands.Rows(id, answer.Value)}, nil
}
