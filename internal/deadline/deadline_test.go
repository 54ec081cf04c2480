package deadline_test

import (
	"strings"
	"testing"
	"time"
	_ "time/tzdata"

	"pgregory.net/rapid"

	"github.com/missingkbs/missingkbs/internal/deadline"
)

func policy(t *testing.T, text string) deadline.Policy {
	t.Helper()
	p, err := deadline.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestParse(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"": "off", " OFF ": "off", deadline.Example: deadline.Example, " Critical : 14 , exploited:3": "exploited:3,critical:14", "other:0": "other:0",
	} {
		if got := policy(t, text).String(); got != want {
			t.Errorf("%q is %s, want %s", text, got, want)
		}
	}
	for text, want := range map[string]string{
		"high:3": `there is no class "high"`, "critical": "critical takes whole days from 0 to 3650", "critical:-1": "critical takes whole days",
		"critical:3.5": "critical takes whole days", "critical:4000": "critical takes whole days", "other:3,other:4": "other is there twice",
		"critical:3,": "a comma has no class behind or before it", "high:3,low:x": `there is no class "high"; there is no class "low"`,
	} {
		_, err := deadline.Parse(text)
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), deadline.Example) {
			t.Errorf("%q: %v, want %q and how it is written", text, err, want)
		}
	}
	if got, want := policy(t, deadline.Example).Words(), "exploited within 3 days, critical 14, important 30, other 60"; got != want {
		t.Errorf("words %q, want %q", got, want)
	}
}

func at(day string) time.Time {
	t, err := time.Parse("2006-01-02", day)
	if err != nil {
		panic(err)
	}
	return t.Add(9 * time.Hour)
}

func TestStatus(t *testing.T) {
	t.Parallel()
	now := at("2026-11-23")
	for name, tc := range map[string]struct {
		update deadline.Update
		age    string
		class  deadline.Class
		due    string
		words  string
	}{
		"nothing known":                {deadline.Update{}, "unknown", deadline.Other, "", ""},
		"seen":                         {deadline.Update{Seen: at("2026-11-13")}, "10 days", deadline.Other, "2027-01-12", "due in 50 days"},
		"older than the bot":           {deadline.Update{Seen: at("2026-11-13"), Lower: true}, "10+ days", deadline.Other, "2027-01-12", "due in 50 days or sooner"},
		"older than the bot, and late": {deadline.Update{Seen: at("2026-09-20"), Lower: true}, "64+ days", deadline.Other, "2026-11-19", "overdue by 4+ days"},
		"published before":             {deadline.Update{Seen: at("2026-11-13"), Lower: true, Released: at("2026-11-10"), Severity: "Critical"}, "13 days", deadline.Critical, "2026-11-24", "due tomorrow"},
		"listed after it was seen":     {deadline.Update{Seen: at("2026-10-13"), Released: at("2026-11-10"), Severity: "important"}, "41 days", deadline.Important, "2026-11-12", "overdue by 11 days"},
		"due today":                    {deadline.Update{Released: at("2026-11-09"), Severity: "Critical"}, "14 days", deadline.Critical, "2026-11-23", "due today"},
		"one day late":                 {deadline.Update{Released: at("2026-11-08"), Severity: "Critical"}, "15 days", deadline.Critical, "2026-11-22", "overdue by 1 day"},
		"exploited from the start":     {deadline.Update{Released: at("2026-11-10"), Exploited: true}, "13 days", deadline.Exploited, "2026-11-13", "overdue by 10 days"},
		"exploited only later":         {deadline.Update{Released: at("2026-11-10"), Exploited: true, Attacked: at("2026-11-22")}, "13 days", deadline.Exploited, "2026-11-25", "due in 2 days"},
		"exploited and late anyway":    {deadline.Update{Released: at("2026-08-11"), Severity: "Critical", Exploited: true, Attacked: at("2026-11-22")}, "104 days", deadline.Exploited, "2026-08-25", "overdue by 90 days"},
		"moderate is other":            {deadline.Update{Released: at("2026-09-08"), Severity: "Moderate"}, "76 days", deadline.Other, "2026-11-07", "overdue by 16 days"},
		"a clock that is behind":       {deadline.Update{Seen: at("2026-11-25")}, "0 days", deadline.Other, "2027-01-24", "due in 62 days"},
		"one day":                      {deadline.Update{Seen: at("2026-11-22")}, "1 day", deadline.Other, "2027-01-21", "due in 59 days"},
		"under attack long before us":  {deadline.Update{Seen: at("2026-11-20"), Exploited: true, Attacked: at("2026-01-01")}, "3 days", deadline.Exploited, "2026-11-23", "due today"},
	} {
		s := policy(t, deadline.Example).Status(tc.update, now)
		if s.AgeWords() != tc.age || s.Class != tc.class || s.Due.ISO() != tc.due || s.DueWords() != tc.words || s.Late() != strings.HasPrefix(tc.words, "overdue") {
			t.Errorf("%s: %s, %s, due %s: %s; want %s, %s, due %s: %s", name, s.AgeWords(), s.Class, s.Due.ISO(), s.DueWords(), tc.age, tc.class, tc.due, tc.words)
		}
		if off := (deadline.Policy{}).Status(tc.update, now); !off.Due.IsZero() || off.Late() || off.AgeWords() != tc.age {
			t.Errorf("%s: without a policy it is %+v", name, off)
		}
	}
	part := policy(t, "exploited:3")
	if s := part.Status(deadline.Update{Released: at("2026-01-01")}, now); !s.Due.IsZero() {
		t.Errorf("a class without a deadline is due on %s", s.Due)
	}
}

