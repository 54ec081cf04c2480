package deadline

import (
	"fmt"
	"strings"
	"time"
)

// Update is what is known of a missing update's age and risk.
type Update struct {
	// Seen is when it was first seen missing; zero if it has not been. Lower means that it was missing already at the
	// first reading of its software, or at the first one after a pause: it is at least that old.
	Seen  time.Time
	Lower bool

	Released time.Time // latest possible publication date, from MSRC's documents; zero if unknown

	Severity  string    // highest of its CVEs, in MSRC's words; "" if unknown
	Exploited bool      // it fixes a vulnerability under attack
	Attacked  time.Time // when that became known; zero if unknown
}

// Status is the age of a missing update and, under a policy, its deadline.
type Status struct {
	Since   Day
	Age     int  // calendar days since Since; -1 if unknown
	AtLeast bool // it may be older

	Class   Class
	Due     Day // zero if there is no deadline
	Overdue int // days since Due; 0 or less before it; see [Status.Late]
}

// Late reports whether the deadline has passed.
func (s Status) Late() bool { return !s.Due.IsZero() && s.Overdue > 0 }

// AgeWords formats the age: "41 days", "41+ days", "unknown".
func (s Status) AgeWords() string {
	switch {
	case s.Age < 0:
		return "unknown"
	case s.AtLeast:
		return fmt.Sprintf("%d+ days", s.Age)
	case s.Age == 1:
		return "1 day"
	}
	return fmt.Sprintf("%d days", s.Age)
}

// DueWords formats the deadline: "overdue by 3 days", "due today", "due in 5 days"; "" without one. If the update may
// be older than known, the day shown is the latest possible one.
func (s Status) DueWords() string {
	switch n := s.Overdue; {
	case s.Due.IsZero():
		return ""
	case s.AtLeast && n > 0:
		return fmt.Sprintf("overdue by %d+ days", n)
	case s.AtLeast && n < 0:
		return fmt.Sprintf("due in %d days or sooner", -n)
	case n == 1:
		return "overdue by 1 day"
	case n > 0:
		return fmt.Sprintf("overdue by %d days", n)
	case n == 0:
		return "due today"
	case n == -1:
		return "due tomorrow"
	}
	return fmt.Sprintf("due in %d days", -s.Overdue)
}

// Status judges an update on the day of now, in now's time zone. Its age counts from its publication or from when it
// was first seen missing, whichever is earlier. If a vulnerability is exploited only later, the shorter deadline starts
// when that became known.
func (p Policy) Status(u Update, now time.Time) Status {
	zone, today := now.Location(), DayOf(now)
	s := Status{Age: -1, Class: class(u)}
	seen, released := DayOf(u.Seen.In(zone)), DayOf(u.Released.In(zone))
	switch {
	case u.Seen.IsZero() && u.Released.IsZero():
		return s
	case u.Seen.IsZero() || !u.Released.IsZero() && !seen.Before(released):
		s.Since = released // MSRC lists some updates later than they were published
	default:
		s.Since, s.AtLeast = seen, u.Lower
	}
	s.Age = max(0, s.Since.DaysTo(today))
	if n, ok := p.days[severityClass(u.Severity)]; ok {
		s.Due = s.Since.Add(n)
	}
	if n, ok := p.days[Exploited]; ok && u.Exploited {
		from := s.Since
		if attacked := DayOf(u.Attacked.In(zone)); !u.Attacked.IsZero() && s.Since.Before(attacked) {
			from = attacked
		}
		if due := from.Add(n); s.Due.IsZero() || due.Before(s.Due) {
			s.Due = due
		}
	}
	if !s.Due.IsZero() {
		s.Overdue = s.Due.DaysTo(today)
	}
	return s
}

func class(u Update) Class {
	if u.Exploited {
		return Exploited
	}
	return severityClass(u.Severity)
}

func severityClass(severity string) Class {
	switch c := Class(strings.ToLower(severity)); c {
	case Critical, Important:
		return c
	}
	return Other
}
