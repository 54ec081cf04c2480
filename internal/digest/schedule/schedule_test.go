package schedule_test

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/missingkbs/missingkbs/internal/digest/schedule"
)

func TestParse(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ typed, words, text string }{
		{"mon 09:00", "mon 09:00", "every Monday at 09:00"},
		{"Mon,THU 9:00", "mon,thu 09:00", "every Monday and Thursday at 09:00"},
		{"thu,mon,thursdays 9:00", "mon,thu 09:00", "every Monday and Thursday at 09:00"},
		{"mon-wed 09:05", "mon,tue,wed 09:05", "every Monday, Tuesday and Wednesday at 09:05"},
		{"every monday at 9:00", "mon 09:00", "every Monday at 09:00"},
		{"weekdays 08:30", "weekdays 08:30", "on weekdays (Monday to Friday) at 08:30"},
		{"mon-fri 08:30", "weekdays 08:30", "on weekdays (Monday to Friday) at 08:30"},
		{"daily 07:00", "daily 07:00", "every day at 07:00"},
		{"mon-sun 07:00", "daily 07:00", "every day at 07:00"},
		{"monthly 1 09:00", "monthly 1 09:00", "on day 1 of each month at 09:00"},
		{"monthly 31 23:59", "monthly 31 23:59", "on day 31 of each month, or on its last where it is shorter, at 23:59"},
		{"patch-tuesday 09:00", "patch-tuesday 09:00", "on Patch Tuesday (the second of the month) at 09:00"},
		{"patch-tuesday+1 09:00", "patch-tuesday+1 09:00", "1 day after Patch Tuesday (the second of the month) at 09:00"},
		{"patch-tuesday-1 0:00", "patch-tuesday-1 00:00", "1 day before Patch Tuesday (the second of the month) at 00:00"},
		{"patch-tuesday+0 09:00", "patch-tuesday 09:00", "on Patch Tuesday (the second of the month) at 09:00"},
		{" 0  9 * * 1 ", "0 9 * * 1", "every Monday at 09:00"},
		{"0 9 * * MON-FRI", "0 9 * * mon-fri", "on weekdays (Monday to Friday) at 09:00"},
		{"0 9 * * 0,6-7", "0 9 * * 0,6-7", "every Saturday and Sunday at 09:00"},
		{"30 7 * * *", "30 7 * * *", "every day at 07:30"},
		{"0 9 15 * *", "0 9 15 * *", "on day 15 of each month at 09:00"},
		{"0 9 * * 2#2", "0 9 * * 2#2", "on the second Tuesday of each month at 09:00"},
		{"*/15 * * * *", "*/15 * * * *", "every 15 minutes"},
		{"5 * * * *", "5 * * * *", "every hour, at minute 5"},
		{"0 9,15 * * 1", "0 9,15 * * 1", `by the cron expression "0 9,15 * * 1"`},
		{"0 9 1 * 1", "0 9 1 * 1", `by the cron expression "0 9 1 * 1"`},
		{"0 9 L * *", "0 9 l * *", "on the last day of each month at 09:00"},
		{"0 9 * * tue#2", "0 9 * * 2#2", "on the second Tuesday of each month at 09:00"},
		{"0 9 * * Tuesday#2", "0 9 * * 2#2", "on the second Tuesday of each month at 09:00"},
		{"0 9 * * friL", "0 9 * * 5l", "on the last Friday of each month at 09:00"},
		{"0 9 * * 5L", "0 9 * * 5l", "on the last Friday of each month at 09:00"},
		{"0 9 * * sunL", "0 9 * * 0l", "on the last Sunday of each month at 09:00"},
		{"0 9 ? * tue#2", "0 9 ? * 2#2", "on the second Tuesday of each month at 09:00"},
		{"0 9 * * Monday-Friday", "0 9 * * mon-fri", "on weekdays (Monday to Friday) at 09:00"},
		{"0 9 * * tuesdays,thu", "0 9 * * tue,thu", "every Tuesday and Thursday at 09:00"},
		{"0 9 * * sat-sun", "0 9 * * 6-7", "every Saturday and Sunday at 09:00"},
		{"0 9 1 January,july *", "0 9 1 jan,jul *", `by the cron expression "0 9 1 jan,jul *"`},
		{"tue#2 09:00", "0 9 * * 2#2", "on the second Tuesday of each month at 09:00"},
		{"2nd Tue 9:05", "5 9 * * 2#2", "on the second Tuesday of each month at 09:05"},
		{"every third monday at 23:59", "59 23 * * 1#3", "on the third Monday of each month at 23:59"},
		{"last friday 16:00", "0 16 * * 5l", "on the last Friday of each month at 16:00"},
		{"first sun 00:00", "0 0 * * 0#1", "on the first Sunday of each month at 00:00"},
		{"0 9 1 jan *", "0 9 1 jan *", `by the cron expression "0 9 1 jan *"`},
		{"0,50 0,23 * * 1", "0,50 0,23 * * 1", `by the cron expression "0,50 0,23 * * 1"`},
	} {
		s, err := schedule.Parse(c.typed, "Europe/Stockholm")
		if err != nil {
			t.Errorf("%q: %v", c.typed, err)
			continue
		}
		if want := (schedule.Schedule{Words: c.words, Zone: "Europe/Stockholm"}); s != want {
			t.Errorf("%q: got %q, want %q", c.typed, s, want)
		}
		if got := schedule.Describe(s); got != c.text+", Europe/Stockholm time" {
			t.Errorf("%q: described as %q, want %q", c.typed, got, c.text)
		}
	}
}

