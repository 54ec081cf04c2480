package main

import (
	"context"
	"log/slog"
	"time"

	"github.com/missingkbs/missingkbs/internal/digest"
	"github.com/missingkbs/missingkbs/internal/span"
	"github.com/missingkbs/missingkbs/internal/store"
	"github.com/missingkbs/missingkbs/internal/view"
)

// work traces each attempt at a digest.
func (m *monitor) work(next store.Work) store.Work {
	return func(ctx context.Context, job digest.Job, attempt int) error {
		ctx, end := m.traces.Tracer().Start(ctx, "digest", span.Options{Kind: span.Consumer, Attrs: []slog.Attr{
			slog.String("missingkbs.digest.id", job.Subscription), slog.String("missingkbs.digest.due", job.Due.UTC().Format(time.RFC3339)), slog.Int("missingkbs.digest.attempt", attempt),
		}})
		err := next(ctx, job, attempt)
		end(err)
		return err
	}
}

// tracedSource traces the readings of a digest.
type tracedSource struct {
	digest.Source
	trace span.Tracer
}

// Snapshot is part of [digest.Source].
func (s tracedSource) Snapshot(ctx context.Context, sub digest.Subscription, due time.Time) (digest.Snapshot, error) {
	ctx, end := s.trace.Start(ctx, "snapshot", span.Options{Part: true})
	snap, err := s.Source.Snapshot(ctx, sub, due)
	end(err, slog.Int("missingkbs.digest.software", len(snap.Software)), slog.Int("missingkbs.digest.unread", len(snap.Unread)))
	return snap, err
}

// Confirm is part of [digest.Source].
func (s tracedSource) Confirm(ctx context.Context, software []string) (digest.Snapshot, error) {
	ctx, end := s.trace.Start(ctx, "confirm", span.Options{Part: true})
	snap, err := s.Source.Confirm(ctx, software)
	end(err, slog.Int("missingkbs.digest.software", len(software)))
	return snap, err
}

// tracedPoster traces what a digest sends.
type tracedPoster struct {
	digest.Poster
	trace span.Tracer
}

// Post is part of [digest.Poster].
func (p tracedPoster) Post(ctx context.Context, channel, key string, page view.Page) (string, error) {
	ctx, end := p.trace.Start(ctx, "post", span.Options{Part: true, Kind: span.Client})
	message, err := p.Poster.Post(ctx, channel, key, page)
	end(err)
	return message, err
}

// Find is part of [digest.Poster].
func (p tracedPoster) Find(ctx context.Context, channel, key string, since time.Time) (string, bool, error) {
	ctx, end := p.trace.Start(ctx, "find", span.Options{Part: true, Kind: span.Client})
	message, found, err := p.Poster.Find(ctx, channel, key, since)
	end(err, slog.Bool("missingkbs.digest.found", found))
	return message, found, err
}

// Reply is part of [digest.Poster].
func (p tracedPoster) Reply(ctx context.Context, r digest.Reply, posted func(messages int) error) error {
	ctx, end := p.trace.Start(ctx, "reply", span.Options{Part: true, Kind: span.Client})
	err := p.Poster.Reply(ctx, r, posted)
	end(err)
	return err
}
