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

// Baseline returns the snapshot of a subscription's newest delivery, exactly as it was recorded, with the rows of a
// software in their original order. Software whose rows are lost is listed as unread, so that it is not compared.
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

// Reading returns the newest reading of one software as a snapshot of just that, or false if there is none.
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

// reading identifies the rows of a software by hash.
type reading struct {
	tenant, software string
	hash             int64
}

// SeenBefore returns, for rows that were missing and then closed, when they were last seen missing before they were
// gone. Whether they are missing again makes no difference, so it does not matter which of several subscriptions
// records their return first. Rows that were never closed are left out.
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

// update identifies a row of one software in its stored form.
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

// recordSnapshot stores the readings of a snapshot and the subscription's new baseline.
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
	for _, p := range snap.Partial { // what seems gone may be among its unreadable rows
		r.carried[p.Software] = true
	}
	list := contents{At: r.at, Software: snap.Software, Hash: make([]int64, len(snap.Software)), Unread: snap.Unread, Partial: snap.Partial, Told: snap.Told, Attacks: snap.Exploited}
	hashes := map[string]int64{}
	// Sorted, because transactions that lock in different orders would deadlock.
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

// errUnlisted is the error of an inconsistent snapshot.
var errUnlisted = errors.New("the snapshot has a row of software that it does not list as read")

// bySoftware groups the rows of a snapshot.
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

// recorder stores the readings of one snapshot in one transaction.
type recorder struct {
	packer
	q       *db.Queries
	tenant  string
	at      int64
	newest  map[string]db.NewestRow
	carried map[string]bool // not completely read: rows are from an older snapshot or incomplete
}

// record stores the reading of one software, unless another snapshot has stored it already, and returns its hash.
func (r *recorder) record(ctx context.Context, name string, rows []patchgap.Row) (int64, error) {
	plain, err := json.Marshal(columns(rows))
	if err != nil {
		return 0, err
	}
	h, software := hash(plain), text(name)
	if n := r.newest[software]; n.Hash == h && n.ReadMs >= r.at {
		return h, nil // its day is stored too
	}
	packed, err := r.pack(plain)
	if err != nil {
		return 0, err
	}
	params := db.AddReadingParams{Tenant: r.tenant, Software: software, Hash: h, AtMs: r.at, Gaps: packed}
	if r.carried[name] { // says nothing about what is missing now
		return h, r.q.AddReading(ctx, params)
	}
	last, err := r.q.LockSoftware(ctx, r.tenant, software)
	if err != nil {
		return 0, err
	}
	if err := r.q.AddReading(ctx, params); err != nil || r.at < last.ReadMs { // an older reading does not either
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

// move makes rows the missing updates of a software, and closes the others as of the reading before.
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

// BaselineTimes returns when the oldest and newest baselines of active subscriptions were recorded; zero if there are
// none.
func (s *Store) BaselineTimes(ctx context.Context) (oldest, newest time.Time, err error) {
	row, err := s.queries.BaselineAges(ctx)
	if err != nil {
		return time.Time{}, time.Time{}, s.failed("read the times of baselines", err)
	}
	return fromMillis(row.OldestMs), fromMillis(row.NewestMs), nil
}

// BaselineTimesBySubscription returns when each subscription's baseline was recorded, including paused ones.
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