// Every refusal says what would be right.
func TestParseRefuses(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ words, zone, want string }{
		{"", "UTC", "Write for example mon 09:00"},
		{"09:00", "UTC", "needs days and a time"},
		{"mon", "UTC", "needs days and a time"},
		{"mon 25:00", "UTC", `"25:00" is not a time of day. Times are 00:00 to 23:59`},
		{"mon 9:60", "UTC", "not a time of day"},
		{"mon 9", "UTC", "not a time of day"},
		{"mon 9am", "UTC", "not a time of day"},
		{"mon 09:0", "UTC", "not a time of day"},
		{"mo 09:00", "UTC", `"mo" is not a day. Write for example`},
		{"fri-mon 09:00", "UTC", "is not a day"},
		{"mon, 09:00", "UTC", "is not a day"},
		{"mon tue 09:00", "UTC", `"mon tue" is not a day`},
		{"monthly 09:00", "UTC", "On which day of the month? Write for example monthly 1 09:00."},
		{"monthly 32 09:00", "UTC", "Days are 1 to 31"},
		{"monthly 0 09:00", "UTC", "Days are 1 to 31"},
		{"patch-tuesday+22 09:00", "UTC", "up to 21 days after or before it, such as patch-tuesday+1"},
		{"patch-tuesdays 09:00", "UTC", "not a day near Patch Tuesday"},
		{"patch-tuesday+ 09:00", "UTC", "not a day near Patch Tuesday"},
		{"mon 09:00", "Stockholm", `There is no time zone "Stockholm". Did you mean Europe/Stockholm? Zones are written like Europe/Stockholm`},
		{"mon 09:00", "AMERICA/new york", "Did you mean America/New_York?"},
		{"mon 09:00", "Europe / Stockholm", "Did you mean Europe/Stockholm?"},
		{"mon 09:00", "tokyo", "Did you mean Asia/Tokyo?"},
		{"mon 09:00", "utc", "Did you mean UTC?"},
		{"mon 09:00", "UTC+2", `There is no time zone "UTC+2". Zones are written`},
		{"mon 09:00", "", "There is no time zone"},
		{"mon 09:00", "Local", "There is no time zone"},
		{"mon 09:00", "../etc/passwd", "There is no time zone"},
		{"0 9 30 2 *", "UTC", "names a date that never comes"},
		{"0 9 31 4,6 *", "UTC", "names a date that never comes"},
		{"* * * * *", "UTC", "runs again after 1 minute. Digests must be at least 15 minutes apart"},
		{"*/14 9 * * 1", "UTC", "at least 15 minutes apart"},
		{"0,50 0,23 * * *", "UTC", "runs again after 10 minutes"},
		{"60 9 * * 1", "UTC", `the minute cannot be "60". It takes 0 to 59`},
		{"0 24 * * 1", "UTC", `the hour cannot be "24"`},
		{"0 9 0 * 1", "UTC", `the day of the month cannot be "0"`},
		{"0 9 * 13 1", "UTC", `the month cannot be "13"`},
		{"0 9 * * 8", "UTC", `the day of the week cannot be "8"`},
		{"0 9 * * xyz", "UTC", `the day of the week cannot be "xyz"`},
		{"0 9 * * on,", "UTC", `the day of the week cannot be "on"`},
		{"*/0 9 * * 1", "UTC", `the minute cannot be "*/0"`},
		{"5-1 9 * * 1", "UTC", `the minute cannot be "5-1"`},
		{"0 9 * * 1 2026", "UTC", "has 6 fields. It takes five: minute, hour, day of the month, month, day of the week, such as 0 9 * * 1. Leave out the seconds in front, or the year behind."},
		{"0 0 9 ? * MON", "UTC", "has 6 fields"},
		{"0 0 9 ? * MON *", "UTC", "has 7 fields"},
		{"0 9 * *", "UTC", "has 4 fields"},
		{"0 9 1", "UTC", "has 3 fields"},
		{"@weekly", "UTC", "@weekly is not supported. Write it as sun 00:00"},
		{"@Daily", "UTC", "Write it as daily 00:00"},
		{"@hourly", "UTC", "Write it as 0 * * * *"},
		{"@yearly", "UTC", "Write it as 0 0 1 1 *"},
		{"@reboot", "UTC", `"@reboot" is not a schedule. Write for example`},
		{"? 9 * * 1", "UTC", `the minute cannot be "?"`},
		{"0 9 LW * *", "UTC", "L is its last day"},
		{"0 9 W * *", "UTC", "15W for the weekday nearest to the 15th"},
		{"0 9 32W * *", "UTC", `cannot be "32w"`},
		{"0 9 * * tue#6", "UTC", "# takes 1 to 5"},
		{"0 9 * * 2#0", "UTC", "# takes 1 to 5"},
		{"0 9 * * L", "UTC", "5L for the last Friday"},
		{"0 9 * * fri-mon", "UTC", "A range goes up: write fri-sat,sun-mon."},
		{"0 9 * * 5-1", "UTC", "write 5-6,0-1."},
		{"0 22-6 * * *", "UTC", "write 22-23,0-6."},
		{"0 9 1 nov-feb *", "UTC", "write nov-dec,jan-feb."},
		{"0 9 * * tuesda", "UTC", `cannot be "tuesda"`},
		{"6th tue 09:00", "UTC", "is not a day"},
		{"second 09:00", "UTC", "is not a day"},
	} {
		_, err := schedule.Parse(c.words, c.zone)
		m, ok := errors.AsType[*schedule.ParseError](err)
		if !ok || !strings.Contains(m.Message, c.want) {
			t.Errorf("%q in %q: %v, want %q", c.words, c.zone, err, c.want)
		}
	}
}

