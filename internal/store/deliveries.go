package store

import (
	"bytes"
	"compress/flate"
	"context"
	"database/sql"
	"encoding/gob"
	"errors"
	"fmt"
	"sync"

	"github.com/missingkbs/missingkbs/internal/digest"
	"github.com/missingkbs/missingkbs/internal/patchgap"
	"github.com/missingkbs/missingkbs/internal/store/db"
	"github.com/missingkbs/missingkbs/internal/view"
)

// Delivery returns the delivery with a key, if there is one.
func (s *Store) Delivery(ctx context.Context, key string) (digest.Delivery, bool, error) {
	row, err := s.queries.Delivery(ctx, key)
	if errors.Is(err, sql.ErrNoRows) {
		return digest.Delivery{}, false, nil
	}
	if err != nil {
		return digest.Delivery{}, false, s.failed("read a delivery", err)
	}
	return delivery(row), true, nil
}

// Deliveries lists the deliveries of a subscription, newest first.
func (s *Store) Deliveries(ctx context.Context, subscription string, limit int) ([]digest.Delivery, error) {
	rows, err := s.queries.Deliveries(ctx, subscription, bound(limit))
	if err != nil {
		return nil, s.failed("list deliveries", err)
	}
	list := make([]digest.Delivery, 0, len(rows))
	for _, row := range rows {
		list = append(list, delivery(row))
	}
	return list, nil
}

// errRemoved rolls back the record of a subscription that was removed while its digest was being made.
var errRemoved = errors.New("the subscription was removed")

// Record stores the result of a digest in one transaction: the delivery, the job that sends its event if it has one,
// the checks of subscriptions with alerts, the page that its thread still owes, and the snapshot, both as the
// subscription's baseline and for [Store.SeenBefore]. Of the subscription it stores only what the delivery changed:
// Failures, and that the program paused it (Paused with a PauseReason and without an end). A person may have changed
// the rest in the meantime. A delivery of kind [digest.Failed] has seen nothing, so it leaves the baseline alone.
//
// A second record with the same key changes nothing. Neither does one of a subscription that was removed in the
// meantime, because its history went with it.
func (s *Store) Record(ctx context.Context, d digest.Delivery, snap patchgap.Snapshot, after digest.Subscription, details view.Page) error {
	var thread []byte
	if d.Thread == digest.ThreadOwed {
		var err error
		if thread, err = packPage(details); err != nil {
			return s.failed("write a thread", err)
		}
	}
	err := s.txWithJobs(ctx, func(q *db.Queries, add addJob) error {
		if n, err := q.AddDelivery(ctx, deliveryParams(d)); err != nil || n == 0 {
			return err
		}
		if err := recordOutcome(ctx, q, after); err != nil {
			return err
		}
		if d.Event.Body != "" {
			if err := add(ctx, eventArgs{ID: d.Event.ID, Body: d.Event.Body}); err != nil {
				return err
			}
		}
		if thread != nil {
			if err := q.AddThread(ctx, d.Key, d.Subscription, thread); err != nil {
				return err
			}
		}
		if d.Kind == digest.Failed {
			return nil
		}
		if err := recordSnapshot(ctx, q, d, snap); err != nil {
			return err
		}
		return checkAlerts(ctx, q, add, d)
	})
	if err != nil && !errors.Is(err, errRemoved) {
		return s.failedWrite("record a delivery", err)
	}
	return nil
}

// recordOutcome stores what a delivery changed of its subscription.
func recordOutcome(ctx context.Context, q *db.Queries, after digest.Subscription) error {
	n, err := q.SetFailures(ctx, int64(after.Failures), after.ID)
	if err != nil {
		return err
	}
	if n == 0 {
		return errRemoved
	}
	if !after.Paused || after.PauseReason == "" || !after.PausedUntil.IsZero() {
		return nil
	}
	return q.PauseSubscription(ctx, text(after.PauseReason), after.ID)
}

