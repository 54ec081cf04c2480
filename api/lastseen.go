package api

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"slices"
	"sort"
	"time"
)

// LastSeen says when each device of the tenant sent its last full report. It is
// read only, and safe for concurrent use.
type LastSeen struct {
	ids   [][20]byte // sorted; the ids of devices are 40 hexadecimal digits
	times []uint32   // seconds since 1970, by index of the id
}

// Len is how many devices are known.
func (l LastSeen) Len() int { return len(l.ids) }

// Of returns when a device was seen last; false if the tenant does not list it, or
// does not say when.
func (l LastSeen) Of(machineID string) (time.Time, bool) {
	id, ok := machineKey(machineID)
	if !ok {
		return time.Time{}, false
	}
	i, found := slices.BinarySearchFunc(l.ids, id, func(a, b [20]byte) int { return bytes.Compare(a[:], b[:]) })
	if !found || l.times[i] == 0 {
		return time.Time{}, false
	}
	return time.Unix(int64(l.times[i]), 0).UTC(), true
}

// LastSeen reads when each device of the tenant was seen last: one call for 10,000
// devices. 200,000 devices take 5 MB.
//
// The permission is Machine.Read.All, or Machine.Read when a person signed in.
// https://learn.microsoft.com/defender-endpoint/api/get-machines
func (c *Client) LastSeen(ctx context.Context, opts ...CallOption) (Answer[LastSeen], error) {
	const path = "/api/machines"
	return ask(ctx, c, question[LastSeen]{
		path: path,
		size: func(l LastSeen) int { return 24 * len(l.ids) },
		fetch: func(ctx context.Context) (LastSeen, badRows, error) {
			p := pager[seen]{client: c, op: "LastSeen", decode: decodePage[seen, wireSeen]}
			var l LastSeen
			for page, err := range p.pages(ctx, path) {
				switch {
				case errors.Is(err, ErrNotFound): // Defender's answer of a tenant without devices
					return LastSeen{}, p.bad, nil
				case err != nil:
					return LastSeen{}, badRows{}, err
				}
				l.add(page.rows)
			}
			if err := p.confirmEmpty(l.Len(), path); err != nil {
				return LastSeen{}, badRows{}, err
			}
			return l.sorted(), p.bad, nil
		},
	}, opts)
}

// seen is one device, as far as this list reads it.
type seen struct {
	id [20]byte
	at uint32
}

type wireSeen struct {
	ID       string `json:"id"`
	LastSeen string `json:"lastSeen"`
}

func (w wireSeen) value() (seen, error) {
	id, ok := machineKey(w.ID)
	if !ok {
		return seen{}, errors.New("id is not 40 hexadecimal digits")
	}
	at, err := parseTime("lastSeen", w.LastSeen)
	if err != nil || at.IsZero() {
		return seen{id: id}, err
	}
	return seen{id, uint32(min(max(at.Unix(), 0), 1<<32-1))}, nil //nolint:gosec // within its range
}

func machineKey(id string) (key [20]byte, ok bool) {
	if len(id) != 2*len(key) {
		return key, false
	}
	_, err := hex.Decode(key[:], []byte(id))
	return key, err == nil
}

func (l *LastSeen) add(rows []seen) {
	for _, r := range rows {
		l.ids = append(l.ids, r.id)
		l.times = append(l.times, r.at)
	}
}

// sorted orders by id and keeps of a device that is listed twice the later time.
func (l LastSeen) sorted() LastSeen {
	sort.Sort(byID(l))
	n := 0
	for i := range l.ids {
		if n > 0 && l.ids[n-1] == l.ids[i] {
			l.times[n-1] = max(l.times[n-1], l.times[i])
			continue
		}
		l.ids[n], l.times[n] = l.ids[i], l.times[i]
		n++
	}
	return LastSeen{slices.Clip(l.ids[:n]), slices.Clip(l.times[:n])}
}

type byID LastSeen

func (b byID) Len() int           { return len(b.ids) }
func (b byID) Less(i, j int) bool { return bytes.Compare(b.ids[i][:], b.ids[j][:]) < 0 }
func (b byID) Swap(i, j int) {
	b.ids[i], b.ids[j] = b.ids[j], b.ids[i]
	b.times[i], b.times[j] = b.times[j], b.times[i]
}
