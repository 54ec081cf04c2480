// Package source reads patch gaps from Defender for digests, previews and their confirmations. It knows the API client,
// the pauses that its rate limit requires, and what this process has read within the last hours. It knows nothing of
// schedules, channels, Slack or the database.
package source

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/missingkbs/missingkbs/api"
	"github.com/missingkbs/missingkbs/commands"
	"github.com/missingkbs/missingkbs/internal/digest"
	"github.com/missingkbs/missingkbs/internal/patchgap"
)

// Defender is a [digest.Source] that reads the patch gap of what a subscription watches through the API client.
//
// It caches what it reads. Subscriptions that are due together share the calls, and a scan that the rate limit
// interrupted continues where it stopped: each software is read once for a digest. Its calls wait behind interactive
// questions, and it never accepts a stale answer. It is safe for concurrent use.
type Defender struct {
	client      *api.Client
	now         func() time.Time
	cache       *readingCache
	interactive bool // a user is waiting for the result
}

const (
	// maxConcurrent limits the calls that are in flight for one digest.
	maxConcurrent = 8
	// maxRetryAfter limits a pause: the quota may be free earlier than Defender said.
	maxRetryAfter = time.Hour
	// busyRetryAfter is the pause after the client had no memory for another response.
	busyRetryAfter = 10 * time.Second
)

// New returns a source for digests. now is the clock of digests.
func New(client *api.Client, now func() time.Time) *Defender {
	return &Defender{client: client, now: now, cache: newReadingCache(now())}
}

// ForPreview returns a source for interactive previews, with the same cache. Small ones use the interactive quota, large
// ones the background quota.
func (d *Defender) ForPreview() *Defender {
	return &Defender{client: d.client, now: d.now, cache: d.cache, interactive: true}
}

// priority returns the quota that n calls use.
func (d *Defender) priority(n int) api.CallOption {
	if d.interactive && n <= maxConcurrent {
		return api.Fresh()
	}
	return api.Background()
}

// Snapshot reads the patch gap of what s watches. It returns a [digest.RetryLater] if the rate limit or the deadline of
// ctx interrupts it; the next call continues from there.
func (d *Defender) Snapshot(ctx context.Context, s digest.Subscription, due time.Time) (patchgap.Snapshot, error) {
	name := strings.Join(append([]string{strconv.FormatBool(d.interactive), s.ID}, s.Watch...), " ")
	since := d.cache.begin(name, due, d.now())
	snap, err := d.snapshot(ctx, s.Watch, since)
	_, continues := errors.AsType[digest.RetryLater](err)
	switch {
	case err == nil:
		d.cache.complete(name)
	case !continues && ctx.Err() == nil:
		d.cache.forget(name)
	}
	return snap, err
}

// snapshot reads what is watched, from readings made since a time or from Defender.
func (d *Defender) snapshot(ctx context.Context, watch []string, since time.Time) (patchgap.Snapshot, error) {
	ids, missing, err := d.resolve(ctx, watch, since)
	if err != nil {
		return patchgap.Snapshot{}, d.retryLater(err)
	}
	priority := d.priority(len(ids))
	snap, err := d.read(ctx, ids, func(id string) (patchGap, error) { return d.gap(ctx, id, since, priority) })
	snap.Unread = append(snap.Unread, missing.Unread...)
	snap.Partial = append(snap.Partial, missing.Partial...)
	return snap, err
}

// Confirm reads software a second time. From the cache it only accepts second readings.
func (d *Defender) Confirm(ctx context.Context, software []string) (patchgap.Snapshot, error) {
	priority := d.priority(len(software))
	return d.read(ctx, software, func(id string) (patchGap, error) { return d.confirmation(ctx, id, priority) })
}

