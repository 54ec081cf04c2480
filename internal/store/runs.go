package store

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/missingkbs/missingkbs/internal/digest"
	"github.com/missingkbs/missingkbs/internal/store/db"
)

// BeginRun records an attempt at a digest unless another digest of the subscription is running. It returns the current
// run, and whether it is the attempt's.
func (s *Store) BeginRun(ctx context.Context, a digest.Attempt) (run digest.Run, begun bool, err error) {
	err = s.tx(ctx, func(q *db.Queries) error {
		n, err := q.AddRun(ctx, db.AddRunParams{
			Subscription: a.Subscription, DueMs: toMillis(a.Due), Holder: a.Holder, NowMs: toMillis(a.Now), UntilMs: toMillis(a.Until),
		})
		if err == nil && n == 0 {
			n, err = q.ResumeRun(ctx, db.ResumeRunParams{
				Subscription: a.Subscription, DueMs: toMillis(a.Due), Holder: a.Holder, NowMs: toMillis(a.Now), UntilMs: toMillis(a.Until),
			})
		}
		if err != nil {
			return err
		}
		begun = n > 0
		row, err := q.Run(ctx, a.Subscription)
		run = runOf(row)
		return err
	})
	if errors.Is(err, sql.ErrNoRows) { // it ended a moment ago
		return digest.Run{Job: a.Job, Until: a.Until}, false, nil
	}
	if err != nil {
		return digest.Run{}, false, s.failedWrite("begin a run", err)
	}
	return run, begun, nil
}

// TakeRun replaces another digest's run by an attempt, if that run still equals was.
func (s *Store) TakeRun(ctx context.Context, was digest.Run, a digest.Attempt) (taken bool, err error) {
	n, err := s.queries.TakeRun(ctx, db.TakeRunParams{
		Subscription: a.Subscription, DueMs: toMillis(a.Due), Holder: a.Holder, NowMs: toMillis(a.Now), UntilMs: toMillis(a.Until),
		WasDueMs: toMillis(was.Due), WasHolder: was.Holder, WasUntilMs: toMillis(was.Until),
	})
	if err != nil {
		return false, s.failedWrite("take over a run", err)
	}
	return n > 0, nil
}

// SetPosting notes the key of a message that is about to be posted, or empty that none is, and tells whether the attempt
// still has the run.
func (s *Store) SetPosting(ctx context.Context, a digest.Attempt, key string) (kept bool, err error) {
	n, err := s.queries.SetPosting(ctx, db.SetPostingParams{
		Subscription: a.Subscription, DueMs: toMillis(a.Due), Holder: a.Holder, NowMs: toMillis(a.Now), Posting: key,
	})
	if err != nil {
		return false, s.failedWrite("note a message", err)
	}
	return n > 0, nil
}

// SetProgress notes how much an attempt has read.
func (s *Store) SetProgress(ctx context.Context, a digest.Attempt, done, total int) error {
	err := s.queries.SetProgress(ctx, db.SetProgressParams{
		Subscription: a.Subscription, DueMs: toMillis(a.Due), Holder: a.Holder, NowMs: toMillis(a.Now), Done: int64(done), Total: int64(total),
	})
	if err != nil {
		return s.failedWrite("note the progress of a run", err)
	}
	return nil
}

// RestRun ends an attempt; the run waits for the next one.
func (s *Store) RestRun(ctx context.Context, a digest.Attempt) error {
	err := s.queries.RestRun(ctx, db.RestRunParams{Subscription: a.Subscription, DueMs: toMillis(a.Due), Holder: a.Holder, NowMs: toMillis(a.Now)})
	if err != nil {
		return s.failedWrite("end an attempt", err)
	}
	return nil
}

// EndRun ends the run of a job.
func (s *Store) EndRun(ctx context.Context, job digest.Job) error {
	if err := s.queries.EndRun(ctx, job.Subscription, toMillis(job.Due)); err != nil {
		return s.failedWrite("end a run", err)
	}
	return nil
}

// Run is the digest that is being made of a subscription, if one is.
func (s *Store) Run(ctx context.Context, subscription string) (run digest.Run, found bool, err error) {
	row, err := s.queries.Run(ctx, subscription)
	if errors.Is(err, sql.ErrNoRows) {
		return run, false, nil
	}
	if err != nil {
		return run, false, s.failed("read a run", err)
	}
	return runOf(row), true, nil
}

// Runs returns all running digests, by subscription.
func (s *Store) Runs(ctx context.Context) (map[string]digest.Run, error) {
	rows, err := s.queries.Runs(ctx)
	if err != nil {
		return nil, s.failed("list runs", err)
	}
	runs := make(map[string]digest.Run, len(rows))
	for _, row := range rows {
		runs[row.Subscription] = runOf(row)
	}
	return runs, nil
}

func runOf(r db.Run) digest.Run {
	return digest.Run{
		Job:    digest.Job{Subscription: r.Subscription, Due: fromMillis(r.DueMs)},
		Holder: r.Holder, Began: fromMillis(r.BeganMs), Seen: fromMillis(r.SeenMs), Until: fromMillis(r.UntilMs),
		Posting: r.Posting, Done: int(r.Done), Total: int(r.Total),
	}
}

// TakeLane leases a channel to a holder until a time, or prolongs the lease. taken is false while another holder has
// it, or has posted so recently that no replica may; free is when that ends.
func (s *Store) TakeLane(ctx context.Context, channel, holder string, now, until time.Time) (free time.Time, taken bool, err error) {
	n, err := s.queries.TakeLane(ctx, db.TakeLaneParams{Channel: channel, Holder: holder, UntilMs: toMillis(until), NowMs: toMillis(now)})
	if err == nil && n > 0 {
		return until, true, nil
	}
	var ms int64
	if err == nil {
		ms, err = s.queries.LaneFree(ctx, channel)
	}
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return free, false, s.failedWrite("take the turn in a channel", err)
	}
	return fromMillis(ms), false, nil
}

// LeaveLane ends a lease: the next holder may post at free. It does nothing if another holder has the channel.
func (s *Store) LeaveLane(ctx context.Context, channel, holder string, free time.Time) error {
	if err := s.queries.LeaveLane(ctx, toMillis(free), channel, holder); err != nil {
		return s.failedWrite("give back the turn in a channel", err)
	}
	return nil
}
