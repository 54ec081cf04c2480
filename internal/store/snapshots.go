package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/missingkbs/missingkbs/internal/digest"
	"github.com/missingkbs/missingkbs/internal/patchgap"
	"github.com/missingkbs/missingkbs/internal/store/db"
)

// Baseline returns the snapshot of the newest delivery of a subscription, exactly as it was recorded. The rows of a
// software come in the order they had. A software whose rows are lost is listed as unread, so that nothing is compared
// with nothing.
func (s *Store) Baseline(ctx context.Context, subscription string) (patchgap.Snapshot, bool, error) {
	row, err := s.queries.Baseline(ctx, subscription)
	if errors.Is(err, sql.ErrNoRows) {
		return patchgap.Snapshot{}, false, nil
	}
	var list contents
	var u unpacker
	if err == nil {
		err = u.unpack(row.Contents, &list)
	}
	if err != nil {
		return patchgap.Snapshot{}, false, s.failed("read a baseline", err)
	}
	snap := patchgap.Snapshot{Tenant: row.Tenant, At: fromMillis(list.At), Unread: list.Unread, Partial: list.Partial, Told: list.Told, Exploited: list.Attacks}
	for i, software := range list.Software {
		rows, err := s.reading(ctx, &u, reading{row.Tenant, software, list.Hash[i]})
		switch {
		case errors.Is(err, sql.ErrNoRows):
			snap.Unread = append(snap.Unread, patchgap.Unread{Software: software, Reason: "what was stored of it is lost"})
		case err != nil:
			return patchgap.Snapshot{}, false, s.failed("read a baseline", err)
		default:
			snap.Software = append(snap.Software, software)
			snap.Rows = append(snap.Rows, rows...)
		}
	}
	return snap, true, nil
}

// Reading returns the newest reading of one software as a snapshot of nothing else, or false where it was never read.
func (s *Store) Reading(ctx context.Context, tenant, software string) (patchgap.Snapshot, bool, error) {
	row, err := s.queries.NewestReading(ctx, tenant, text(software))
	if errors.Is(err, sql.ErrNoRows) {
		return patchgap.Snapshot{}, false, nil
	}
	var u unpacker
	var g gaps
	if err == nil {
		err = u.unpack(row.Gaps, &g)
	}
	if err != nil {
		return patchgap.Snapshot{}, false, s.failed("read the newest reading of a software", err)
	}
	return patchgap.Snapshot{Tenant: tenant, At: fromMillis(row.ReadMs), Software: []string{software}, Rows: g.rows(software)}, true, nil
}

func (s *Store) reading(ctx context.Context, u *unpacker, at reading) ([]patchgap.Row, error) {
	packed, err := s.queries.Reading(ctx, at.tenant, text(at.software), at.hash)
	if err != nil {
		return nil, err
	}
	var g gaps
	if err := u.unpack(packed, &g); err != nil {
		return nil, fmt.Errorf("rows of a software: %w", err)
	}
	return g.rows(at.software), nil
}

// reading names the rows of a software in some state.
type reading struct {
	tenant, software string
	hash             int64
}

// SeenBefore tells, for rows that were once seen missing, then closed, when that was: the last time they were seen
// before they were gone, if not before since. Whether they are missing again makes no difference, so it does not matter
// which of several subscriptions records first that they are back. Rows that were never closed are left out.
func (s *Store) SeenBefore(ctx context.Context, tenant string, keys []patchgap.Key, since time.Time) (map[patchgap.Key]time.Time, error) {
	seen := map[patchgap.Key]time.Time{}
	for software, wanted := range byStoredKey(keys) {
		rows, err := s.queries.ClosedUpdates(ctx, tenant, text(software), toMillis(since))
		if err != nil {
			return nil, s.failed("look for closed updates", err)
		}
		for _, r := range rows {
			if key, ok := wanted[update{r.Kb, r.OsBuild}]; ok {
				seen[key] = fromMillis(r.ClosedMs)
			}
		}
	}
	return seen, nil
}

// update names a row of one software as it is stored.
type update struct{ kb, osBuild string }

func byStoredKey(keys []patchgap.Key) map[string]map[update]patchgap.Key {
	groups := map[string]map[update]patchgap.Key{}
	for _, k := range keys {
		if groups[k.Software] == nil {
			groups[k.Software] = map[update]patchgap.Key{}
		}
		groups[k.Software][update{text(k.KB), text(k.OSBuild)}] = k
	}
	return groups
}

func recordSnapshot(ctx context.Context, q *db.Queries, d digest.Delivery, snap patchgap.Snapshot) error {
	rows, err := bySoftware(snap)
	if err != nil {
		return err
	}
	newest, err := q.Newest(ctx, snap.Tenant)
	if err != nil {
		return err
	}
	r := recorder{
		q: q, tenant: snap.Tenant, at: toMillis(snap.At), newest: map[string]db.NewestRow{}, carried: map[string]bool{},
	}
	for _, n := range newest {
		r.newest[n.Software] = n
	}
	for _, u := range snap.Unread {
		r.carried[u.Software] = true
	}
	for _, p := range snap.Partial { // what could not be read of them may be what seems to be gone
		r.carried[p.Software] = true
	}
	list := contents{At: r.at, Software: snap.Software, Hash: make([]int64, len(snap.Software)), Unread: snap.Unread, Partial: snap.Partial, Told: snap.Told, Attacks: snap.Exploited}
	hashes := map[string]int64{}
	// Sorted, since two transactions that lock in different orders would wait for each other.
	for _, software := range slices.Sorted(slices.Values(snap.Software)) {
		if hashes[software], err = r.record(ctx, software, rows[software]); err != nil {
			return err
		}
	}
	for i, software := range snap.Software {
		list.Hash[i] = hashes[software]
	}
	plain, err := json.Marshal(list)
	if err != nil {
		return err
	}
	packed, err := r.pack(plain)
	if err != nil {
		return err
	}
	return q.SetBaseline(ctx, db.SetBaselineParams{
		Subscription: d.Subscription, Tenant: snap.Tenant, AtMs: toMillis(d.At), Contents: packed,
	})
}

