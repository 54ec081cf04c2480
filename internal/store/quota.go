package store

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/missingkbs/missingkbs/internal/quota"
)

// Quota is the quota of one tenant shared by all replicas on a PostgreSQL database: the buckets of package quota,
// computed by one statement under the lock of one row. It uses the database's clock, so the replicas' clocks need not
// agree.
type Quota struct {
	store  *Store
	tenant string
	now    func() int64 // tests set the clock, in microseconds; nil for the database's own
}

// Quota returns the shared quota of a tenant, or nil for a SQLite file, which belongs to one process.
func (s *Store) Quota(tenant string) *Quota {
	if s.sqlite {
		return nil
	}
	return &Quota{store: s, tenant: tenant}
}

// bookQuota is [quota.Limiter.Book] in SQL; TestQuotaAgrees compares the two. "state" reads the row under its lock,
// "start" computes when a call could be made if the buckets were full, and "turn" when it may be made. It only runs on
// PostgreSQL, so it is not among the generated queries.
const bookQuota = `
WITH state AS (
    SELECT * FROM quotas WHERE tenant = $1 FOR UPDATE
), clock AS (
    SELECT *, CASE WHEN $11::bigint > 0 THEN $11 ELSE (extract(epoch FROM clock_timestamp()) * 1000000)::bigint END AS now FROM state
), start AS (
    SELECT *, CASE WHEN paused_us > now + $13::bigint THEN now ELSE GREATEST(now, paused_us) END AS at,
        CASE WHEN minute_full_us > now + $3 * $2::bigint + $12::bigint THEN now + $3 * $2 ELSE minute_full_us END AS minute_full,
        CASE WHEN hour_full_us > now + $6 * $5::bigint + $12 THEN now + $6 * $5 ELSE hour_full_us END AS hour_full
    FROM clock
), turn AS (
    SELECT *, GREATEST(at,
        CASE WHEN $2 = 0 THEN at ELSE GREATEST(at, minute_full) + $2 - ($3::bigint - CASE WHEN $9 THEN $4::bigint ELSE 0 END) * $2 END,
        CASE WHEN $5 = 0 THEN at ELSE GREATEST(at, hour_full) + $5 - ($6::bigint - CASE WHEN $9 THEN $7::bigint ELSE 0 END) * $5 END) - now AS wait
    FROM start
), taken AS (
    SELECT *, $8::bigint > 0 AND wait <= CASE WHEN $9::boolean THEN 0 ELSE $10::bigint END AS taken FROM turn
), result AS (
    SELECT *, CASE WHEN taken THEN 1 ELSE 0 END AS n,
        CASE WHEN taken THEN GREATEST(at, minute_full) + $2 ELSE minute_full END AS new_minute,
        CASE WHEN taken THEN GREATEST(at, hour_full) + $5 ELSE hour_full END AS new_hour,
        CASE now / 60000000 - minute_slot WHEN 0 THEN minute_calls ELSE 0 END AS minute_now,
        CASE now / 60000000 - minute_slot WHEN 0 THEN minute_before WHEN 1 THEN minute_calls ELSE 0 END AS minute_last,
        CASE now / 3600000000 - hour_slot WHEN 0 THEN hour_calls ELSE 0 END AS hour_now,
        CASE now / 3600000000 - hour_slot WHEN 0 THEN hour_before WHEN 1 THEN hour_calls ELSE 0 END AS hour_last
    FROM taken
), written AS (
    UPDATE quotas SET minute_full_us = r.new_minute, hour_full_us = r.new_hour,
        minute_slot = r.now / 60000000, minute_calls = r.minute_now + 1, minute_before = r.minute_last,
        hour_slot = r.now / 3600000000, hour_calls = r.hour_now + 1, hour_before = r.hour_last
    FROM result r WHERE quotas.tenant = $1 AND r.taken
)
SELECT taken, wait, at - now, now, new_minute - now, minute_now + n, minute_last, new_hour - now, hour_now + n, hour_last FROM result`

// Book implements [quota.Budget].
func (q *Quota) Book(ctx context.Context, b quota.Booking) (quota.Booked, error) {
	turn, _, err := q.book(ctx, b)
	if errors.Is(err, sql.ErrNoRows) { // the first booking of this tenant
		if err = q.begin(ctx); err == nil {
			turn, _, err = q.book(ctx, b)
		}
	}
	if err != nil {
		return quota.Booked{}, q.store.failedWrite("book a turn of the shared quota", err)
	}
	return turn, nil
}

// book also returns the database's clock, in microseconds.
func (q *Quota) book(ctx context.Context, b quota.Booking) (got quota.Booked, now int64, err error) {
	var wait, paused int64
	var minute, hour bucketRow
	patience := min(b.Patience, quota.MaxPatience)
	err = q.store.db.QueryRowContext(ctx, bookQuota, q.tenant,
		micros(b.Minute.Interval), b.Minute.Burst, b.Minute.Reserve, micros(b.Hour.Interval), b.Hour.Burst, b.Hour.Reserve,
		b.Calls, b.Background, patience.Microseconds(), q.clock(), quota.MaxPatience.Microseconds(), quota.MaxPause.Microseconds(),
	).Scan(&got.Taken, &wait, &paused, &now, &minute.full, &minute.calls, &minute.before, &hour.full, &hour.calls, &hour.before)
	if err != nil {
		return quota.Booked{}, 0, err
	}
	got.Wait, got.Paused = span(wait), span(paused)
	got.Minute, got.Hour = minute.fill(now, time.Minute), hour.fill(now, time.Hour)
	return got, now, nil
}

// Pause implements [quota.Budget]. A pause that ends later than this one stays.
func (q *Quota) Pause(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return nil
	}
	if err := q.begin(ctx); err != nil {
		return q.store.failedWrite("pause the shared quota", err)
	}
	const pause = `
WITH clock AS (SELECT CASE WHEN $3::bigint > 0 THEN $3 ELSE (extract(epoch FROM clock_timestamp()) * 1000000)::bigint END AS now)
UPDATE quotas SET paused_us = GREATEST(CASE WHEN paused_us > now + $4::bigint THEN 0 ELSE paused_us END, now + $2::bigint) FROM clock WHERE tenant = $1`
	_, err := q.store.db.ExecContext(ctx, pause, q.tenant, min(d, quota.MaxPause).Microseconds(), q.clock(), quota.MaxPause.Microseconds())
	if err != nil {
		return q.store.failedWrite("pause the shared quota", err)
	}
	return nil
}

// begin inserts the row of the tenant unless it exists.
func (q *Quota) begin(ctx context.Context) error {
	_, err := q.store.db.ExecContext(ctx, `INSERT INTO quotas VALUES ($1, 0, 0, 0, 0, 0, 0, 0, 0, 0) ON CONFLICT (tenant) DO NOTHING`, q.tenant)
	return err
}

func (q *Quota) clock() int64 {
	if q.now == nil {
		return 0
	}
	return q.now()
}

// bucketRow is a bucket as the statement returns it: when it is full again, in microseconds from now, and the calls in
// two fixed windows.
type bucketRow struct {
	full          int64
	calls, before int
}

func (r bucketRow) fill(now int64, window time.Duration) quota.Fill {
	return quota.Fill{Full: max(span(r.full), 0), Used: quota.Used(r.calls, r.before, time.UnixMicro(now), window)}
}

// micros rounds up, so that no bucket fills faster than it should.
func micros(d time.Duration) int64 { return (d + time.Microsecond - 1).Microseconds() }

func span(us int64) time.Duration { return time.Duration(us) * time.Microsecond }
