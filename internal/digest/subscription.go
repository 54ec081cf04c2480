package digest

import (
	"slices"
	"strings"
	"time"

	"github.com/missingkbs/missingkbs/internal/digest/schedule"
)

// Pause returns the subscription paused until a time, or indefinitely for the zero time. Its next run is the first one
// after the pause; runs during the pause are skipped.
func (s Subscription) Pause(until time.Time, reason string) Subscription {
	s.Paused, s.PausedUntil, s.PauseReason, s.NextRun = true, until, reason, time.Time{}
	if !until.IsZero() {
		s.NextRun = schedule.Next(s.Schedule, until.Add(-time.Nanosecond))
	}
	return s
}

// Resume returns the subscription active from now on.
func (s Subscription) Resume(now time.Time) Subscription {
	s.Paused, s.PausedUntil, s.PauseReason, s.Failures = false, time.Time{}, "", 0
	s.NextRun = schedule.Next(s.Schedule, now)
	return s
}

// pausedAt reports whether the subscription is paused at a time.
func (s Subscription) pausedAt(now time.Time) bool {
	return s.Paused && (s.PausedUntil.IsZero() || s.PausedUntil.After(now))
}

// OwnedBy reports whether a user created the subscription. A subscription from the file has no owner.
func (s Subscription) OwnedBy(user string) bool { return s.Owner != "" && s.Owner == user }

// Watches reports whether a subscription covers a software. A * in what it watches matches any letters.
func (s Subscription) Watches(software string) bool {
	return slices.ContainsFunc(s.Watch, func(pattern string) bool { return watches(pattern, software) })
}

// single reports whether a subscription watches exactly one software.
func (s Subscription) single() bool {
	return len(s.Watch) == 1 && s.Watch[0] != All && !strings.Contains(s.Watch[0], "*")
}

// software returns the ID of the only software watched; "" if there are more.
func (s Subscription) software() string {
	if !s.single() {
		return ""
	}
	return s.Watch[0]
}

// microsoft begins the ids of all of Microsoft's software.
const microsoft = "microsoft-_-"

// watches reports whether one pattern matches a software id.
func watches(pattern, software string) bool {
	if pattern == All {
		return strings.HasPrefix(software, microsoft)
	}
	pieces := strings.Split(pattern, "*")
	rest, ok := strings.CutPrefix(software, pieces[0])
	if !ok || len(pieces) == 1 {
		return ok && rest == ""
	}
	last := len(pieces) - 1
	for _, piece := range pieces[1:last] {
		_, after, found := strings.Cut(rest, piece)
		if !found {
			return false
		}
		rest = after
	}
	return strings.HasSuffix(rest, pieces[last])
}

// maxWatch bounds the words that a subscription watches, and maxID the length of each: more than people need, and few
// enough to show.
const (
	maxWatch = 50
	maxID    = 200
)

// ReadWatch checks and sorts what to watch, without repeats. It returns a [Mistake] for invalid words.
func ReadWatch(words []string) ([]string, error) {
	if len(words) == 0 {
		return nil, mistake("Which software? Name software ids such as microsoft-_-edge, patterns such as microsoft-_-windows*, or all.")
	}
	if len(words) > maxWatch {
		return nil, mistake("%d software ids are more than the %d that one digest takes. Use a pattern such as microsoft-_-windows*, or several digests.", len(words), maxWatch)
	}
	for _, w := range words {
		vendor, name, ok := strings.Cut(w, "-_-")
		if w != All && (!ok || vendor == "" || name == "" || strings.HasPrefix(w, "*") || strings.ContainsFunc(w, isSpace) || len(w) > maxID) {
			return nil, mistake("%q is not a software id. Ids look like microsoft-_-edge; patterns like microsoft-_-windows*; all stands for every software of Microsoft's.", w)
		}
	}
	return slices.Compact(slices.Sorted(slices.Values(words))), nil
}

func isSpace(r rune) bool { return r <= ' ' || r == 0x7f }

// ReadQuiet parses what to do when nothing has changed; "" means [Silent].
func ReadQuiet(word string) (Quiet, error) {
	switch q := Quiet(strings.ToLower(word)); q {
	case "":
		return Silent, nil
	case Silent, Heartbeat, Always:
		return q, nil
	}
	return "", mistake("%q is not a choice for when nothing has changed. Write silent (post nothing), heartbeat (one line) or always (the whole digest).", word)
}

// ReadAlert parses what is reported between two digests; "" means [NoAlert].
func ReadAlert(word string) (AlertKind, error) {
	switch a := AlertKind(strings.ToLower(word)); a {
	case NoAlert, AlertExploited:
		return a, nil
	}
	return NoAlert, mistake("alert must be exploited, or be left out; it is %q.", word)
}
