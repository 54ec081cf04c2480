package schedule

import (
	"fmt"
	"strings"
	"time"
	"unicode"
)

// Schedule defines when a digest is due.
type Schedule struct {
	Words string // as people typed it: "mon 09:00", "weekdays 08:30", "patch-tuesday+1 09:00", or a cron expression
	Zone  string // IANA name, such as "Europe/Stockholm"
}

// minInterval is the shortest time between two runs. People stop reading a busier channel, and a late digest would meet
// the next one.
const minInterval = 15 * time.Minute

// ParseError rejects a schedule that a person wrote. Its message says what to write.
type ParseError struct{ Message string }

// Error returns the message.
func (e *ParseError) Error() string { return e.Message }

func parseError(format string, args ...any) error { return &ParseError{fmt.Sprintf(format, args...)} }

// Parse reads a schedule: plain words or a cron expression of five fields, on the clocks of an IANA zone.
//
//	mon 09:00               mon,thu 9:00          mon-wed 09:00
//	weekdays 08:30          daily 07:00           monthly 1 09:00
//	patch-tuesday 09:00     patch-tuesday+1 09:00 0 9 * * 1
//
// All spellings of a schedule return the same words. Parse returns a [ParseError] for unknown words, an unknown zone, a
// date that never comes, and runs less than 15 minutes apart.
func Parse(words, zone string) (Schedule, error) {
	p, err := readPlan(words)
	if err != nil {
		return Schedule{}, err
	}
	if _, err := LoadZone(zone); err != nil {
		return Schedule{}, err
	}
	if c, ok := p.(cron); ok {
		if err := c.check(); err != nil {
			return Schedule{}, err
		}
	}
	return Schedule{Words: p.words(), Zone: zone}, nil
}

// Next returns the first run strictly after a time, or the zero time for a schedule that [Parse] would reject. If
// clocks skip the time of a run in spring, the run comes that much later. If they repeat it in autumn, the run comes
// the first time.
func Next(s Schedule, after time.Time) time.Time {
	p, err := readPlan(s.Words)
	if err != nil {
		return time.Time{}
	}
	zone, err := LoadZone(s.Zone)
	if err != nil {
		return time.Time{}
	}
	return nextRun(p, zone, after)
}

// Upcoming returns the next runs after a time, at most n.
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

// Describe returns when a schedule runs, such as "every Monday at 09:00, Europe/Stockholm time".
func Describe(s Schedule) string {
	p, err := readPlan(s.Words)
	if err != nil {
		return s.Words + ", " + s.Zone + " time"
	}
	return p.describe() + ", " + s.Zone + " time"
}

// IsCron reports whether a schedule is written as a cron expression.
func IsCron(s Schedule) bool {
	p, err := readPlan(s.Words)
	_, ok := p.(cron)
	return err == nil && ok
}

// plan finds runs in wall time: what a clock shows, represented as a time in UTC for every zone.
type plan interface {
	next(after time.Time) time.Time // strictly after; zero for none
	words() string                  // words that parse to the same plan
	describe() string
}

// readPlan decides between calendar words and a cron expression.
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

// LoadZone returns a time zone by its IANA name, or a [ParseError].
func LoadZone(name string) (*time.Location, error) {
	// Go reads an empty name as UTC and "Local" as the machine's zone. Neither is meant by a person.
	zone, err := time.LoadLocation(name)
	if err != nil || name == "" || name == "Local" {
		meant := ""
		if near := nearZone(name); near != "" {
			meant = " Did you mean " + near + "?"
		}
		return nil, parseError("There is no time zone %q.%s Zones are written like Europe/Stockholm, America/New_York or UTC.", name, meant)
	}
	return zone, nil
}

// areas are the first words of the names of zones.
var areas = []string{"", "Europe/", "America/", "Asia/", "Africa/", "Australia/", "Pacific/", "Atlantic/", "Indian/"}

// nearZone finds the zone whose name a person wrote in another case, with spaces, or without the area before the city; "" for none.
func nearZone(name string) string {
	var b strings.Builder
	start := true
	for _, r := range strings.ReplaceAll(strings.Join(strings.Fields(strings.ToLower(name)), "_"), "_/_", "/") {
		if start {
			r = unicode.ToUpper(r)
		}
		b.WriteRune(r)
		start = r == '/' || r == '_' || r == '-'
	}
	for _, area := range areas {
		for _, city := range []string{b.String(), strings.ToUpper(name)} {
			if city == "" || city == "Local" || strings.Contains(city, "..") {
				continue
			}
			if _, err := time.LoadLocation(area + city); err == nil && area+city != name {
				return area + city
			}
		}
	}
	return ""
}

// nextRun returns the first run after a time. It starts with earlier wall times: a run at a skipped wall time comes
// later than its clock time says, and even later than the runs that follow it.
func nextRun(p plan, zone *time.Location, after time.Time) time.Time {
	var first time.Time
	for wall := p.next(earliestWallTime(after, zone)); !wall.IsZero(); wall = p.next(wall) {
		run := whenShown(wall, zone)
		if run.After(after) && (first.IsZero() || run.Before(first)) {
			first = run
		}
		if skipped := !wallTime(run, zone).Equal(wall); !first.IsZero() && !skipped {
			break
		}
	}
	return first
}

// maxClockChange exceeds every change of clocks. Samoa skipped a whole day in 2011.
const maxClockChange = 25 * time.Hour

// earliestWallTime returns the wall time at t, or what clocks would show had they not been put forward, if that is
// earlier.
func earliestWallTime(t time.Time, zone *time.Location) time.Time {
	now, before := wallTime(t, zone), t.UTC().Add(offset(t.Add(-maxClockChange), zone))
	if before.Before(now) {
		return before
	}
	return now
}

// whenShown returns when clocks show a wall time: the first time if they repeat it. For a skipped one it is when they
// would have shown it had they not been put forward. [time.Date] does not specify which time it returns.
func whenShown(wall time.Time, zone *time.Location) time.Time {
	// Offsets are at most 14 hours, so one of these is before the clock change and one after it.
	early := wall.Add(-offset(wall.Add(-14*time.Hour-maxClockChange), zone))
	late := wall.Add(-offset(wall.Add(14*time.Hour+maxClockChange), zone))
	if !wallTime(early, zone).Equal(wall) && wallTime(late, zone).Equal(wall) {
		return late
	}
	return early
}

// wallTime returns what clocks in a zone show at t.
func wallTime(t time.Time, zone *time.Location) time.Time { return t.UTC().Add(offset(t, zone)) }

func offset(t time.Time, zone *time.Location) time.Duration {
	_, seconds := t.In(zone).Zone()
	return time.Duration(seconds) * time.Second
}
