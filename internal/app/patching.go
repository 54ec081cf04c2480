package app

import (
	"context"
	"maps"
	"sync"
	"time"

	"github.com/missingkbs/missingkbs/commands"
	"github.com/missingkbs/missingkbs/commands/plancmd"
	"github.com/missingkbs/missingkbs/commands/reading"
	"github.com/missingkbs/missingkbs/commands/reportcmd"
	"github.com/missingkbs/missingkbs/commands/search"
	"github.com/missingkbs/missingkbs/internal/advisory"
	"github.com/missingkbs/missingkbs/internal/aging"
	"github.com/missingkbs/missingkbs/internal/deadline"
	"github.com/missingkbs/missingkbs/internal/digest"
	"github.com/missingkbs/missingkbs/internal/patchgap"
	"github.com/missingkbs/missingkbs/internal/risk"
	"github.com/missingkbs/missingkbs/internal/store"
)

// Patching holds what commands need to report how patching goes. All fields but Defender and Index may be nil.
type Patching struct {
	Defender   commands.Defender
	Index      *search.Index
	Store      *store.Store // readings of digests
	Advisories func() *advisory.Snapshot
	Deadlines  *deadline.Setting
	Now        func() time.Time
}

// Ages shows the age and deadline of updates in other commands. When updates were first seen is read from the database
// now and then; if it does not respond, ages come from the feeds.
func (p Patching) Ages() commands.Option {
	seen := &seenCache{by: map[string]seenAt{}}
	if p.Store != nil {
		seen.read = p.Store.FirstSeen
	}
	return commands.WithAges(func(ctx context.Context, software string) aging.Facts {
		f := p.facts(p.now().UTC())
		f.Seen = seen.of(ctx, software)
		return f
	})
}

// Known returns the options for other commands: the feeds, ages and, with a database, when digests first saw an update
// and which ones are accepted.
func (p Patching) Known() []commands.Option {
	known := []commands.Option{commands.WithAdvisories(p.Advisories), commands.WithClock(p.Now), p.Ages()}
	if p.Store == nil {
		return known
	}
	risks := &risk.Register{Tenant: digest.DefaultTenant, Store: p.Store, Now: p.Now, Published: func() risk.Advisories {
		if p.Advisories == nil {
			return published{}
		}
		return published{p.Advisories()}
	}}
	return append(known, commands.WithHistory(p.Store), commands.WithAccepted(risks))
}

// Commands returns the commands plan and report.
func (p Patching) Commands() []commands.Command {
	return []commands.Command{
		plancmd.New(plancmd.Options{Reader: p.reader(), Advisories: p.Advisories, Now: p.Now}),
		reportcmd.New(p.report()),
	}
}

// facts returns what is known about the age of updates, except when they were first seen.
func (p Patching) facts(now time.Time) aging.Facts {
	f := aging.Facts{Now: now, Policy: p.Deadlines.Policy()}
	if p.Advisories != nil {
		f.Known = p.Advisories()
	}
	return f
}

// DigestKnown returns what digests know about updates beyond Defender's data.
func (p Patching) DigestKnown(accepted digest.Accepted) digest.Known {
	known := digest.Known{Advise: advise(p.Advisories, p.now), Accepted: accepted}
	if p.Store != nil {
		known.Ages = p.digestAges
	}
	return known
}

// digestAges returns the ages of the updates in a digest.
func (p Patching) digestAges(ctx context.Context, r digest.Report) digest.Ages {
	before, read := r.Before, r.After
	all := p.facts(r.Subscription.Local(p.now()))
	all.Seen = map[patchgap.Key]patchgap.Seen{}
	unknown := map[string]bool{}
	for _, id := range read.Software {
		seen, err := p.Store.FirstSeen(ctx, digest.DefaultTenant, id)
		if unknown[id] = err != nil; err == nil {
			maps.Copy(all.Seen, seen)
		}
	}
	for _, row := range read.Rows { // what this digest sees first is not recorded yet
		if _, known := all.Seen[row.Key]; known || unknown[row.Software] || !read.WasRead(row.Software) {
			continue
		}
		seen := patchgap.Seen{First: read.At}
		if before.WasRead(row.Software) {
			seen.Before = before.At
		}
		all.Seen[row.Key] = seen
	}
	return all.Of(read.Updates(), r.Inside)
}

func (p Patching) now() time.Time {
	if p.Now == nil {
		return time.Now()
	}
	return p.Now()
}

const (
	// seenLife is how long first sightings are cached. New digests add some, but a few minutes do not change an age in
	// days.
	seenLife = 5 * time.Minute
	// seenTimeout bounds how long a question waits for them.
	seenTimeout = 500 * time.Millisecond
	// seenRetry is how long the database is not asked after a failure: a page asks about a dozen software ids in turn.
	seenRetry = 10 * time.Second
	// maxSeen bounds the software ids in the cache.
	maxSeen = 1000
)

// seenCache caches when updates were first seen. It is safe for concurrent use.
type seenCache struct {
	read func(ctx context.Context, tenant, software string) (map[patchgap.Key]patchgap.Seen, error) // nil without a database

	mu     sync.Mutex
	by     map[string]seenAt
	failed time.Time // when the database last failed to respond
}

type seenAt struct {
	seen map[patchgap.Key]patchgap.Seen
	at   time.Time
}

// of returns when updates of a software were first seen. After a failure it returns what is cached.
func (c *seenCache) of(ctx context.Context, software string) map[patchgap.Key]patchgap.Seen {
	if c.read == nil {
		return nil
	}
	c.mu.Lock()
	have, ok := c.by[software]
	failed := c.failed
	c.mu.Unlock()
	if ok && time.Since(have.at) < seenLife || time.Since(failed) < seenRetry {
		return have.seen
	}
	limited, cancel := context.WithTimeout(ctx, seenTimeout)
	defer cancel()
	seen, err := c.read(limited, digest.DefaultTenant, software)
	c.mu.Lock()
	defer c.mu.Unlock()
	if err != nil {
		if ctx.Err() == nil {
			c.failed = time.Now()
		}
		return have.seen
	}
	if len(c.by) >= maxSeen {
		clear(c.by)
	}
	c.by[software] = seenAt{seen, time.Now()}
	return seen
}

func (p Patching) reader() *reading.Reader {
	r := &reading.Reader{Defender: p.Defender, Index: p.Index, Now: p.Now}
	if p.Store != nil { // a nil *store.Store must not become a non-nil interface
		r.Stored = p.Store
	}
	return r
}

func (p Patching) report() reportcmd.Options {
	o := reportcmd.Options{Reader: p.reader(), Advisories: p.Advisories, Policy: p.Deadlines.Policy, Now: p.Now}
	if p.Store != nil {
		o.History = p.Store
	}
	return o
}