func at(t *testing.T, zone, s string) time.Time {
	t.Helper()
	loc, err := time.LoadLocation(zone)
	if err != nil {
		t.Fatal(err)
	}
	// An offset at the end tells apart the two times that a clock shows twice.
	if tm, err := time.Parse("2006-01-02 15:04 -0700", s); err == nil {
		return tm.In(loc)
	}
	tm, err := time.ParseInLocation("2006-01-02 15:04", s, loc)
	if err != nil {
		t.Fatal(err)
	}
	return tm
}

func TestNext(t *testing.T) {
	t.Parallel()
	const stockholm, newYork, lordHowe, apia = "Europe/Stockholm", "America/New_York", "Australia/Lord_Howe", "Pacific/Apia"
	for _, c := range []struct{ words, zone, after, want string }{
		{"mon 09:00", stockholm, "2026-11-23 08:59", "2026-11-23 09:00"},
		{"mon 09:00", stockholm, "2026-11-23 09:00", "2026-11-30 09:00"},
		{"weekdays 08:30", stockholm, "2026-11-27 09:00", "2026-11-30 08:30"},
		{"monthly 31 09:00", stockholm, "2026-02-01 00:00", "2026-02-28 09:00"},
		{"monthly 30 09:00", stockholm, "2028-02-01 00:00", "2028-02-29 09:00"},
		{"patch-tuesday 09:00", stockholm, "2026-11-23 09:00", "2026-12-08 09:00"},
		// In July 2026 the second Wednesday is the 8th, before Patch Tuesday, the 14th.
		{"patch-tuesday+1 09:00", stockholm, "2026-07-01 09:00", "2026-07-15 09:00"},
		{"patch-tuesday-1 09:00", stockholm, "2026-07-01 09:00", "2026-07-13 09:00"},
		{"patch-tuesday+21 09:00", stockholm, "2026-07-20 09:00", "2026-08-04 09:00"},
		{"patch-tuesday-14 09:00", stockholm, "2026-08-20 09:00", "2026-08-25 09:00"},
		{"0 9 29 2 *", stockholm, "2026-11-23 09:00", "2028-02-29 09:00"},

		// The clocks skip 02:00 to 03:00 on 29 March 2026, and show it twice on 25 October.
		{"daily 02:30", stockholm, "2026-03-28 12:00", "2026-03-29 03:30"},
		{"daily 02:30", stockholm, "2026-03-29 03:15", "2026-03-29 03:30"},
		{"daily 02:30", stockholm, "2026-03-29 03:30", "2026-03-30 02:30"},
		{"daily 02:30", stockholm, "2026-10-24 12:00", "2026-10-25 02:30 +0200"},
		{"daily 02:30", stockholm, "2026-10-25 02:30 +0200", "2026-10-26 02:30"},
		{"daily 02:30", stockholm, "2026-10-25 02:15 +0100", "2026-10-26 02:30"},
		{"30 * * * *", stockholm, "2026-03-29 01:30", "2026-03-29 03:30"},
		{"30 * * * *", stockholm, "2026-03-29 03:30", "2026-03-29 04:30"},

		{"daily 02:30", newYork, "2026-03-07 12:00", "2026-03-08 03:30"},
		{"daily 01:30", newYork, "2026-10-31 12:00", "2026-11-01 01:30 -0400"},
		{"daily 01:30", newYork, "2026-11-01 01:30 -0400", "2026-11-02 01:30"},
		{"0 * * * *", newYork, "2026-11-01 01:00 -0400", "2026-11-01 02:00"},

		// Lord Howe's clocks move by half an hour: 02:00 to 02:30 is skipped on 4 October 2026. What is due at 02:10 comes at
		// 02:40, after what is due at 02:35.
		{"daily 02:10", lordHowe, "2026-10-03 12:00", "2026-10-04 02:40"},
		{"10,35 2 * * *", lordHowe, "2026-10-03 12:00", "2026-10-04 02:35"},
		{"10,35 2 * * *", lordHowe, "2026-10-04 02:35", "2026-10-04 02:40"},
		{"10,35 2 * * *", lordHowe, "2026-10-04 02:40", "2026-10-05 02:10"},
		{"daily 01:45", lordHowe, "2026-04-04 12:00", "2026-04-05 01:45 +1100"},
		{"daily 01:45", lordHowe, "2026-04-05 01:45 +1100", "2026-04-06 01:45"},

		// Samoa had no 30 December 2011.
		{"daily 09:00", apia, "2011-12-29 09:00", "2011-12-31 09:00"},
		{"daily 09:00", apia, "2011-12-31 09:00", "2012-01-01 09:00"},
		{"fri 09:00", apia, "2011-12-29 09:00", "2011-12-31 09:00"},

		{"daily 09:00", "Asia/Kolkata", "2026-11-23 09:00", "2026-11-24 09:00"},
	} {
		s, err := schedule.Parse(c.words, c.zone)
		if err != nil {
			t.Fatal(err)
		}
		if got, want := schedule.Next(s, at(t, c.zone, c.after)), at(t, c.zone, c.want); !got.Equal(want) {
			t.Errorf("%s in %s after %s: got %s, want %s", c.words, c.zone, c.after, got.In(want.Location()), want)
		}
	}
}