// Days are those of the calendar: the hour at which clocks change moves none.
func TestDaylightSaving(t *testing.T) {
	t.Parallel()
	for _, zone := range []string{"Europe/Stockholm", "America/New_York", "Australia/Lord_Howe", "Pacific/Apia", "UTC"} {
		loc, err := time.LoadLocation(zone)
		if err != nil {
			t.Fatal(err)
		}
		rapid.Check(t, func(rt *rapid.T) {
			first := time.Date(2026, 1, 1, rapid.IntRange(0, 23).Draw(rt, "hour"), rapid.IntRange(0, 59).Draw(rt, "minute"), 0, 0, loc).AddDate(0, 0, rapid.IntRange(0, 400).Draw(rt, "day"))
			n := rapid.IntRange(0, 400).Draw(rt, "later")
			later := time.Date(first.Year(), first.Month(), first.Day()+n, rapid.IntRange(4, 23).Draw(rt, "its hour"), 0, 0, 0, loc)
			s := policy(t, "other:30").Status(deadline.Update{Seen: first.UTC()}, later)
			if s.Age != n || s.Overdue != n-30 {
				rt.Fatalf("from %v to %v are %d days, overdue by %d; want %d, %d", first, later, s.Age, s.Overdue, n, n-30)
			}
		})
	}
}

func TestCycle(t *testing.T) {
	t.Parallel()
	for day, want := range map[string]struct {
		name, start string
		day         int
	}{
		"2026-11-09": {"October 2026 cycle", "2026-10-13", 27},
		"2026-11-10": {"November 2026 cycle", "2026-11-10", 0},
		"2026-11-29": {"November 2026 cycle", "2026-11-10", 19},
		"2026-01-01": {"December 2025 cycle", "2025-12-09", 23},
		"2026-09-08": {"September 2026 cycle", "2026-09-08", 0}, // the month begins on a Tuesday
		"2026-04-13": {"March 2026 cycle", "2026-03-10", 34},
	} {
		d := deadline.DayOf(at(day))
		c := deadline.CycleOf(d)
		if c.String() != want.name || c.Start().ISO() != want.start || c.Day(d) != want.day {
			t.Errorf("%s is day %d of the %s from %s, want %+v", day, c.Day(d), c, c.Start().ISO(), want)
		}
	}
	if got := (deadline.Cycle{Year: 2026, Month: time.January}).Add(-2); got.Short() != "Nov 2025" {
		t.Errorf("two cycles before January 2026 is %s", got.Short())
	}
}
