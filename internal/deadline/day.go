package deadline

import (
	"fmt"
	"time"
)

// Day is a calendar day. The zero value is no day.
type Day struct {
	year  int
	month time.Month
	day   int
}

// DayOf returns the day of a time in that time's own zone.
func DayOf(t time.Time) Day {
	y, m, d := t.Date()
	return Day{y, m, d}
}

// IsZero reports whether it is no day.
func (d Day) IsZero() bool { return d == Day{} }

// utc returns the day's midnight in UTC, where every day has 24 hours.
func (d Day) utc() time.Time { return time.Date(d.year, d.month, d.day, 0, 0, 0, 0, time.UTC) }

// Time returns the start of the day in a time zone.
func (d Day) Time(in *time.Location) time.Time {
	return time.Date(d.year, d.month, d.day, 0, 0, 0, 0, in)
}

// Add returns the day some days later, or earlier for a negative number.
func (d Day) Add(days int) Day { return DayOf(d.utc().AddDate(0, 0, days)) }

// DaysTo returns how many days later another day is; negative if it is earlier.
func (d Day) DaysTo(other Day) int { return int(other.utc().Sub(d.utc()) / (24 * time.Hour)) }

// Before reports whether the day is before another.
func (d Day) Before(other Day) bool { return d.utc().Before(other.utc()) }

// String formats the day for people, such as "10 Nov 2026"; "" for no day.
func (d Day) String() string {
	if d.IsZero() {
		return ""
	}
	return d.utc().Format("2 Jan 2006")
}

// ISO formats the day for programs, such as "2026-11-10"; "" for no day.
func (d Day) ISO() string {
	if d.IsZero() {
		return ""
	}
	return d.utc().Format(time.DateOnly)
}

// Cycle is the time from one Patch Tuesday, the second Tuesday of a month, until the day before the next.
type Cycle struct {
	Year  int
	Month time.Month
}

// CycleOf returns the cycle that a day falls in.
func CycleOf(d Day) Cycle {
	c := Cycle{d.year, d.month}
	if d.Before(c.Start()) {
		return c.Add(-1)
	}
	return c
}

// Start returns the cycle's Patch Tuesday.
func (c Cycle) Start() Day {
	first := time.Date(c.Year, c.Month, 1, 0, 0, 0, 0, time.UTC)
	return DayOf(first).Add((int(time.Tuesday)-int(first.Weekday())+7)%7 + 7)
}

// Add returns the cycle some months later, or earlier for a negative number.
func (c Cycle) Add(months int) Cycle {
	t := time.Date(c.Year, c.Month+time.Month(months), 1, 0, 0, 0, 0, time.UTC)
	return Cycle{t.Year(), t.Month()}
}

// Day returns how many days after the cycle's Patch Tuesday a day is.
func (c Cycle) Day(d Day) int { return c.Start().DaysTo(d) }

// String names the cycle: "November 2026 cycle".
func (c Cycle) String() string { return fmt.Sprintf("%s %d cycle", c.Month, c.Year) }

// Short is String for narrow columns: "Nov 2026".
func (c Cycle) Short() string { return fmt.Sprintf("%.3s %d", c.Month, c.Year) }