func TestUpcoming(t *testing.T) {
	t.Parallel()
	s, err := schedule.Parse("tue#2 09:00", "Europe/Stockholm")
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, run := range schedule.Upcoming(s, at(t, s.Zone, "2026-11-29 10:00"), 3) {
		got = append(got, run.In(time.UTC).Format("2006-01-02 15:04"))
	}
	if diff := cmp.Diff([]string{"2026-12-08 08:00", "2027-01-12 08:00", "2027-02-09 08:00"}, got); diff != "" {
		t.Errorf("runs (-want +got):\n%s", diff)
	}
	if got := schedule.Upcoming(schedule.Schedule{Words: "never"}, time.Now(), 3); got != nil {
		t.Errorf("nonsense runs at %v", got)
	}
}

// A day of the month and a day of the week together are not what people mean by them.
func TestCaution(t *testing.T) {
	t.Parallel()
	for words, want := range map[string]string{
		"0 9 8-14 * 2":   `Day of the month (8-14) and day of the week (2) are both set: it runs on every day that is one or the other, on 11 days of the next 31. For the second Tuesday of the month write 0 9 * * 2#2, or --at "patch-tuesday 09:00".`,
		"0 9 8-14 * tue": `For the second Tuesday of the month write 0 9 * * 2#2, or --at "patch-tuesday 09:00".`,
		"0 9 1-7 * 1":    "For the first Monday of the month write 0 9 * * 1#1.",
		"0 9 22-28 * 7":  "For the fourth Sunday of the month write 0 9 * * 7#4.",
		"0 9 8-14 3 2":   "For the second Tuesday of the month write 0 9 * 3 2#2.",
		"0 9 13 * 5":     "on 5 days of the next 31. Leave one of the two as *.",
		"0 9 1,15 * 1-5": "Leave one of the two as *.",
		"0 9 */2 * 2":    "runs only on days that are both",
		"0 9 1 * */2":    "runs only on days that are both",
		"0 9 1 * *":      "", "0 9 ? * 2": "", "0 9 1 * ?": "", "0 9 * * 2#2": "", "mon 09:00": "", "patch-tuesday 09:00": "", "nonsense": "",
	} {
		got := schedule.Caution(schedule.Schedule{Words: words, Zone: "Europe/Stockholm"}, at(t, "Europe/Stockholm", "2026-11-29 10:00"))
		if want == "" && got != "" || !strings.Contains(got, want) {
			t.Errorf("%s: %q, want %q in it", words, got, want)
		}
	}
}

