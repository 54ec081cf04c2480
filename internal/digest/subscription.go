package digest

import (
	"slices"
	"strings"
	"time"

	"github.com/missingkbs/missingkbs/internal/digest/schedule"
)

// Pause is the subscription paused until a time, or without an end for the zero time. Its next run is the first one
// after the pause: what would have been due meanwhile is not made up for.
func (s Subscription) Pause(until time.Time, reason string) Subscription {
	s.Paused, s.PausedUntil, s.PauseReason, s.NextRun = true, until, reason, time.Time{}
	if !until.IsZero() {
		s.NextRun = schedule.Next(s.Schedule, until.Add(-time.Nanosecond))
	}
	return s
}

// Resume is the subscription as it goes on from now.
func (s Subscription) Resume(now time.Time) Subscription {
	s.Paused, s.PausedUntil, s.PauseReason, s.Failures = false, time.Time{}, "", 0
	s.NextRun = schedule.Next(s.Schedule, now)
	return s
}

// pausedAt reports whether the subscription is paused at a moment.
func (s Subscription) pausedAt(now time.Time) bool {
	return s.Paused && (s.PausedUntil.IsZero() || s.PausedUntil.After(now))
}

// OwnedBy reports whether a user created the subscription. A subscription from the file has no owner.
func (s Subscription) OwnedBy(user string) bool { return s.Owner != "" && s.Owner == user }

// Watches reports whether a subscription is about a software. A * in what it watches stands for any letters.
func (s Subscription) Watches(software string) bool {
	return slices.ContainsFunc(s.Watch, func(pattern string) bool { return watches(pattern, software) })
}

// single reports whether a subscription watches one software and can watch no other.
func (s Subscription) single() bool {
	return len(s.Watch) == 1 && s.Watch[0] != All && !strings.Contains(s.Watch[0], "*")
}

// software is the id of the one software that a subscription watches; empty where it watches more.
func (s Subscription) software() string {
	if !s.single() {
		return ""
	}
	return s.Watch[0]
}

// microsoft begins the id of every software of Microsoft's.
const microsoft = "microsoft-_-"

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

// maxWatch is how many words a subscription may watch, and maxID how long each may be: more than people need, and few
// enough to show.
const (
	maxWatch = 50
	maxID    = 200
)

// ReadWatch checks what is to be watched, and puts it in order: each once. What cannot be is a [Mistake].
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

// ReadQuiet reads what to do when nothing has changed; no word stands for [Silent].
func ReadQuiet(word string) (Quiet, error) {
	switch q := Quiet(strings.ToLower(word)); q {
	case "":
		return Silent, nil
	case Silent, Heartbeat, Always:
		return q, nil
	}
	return "", mistake("%q is not a choice for when nothing has changed. Write silent (post nothing), heartbeat (one line) or always (the whole digest).", word)
}

// ReadAlert reads what is told between two digests; no word stands for [NoAlert].
func ReadAlert(word string) (AlertKind, error) {
	switch a := AlertKind(strings.ToLower(word)); a {
	case NoAlert, AlertExploited:
		return a, nil
	}
	return NoAlert, mistake("alert must be exploited, or be left out; it is %q.", word)
}
