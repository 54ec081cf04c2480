package schedule

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/adhocore/gronx"

	"github.com/missingkbs/missingkbs/internal/view"
)

// cron is a plan written as a cron expression: minute, hour, day of the month, month, day of the week.
type cron struct{ fields []string }

// cronField describes what a field of an expression may contain.
type cronField struct {
	name      string
	low, high int
	names     []string       // three-letter names of the values, starting at low
	special   *regexp.Regexp // further forms; nil for none
	forms     string         // describes those forms
}

var cronFields = [5]cronField{
	{name: "minute", high: 59},
	{name: "hour", high: 23},
	{
		name: "day of the month", low: 1, high: 31, special: regexp.MustCompile(`^(\?|l|([1-9]|[12]\d|3[01])w)$`),
		forms: ", L for the last day, 15W for the weekday nearest to the 15th",
	},
	{name: "month", low: 1, high: 12, names: strings.Fields("jan feb mar apr may jun jul aug sep oct nov dec")},
	{
		name: "day of the week", high: 7, names: strings.Fields("sun mon tue wed thu fri sat"), special: regexp.MustCompile(`^(\?|[0-7]l|[0-7]#[1-5])$`),
		forms: " (0 or 7 is Sunday), names such as mon-fri, 2#2 for the second Tuesday, 5L for the last Friday",
	},
}

// looksLikeCron reports whether fields are meant as a cron expression: they have numbers and stars, and no time such as
// 09:00.
func looksLikeCron(fields []string) bool {
	plain := func(f string) bool { return strings.Trim(f, "0123456789*/,-?") == "" }
	return len(fields) >= 3 && plain(fields[0]) && plain(fields[1]) || slices.Contains(fields, "*")
}

// cronShortcuts maps words that other programs accept instead of five fields to what to write here.
var cronShortcuts = map[string]string{
	"@hourly": "0 * * * *", "@daily": "daily 00:00", "@midnight": "daily 00:00", "@weekly": "sun 00:00", "@monthly": "monthly 1 00:00",
	"@yearly": "0 0 1 1 *", "@annually": "0 0 1 1 *",
}

// refuseShortcut returns the error for a shortcut, with what to write instead.
func refuseShortcut(word string) error {
	if right, ok := cronShortcuts[word]; ok {
		return parseError("%s is not supported. Write it as %s, or at a time of your own, such as mon 09:00.", word, right)
	}
	return parseError("%q is not a schedule. %s", word, examples)
}

// refuseCount returns the error for an expression without five fields.
func refuseCount(fields []string) error {
	more := ""
	if len(fields) > 5 {
		more = " Leave out the seconds in front, or the year behind."
	}
	return parseError("The cron expression %q has %d fields. It takes five: minute, hour, day of the month, month, day of the week, such as 0 9 * * 1.%s",
		strings.Join(fields, " "), len(fields), more)
}

// readCron checks the fields itself, because gronx accepts some that mean nothing and explains little.
func readCron(fields []string) (plan, error) {
	fields = slices.Clone(fields)
	for i, f := range cronFields {
		parts := strings.Split(fields[i], ",")
		for at, part := range parts {
			parts[at] = f.canonical(part)
			if !f.allows(parts[at]) {
				return nil, parseError("In the cron expression %q the %s cannot be %q. It takes %d to %d, lists such as 1,2, ranges such as 1-5, steps such as */2, or *%s.%s",
					strings.Join(fields, " "), f.name, part, f.low, f.high, f.forms, f.hint(part))
			}
		}
		fields[i] = strings.Join(parts, ",")
	}
	return cron{fields}, nil
}

// canonical shortens names to three letters: monday-friday becomes mon-fri. Where gronx only reads numbers it writes
// numbers: tue#2 becomes 2#2 and fril becomes 5l.
func (f cronField) canonical(part string) string {
	if f.names == nil {
		return part
	}
	span, step, stepped := strings.Cut(part, "/")
	from, to, isRange := strings.Cut(span, "-")
	from, to = f.short(from), f.short(to)
	if first := f.value(from); isRange && first > 0 && f.high == 7 && f.value(to) == 0 { // up to Sunday, which is 7 too
		from, to = strconv.Itoa(first), "7"
	}
	if day, nth, ok := strings.Cut(from, "#"); ok && f.special != nil && f.value(f.short(day)) >= 0 {
		from = strconv.Itoa(f.value(f.short(day))) + "#" + nth
	}
	if day, last := strings.CutSuffix(from, "l"); last && f.special != nil && f.value(f.short(day)) >= 0 && !slices.Contains(f.names, from) {
		from = strconv.Itoa(f.value(f.short(day))) + "l"
	}
	part = from
	if isRange {
		part += "-" + to
	}
	if stepped {
		part += "/" + step
	}
	return part
}