// Whatever a caution counts and claims is what the schedule does.
func TestCautionTellsTheTruth(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		first := rapid.IntRange(1, 28).Draw(t, "first")
		day := fmt.Sprintf("%d-%d", first, rapid.IntRange(first, 31).Draw(t, "last"))
		day = rapid.SampledFrom([]string{day, strconv.Itoa(first), "*/2", "*/5", "l"}).Draw(t, "day")
		weekday := rapid.SampledFrom([]string{"2", "mon-fri", "0,6", "*/2", "5l", "1#1"}).Draw(t, "weekday")
		s, err := schedule.Parse("0 9 "+day+" * "+weekday, "UTC")
		if err != nil {
			t.Fatal(err)
		}
		alone := func(words string) map[time.Time]bool {
			days := map[time.Time]bool{}
			one := schedule.Schedule{Words: words, Zone: "UTC"}
			start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
			for run := schedule.Next(one, start); run.Before(start.AddDate(0, 3, 0)); run = schedule.Next(one, run) {
				days[run] = true
			}
			return days
		}
		days, weekdays, both := alone("0 9 "+day+" * *"), alone("0 9 * * "+weekday), alone(s.Words)
		either := !strings.Contains(schedule.Caution(s, time.Now()), "only on days that are both")
		for run := time.Date(2026, 1, 1, 9, 0, 0, 0, time.UTC); run.Month() < time.April; run = run.AddDate(0, 0, 1) {
			want := days[run] && weekdays[run]
			if either {
				want = days[run] || weekdays[run]
			}
			if both[run] != want {
				t.Fatalf("%s: runs on %v: %v, want %v: %s", s.Words, run, both[run], want, schedule.Caution(s, time.Now()))
			}
		}
	})
}

