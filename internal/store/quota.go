package store

import (
	"context"
	"database/sql"
	"errors"
	"time"
)

// Quota is the quota of one tenant that all replicas on a PostgreSQL database share. The arithmetic is that of a
// bucket for any minute and one for any hour (the generic cell rate algorithm), done by one statement under the lock of
// one row and by the clock of the database, so that replicas agree however far their own clocks are apart.
type Quota struct {
	store  *Store
	tenant string
	now    func() int64 // tests set the clock, in microseconds; nil for the database's own
}

// QuotaRate is how fast a bucket fills and how much it holds. The zero value is no limit.
type QuotaRate struct {
	Interval time.Duration // from one call to the next when it is empty
	Burst    int           // calls at once when it is full
	Reserve  int           // of these, calls that a booking in the background leaves
}

// QuotaBooking is what is asked for.
type QuotaBooking struct {
	Minute, Hour QuotaRate
	Calls        int           // 1 to book a turn, 0 to look only
	Background   bool          // book only what may go now and leaves the reserves
	Patience     time.Duration // book no turn that is further away
}

// QuotaTurn is the answer.
type QuotaTurn struct {
	Taken        bool          // the turn is booked
	Wait         time.Duration // until the turn, booked or not
	Paused       time.Duration // how much longer a pause lasts
	Minute, Hour QuotaFill     // the buckets after it
}

// QuotaFill is how full a bucket is.
type QuotaFill struct {
	Full time.Duration // until it is full again; 0 or less when it is
	Used int           // calls in the window that ends now, roughly
}

const (
	// quotaHorizon is the longest patience. A bucket that is to be full later than that explains was filled by a clock
	// that was then put back, and counts as empty.
	quotaHorizon = time.Minute
	// quotaPause is the longest pause; one that lasts longer is not believed, for the same reason.
	quotaPause = time.Hour
)

// Quota returns the shared quota of a tenant, or nil where the database is a SQLite file, which belongs to one process.
func (s *Store) Quota(tenant string) *Quota {
	if s.lite {
		return nil
	}
	return &Quota{store: s, tenant: tenant}
}

// Shared reports whether a database URL names a database for several processes, and so one with a [Quota].
func Shared(databaseURL string) bool {
	to, err := parseURL(databaseURL)
	return err == nil && to.pool != nil
}

// bookQuota books a turn: "state" reads the row under its lock, "start" is from when a call could be made at all, and
// "turn" when it may. In a pause the clock stands still at its end, so that not all who waited come at once. PostgreSQL
// alone runs it, hence it is not among the generated queries.
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

// Book takes the next turn, or says when there is one.
func (q *Quota) Book(ctx context.Context, b QuotaBooking) (QuotaTurn, error) {
	turn, _, err := q.book(ctx, b)
	if errors.Is(err, sql.ErrNoRows) { // the first booking ever
		if err = q.begin(ctx); err == nil {
			turn, _, err = q.book(ctx, b)
		}
	}
	if err != nil {
		return QuotaTurn{}, q.store.failedWrite("book a turn of the shared quota", err)
	}
	return turn, nil
}

// book also tells the database's clock, in microseconds.
func (q *Quota) book(ctx context.Context, b QuotaBooking) (t QuotaTurn, now int64, err error) {
	var wait, paused int64
	var minute, hour tally
	patience := min(b.Patience, quotaHorizon)
	err = q.store.db.QueryRowContext(ctx, bookQuota, q.tenant,
		micros(b.Minute.Interval), b.Minute.Burst, b.Minute.Reserve, micros(b.Hour.Interval), b.Hour.Burst, b.Hour.Reserve,
		b.Calls, b.Background, patience.Microseconds(), q.clock(), quotaHorizon.Microseconds(), quotaPause.Microseconds(),
	).Scan(&t.Taken, &wait, &paused, &now, &minute.full, &minute.calls, &minute.before, &hour.full, &hour.calls, &hour.before)
	if err != nil {
		return QuotaTurn{}, 0, err
	}
	t.Wait, t.Paused = span(wait), span(paused)
	t.Minute, t.Hour = minute.fill(now, time.Minute), hour.fill(now, time.Hour)
	return t, now, nil
}

// Pause keeps all from calling for so long. A pause that ends later than this one stays.
func (q *Quota) Pause(ctx context.Context, d time.Duration) error {
	if err := q.begin(ctx); err != nil {
		return q.store.failedWrite("pause the shared quota", err)
	}
	const pause = `
WITH clock AS (SELECT CASE WHEN $3::bigint > 0 THEN $3 ELSE (extract(epoch FROM clock_timestamp()) * 1000000)::bigint END AS now)
UPDATE quotas SET paused_us = GREATEST(CASE WHEN paused_us > now + $4::bigint THEN 0 ELSE paused_us END, now + $2::bigint) FROM clock WHERE tenant = $1`
	_, err := q.store.db.ExecContext(ctx, pause, q.tenant, min(d, quotaPause).Microseconds(), q.clock(), quotaPause.Microseconds())
	if err != nil {
		return q.store.failedWrite("pause the shared quota", err)
	}
	return nil
}

// begin makes the row of the tenant, unless it is there.
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

// tally is a bucket as the row has it: the calls in a window of the clock, and in the one before it.
type tally struct{ full, calls, before int64 }

// fill estimates the calls in the window that ends now: those of the window before are taken to have been spread evenly.
func (t tally) fill(now int64, window time.Duration) QuotaFill {
	left := float64(window.Microseconds()-now%window.Microseconds()) / float64(window.Microseconds())
	return QuotaFill{Full: span(t.full), Used: int(t.calls) + int(float64(t.before)*left+0.999)}
}

// micros rounds up, so that no bucket fills faster than it should.
func micros(d time.Duration) int64 { return (d + time.Microsecond - 1).Microseconds() }

func span(us int64) time.Duration { return time.Duration(us) * time.Microsecond }
