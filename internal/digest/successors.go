package digest

import (
	"regexp"
	"strconv"
	"strings"
	"time"
)

// successors are the rows of a reading that may have taken the place of what is gone, by where they apply. Monthly
// updates are cumulative: when the next one comes, Defender lists it in place of the one before, on the same devices.
// Such an update has not closed, although it is gone.
type successors map[where][]successor

// where is a software and OS build. Builds are told apart without their revision, which each update raises.
type where struct{ software, build string }

type successor struct {
	Row
	month    month
	appeared bool // it was not listed before
}

func (r Row) where() where {
	build, _, _ := strings.Cut(strings.TrimPrefix(r.OSBuild, "10.0."), ".")
	return where{r.Software, build}
}

// listed finds the rows of a reading that say of which month they are.
func listed(before, after Snapshot) successors {
	type listing struct{ software, unit string }
	had := make(map[listing]bool, len(before.Rows))
	for _, r := range before.Rows {
		had[listing{r.Software, r.unit()}] = true
	}
	all := successors{}
	for _, r := range after.Rows {
		if m := monthOf(r.Name); m > 0 {
			all[r.where()] = append(all[r.where()], successor{r, m, !had[listing{r.Software, r.unit()}]})
		}
	}
	return all
}

// replaced reports whether an update that is gone may have been replaced rather than installed: for the same software and
// OS build a later month's appeared, or one that as many devices lack as lacked this one. Where the name of either says
// no month nothing is known of that.
func (s successors) replaced(gone Update) bool {
	for _, r := range gone.Rows {
		m := monthOf(r.Name)
		for _, next := range s[r.where()] {
			many := next.Devices >= r.Devices
			if m > 0 && (next.month > m && (next.appeared || many) || next.month == m && next.appeared && many) {
				return true
			}
		}
	}
	return false
}

// month counts months since the year 0; 0 stands for none.
type month int

// The forms in which names of updates say their month, such as "2026-11 Cumulative Update for Windows 11" and
// "November 2026 Security Updates".
var (
	monthInDigits = regexp.MustCompile(`\b(20\d\d)-(0[1-9]|1[0-2])\b`)
	monthInWords  = regexp.MustCompile(`(?i)\b(January|February|March|April|May|June|July|August|September|October|November|December),? (20\d\d)\b`)
)

func monthOf(name string) month {
	if m := monthInDigits.FindStringSubmatch(name); m != nil {
		year, _ := strconv.Atoi(m[1])
		number, _ := strconv.Atoi(m[2])
		return month(12*year + number)
	}
	if m := monthInWords.FindStringSubmatch(name); m != nil {
		at, err := time.Parse("January 2006", m[1]+" "+m[2])
		if err == nil {
			return month(12*at.Year() + int(at.Month()))
		}
	}
	return 0
}