func TestNextOfNonsenseIsNever(t *testing.T) {
	t.Parallel()
	for _, s := range []schedule.Schedule{{}, {Words: "mon 09:00", Zone: "Nowhere"}, {Words: "never", Zone: "UTC"}, {Words: "0 9 30 2 *", Zone: "UTC"}} {
		if got := schedule.Next(s, time.Now()); !got.IsZero() {
			t.Errorf("%v: got %v, want never", s, got)
		}
	}
	if got := schedule.Describe(schedule.Schedule{Words: "x", Zone: "y"}); got != "x, y time" {
		t.Errorf("nonsense is described as %q", got)
	}
}

var zones = []string{
	"Europe/Stockholm", "America/New_York", "Australia/Lord_Howe", "Pacific/Apia", "Asia/Kolkata", "UTC", "America/St_Johns", "Africa/Casablanca",
}

var schedules = []string{
	"mon 09:00", "daily 02:30", "daily 00:00", "weekdays 23:59", "monthly 31 02:15", "patch-tuesday+1 02:00", "patch-tuesday-7 01:30",
	"*/15 * * * *", "10,35 2 * * *", "0 * * * *", "30 1-3 * * *", "0 9 * * 2#2", "0 0 1 1 *", "0 9 l * *",
}

// Whatever the schedule, zone and moment: a run lies strictly after, no run lies between, a later moment has no
// earlier run, and clocks show what the schedule says unless they skipped it.
func TestNextProperties(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s, err := schedule.Parse(rapid.SampledFrom(schedules).Draw(t, "words"), rapid.SampledFrom(zones).Draw(t, "zone"))
		if err != nil {
			t.Fatal(err)
		}
		// From 2000 to 2040, often near the changes of clocks at the ends of March and October.
		a := time.Unix(rapid.Int64Range(946684800, 2208988800).Draw(t, "unix"), 0)
		if rapid.Bool().Draw(t, "near a change") {
			month := rapid.SampledFrom([]time.Month{time.March, time.April, time.October, time.November, time.December}).Draw(t, "month")
			a = time.Date(a.Year(), month, 1, 0, 0, 0, 0, time.UTC).Add(time.Duration(rapid.IntRange(-9*24*60, 14*24*60).Draw(t, "minutes")) * time.Minute)
		}
		b := a.Add(time.Duration(rapid.IntRange(0, 400*24*60).Draw(t, "later")) * time.Minute)
		runA, runB := schedule.Next(s, a), schedule.Next(s, b)
		switch {
		case !runA.After(a):
			t.Fatalf("the run %v does not lie after %v", runA, a)
		case runB.Before(runA):
			t.Fatalf("%v has the run %v, the later %v the earlier %v", a, runA, b, runB)
		case b.Before(runA) && !runB.Equal(runA):
			t.Fatalf("%v and %v lie before the same run, but have %v and %v", a, b, runA, runB)
		}
	})
}

// People type anything.
func FuzzParse(f *testing.F) {
	for _, w := range schedules {
		f.Add(w, "Europe/Stockholm")
	}
	f.Add("0 9 * * 5l", "Pacific/Apia")
	f.Add("last fri 09:00", "UTC")
	f.Add("0 9 ? * sat-sun", "UTC")
	f.Add("@weekly", "UTC")
	f.Add("0 9 31w * 1#5", "")
	f.Add("patch-tuesday-99 00:00", "TZ=UTC")
	f.Fuzz(func(t *testing.T, words, zone string) {
		s, err := schedule.Parse(words, zone)
		if err != nil {
			if _, ok := errors.AsType[*schedule.ParseError](err); !ok {
				t.Fatalf("%q: %v is no mistake for people", words, err)
			}
			return
		}
		again, err := schedule.Parse(s.Words, s.Zone)
		if err != nil || again != s {
			t.Fatalf("%q reads as %q, and that as %q, %v", words, s, again, err)
		}
		start := time.Date(2026, time.March, 28, 12, 0, 0, 0, time.UTC)
		first := schedule.Next(s, start)
		second := schedule.Next(s, first)
		if !first.After(start) || !second.After(first) || schedule.Describe(s) == "" {
			t.Fatalf("%q runs at %v and %v", words, first, second)
		}
	})
}
