package digest

import (
	"fmt"
	"strings"
	"time"

	"github.com/missingkbs/missingkbs/internal/product"
	"github.com/missingkbs/missingkbs/internal/view"
)

// maxNamed is how many watched ids the name of a subscription lists.
const maxNamed = 3

// Name describes in a few words what a subscription watches. Its digests, their list, the Home tab and notices all use
// it.
func (s Subscription) Name() string {
	names := make([]string, len(s.Watch))
	for i, w := range s.Watch {
		names[i] = watchName(w)
	}
	if len(names) > maxNamed { // one ID fewer, so that "and 1 more" never appears where that ID fits
		return fmt.Sprintf("%s and %d more", strings.Join(names[:maxNamed-1], ", "), len(names)-maxNamed+1)
	}
	return view.Join(names)
}

// watchName returns the name of one watched thing for people. A pattern is returned unchanged, because it matches ids.
func watchName(w string) string {
	switch {
	case w == All:
		return "all Microsoft software"
	case strings.Contains(w, "*"):
		return w
	}
	return product.Name(w, "")
}

// FormatTime formats a time in the subscription's time zone.
func (s Subscription) FormatTime(t time.Time) string {
	return t.In(s.zone()).Format("Mon 2 Jan 2006 15:04 MST")
}

// Local converts a time to the subscription's time zone.
func (s Subscription) Local(t time.Time) time.Time { return t.In(s.zone()) }

// NextWords says when the next digest is due, or why there is none.
func (s Subscription) NextWords(now time.Time) string {
	switch {
	case s.pausedAt(now) && s.PausedUntil.IsZero():
		return strings.TrimSpace("paused. " + s.PauseReason)
	case s.pausedAt(now) && !s.NextRun.IsZero():
		return "paused; resumes with the run of " + s.FormatTime(s.NextRun)
	case s.NextRun.IsZero():
		return "never: its schedule has no further time"
	}
	return s.FormatTime(s.NextRun)
}
