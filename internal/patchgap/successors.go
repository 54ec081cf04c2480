package patchgap

import (
	"slices"
	"strings"
	"time"

	"github.com/missingkbs/missingkbs/internal/month"
)

// successors has rows that may have replaced updates that are gone. Monthly updates are cumulative: Defender lists the
// next one instead of the previous one, on the same devices. A replaced update is gone but not closed.
type successors map[where][]successor

// where is a software and line of OS builds. The revision is left out, because each update raises it.
type where struct{ software, build string }

type successor struct {
	Row
	month    time.Time
	appeared bool // not listed before
}

func (r Row) where() where { return where{r.Software, r.Line()} }

// Line returns the OS build of a row without its revision: "22631" for "10.0.22631.4037"; "" if unknown.
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

// replaced reports whether an update that is gone may have been replaced instead of installed: an update of a later
// month appeared for the same software and OS build, or is missing on as many devices as this one was. It returns false
// unless both names have a month.
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

// Unlist moves updates from Closed to Unlisted if a listed update contains them: devices that miss the newer one may miss
// the older one too, however many they are, so nothing shows that it was installed. in returns the listed row that contains
// one that is gone, or -1.
func (c *Changes) Unlist(after Snapshot, in func(gone Row, listed []Row) int) {
	if len(c.Closed) == 0 {
		return
	}
	byScope := map[where][]Row{}
	for _, r := range after.Rows {
		if r.Devices > 0 {
			byScope[r.where()] = append(byScope[r.where()], r)
		}
	}
	c.Closed = slices.DeleteFunc(c.Closed, func(change Change) bool {
		contained := slices.ContainsFunc(change.Was.Rows, func(r Row) bool {
			listed := byScope[r.where()]
			return len(listed) > 0 && in(r, listed) >= 0
		})
		if contained {
			c.Unlisted = append(c.Unlisted, change)
		}
		return contained
	})
	c.sort()
}
