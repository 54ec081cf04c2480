package app

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/missingkbs/missingkbs/internal/alert"
	"github.com/missingkbs/missingkbs/internal/view"
)

// messageFinder posts messages and finds what any replica has posted with a key.
type messageFinder interface {
	alert.Poster
	Find(ctx context.Context, channel, key string, since time.Time) (message string, found bool, err error)
}

// sharedPoster posts alerts of replicas that cannot share state, because the database itself is in trouble. It does not
// post what another replica has just posted about the same trouble.
type sharedPoster struct {
	messageFinder
	now func() time.Time
}

// sameTrouble is the greatest delay between two replicas that notice the same trouble. It is shorter than a trouble and
// its end together.
const sameTrouble = 3 * time.Minute

// Post implements [alert.Poster].
func (p sharedPoster) Post(ctx context.Context, channel, key string, page view.Page) (string, error) {
	name, since, notice, ok := parseAlertKey(key)
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

// parseAlertKey parses the key of an alert: ops/<name>/<seconds>/<notice>.
func parseAlertKey(key string) (name string, since int64, notice string, ok bool) {
	parts := strings.Split(key, "/")
	if len(parts) != 4 {
		return "", 0, "", false
	}
	since, err := strconv.ParseInt(parts[2], 10, 64)
	return parts[1], since, parts[3], err == nil
}
