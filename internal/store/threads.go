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
	"github.com/missingkbs/missingkbs/internal/store/db"
	"github.com/missingkbs/missingkbs/internal/view"
)

// Thread is what the thread of a delivery is to hold, and how many of its messages are known to be posted; found is false
// once it has ended.
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

// SetPosted notes how many messages of a thread are posted.
func (s *Store) SetPosted(ctx context.Context, key string, messages int) error {
	if err := s.queries.SetPosted(ctx, int64(messages), key); err != nil {
		return s.failedWrite("note a thread", err)
	}
	return nil
}

// EndThread records what became of a thread and forgets its page, in one transaction.
func (s *Store) EndThread(ctx context.Context, key string, end digest.Thread) error {
	err := s.tx(ctx, func(q *db.Queries) error {
		return errors.Join(q.SetThread(ctx, string(end), key), q.RemoveThread(ctx, key))
	})
	if err != nil {
		return s.failedWrite("end a thread", err)
	}
	return nil
}

// parts are the kinds of a page's parts under names of their own: those of the types may change.
var parts = map[string]view.Part{"facts": view.Facts{}, "list": view.List{}, "table": view.Table{}, "chart": view.Chart{}}

var registerParts = sync.OnceFunc(func() {
	for name, part := range parts {
		gob.RegisterName("missingkbs."+name, part)
	}
})

// packPage writes a page down, compressed, with all rows of its tables.
func packPage(p view.Page) ([]byte, error) {
	registerParts()
	all := make([]view.Part, len(p.Parts))
	for i, part := range p.Parts {
		if t, ok := part.(view.Table); ok {
			rows := make([][]view.Cell, t.Len())
			for at := range rows {
				rows[at] = t.Row(at)
			}
			t.Rows, t.More = rows, view.LazyRows{}
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