// short cuts a full name to three letters and returns other words unchanged.
func (f cronField) short(name string) string {
	full := slices.ContainsFunc(f.full(), func(long string) bool { return long == name || long+"s" == name })
	if full {
		return name[:3]
	}
	return name
}

// full returns the full names of the values of a field.
func (f cronField) full() []string {
	var out []string
	for i := range f.names {
		name := time.Weekday(i).String()
		if f.low == 1 {
			name = time.Month(i + 1).String()
		}
		out = append(out, strings.ToLower(name))
	}
	return out
}

// hint suggests what to write instead of an invalid part.
func (f cronField) hint(part string) string {
	from, to, isRange := strings.Cut(part, "-")
	first, last := f.value(f.short(from)), f.value(f.short(to))
	_, nth, isNth := strings.Cut(part, "#")
	switch {
	case isRange && first > last && last >= 0:
		return fmt.Sprintf(" A range goes up: write %s-%s,%s-%s.", from, f.edge(from, true), f.edge(to, false), to)
	case isNth && f.special != nil:
		return fmt.Sprintf(" A month has no day of the week number %q: # takes 1 to 5.", nth)
	case part == "lw":
		return " The last weekday of a month cannot be written; L is its last day."
	}
	return ""
}

// edge returns the first or last value of a field, as a name if like is a name.
func (f cronField) edge(like string, last bool) string {
	at, low, high := 0, f.low, f.high
	if f.low+len(f.names) == f.high { // Sunday is 0 and 7
		high--
	}
	if last {
		at, low = len(f.names)-1, high
	}
	if f.names != nil && digits(like) < 0 {
		return f.names[at]
	}
	return strconv.Itoa(low)
}

// allows reports whether a part of a field is valid.
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

// value returns the number of a name or number in the field. It returns -1 for other words.
func (f cronField) value(s string) int {
	if at := slices.Index(f.names, s); at >= 0 {
		return f.low + at
	}
	if n := digits(s); n >= f.low && n <= f.high {
		return n
	}
	return -1
}

// check rejects an expression that never runs or runs too often. It looks at the runs of a year and a month, at most a
// thousand.
// thousand.
func (c cron) check() error {
	start := time.Date(2024, time.January, 1, 0, 0, 0, 0, time.UTC) // a year with a 29 February
	run := c.next(start)
	if run.IsZero() {
		return parseError("The cron expression %q names a date that never comes. Check its day against its month.", c.words())
	}
	for range 1000 {
		following := c.next(run)
		if gap := following.Sub(run); gap < minInterval {
			return parseError("The cron expression %q runs again after %s. Digests must be at least 15 minutes apart, such as */15 * * * * or 0 9 * * 1.",
				c.words(), view.Count(int(gap.Minutes()), "minute"))
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

// describe words common expressions and quotes others.
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

// days describes on which days an expression runs. It returns "" if that takes more than a few words.
func (c cron) days() string {
	day, month, weekday := c.fields[2], c.fields[3], c.fields[4]
	lastDay, isLast := strings.CutSuffix(weekday, "l")
	switch n, nth, isNth := cutNumbers(weekday, "#"); {
	case month != "*":
		return ""
	case digits(day) > 0 && weekday == "*":
		return "on day " + strconv.Itoa(digits(day)) + " of each month"
	case day == "l" && weekday == "*":
		return "on the last day of each month"
	case day != "*" && day != "?":
		return ""
	case weekday == "*":
		return "every day"
	case isNth:
		return fmt.Sprintf("on the %s %s of each month", ordinals[nth-1], time.Weekday(n%7))
	case isLast && digits(lastDay) >= 0:
		return fmt.Sprintf("on the last %s of each month", time.Weekday(digits(lastDay)%7))
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

// cutNumbers parses two numbers separated by sep.
func cutNumbers(s, sep string) (before, after int, ok bool) {
	a, b, found := strings.Cut(s, sep)
	before, after = digits(a), digits(b)
	return before, after, found && before >= 0 && after >= 0
}
