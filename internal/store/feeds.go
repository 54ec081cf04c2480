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

// Feed is what is known of a feed as a whole. Zero times mean never.
type Feed struct {
	Name    string
	Tried   time.Time // the last try to fetch or to import it
	Fresh   time.Time // the last try that did not fail
	Failed  time.Time // the last try that did
	Failing time.Time // the first of the tries that have failed in a row; zero if the last one did not
	Failure string    // why the last try failed; empty if it did not
	Origin  string    // the host or the file that gave it
}

// FeedDocument is one document of a feed. Its body is JSON, which only the caller reads.
type FeedDocument struct {
	Feed, ID          string
	Released, Revised time.Time
	Entries           int
	Chained           bool // some update of it supersedes another
	Body              []byte
}

// Feeds returns what is known of the feeds, by name.
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

// FeedVersion returns a number that grows with each change of a document. It is cheap to read.
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

// EachFeedBody calls f with the body of each document, one after the other, by feed and ID. It stops at an error of f.
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

// ReplaceFeedDocument puts a document in the place of the one with its ID, in one transaction. check sees what is held
// while no other process can change it, the zero value for nothing. Its error is returned as it is, and leaves everything
// as it was. changed is false if the document was held already.
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

// heldDocument returns what is held of a document, and its packed body.
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

// SetFeedFresh records that a feed was brought up to date, or was found to be.
func (s *Store) SetFeedFresh(ctx context.Context, feed, origin string, at time.Time) error {
	return s.setFeed(ctx, feed, func(q *db.Queries) error {
		return q.SetFeedFresh(ctx, toMillis(at), text(origin), feed)
	})
}

// SetFeedFailed records that a feed could not be brought up to date. failure says why, without secrets.
func (s *Store) SetFeedFailed(ctx context.Context, feed, failure string, at time.Time) error {
	return s.setFeed(ctx, feed, func(q *db.Queries) error {
		return q.SetFeedFailed(ctx, toMillis(at), text(failure), feed)
	})
}

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
	// feedQueue is a queue of its own in River: only processes that fetch feeds work on it, one job at a time.
	feedQueue = "feeds"
	// feedPoll is rare, for no answer waits for feeds, and each look costs SQLite a query.
	feedPoll = 10 * time.Second
	// feedTimeout is enough for the first fetch, of two years.
	feedTimeout = 30 * time.Minute

	feedInterval = 6 * time.Hour
	feedJitter   = 30 * time.Minute // in all, so that installations do not call the publishers at the same time
)

// feedSchedule is every six hours, more or less.
type feedSchedule struct{}

// Next implements [river.PeriodicSchedule].
func (feedSchedule) Next(now time.Time) time.Time {
	return now.Add(feedInterval - feedJitter/2 + rand.N(feedJitter)) //nolint:gosec // no secret
}

// periodicFeeds is the job that the leading process inserts. A start inserts one too, since those before may be lost with
// the process that led; the work finds out whether it is too soon.
func periodicFeeds() *river.PeriodicJob {
	return river.NewPeriodicJob(feedSchedule{}, func() (river.JobArgs, *river.InsertOpts) { return feedArgs{}, nil },
		&river.PeriodicJobOpts{ID: "feeds", RunOnStart: true})
}

// feedArgs are the job that brings the feeds up to date.
type feedArgs struct{}

// Kind names the job in River's tables.
func (feedArgs) Kind() string { return "feeds" }

// InsertOpts makes the job unique while one waits or runs, in all processes together.
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

// Work brings the feeds up to date once.
func (w *feedWorker) Work(ctx context.Context, job *river.Job[feedArgs]) error {
	defer hidePanic()
	again := w.work(ctx, putOff(job.JobRow))
	switch {
	case errors.Is(ctx.Err(), context.Canceled): // by a stop; the next process goes on
		return river.JobSnooze(w.cutOff)
	case again > 0:
		return river.JobSnooze(again)
	}
	return nil
}

// Timeout leaves time for a slow network.
func (w *feedWorker) Timeout(*river.Job[feedArgs]) time.Duration { return feedTimeout }
