package main

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/missingkbs/missingkbs/internal/alert"
	"github.com/missingkbs/missingkbs/internal/digest"
	"github.com/missingkbs/missingkbs/internal/view"
)

// openForDatabase opens the desk for trouble with the database, which has to do without it: its states are kept in memory.
func (o *operators) openForDatabase(h house, poster sharedPoster) {
	poster.now = h.now
	o.database = alert.New(alert.Options{
		Channel: h.opsChannel, Conditions: alert.DatabaseConditions(), Store: &alert.Memory{}, Poster: poster, Process: o.process,
		Interval: h.opsTick, Now: h.now, Log: h.log, Poll: func(d *alert.Notifier) { o.askDatabase(d, h.store.Health().Trouble) },
	})
}

// askDatabase says which trouble there is, and that there is none of the others.
func (o *operators) askDatabase(d *alert.Notifier, now digest.Trouble) {
	for _, trouble := range digest.Troubles() {
		if trouble == now {
			d.Failing(alert.DatabasePrefix+string(trouble), o.process)
		} else {
			d.Working(o.process, alert.DatabasePrefix+string(trouble))
		}
	}
}

// messageFinder finds what any process has posted with a key.
type messageFinder interface {
	alert.Poster
	Find(ctx context.Context, channel, key string, since time.Time) (message string, found bool, err error)
}

// sharedPoster posts for processes that know nothing of each other: what one has posted of the same trouble within the same
// minutes the others leave.
type sharedPoster struct {
	messageFinder
	now func() time.Time
}

// sameTrouble is how far apart processes notice a trouble at most. It is shorter than a trouble and its end together last.
const sameTrouble = 3 * time.Minute

// Post implements [alert.Poster].
func (p sharedPoster) Post(ctx context.Context, channel, key string, page view.Page) (string, error) {
	name, since, notice, ok := readOpsKey(key)
	if !ok {
		return p.messageFinder.Post(ctx, channel, key, page)
	}
	slot := since / int64(sameTrouble/time.Second)
	shared := func(slot int64) string { return fmt.Sprintf("ops/%s/slot-%d/%s", name, slot, notice) }
	for _, known := range []int64{slot, slot - 1} {
		message, found, err := p.Find(ctx, channel, shared(known), time.Unix(since, 0))
		if err == nil && found {
			return message, nil
		}
	}
	return p.messageFinder.Post(ctx, channel, shared(slot), page)
}

// readOpsKey reads a key of [alert.Notifier]: ops/<name>/<seconds>/<notice>.
func readOpsKey(key string) (name string, since int64, notice string, ok bool) {
	parts := strings.Split(key, "/")
	if len(parts) != 4 {
		return "", 0, "", false
	}
	since, err := strconv.ParseInt(parts[2], 10, 64)
	return parts[1], since, parts[3], err == nil
}