// delivery converts a row; deliveryParams is its inverse.
func delivery(r db.Delivery) digest.Delivery {
	return digest.Delivery{
		Key: r.Key, Subscription: r.Subscription, Tenant: r.Tenant, Due: fromMillis(r.DueMs),
		Channel: r.Channel, Message: r.Message, Kind: digest.Kind(r.Kind), At: fromMillis(r.AtMs),
		Read: fromMillis(r.ReadMs), Thread: digest.Thread(r.Thread),
		Totals: patchgap.Totals{
			KBs: int(r.Kbs), Rows: int(r.Gaps), Worst: int(r.Worst), Missing: int(r.Missing), CVEs: int(r.Cves),
		},
	}
}

func deliveryParams(d digest.Delivery) db.AddDeliveryParams {
	return db.AddDeliveryParams{
		Key: d.Key, Subscription: d.Subscription, Tenant: d.Tenant, DueMs: toMillis(d.Due),
		Channel: d.Channel, Message: d.Message, Kind: string(d.Kind), AtMs: toMillis(d.At),
		ReadMs: toMillis(d.Read), Thread: string(d.Thread),
		Kbs: int64(d.Totals.KBs), Gaps: int64(d.Totals.Rows), Worst: int64(d.Totals.Worst),
		Missing: int64(d.Totals.Missing), Cves: int64(d.Totals.CVEs),
	}
}

// Thread returns what the thread of a delivery has to contain, and how many of its messages are known to be posted;
// found is false once it has ended.
func (s *Store) Thread(ctx context.Context, key string) (details view.Page, posted int, found bool, err error) {
	row, err := s.queries.Thread(ctx, key)
	if errors.Is(err, sql.ErrNoRows) {
		return details, 0, false, nil
	}
	if err == nil {
		details, err = unpackPage(row.Details)
	}
	if err != nil {
		return details, 0, false, s.failed("read a thread", err)
	}
	return details, int(row.Posted), true, nil
}

// SetPosted records how many messages of a thread are posted.
func (s *Store) SetPosted(ctx context.Context, key string, messages int) error {
	if err := s.queries.SetPosted(ctx, int64(messages), key); err != nil {
		return s.failedWrite("note a thread", err)
	}
	return nil
}

// EndThread records the result of a thread and deletes its page, in one transaction.
func (s *Store) EndThread(ctx context.Context, key string, end digest.Thread) error {
	err := s.tx(ctx, func(q *db.Queries) error {
		return errors.Join(q.SetThread(ctx, string(end), key), q.RemoveThread(ctx, key))
	})
	if err != nil {
		return s.failedWrite("end a thread", err)
	}
	return nil
}

// parts maps the kinds of page parts to names of their own, because Go's type names may change.
var parts = map[string]view.Part{"facts": view.Facts{}, "list": view.List{}, "table": view.Table{}, "chart": view.Chart{}, "code": view.Code{}}

var registerParts = sync.OnceFunc(func() {
	for name, part := range parts {
		gob.RegisterName("missingkbs."+name, part)
	}
})

// packPage encodes and compresses a page with all rows of its tables.
func packPage(p view.Page) ([]byte, error) {
	registerParts()
	all := make([]view.Part, len(p.Parts))
	for i, part := range p.Parts {
		if t, ok := part.(view.Table); ok {
			rows := make([][]view.Cell, t.Len())
			for at := range rows {
				rows[at] = t.Row(at)
			}
			t.Rows, t.More, t.Folded = rows, view.LazyRows{}, view.LazyRows{} // threads do not show folded rows
			part = t
		}
		all[i] = part
	}
	p.Parts = all
	var out bytes.Buffer
	w, err := flate.NewWriter(&out, flate.BestSpeed)
	if err != nil {
		return nil, err
	}
	if err := errors.Join(gob.NewEncoder(w).Encode(p), w.Close()); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

func unpackPage(packed []byte) (p view.Page, err error) {
	registerParts()
	if err := gob.NewDecoder(flate.NewReader(bytes.NewReader(packed))).Decode(&p); err != nil {
		return p, fmt.Errorf("read a page: %w", err)
	}
	return p, nil
}
