package patchgap

import (
	"strings"
	"time"

	"github.com/missingkbs/missingkbs/internal/month"
)

// successors has rows that may have replaced updates that are gone. Monthly updates are cumulative: Defender lists the next
// one in place of the one before, on the same devices. A replaced update is gone but not closed.
type successors map[where][]successor

// where is a software and OS build. The build has no revision, because each update raises it.
type where struct{ software, build string }

type successor struct {
	Row
	month    time.Time
	appeared bool // not listed before
}

func (r Row) where() where { return where{r.Software, r.Line()} }

// Line is the OS build of a row without its revision, which each update raises: "22631" of "10.0.22631.4037". It is "" if
// Defender does not say.
func (r Row) Line() string {
	line, _, _ := strings.Cut(strings.TrimPrefix(r.OSBuild, "10.0."), ".")
	return line
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
		if m, ok := month.Of(r.Name); ok {
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
		m, dated := month.Of(r.Name)
		for _, next := range s[r.where()] {
			many := next.Devices >= r.Devices
			if dated && (next.month.After(m) && (next.appeared || many) || next.month.Equal(m) && next.appeared && many) {
				return true
			}
		}
	}
	return false
}
