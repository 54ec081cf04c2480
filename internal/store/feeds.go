package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"

	"github.com/missingkbs/missingkbs/internal/store/db"
)

// Feed is the state of a feed as a whole. Zero times mean never.
type Feed struct {
	Name    string
	Tried   time.Time // last attempt to fetch or import it
	Fresh   time.Time // last successful attempt
	Failed  time.Time // last failed attempt
	Failing time.Time // start of the current row of failures; zero if the last attempt succeeded
	Failure string    // why the last attempt failed; "" if it succeeded
	Origin  string    // host or file that it came from
}

// FeedDocument is one document of a feed. Its body is JSON that only the caller interprets.
type FeedDocument struct {
	Feed, ID          string
	Released, Revised time.Time
	Entries           int
	Chained           bool // whether an update in it supersedes another
	Body              []byte
}

// Feeds returns the state of all feeds, by name.
func (s *Store) Feeds(ctx context.Context) ([]Feed, error) {
	rows, err := s.queries.Feeds(ctx)
	if err != nil {
		return nil, s.failed("read the state of the feeds", err)
	}
	feeds := make([]Feed, len(rows))
	for i, r := range rows {
		feeds[i] = Feed{
			Name: r.Feed, Tried: fromMillis(r.TriedMs), Fresh: fromMillis(r.FreshMs), Failed: fromMillis(r.FailedMs), Failing: fromMillis(r.FailingMs),
			Failure: r.Failure, Origin: r.Origin,
		}
	}
	return feeds, nil
}

// FeedVersion returns a number that grows with every change of a document. It is cheap to read.
func (s *Store) FeedVersion(ctx context.Context) (int64, error) {
	version, err := s.queries.FeedVersion(ctx)
	if err != nil {
		return 0, s.failed("read the version of the feeds", err)
	}
	return version, nil
}

// FeedDocuments lists all documents without their bodies, by feed and ID.
func (s *Store) FeedDocuments(ctx context.Context) ([]FeedDocument, error) {
	rows, err := s.queries.FeedDocuments(ctx)
	if err != nil {
		return nil, s.failed("list the documents of the feeds", err)
	}
	documents := make([]FeedDocument, len(rows))
	for i, r := range rows {
		documents[i] = FeedDocument{
			Feed: r.Feed, ID: r.Document, Released: fromMillis(r.ReleasedMs), Revised: fromMillis(r.RevisedMs), Entries: int(r.Entries), Chained: r.Chained,
		}
	}
	return documents, nil
}

// EachFeedBody calls f with the body of each document, by feed and ID. It stops at the first error of f.
func (s *Store) EachFeedBody(ctx context.Context, f func(feed, id string, body []byte) error) error {
	rows, err := s.queries.FeedBodies(ctx)
	if err != nil {
		return s.failed("read the documents of the feeds", err)
	}
	var u unpacker
	for _, r := range rows {
		var body json.RawMessage
		if err := u.unpack(r.Body, &body); err != nil {
			return s.failed("read a document of a feed", err)
		}
		if err := f(r.Feed, r.Document, body); err != nil {
			return err
		}
	}
	return nil
}

// ReplaceFeedDocument replaces the document with its ID, in one transaction. check gets what is stored, or the zero
// value for nothing, while no other replica can change it; its error is returned unchanged and leaves everything as it
// was. changed is false if the same document was stored already.
func (s *Store) ReplaceFeedDocument(ctx context.Context, d FeedDocument, check func(held FeedDocument) error) (changed bool, err error) {
	body, err := new(packer).pack(d.Body)
	if err != nil {
		return false, s.failedWrite("store a document of a feed", err)
	}
	var refused error
	err = s.tx(ctx, func(q *db.Queries) error {
		if _, err := q.LockFeed(ctx, d.Feed); err != nil {
			return err
		}
		held, was, err := s.heldDocument(ctx, q, d)
		if err != nil {
			return err
		}
		if refused = check(held); refused != nil {
			return refused
		}
		if changed = string(was) != string(body); !changed {
			return nil
		}
		if err := q.SetFeedDocument(ctx, db.SetFeedDocumentParams{
			Feed: d.Feed, Document: d.ID, ReleasedMs: toMillis(d.Released), RevisedMs: toMillis(d.Revised), Entries: int64(d.Entries), Chained: d.Chained, Body: body,
		}); err != nil {
			return err
		}
		return q.BumpFeed(ctx, d.Feed)
	})
	switch {
	case refused != nil:
		return false, refused
	case err != nil:
		return false, s.failedWrite("store a document of a feed", err)
	}
	return changed, nil
}

