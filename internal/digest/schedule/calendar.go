package schedule

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/missingkbs/missingkbs/internal/view"
)

// calendar is a plan that selects days and has one time of day.
type calendar struct {
	days  string // as typed, in canonical form
	text  string // for people
	on    func(day time.Time) bool
	clock time.Duration // since midnight
}

// examples ends each error about unknown words.
const examples = "Write for example mon 09:00, weekdays 08:30, daily 07:00, monthly 1 09:00, patch-tuesday+1 09:00, or a cron expression of five fields such as 0 9 * * 1."

// readCalendar parses days and a time of day, the way people write them.
func readCalendar(fields []string) (plan, error) {
	// People also say "every mon at 9:00".
	fields = slices.DeleteFunc(slices.Clone(fields), func(w string) bool { return w == "every" || w == "at" || w == "on" })
	if len(fields) < 2 {
		return nil, parseError("A schedule needs days and a time. %s", examples)
	}
	clock, err := readClock(fields[len(fields)-1])
	if err != nil {
		return nil, err
	}
	if weekday := nthWeekday(fields[:len(fields)-1]); weekday != "" {
		minutes := int(clock.Minutes())
		return cron{[]string{strconv.Itoa(minutes % 60), strconv.Itoa(minutes / 60), "*", "*", weekday}}, nil
	}
	c, err := readDays(fields[:len(fields)-1])
	c.clock = clock
	return c, err
}

// nthWeekday turns tue#2, 2nd tue, second tuesday and last friday into a cron field. It returns "" for other words.
func nthWeekday(fields []string) string {
	day, nth, ok := strings.Cut(fields[0], "#")
	if len(fields) == 2 {
		nth, day, ok = fields[0], fields[1], true
	}
	at := dayNumber(day)
	if !ok || at < 0 || len(fields) > 2 {
		return ""
	}
	day = strconv.Itoa(int(week[at]))
	if nth == "last" || nth == "l" {
		return day + "l"
	}
	n := slices.Index(ordinals[:], nth) + 1
	if short := strings.TrimRight(nth, "stndrh"); n == 0 && digits(short) <= len(ordinals) {
		n = digits(short)
	}
	if n < 1 {
		return ""
	}
	return day + "#" + strconv.Itoa(n)
}

func readClock(s string) (time.Duration, error) {
	hour, minute, ok := strings.Cut(s, ":")
	h, m := digits(hour), digits(minute)
	if !ok || len(minute) != 2 || h < 0 || h > 23 || m < 0 || m > 59 {
		return 0, parseError("%q is not a time of day. Times are 00:00 to 23:59, such as 09:00.", s)
	}
	return time.Duration(h)*time.Hour + time.Duration(m)*time.Minute, nil
}

// digits parses a number of at most two digits. It returns -1 for other text.
func digits(s string) int {
	if s == "" || len(s) > 2 || strings.Trim(s, "0123456789") != "" {
		return -1
	}
	n, _ := strconv.Atoi(s) // digits alone
	return n
}

// readDays parses the days of a schedule.
func readDays(fields []string) (calendar, error) {
	day, numbered := fields[0], len(fields) == 2
	switch {
	case day == "monthly" && numbered:
		return monthly(fields[1])
	case len(fields) > 1:
		return calendar{}, parseError("%q is not a day. %s", strings.Join(fields, " "), examples)
	case day == "monthly":
		return calendar{}, parseError("On which day of the month? Write for example monthly 1 09:00.")
	case strings.HasPrefix(day, patchTuesday):
		return aroundPatchTuesday(day)
	}
	return weekly(day)
}

// monthly parses a day of the month. In shorter months the last day counts instead.
func monthly(word string) (calendar, error) {
	n := digits(word)
	if n < 1 || n > 31 {
		return calendar{}, parseError("%q is not a day of a month. Days are 1 to 31, such as monthly 1 09:00.", word)
	}
	c := calendar{days: "monthly " + strconv.Itoa(n), text: fmt.Sprintf("on day %d of each month", n)}
	if n > 28 {
		c.text += ", or on its last where it is shorter,"
	}
	c.on = func(day time.Time) bool {
		last := time.Date(day.Year(), day.Month()+1, 0, 0, 0, 0, 0, time.UTC).Day()
		return day.Day() == min(n, last)
	}
	return c, nil
}

// patchTuesday is the second Tuesday of a month, when Microsoft publishes its security updates.
const patchTuesday = "patch-tuesday"

