package monitor

import (
	"context"
	"log/slog"
	"time"

	"github.com/missingkbs/missingkbs/internal/digest"
	"github.com/missingkbs/missingkbs/internal/metrics"
	"github.com/missingkbs/missingkbs/internal/patchgap"
	"github.com/missingkbs/missingkbs/internal/span"
	"github.com/missingkbs/missingkbs/internal/store"
	"github.com/missingkbs/missingkbs/internal/view"
)

// DigestObserver returns an observer that counts attempts at digests. now is the clock of digests.
func (m *Monitor) DigestObserver(now func() time.Time) func(context.Context, digest.Observation) {
	return func(_ context.Context, o digest.Observation) {
		m.Metrics.Digest(metrics.Digest{
			Outcome: string(o.Outcome), Lag: now().Sub(o.Job.Due), Late: o.Late,
			Over: o.Outcome == digest.OutcomeSent || o.Outcome == digest.OutcomeSilent,
		})
	}
}

// CountTimetable returns a timetable that counts due digests. Of several replicas, the one that moves the next run
// counts.
func (m *Monitor) CountTimetable(next digest.Timetable) digest.Timetable {
	return countedTimetable{next, m.Metrics}
}

type countedTimetable struct {
	digest.Timetable
	metrics *metrics.Metrics
}

// Due implements [digest.Timetable].
func (t countedTimetable) Due(ctx context.Context, now time.Time, limit int) ([]digest.Subscription, error) {
	due, err := t.Timetable.Due(ctx, now, limit)
	if err == nil {
		t.metrics.DigestsLooked(time.Now())
	}
	return due, err
}

// Advance implements [digest.Timetable].
func (t countedTimetable) Advance(ctx context.Context, id string, from, to time.Time) (bool, error) {
	moved, err := t.Timetable.Advance(ctx, id, from, to)
	if moved {
		t.metrics.DigestDue()
	}
	return moved, err
}

// TraceWork returns work that traces each attempt at a digest.
func (m *Monitor) TraceWork(next store.Work) store.Work {
	return func(ctx context.Context, job digest.Job, attempt int) error {
		ctx, end := m.Tracer().Start(ctx, "digest", span.Options{Kind: span.Consumer, Attrs: []slog.Attr{
			slog.String("missingkbs.digest.id", job.Subscription), slog.String("missingkbs.digest.due", job.Due.UTC().Format(time.RFC3339)), slog.Int("missingkbs.digest.attempt", attempt),
		}})
		err := next(ctx, job, attempt)
		end(err)
		return err
	}
}

// TraceSource returns a source that traces each reading.
func (m *Monitor) TraceSource(next digest.Source) digest.Source {
	return tracedSource{next, m.Tracer()}
}

type tracedSource struct {
	digest.Source
	trace span.Tracer
}

// Snapshot implements [digest.Source].
func (s tracedSource) Snapshot(ctx context.Context, sub digest.Subscription, due time.Time) (patchgap.Snapshot, error) {
	ctx, end := s.trace.Start(ctx, "snapshot", span.Options{Part: true})
	snap, err := s.Source.Snapshot(ctx, sub, due)
	end(err, slog.Int("missingkbs.digest.software", len(snap.Software)), slog.Int("missingkbs.digest.unread", len(snap.Unread)))
	return snap, err
}

// Confirm implements [digest.Source].
func (s tracedSource) Confirm(ctx context.Context, software []string) (patchgap.Snapshot, error) {
	ctx, end := s.trace.Start(ctx, "confirm", span.Options{Part: true})
	snap, err := s.Source.Confirm(ctx, software)
	end(err, slog.Int("missingkbs.digest.software", len(software)))
	return snap, err
}

// TracePoster returns a poster that traces each message.
func (m *Monitor) TracePoster(next digest.Poster) digest.Poster {
	return tracedPoster{next, m.Tracer()}
}

type tracedPoster struct {
	digest.Poster
	trace span.Tracer
}

// Post implements [digest.Poster].
func (p tracedPoster) Post(ctx context.Context, channel, key string, page view.Page) (string, error) {
	ctx, end := p.trace.Start(ctx, "post", span.Options{Part: true, Kind: span.Client})
	message, err := p.Poster.Post(ctx, channel, key, page)
	end(err)
	return message, err
}

// Find implements [digest.Poster].
func (p tracedPoster) Find(ctx context.Context, channel, key string, since time.Time) (string, bool, error) {
	ctx, end := p.trace.Start(ctx, "find", span.Options{Part: true, Kind: span.Client})
	message, found, err := p.Poster.Find(ctx, channel, key, since)
	end(err, slog.Bool("missingkbs.digest.found", found))
	return message, found, err
}

// Reply implements [digest.Poster].
func (p tracedPoster) Reply(ctx context.Context, r digest.Reply, posted func(messages int) error) error {
	ctx, end := p.trace.Start(ctx, "reply", span.Options{Part: true, Kind: span.Client})
	err := p.Poster.Reply(ctx, r, posted)
	end(err)
	return err
}