// resolve turns what is watched into software ids. An id stands for itself, a pattern for what matches it in the catalog.
// A pattern without a match is reported in missing, because silence would read as "nothing is missing".
func (d *Defender) resolve(ctx context.Context, watch []string, since time.Time) (ids []string, missing patchgap.Snapshot, err error) {
	found := map[string]bool{}
	for _, w := range watch {
		if w != digest.All && !strings.Contains(w, "*") {
			found[w] = true
			continue
		}
		list, err := d.list(ctx, since)
		if err != nil {
			return nil, missing, fmt.Errorf("read the software list: %w", err)
		}
		matches := list.matching(w)
		for _, id := range matches {
			found[id] = true
		}
		switch {
		case len(matches) == 0 && list.skipped > 0:
			missing.Unread = append(missing.Unread, patchgap.Unread{Software: w, Reason: "No software matches this, of what could be read of the software list."})
		case len(matches) == 0:
			missing.Unread = append(missing.Unread, patchgap.Unread{Software: w, Reason: "No software matches this."})
		case list.skipped > 0:
			missing.Partial = append(missing.Partial, patchgap.Partial{Software: w, Rows: list.skipped})
		}
	}
	return slices.Sorted(maps.Keys(found)), missing, nil
}

// list returns the software list from the cache or from Defender. Without the cache, a scan would read the list again at
// each attempt, and a low limit would leave no calls for anything else.
func (d *Defender) list(ctx context.Context, since time.Time) (softwareList, error) {
	if list, ok := d.cache.list(since); ok {
		return list, nil
	}
	all, err := d.client.Catalog(ctx, d.priority(1))
	if err != nil {
		return softwareList{}, err
	}
	list := softwareList{make([]software, len(all.Value)), all.Skipped}
	for i, s := range all.Value {
		list.software[i] = software{s.ID, s.Weaknesses > 0}
	}
	d.cache.putList(list, all.FetchedAt, d.now())
	return list, nil
}

// gap returns the patch gap of one software from the cache or from Defender.
func (d *Defender) gap(ctx context.Context, id string, since time.Time, priority api.CallOption) (patchGap, error) {
	if gap, ok := d.cache.get(id); ok && !gap.at.Before(since) {
		return gap, nil
	}
	gap, err := d.fetch(ctx, id, d.now().Sub(since), priority)
	if err == nil {
		d.cache.put(id, gap, d.now())
	}
	return gap, err
}

// confirmation returns a second reading of one software from the cache or from Defender.
func (d *Defender) confirmation(ctx context.Context, id string, priority api.CallOption) (patchGap, error) {
	first, known := d.cache.get(id)
	if known && first.second != nil {
		return *first.second, nil
	}
	gap, err := d.fetch(ctx, id, 0, priority)
	if errors.Is(err, api.ErrNotFound) {
		// A software that has left the tenant misses nothing any more. Only a second reading may say so: a single 404
		// is wrong at times (https://github.com/MicrosoftDocs/microsoft-365-docs/issues/13047).
		// known to be wrong at times (https://github.com/MicrosoftDocs/microsoft-365-docs/issues/13047).
		gap, err = patchGap{at: d.now()}, nil
	}
	if err == nil && known {
		d.cache.confirm(id, first, gap, d.now())
	}
	return gap, err
}

func (d *Defender) fetch(ctx context.Context, id string, maxAge time.Duration, priority api.CallOption) (patchGap, error) {
	answer, err := d.client.MissingKBs(ctx, id, api.MaxAge(maxAge), priority, api.ReadOnly())
	if err != nil {
		return patchGap{}, err
	}
	return patchGap{at: answer.FetchedAt, skipped: answer.Skipped, rows: commands.Rows(id, answer.Value)}, nil
}

// retryLater turns a temporary error into a [digest.RetryLater]. It returns other errors unchanged.
func (d *Defender) retryLater(err error) error {
	failure, ok := errors.AsType[*api.Error](err)
	switch {
	case ok && errors.Is(err, api.ErrThrottled):
		after := min(max(failure.RetryAfter, time.Second), maxRetryAfter)
		return digest.RetryLater{After: after, Going: d.cache.progresses(d.now()), Err: err}
	case ok && errors.Is(err, api.ErrBusy):
		return digest.RetryLater{After: busyRetryAfter, Going: d.cache.progresses(d.now()), Err: err}
	}
	return err
}
