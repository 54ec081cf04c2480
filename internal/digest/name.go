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

// Name says in a few words what a subscription watches. Its digests, their list, the Home tab and notices all call it that.
func (s Subscription) Name() string {
	names := make([]string, len(s.Watch))
	for i, w := range s.Watch {
		names[i] = watchName(w)
	}
	if len(names) > maxNamed { // one id fewer, so that "and 1 more" never stands where that id fits
		return fmt.Sprintf("%s and %d more", strings.Join(names[:maxNamed-1], ", "), len(names)-maxNamed+1)
	}
	return view.Join(names)
}

// watchName is what people call one thing that is watched. A pattern stays as it is: it names software by its ids.
func watchName(w string) string {
	switch {
	case w == All:
		return "all Microsoft software"
	case strings.Contains(w, "*"):
		return w
	}
	return product.Name(w, "")
}

// FormatTime writes a time on the clocks of the subscription's zone.
func (s Subscription) FormatTime(t time.Time) string {
	return t.In(s.zone()).Format("Mon 2 Jan 2006 15:04 MST")
}

// Local is a time in the subscription's zone.
func (s Subscription) Local(t time.Time) time.Time { return t.In(s.zone()) }

// NextWords says when the next digest comes, or why none does.
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
