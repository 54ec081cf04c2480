package schedule

import (
	"fmt"
	"strings"
	"time"

	"github.com/missingkbs/missingkbs/internal/view"
)

// Caution warns about a cron expression that sets both a day of the month and a day of the week. Many people expect it
// to run on days that are both, but it runs on days that are either. It returns "" for other schedules.
func Caution(s Schedule, now time.Time) string {
	p, err := readPlan(s.Words)
	c, ok := p.(cron)
	if err != nil || !ok {
		return ""
	}
	day, weekday := c.fields[2], c.fields[4]
	if day == "*" || day == "?" || weekday == "*" || weekday == "?" {
		return ""
	}
	if strings.HasPrefix(day, "*") || strings.HasPrefix(weekday, "*/") {
		return fmt.Sprintf("Day of the month (%s) and day of the week (%s) are both set: with a step of * it runs only on days that are both.", day, weekday)
	}
	return fmt.Sprintf("Day of the month (%s) and day of the week (%s) are both set: it runs on every day that is one or the other, on %s of the next 31.%s",
		day, weekday, view.Count(daysWithin(s, now, 31), "day"), c.instead())
}

// daysWithin counts the days on which a schedule runs.
func daysWithin(s Schedule, now time.Time, days int) int {
	zone, err := LoadZone(s.Zone)
	if err != nil {
		return 0
	}
	seen := map[string]bool{}
	for run := Next(s, now); !run.IsZero() && run.Before(now.AddDate(0, 0, days)); run = Next(s, run) {
		seen[run.In(zone).Format(time.DateOnly)] = true
	}
	return len(seen)
}

// instead suggests the expression that runs on the days that are both, if there is one.
func (c cron) instead() string {
	nth := map[string]int{"1-7": 1, "8-14": 2, "15-21": 3, "22-28": 4}[c.fields[2]]
	weekday := cronFields[4].value(c.fields[4])
	if nth == 0 || weekday < 0 {
		return " Leave one of the two as *."
	}
	text := fmt.Sprintf(" For the %s %s of the month write %s %d#%d", ordinals[nth-1], time.Weekday(weekday%7), strings.Join(c.fields[:2], " ")+" * "+c.fields[3], weekday, nth)
	minute, hour := digits(c.fields[0]), digits(c.fields[1])
	if nth == 2 && weekday == int(time.Tuesday) && c.fields[3] == "*" && minute >= 0 && hour >= 0 {
		text += fmt.Sprintf(`, or --at "%s %s"`, patchTuesday, clockText(hour, minute))
	}
	return text + "."
}
