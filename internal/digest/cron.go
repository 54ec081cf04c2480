package digest

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/adhocore/gronx"
)

// cron is a plan written as a cron expression: minute, hour, day of the month, month, day of the week.
type cron struct{ fields []string }

// cronField says what a field of an expression may hold.
type cronField struct {
	name      string
	low, high int
	names     string         // of values, each of three letters
	special   *regexp.Regexp // other forms; nil for none
}

var cronFields = [5]cronField{
	{name: "minute", high: 59},
	{name: "hour", high: 23},
	{name: "day of the month", low: 1, high: 31, special: regexp.MustCompile(`^(\?|l|([1-9]|[12]\d|3[01])w)$`)},
	{name: "month", low: 1, high: 12, names: "jan feb mar apr may jun jul aug sep oct nov dec"},
	{name: "day of the week", high: 7, names: "sun mon tue wed thu fri sat", special: regexp.MustCompile(`^(\?|[0-7]l|[0-7]#[1-5])$`)},
}

// readCron checks the fields itself: gronx takes some that mean nothing, and says little of those it refuses.
func readCron(fields []string) (plan, error) {
	for i, f := range cronFields {
		for part := range strings.SplitSeq(fields[i], ",") {
			if !f.allows(part) {
				return nil, mistake("In the cron expression %q the %s cannot be %q. It takes %d to %d, lists such as 1,2, ranges such as 1-5, steps such as */2, or *.",
					strings.Join(fields, " "), f.name, part, f.low, f.high)
			}
		}
	}
	return cron{fields}, nil
}

func (f cronField) allows(part string) bool {
	if f.special != nil && f.special.MatchString(part) {
		return true
	}
	span, step, stepped := strings.Cut(part, "/")
	if n := digits(step); stepped && (n < 1 || n > f.high) {
		return false
	}
	if span == "*" {
		return true
	}
	from, to, isRange := strings.Cut(span, "-")
	first, last := f.value(from), f.value(to)
	return first >= 0 && (!isRange || last >= first)
}

// value is the number that a word of the field stands for, or -1.
func (f cronField) value(s string) int {
	if at := strings.Index(f.names, s); len(s) == 3 && at >= 0 && at%4 == 0 {
		return f.low + at/4
	}
	if n := digits(s); n >= f.low && n <= f.high {
		return n
	}
	return -1
}

// check refuses an expression that never comes, or comes too often. It walks the runs of more than a year, or a
// thousand.
func (c cron) check() error {
	start := time.Date(2024, time.January, 1, 0, 0, 0, 0, time.UTC) // a year with a 29 February
	run := c.next(start)
	if run.IsZero() {
		return mistake("The cron expression %q names a date that never comes. Check its day against its month.", c.words())
	}
	for range 1000 {
		following := c.next(run)
		if gap := following.Sub(run); gap < closest {
			return mistake("The cron expression %q runs again after %s. Digests must be at least 15 minutes apart, such as */15 * * * * or 0 9 * * 1.",
				c.words(), plural(int(gap.Minutes()), "minute"))
		}
		if run = following; run.Sub(start) > 400*24*time.Hour {
			break
		}
	}
	return nil
}

func (c cron) words() string { return strings.Join(c.fields, " ") }

func (c cron) next(after time.Time) time.Time {
	run, err := gronx.NextTickAfter(c.words(), after, false)
	if err != nil {
		return time.Time{}
	}
	return run.Truncate(time.Minute)
}

// describe puts the common forms into words and quotes the others.
func (c cron) describe() string {
	minute, hour := digits(c.fields[0]), digits(c.fields[1])
	everyDay := c.fields[2] == "*" && c.fields[3] == "*" && c.fields[4] == "*"
	step, stepped := strings.CutPrefix(c.fields[0], "*/")
	switch {
	case everyDay && c.fields[1] == "*" && minute >= 0:
		return fmt.Sprintf("every hour, at minute %d", minute)
	case everyDay && c.fields[1] == "*" && stepped && digits(step) > 0 && 60%digits(step) == 0:
		return "every " + step + " minutes"
	case minute >= 0 && hour >= 0:
		if days := c.days(); days != "" {
			return days + " at " + clockText(hour, minute)
		}
	}
	return fmt.Sprintf("by the cron expression %q", c.words())
}

var ordinals = [...]string{"first", "second", "third", "fourth", "fifth"}

// days says on which days an expression of every month runs, or nothing where that takes more than a few words.
func (c cron) days() string {
	day, month, weekday := c.fields[2], c.fields[3], c.fields[4]
	switch n, nth, isNth := cutNumbers(weekday, "#"); {
	case month != "*":
		return ""
	case digits(day) > 0 && weekday == "*":
		return "on day " + strconv.Itoa(digits(day)) + " of each month"
	case day != "*" && day != "?":
		return ""
	case weekday == "*":
		return "every day"
	case isNth:
		return fmt.Sprintf("on the %s %s of each month", ordinals[nth-1], time.Weekday(n%7))
	}
	var chosen [7]bool
	for part := range strings.SplitSeq(weekday, ",") {
		from, to, isRange := strings.Cut(part, "-")
		first, last := cronFields[4].value(from), cronFields[4].value(to)
		if !isRange {
			last = first
		}
		if first < 0 || last < first {
			return ""
		}
		for i := first; i <= last; i++ {
			chosen[(i+6)%7] = true
		}
	}
	_, text := nameDays(chosen)
	return text
}

// cutNumbers cuts two numbers apart.
func cutNumbers(s, sep string) (before, after int, ok bool) {
	a, b, found := strings.Cut(s, sep)
	before, after = digits(a), digits(b)
	return before, after, found && before >= 0 && after >= 0
}
