package app

import (
	"context"
	"errors"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/missingkbs/missingkbs/internal/patchgap"
)

// The page of a device asks when the updates of many software were first seen. A database that hangs delays it once, not for each,
// and is asked again later.
func TestFirstSeenWithoutAnAnswer(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		hangs, asked := true, 0
		c := &seenCache{by: map[string]seenAt{}, read: func(ctx context.Context, _, software string) (map[patchgap.Key]patchgap.Seen, error) {
			asked++
			if hangs {
				<-ctx.Done()
				return nil, ctx.Err()
			}
			return map[patchgap.Key]patchgap.Seen{{Software: software}: {}}, nil
		}}
		began := time.Now()
		for i := range 25 {
			c.of(t.Context(), strconv.Itoa(i))
		}
		if took := time.Since(began); took > seenTimeout || asked != 1 {
			t.Errorf("asked %d times, for %v", asked, took)
		}
		hangs = false
		time.Sleep(seenRetry)
		if seen := c.of(t.Context(), "0"); len(seen) != 1 {
			t.Errorf("later it knows %v", seen)
		}
		gone, cancel := context.WithCancelCause(t.Context())
		cancel(errors.New("the user went away"))
		hangs = true
		c.of(gone, "1")
		hangs = false
		if seen := c.of(t.Context(), "1"); len(seen) != 1 {
			t.Errorf("after a question that ended early it knows %v", seen)
		}
	})
}
