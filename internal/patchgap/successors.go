package patchgap

import (
	"regexp"
	"strconv"
	"strings"
	"time"
)

// successors has rows that may have replaced updates that are gone. Monthly updates are cumulative: Defender lists the next
// one in place of the one before, on the same devices. A replaced update is gone but not closed.
type successors map[where][]successor

// where is a software and OS build. The build has no revision, because each update raises it.
type where struct{ software, build string }

type successor struct {
	Row
	month    month
	appeared bool // not listed before
}

func (r Row) where() where {
	build, _, _ := strings.Cut(strings.TrimPrefix(r.OSBuild, "10.0."), ".")
	return where{r.Software, build}
}

// listed finds the rows whose names say a month.
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

// replaced reports whether an update that is gone may have been replaced rather than installed. That is so if an update of
// a later month appeared for the same software and OS build, or as many devices lack one as lacked this one. Without a
// month in both names it returns false.
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

// month counts months since the year 0; 0 is unknown.
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