// errUnlisted is the error of a snapshot that contradicts itself.
var errUnlisted = errors.New("the snapshot has a row of software that it does not list as read")

func bySoftware(snap patchgap.Snapshot) (map[string][]patchgap.Row, error) {
	rows := make(map[string][]patchgap.Row, len(snap.Software))
	for _, software := range snap.Software {
		rows[software] = nil
	}
	for _, row := range snap.Rows {
		if _, ok := rows[row.Software]; !ok {
			return nil, errUnlisted
		}
		rows[row.Software] = append(rows[row.Software], row)
	}
	return rows, nil
}

// recorder writes the readings of one snapshot, in one transaction.
type recorder struct {
	packer
	q       *db.Queries
	tenant  string
	at      int64
	newest  map[string]db.NewestRow
	carried map[string]bool // not read, or not wholly: the rows are from an older snapshot, or some are not there
}

// record writes the reading of one software, unless another snapshot has brought it already, and returns its hash.
func (r *recorder) record(ctx context.Context, name string, rows []patchgap.Row) (int64, error) {
	plain, err := json.Marshal(columns(rows))
	if err != nil {
		return 0, err
	}
	h, software := hash(plain), text(name)
	if n := r.newest[software]; n.Hash == h && n.ReadMs >= r.at {
		return h, nil // its day is there as well
	}
	packed, err := r.pack(plain)
	if err != nil {
		return 0, err
	}
	params := db.AddReadingParams{Tenant: r.tenant, Software: software, Hash: h, AtMs: r.at, Gaps: packed}
	if r.carried[name] { // says nothing of what is missing now
		return h, r.q.AddReading(ctx, params)
	}
	last, err := r.q.LockSoftware(ctx, r.tenant, software)
	if err != nil {
		return 0, err
	}
	if err := r.q.AddReading(ctx, params); err != nil || r.at < last.ReadMs { // nor does what came late
		return h, err
	}
	if last.Hash != h {
		if err := r.move(ctx, software, rows, last.ReadMs); err != nil {
			return 0, err
		}
	}
	err = r.q.SetReadingDay(ctx, db.SetReadingDayParams{
		Tenant: r.tenant, Software: software, Day: r.at / dayMillis, AtMs: r.at, Hash: h,
	})
	if err != nil {
		return 0, err
	}
	return h, r.q.SetNewest(ctx, db.SetNewestParams{Tenant: r.tenant, Software: software, Hash: h, ReadMs: r.at})
}

// move makes rows the missing updates of a software, and closes those that are gone as of the reading before.
func (r *recorder) move(ctx context.Context, software string, rows []patchgap.Row, before int64) error {
	was, err := r.q.Missing(ctx, r.tenant, software)
	if err != nil {
		return err
	}
	gone := make(map[update]bool, len(was))
	for _, u := range was {
		gone[update{u.Kb, u.OsBuild}] = true
	}
	now := make(map[update]bool, len(rows))
	for _, row := range rows {
		u := update{text(row.KB), text(row.OSBuild)}
		if !gone[u] && !now[u] {
			err := r.q.OpenUpdate(ctx, db.OpenUpdateParams{
				Tenant: r.tenant, Software: software, Kb: u.kb, OsBuild: u.osBuild, FirstMs: r.at, BeforeMs: before,
			})
			if err != nil {
				return err
			}
		}
		now[u] = true
	}
	for _, u := range was {
		if now[update{u.Kb, u.OsBuild}] {
			continue
		}
		err := r.q.CloseUpdate(ctx, db.CloseUpdateParams{
			ClosedMs: before, Tenant: r.tenant, Software: software, Kb: u.Kb, OsBuild: u.OsBuild,
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// BaselineTimes returns when the oldest and the newest baseline of active subscriptions were recorded. Both are zero if
// there are none.
func (s *Store) BaselineTimes(ctx context.Context) (oldest, newest time.Time, err error) {
	row, err := s.queries.BaselineAges(ctx)
	if err != nil {
		return time.Time{}, time.Time{}, s.failed("read the times of baselines", err)
	}
	return fromMillis(row.OldestMs), fromMillis(row.NewestMs), nil
}

// BaselineTimesBySubscription returns when the baseline of each subscription was recorded, of paused ones too.
func (s *Store) BaselineTimesBySubscription(ctx context.Context) (map[string]time.Time, error) {
	rows, err := s.queries.BaselineTimes(ctx)
	if err != nil {
		return nil, s.failed("read the times of baselines", err)
	}
	recorded := make(map[string]time.Time, len(rows))
	for _, row := range rows {
		recorded[row.Subscription] = fromMillis(row.AtMs)
	}
	return recorded, nil
}
