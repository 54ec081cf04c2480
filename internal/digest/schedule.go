package digest

import (
	"strings"
	"time"
)

// closest is how near two runs of a schedule may be: a channel that is told more often stops reading, and a digest
// that was late would run into the next.
const closest = 15 * time.Minute

// Parse reads when digests are due: plain words or a cron expression of five fields, on the clocks of an IANA zone.
//
//	mon 09:00               mon,thu 9:00          mon-wed 09:00
//	weekdays 08:30          daily 07:00           monthly 1 09:00
//	patch-tuesday 09:00     patch-tuesday+1 09:00 0 9 * * 1
//
// The schedule that it returns is written in one way for all spellings. What cannot be is a [Mistake]: words it does not
// know, a zone that does not exist, a date that never comes, runs less than 15 minutes apart.
func Parse(words, zone string) (Schedule, error) {
	p, err := readPlan(words)
	if err != nil {
		return Schedule{}, err
	}
	if _, err := loadZone(zone); err != nil {
		return Schedule{}, err
	}
	if c, ok := p.(cron); ok {
		if err := c.check(); err != nil {
			return Schedule{}, err
		}
	}
	return Schedule{Words: p.words(), Zone: zone}, nil
}

// Next is the first run of a schedule strictly after a moment, or the zero time for a schedule that [Parse] would
// refuse. A run whose time the clocks skip in spring comes as much later as they skip; one whose time they show twice in
// autumn comes the first time.
func Next(s Schedule, after time.Time) time.Time {
	p, err := readPlan(s.Words)
	if err != nil {
		return time.Time{}
	}
	zone, err := loadZone(s.Zone)
	if err != nil {
		return time.Time{}
	}
	return nextRun(p, zone, after)
}

// Upcoming are the next runs of a schedule after a moment, at most n.
func Upcoming(s Schedule, after time.Time, n int) []time.Time {
	var runs []time.Time
	for len(runs) < n {
		if after = Next(s, after); after.IsZero() {
			break
		}
		runs = append(runs, after)
	}
	return runs
}

// Describe says in words when a schedule runs, such as "every Monday at 09:00, Europe/Stockholm time".
func Describe(s Schedule) string {
	p, err := readPlan(s.Words)
	if err != nil {
		return s.Words + ", " + s.Zone + " time"
	}
	return p.describe() + ", " + s.Zone + " time"
}

// plan gives the runs of a schedule as a clock on the wall shows them. Such a reading is written as a time in UTC,
// whatever the zone of the wall.
type plan interface {
	next(after time.Time) time.Time // strictly after; zero when there is none
	words() string                  // what reads as the same plan
	describe() string
}

func readPlan(words string) (plan, error) {
	fields := strings.Fields(strings.ToLower(words))
	switch {
	case len(fields) == 0:
		return readCalendar(fields)
	case fields[0][0] == '@':
		return nil, refuseShortcut(fields[0])
	case len(fields) == 5 && strings.ContainsAny(fields[0][:1], "*?0123456789"):
		return readCron(fields)
	case looksLikeCron(fields):
		return nil, refuseCount(fields)
	}
	return readCalendar(fields)
}

func loadZone(name string) (*time.Location, error) {
	// Go reads an empty name as UTC and "Local" as whatever the machine is set to.
	zone, err := time.LoadLocation(name)
	if err != nil || name == "" || name == "Local" {
		return nil, mistake("There is no time zone %q. Zones are written like Europe/Stockholm, America/New_York or UTC.", name)
	}
	return zone, nil
}

// nextRun finds the first run after a moment. Readings are tried from before the moment on, because one that the clocks
// skip comes later than its face says, later even than readings that follow it.
func nextRun(p plan, zone *time.Location, after time.Time) time.Time {
	var first time.Time
	for reading := p.next(earliestReading(after, zone)); !reading.IsZero(); reading = p.next(reading) {
		run := moment(reading, zone)
		if run.After(after) && (first.IsZero() || run.Before(first)) {
			first = run
		}
		if skipped := !readingAt(run, zone).Equal(reading); !first.IsZero() && !skipped {
			break
		}
	}
	return first
}

// aDay is longer than any clock is ever put forward or back. Samoa left out a whole day in 2011.
const aDay = 25 * time.Hour

// earliestReading is the least that clocks showed at a moment or would have shown had they not been put forward.
func earliestReading(t time.Time, zone *time.Location) time.Time {
	now, before := readingAt(t, zone), t.UTC().Add(offset(t.Add(-aDay), zone))
	if before.Before(now) {
		return before
	}
	return now
}

// moment is when clocks show a reading: the first time if they show it twice, and for one they skip when they would
// have shown it had they not been put forward. [time.Date] leaves open which moment it takes.
func moment(reading time.Time, zone *time.Location) time.Time {
	// An offset is at most 14 hours, so these moments lie before and after the one that is sought.
	early := reading.Add(-offset(reading.Add(-14*time.Hour-aDay), zone))
	late := reading.Add(-offset(reading.Add(14*time.Hour+aDay), zone))
	if !readingAt(early, zone).Equal(reading) && readingAt(late, zone).Equal(reading) {
		return late
	}
	return early
}

// readingAt is what clocks show at a moment.
func readingAt(t time.Time, zone *time.Location) time.Time { return t.UTC().Add(offset(t, zone)) }

func offset(t time.Time, zone *time.Location) time.Duration {
	_, seconds := t.In(zone).Zone()
	return time.Duration(seconds) * time.Second
}