// maxPatchOffset is how many days a run may be from Patch Tuesday. Beyond that the next one is closer.
const maxPatchOffset = 21

// aroundPatchTuesday parses patch-tuesday, with an offset in days.
func aroundPatchTuesday(word string) (calendar, error) {
	rest := strings.TrimPrefix(word, patchTuesday)
	n := 0
	if rest != "" {
		if n = digits(rest[1:]); n < 0 || n > maxPatchOffset || (rest[0] != '+' && rest[0] != '-') {
			return calendar{}, parseError("%q is not a day near Patch Tuesday. Write patch-tuesday, or up to %d days after or before it, such as patch-tuesday+1.", word, maxPatchOffset)
		}
		if rest[0] == '-' {
			n = -n
		}
	}
	c := calendar{days: patchTuesday, text: "on Patch Tuesday (the second of the month)"}
	switch {
	case n > 0:
		c.days, c.text = fmt.Sprintf("%s+%d", patchTuesday, n), view.Count(n, "day")+" after Patch Tuesday (the second of the month)"
	case n < 0:
		c.days, c.text = fmt.Sprintf("%s-%d", patchTuesday, -n), view.Count(-n, "day")+" before Patch Tuesday (the second of the month)"
	}
	c.on = func(day time.Time) bool {
		tuesday := day.AddDate(0, 0, -n)
		return tuesday.Weekday() == time.Tuesday && tuesday.Day() >= 8 && tuesday.Day() <= 14
	}
	return c, nil
}

// week holds the days of a week, Monday first.
var week = [7]time.Weekday{time.Monday, time.Tuesday, time.Wednesday, time.Thursday, time.Friday, time.Saturday, time.Sunday}

// weekly parses "mon", "mon,thu", "mon-fri", "weekdays" or "daily".
func weekly(word string) (calendar, error) {
	var chosen [7]bool // as in week
	for part := range strings.SplitSeq(word, ",") {
		from, to, isRange := strings.Cut(part, "-")
		first, last := dayNumber(from), dayNumber(to)
		switch {
		case part == "daily":
			first, last = 0, 6
		case part == "weekdays":
			first, last = 0, 4
		case !isRange:
			last = first
		}
		if first < 0 || last < 0 || last < first {
			return calendar{}, parseError("%q is not a day. %s", word, examples)
		}
		for i := first; i <= last; i++ {
			chosen[i] = true
		}
	}
	c := calendar{on: func(day time.Time) bool { return chosen[(day.Weekday()+6)%7] }}
	c.days, c.text = nameDays(chosen)
	return c, nil
}

// dayNumber returns the index in week of a day's name, which may be short or plural. It returns -1 for other words.
func dayNumber(name string) int {
	name = strings.TrimSuffix(name, "s")
	return slices.IndexFunc(week[:], func(d time.Weekday) bool {
		return len(name) >= 3 && strings.HasPrefix(strings.ToLower(d.String()), name)
	})
}

// nameDays names the chosen days of a week, for typing and for reading.
func nameDays(chosen [7]bool) (words, text string) {
	switch chosen {
	case [7]bool{true, true, true, true, true, true, true}:
		return "daily", "every day"
	case [7]bool{true, true, true, true, true}:
		return "weekdays", "on weekdays (Monday to Friday)"
	}
	var short, long []string
	for i, d := range week {
		if chosen[i] {
			short = append(short, strings.ToLower(d.String()[:3]))
			long = append(long, d.String())
		}
	}
	return strings.Join(short, ","), "every " + view.Join(long)
}

// next returns the first run after a wall time.
func (c calendar) next(after time.Time) time.Time {
	day := after.Truncate(24 * time.Hour) // wall times are in UTC, where each day has 24 hours
	for range 70 {                        // months are at most 31 days apart, Patch Tuesdays 35
		if run := day.Add(c.clock); run.After(after) && c.on(day) {
			return run
		}
		day = day.AddDate(0, 0, 1)
	}
	return time.Time{}
}

func (c calendar) words() string    { return c.days + " " + c.time() }
func (c calendar) describe() string { return c.text + " at " + c.time() }
func (c calendar) time() string     { return clockText(int(c.clock.Hours()), int(c.clock.Minutes())%60) }

func clockText(hour, minute int) string { return fmt.Sprintf("%02d:%02d", hour, minute) }