// heldDocument returns the stored document and its packed body.
func (s *Store) heldDocument(ctx context.Context, q *db.Queries, d FeedDocument) (held FeedDocument, body []byte, err error) {
	r, err := q.FeedDocument(ctx, d.Feed, d.ID)
	if errors.Is(err, sql.ErrNoRows) {
		return FeedDocument{}, nil, nil
	}
	if err != nil {
		return FeedDocument{}, nil, err
	}
	return FeedDocument{
		Feed: d.Feed, ID: d.ID, Released: fromMillis(r.ReleasedMs), Revised: fromMillis(r.RevisedMs), Entries: int(r.Entries), Chained: r.Chained,
	}, r.Body, nil
}

// SetFeedFresh records that a feed is up to date.
func (s *Store) SetFeedFresh(ctx context.Context, feed, origin string, at time.Time) error {
	return s.setFeed(ctx, feed, func(q *db.Queries) error {
		return q.SetFeedFresh(ctx, toMillis(at), text(origin), feed)
	})
}

// SetFeedFailed records that a feed could not be updated. failure says why, without secrets.
func (s *Store) SetFeedFailed(ctx context.Context, feed, failure string, at time.Time) error {
	return s.setFeed(ctx, feed, func(q *db.Queries) error {
		return q.SetFeedFailed(ctx, toMillis(at), text(failure), feed)
	})
}

// setFeed changes the state of a feed under its lock.
func (s *Store) setFeed(ctx context.Context, feed string, set func(q *db.Queries) error) error {
	err := s.tx(ctx, func(q *db.Queries) error {
		if _, err := q.LockFeed(ctx, feed); err != nil {
			return err
		}
		return set(q)
	})
	if err != nil {
		return s.failedWrite("note the state of a feed", err)
	}
	return nil
}

const (
	// feedQueue is a separate queue in River: only processes that fetch feeds work on it, one job at a time.
	feedQueue = "feeds"
	// feedPoll is long, because no answer waits for feeds and each poll costs SQLite a query.
	feedPoll = 10 * time.Second
	// feedTimeout is enough for the first fetch of two years of documents.
	feedTimeout = 30 * time.Minute

	feedInterval = 6 * time.Hour
	feedJitter   = 30 * time.Minute // in total, so that installations do not call the publishers at the same time
)

// feedSchedule is about every six hours.
type feedSchedule struct{}

// Next implements [river.PeriodicSchedule].
func (feedSchedule) Next(now time.Time) time.Time {
	return now.Add(feedInterval - feedJitter/2 + rand.N(feedJitter)) //nolint:gosec // no secret
}

// periodicFeeds is the job that the leading process inserts. Every start inserts one too, because earlier ones may be
// lost with the process that led; the job itself checks whether it is too early.
func periodicFeeds() *river.PeriodicJob {
	return river.NewPeriodicJob(feedSchedule{}, func() (river.JobArgs, *river.InsertOpts) { return feedArgs{}, nil },
		&river.PeriodicJobOpts{ID: "feeds", RunOnStart: true})
}

// feedArgs is the job that updates the feeds.
type feedArgs struct{}

// Kind names the job in River's tables.
func (feedArgs) Kind() string { return "feeds" }

// InsertOpts makes the job unique while one waits or runs, across all replicas.
func (feedArgs) InsertOpts() river.InsertOpts {
	return river.InsertOpts{Queue: feedQueue, MaxAttempts: 1, UniqueOpts: river.UniqueOpts{ByState: []rivertype.JobState{
		rivertype.JobStateAvailable, rivertype.JobStatePending, rivertype.JobStateRunning, rivertype.JobStateRetryable, rivertype.JobStateScheduled,
	}}}
}

type feedWorker struct {
	river.WorkerDefaults[feedArgs]
	work   func(ctx context.Context, failures int) (again time.Duration)
	cutOff time.Duration
}

// Work updates the feeds once.
func (w *feedWorker) Work(ctx context.Context, job *river.Job[feedArgs]) error {
	defer hidePanic()
	again := w.work(ctx, putOff(job.JobRow))
	switch {
	case errors.Is(ctx.Err(), context.Canceled): // a shutdown; the next process continues
		return river.JobSnooze(w.cutOff)
	case again > 0:
		return river.JobSnooze(again)
	}
	return nil
}

// Timeout leaves time for a slow network.
func (w *feedWorker) Timeout(*river.Job[feedArgs]) time.Duration { return feedTimeout }
