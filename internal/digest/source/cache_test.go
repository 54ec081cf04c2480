package source

import (
	"testing"
	"time"
)

// A scan continues for its digest. It begins anew for the next one, or after a long pause.
func TestScansContinue(t *testing.T) {
	t.Parallel()
	nine := time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)
	daily := nine.AddDate(0, 0, 1)
	for name, tc := range map[string]struct {
		read     time.Time // something, for whatever digest
		complete bool
		due      time.Time
		again    time.Time
		want     time.Time // when the reading began
	}{
		"the same digest":                 {nine, false, nine, nine.Add(5 * time.Hour), nine},
		"the same digest, read before":    {nine, true, nine, nine.Add(5 * time.Hour), nine},
		"the next digest":                 {daily, true, daily, nine.Add(time.Hour), nine.Add(time.Hour)},
		"the next digest, not read whole": {nine, false, daily, nine.Add(5 * time.Hour), nine},
		"after a long rest of all":        {nine, false, nine, nine.Add(7 * time.Hour), nine.Add(7 * time.Hour)},
		"after a long rest of its own":    {nine.Add(6 * time.Hour), false, nine, nine.Add(7 * time.Hour), nine.Add(7 * time.Hour)},
	} {
		c := newReadingCache(nine)
		c.begin("a", nine, nine)
		c.put("old", patchGap{at: nine}, tc.read)
		if tc.complete {
			c.complete("a")
		}
		if got := c.begin("a", tc.due, tc.again).Add(maxGapAge); !got.Equal(tc.want) {
			t.Errorf("%s: it began at %v, want %v", name, got, tc.want)
		}
		if _, kept := c.get("old"); kept != tc.want.Add(-maxGapAge).Before(nine.Add(time.Second)) {
			t.Errorf("%s: the patch gap is kept: %v", name, kept)
		}
	}
}
