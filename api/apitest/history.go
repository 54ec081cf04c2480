package apitest

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// month counts months; month(0) is January of the year 0.
type month int

func monthOf(t time.Time) month {
	return month(t.Year()*12 + int(t.Month()) - 1)
}

// historyMonths is how far the history reaches back from any moment: longer
// than the slowest device takes (maxDays) and than a silent one is counted.
const historyMonths = 7

// patchTuesday is when Microsoft publishes the month's updates: the second
// Tuesday, at 10 in Seattle, reckoned here as 18:00 UTC all year.
func (m month) patchTuesday() time.Time {
	first := time.Date(int(m)/12, time.Month(int(m)%12+1), 1, 18, 0, 0, 0, time.UTC)
	days := (int(time.Tuesday)-int(first.Weekday())+7)%7 + 7
	return first.AddDate(0, 0, days)
}

// String is the month as Defender writes it in a KB's name.
func (m month) String() string {
	return fmt.Sprintf("%s %d", time.Month(int(m)%12+1), int(m)/12)
}

// update is one fix of one line, for one OS build if the line has builds.
type update struct {
	line       int
	kb         KB // ID is "" if the fix is no KB
	names      []string
	build      int // 0: any
	month      month
	seq        uint64 // place in its line; the fixes of a line bring the earlier ones
	released   time.Time
	superseded time.Time // when its successor came, if it was withdrawn for it
	cves       []string
}

// history makes the updates of the lines out of their months. It is asked
// anew, with a later time, when the clock has moved.
type history struct {
	seed  uint64
	lines []line
}

// until gives the updates that are out at the moment and that some device may
// lack, oldest first in each line, and a line's rows side by side.
func (h history) until(now time.Time) []update {
	var out []update
	for i := range h.lines {
		for m := monthOf(now) - historyMonths; m <= monthOf(now); m++ {
			out = h.appendMonth(out, i, m)
		}
	}
	for i := range out {
		if out[i].superseded.After(now) {
			out[i].superseded = time.Time{}
		}
	}
	return slices.DeleteFunc(out, func(u update) bool { return u.released.After(now) })
}

func (h history) appendMonth(out []update, i int, m month) []update {
	l := h.lines[i]
	every := max(1, l.every)
	if (int(m)+i)%every == 0 {
		u := update{line: i, month: m, seq: uint64(m) * 2, released: h.releaseOf(l, m), cves: h.cvesOf(i, m)}
		u.kb = KB{ID: h.number(i, m, 0), Name: m.String() + " Security Updates"}
		out = h.appendRows(out, u)
	}
	if h.outOfBand(l, m) {
		u := update{line: i, month: m, seq: uint64(m)*2 + 1, released: m.patchTuesday().AddDate(0, 0, 9), cves: h.urgentCVEs(m)}
		u.superseded = (m + 1).patchTuesday()
		u.kb = KB{ID: h.number(i, m, 640), Name: m.String() + " Out-of-band Security Updates"}
		out = h.appendRows(out, u)
	}
	return out
}

// outOfBand tells whether the line has an urgent fix nine days after the
// month's Patch Tuesday, which the next month's update replaces: Windows 11 in
// November, February and so on, Windows Server 2022 a month later.
func (h history) outOfBand(l line, m month) bool {
	switch {
	case strings.HasPrefix(l.products, "windows_11") && len(l.builds) > 1:
		return m%3 == 1
	case strings.HasPrefix(l.products, "windows_server_2022"):
		return m%3 == 2
	}
	return false
}

// releaseOf is Patch Tuesday for Microsoft's; others have days of their own.
func (h history) releaseOf(l line, m month) time.Time {
	if l.vendor == "microsoft" && l.kb {
		return m.patchTuesday()
	}
	days := between(-6, 6, h.seed, key(l.products), uint64(m))
	return m.patchTuesday().AddDate(0, 0, days)
}

// appendRows adds a row for each build that the update serves.
func (h history) appendRows(out []update, u update) []update {
	l := h.lines[u.line]
	u.names = l.names()
	if !l.kb {
		u.kb = KB{}
		return append(out, u)
	}
	u.kb.ProductsNames = u.names
	u.kb.CVEAddressed = len(u.cves)
	u.kb.URL = catalogURL(u.kb.ID)
	h.loosen(&u)
	if len(l.builds) == 0 {
		u.kb.OSBuild = writeBuild(l.build, 0, u.month)
		return append(out, u)
	}
	for _, b := range l.builds {
		u.build = b
		u.kb.OSBuild = writeBuild(l.build, b, u.month)
		out = append(out, u)
	}
	return out
}

// loosen makes a few rows as odd as the live service's: a missing URL, an id
// with a prefix.
func (h history) loosen(u *update) {
	switch u.names[0] {
	case "sql_server_2017":
		u.kb.URL = ""
	case "sharepoint_server_2019":
		u.kb.ID = "KB" + u.kb.ID
	}
}

// writeBuild is the row's osBuild; text comes with the update's revision.
func writeBuild(style string, build int, m month) any {
	switch style {
	case buildNumber:
		return build
	case buildText:
		return fmt.Sprintf("%d.%d", build, revision(m))
	case buildNull:
		return Null{}
	}
	return nil
}

// firstMonth is where the numbers are counted from: May 2026.
const firstMonth = month(2026*12 + 4)

// revision is the last part of a Windows version after a month's update.
func revision(m month) int {
	return max(1, 4037+170*int(m-firstMonth))
}

// number is the id of a line's KB in a month. It grows from month to month.
func (h history) number(line int, m month, offset int) string {
	n := 5_070_000 + 700*int(m-firstMonth) + line*9 + offset
	return strconv.Itoa(n + between(0, 8, h.seed, uint64(line), uint64(m)))
}

// catalogURL is the link that Defender gives with a KB.
func catalogURL(kb string) string {
	return "https://catalog.update.microsoft.com/v7/site/Search.aspx?q=KB" + strings.TrimPrefix(kb, "KB")
}
