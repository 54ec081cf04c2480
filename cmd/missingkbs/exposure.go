package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/missingkbs/missingkbs/api"
	"github.com/missingkbs/missingkbs/commands"
	"github.com/missingkbs/missingkbs/internal/digest"
)

// exposure joins the client of Defender to digests: it reads the patch gap of what a subscription watches.
//
// What it has read it keeps for a while, so that subscriptions which are due together share the calls, and so that a
// reading which the rate limit cut short goes on where it was.
//
// It waits behind people's questions, and never takes an old answer for a reading.
type exposure struct {
	defender *api.Client
	now      func() time.Time
	kept     *parts
	people   bool // somebody waits for the reading
}

// parts are what was read of late, by software id.
type parts struct {
	mu sync.Mutex
	by map[string]part
}

// part is the patch gap of one software.
type part struct {
	rows []digest.Row
	at   time.Time
}

const (
	// partAge is how old a part may be. Defender's own data is hours old (its exports are made every six).
	partAge = 30 * time.Minute
	// partsAtOnce is how many calls are under way at a time for one digest.
	partsAtOnce = 8
)

func newExposure(defender *api.Client, now func() time.Time) *exposure {
	return &exposure{defender: defender, now: now, kept: &parts{by: map[string]part{}}}
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

// Snapshot reads the patch gap of what is watched. It is a [digest.RetryLater] when the rate limit does not let it
// finish: the next try goes on.
func (e *exposure) Snapshot(ctx context.Context, watch []string) (digest.Snapshot, error) {
	ids, nothing, err := e.resolve(ctx, watch)
	if err != nil {
		return digest.Snapshot{}, later(err)
	}
	snap, err := e.read(ctx, ids, partAge)
	snap.Unread = append(snap.Unread, nothing...)
	return snap, err
}

// Confirm reads software anew, past everything that is kept.
func (e *exposure) Confirm(ctx context.Context, software []string) (digest.Snapshot, error) {
	return e.read(ctx, software, 0)
}

// resolve turns what is watched into software ids: ids stand for themselves, a pattern for what fits it in the catalog.
// A pattern that fits nothing is told, for silence would read as "nothing is missing".
func (e *exposure) resolve(ctx context.Context, watch []string) (ids []string, nothing []digest.Unread, err error) {
	found := map[string]bool{}
	var catalog []api.Software
	for _, w := range watch {
		if w != digest.All && !strings.Contains(w, "*") {
			found[w] = true
			continue
		}
		if catalog == nil {
			all, err := e.defender.Catalog(ctx, e.urgency(1))
			if err != nil {
				return nil, nil, fmt.Errorf("read the software list: %w", err)
			}
			catalog = all.Value
		}
		pattern, fits := digest.Subscription{Watch: []string{w}}, false
		for _, s := range catalog {
			if pattern.Watches(s.ID) && (w != digest.All || s.Weaknesses > 0) {
				found[s.ID], fits = true, true
			}
		}
		if !fits {
			nothing = append(nothing, digest.Unread{Software: w, Reason: "No software fits this."})
		}
	}
	return slices.Sorted(maps.Keys(found)), nothing, nil
}

// read reads software one by one, several at a time.
func (e *exposure) read(ctx context.Context, ids []string, maxAge time.Duration) (digest.Snapshot, error) {
	parts := make([]part, len(ids))
	failures := make([]error, len(ids))
	var g errgroup.Group
	g.SetLimit(partsAtOnce)
	for i, id := range ids {
		g.Go(func() error {
			parts[i], failures[i] = e.part(ctx, id, maxAge, e.urgency(len(ids)))
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
		snap.Software = append(snap.Software, id)
		snap.Rows = append(snap.Rows, parts[i].rows...)
		if parts[i].at.Before(snap.At) {
			snap.At = parts[i].at
		}
	}
	if cutShort != nil {
		return digest.Snapshot{Unread: snap.Unread}, later(cutShort)
	}
	if len(snap.Software) == 0 && len(ids) > 0 {
		return snap, later(failures[0])
	}
	slices.SortFunc(snap.Rows, func(a, b digest.Row) int {
		return cmp.Or(strings.Compare(a.Software, b.Software), strings.Compare(a.KB, b.KB), strings.Compare(a.OSBuild, b.OSBuild))
	})
	return snap, nil
}

// later says when to go on, for a failure that says when; others stay what they are.
func later(err error) error {
	if e, ok := errors.AsType[*api.Error](err); ok && errors.Is(err, api.ErrThrottled) {
		return digest.RetryLater{After: max(e.RetryAfter, time.Second), Err: err}
	}
	return err
}

// part reads one software, or remembers it.
func (e *exposure) part(ctx context.Context, id string, maxAge time.Duration, urgency api.CallOption) (part, error) {
	if p, ok := e.kept.get(id); ok && maxAge > 0 && e.now().Sub(p.at) <= maxAge {
		return p, nil
	}
	answer, err := e.defender.MissingKBs(ctx, id, api.MaxAge(maxAge), urgency)
	if maxAge == 0 && errors.Is(err, api.ErrNotFound) {
		// A software that has left the tenant lacks nothing any more. Only a second reading may say so: a single 404 is
		// known to be wrong at times (https://github.com/MicrosoftDocs/microsoft-365-docs/issues/13047).
		return part{at: e.now()}, nil
	}
	if err != nil {
		return part{}, err
	}
	p := part{at: answer.FetchedAt, rows: make([]digest.Row, 0, len(answer.Value))}
	for _, kb := range answer.Value {
		p.rows = append(p.rows, digest.Row{
			Key:      digest.Key{Software: id, KB: kb.ID, OSBuild: kb.OSBuild},
			Name:     kb.Name,
			Products: strings.Join(kb.ProductsNames, commands.ProductsBetween),
			URL:      kb.URL,
			Devices:  kb.MachineMissedOn,
			CVEs:     kb.CVEAddressed,
		})
	}
	e.kept.put(id, p, e.now())
	return p, nil
}

func (k *parts) get(id string) (part, bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	p, ok := k.by[id]
	return p, ok
}

func (k *parts) put(id string, p part, now time.Time) {
	k.mu.Lock()
	defer k.mu.Unlock()
	maps.DeleteFunc(k.by, func(_ string, p part) bool { return now.Sub(p.at) > partAge })
	k.by[id] = p
}
