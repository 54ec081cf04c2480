package digest_test

import (
	"cmp"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/missingkbs/missingkbs/internal/advisory"
	"github.com/missingkbs/missingkbs/internal/digest"
	"github.com/missingkbs/missingkbs/internal/patchgap"
	"github.com/missingkbs/missingkbs/internal/triage"
	"github.com/missingkbs/missingkbs/internal/view"
)

// failing is what ends a check.
type failing interface {
	Fatalf(format string, args ...any)
}

// raised is a failure in a bubble, which a property can only report once the bubble is over.
type raised string

func (*raised) Fatalf(format string, args ...any) { panic(raised(fmt.Sprintf(format, args...))) }

// inBubble runs a check in a bubble, whose clock jumps.
func inBubble(t *testing.T, rt *rapid.T, check func(t *testing.T, f failing)) {
	t.Helper()
	var failure raised
	synctest.Test(t, func(t *testing.T) {
		defer func() {
			if r, ok := recover().(raised); ok {
				failure = r
			}
		}()
		check(t, &failure)
	})
	if failure != "" {
		rt.Fatal(string(failure))
	}
}

// said is what a person reads in the text of a digest, in numbers.
type said struct {
	missing, hidden int            // updates that the lead counts
	largest         int            // devices of the largest of them
	news            map[string]int // what the lead counts of each kind
	listed          map[string]int // what is listed of each kind, with what is only counted
	before, now     int            // updates missing, as progress has it
	wasOpen, open   int            // open installs, as progress has it
	progress        bool
	rows, install   int // what the lead says that rows come down to; 0 where nothing is folded
}

// kindsOf are the words of the lead and the headings of the lists for each kind of change.
var kindsOf = map[string]string{
	"new": "New", "reopened": "Reopened", "in software not counted last time": "In software not counted last time", "grew": "Grew", "shrank": "Shrank",
	"rose above the filter": "Rose above the filter", "fell below the filter": "Fell below the filter", "closed": "Closed", "no longer listed": "No longer listed",
}

func number(t failing, s string) int {
	n, err := strconv.Atoi(strings.ReplaceAll(s, ",", ""))
	if err != nil {
		t.Fatalf("%q is no number", s)
	}
	return n
}

// found is the group of the first match of an expression in a text, and 0 where there is none.
func found(t failing, expr, text string) int {
	m := regexp.MustCompile(expr).FindStringSubmatch(text)
	if m == nil {
		return 0
	}
	return number(t, m[1])
}

// read reads a digest as it is written.
func read(t failing, page view.Page) said {
	var b strings.Builder
	if err := view.WriteText(&b, page); err != nil {
		t.Fatalf("write: %v", err)
	}
	text := b.String()
	lead := strings.Split(text, "\n")[1]
	s := said{
		missing: found(t, `([\d,]+) updates? missing`, lead),
		largest: found(t, `missing(?: in what could be read| there)?, (?:the largest )?on (?:at least )?([\d,]+) device`, lead),
		hidden:  found(t, `; ([\d,]+) (?:more hidden|is missing in all|are missing in all)`, lead),
		rows:    found(t, `([\d,]+) rows? from Defender = `, lead),
		install: found(t, ` from Defender = ([\d,]+) updates? to install`, lead),
		news:    map[string]int{}, listed: map[string]int{},
	}
	for verb, name := range kindsOf {
		if n := found(t, `(?:^|, |and |\. )([\d,]+) `+verb+`(?:,|\.| and \d)`, lead); n > 0 {
			s.news[name] = n
		}
		block := regexp.MustCompile(`(?m)^` + name + `\n((?:  .*\n)+)`).FindStringSubmatch(text)
		if block == nil {
			continue
		}
		for line := range strings.Lines(block[1]) {
			if more := found(t, `^  ([\d,]+) more\n`, line); more > 0 {
				s.listed[name] += more
			} else {
				s.listed[name]++
			}
		}
	}
	trend := func(name string) (was, is int) {
		m := regexp.MustCompile(`(?m)^` + name + ` +([\d,]+), (?:as last time|([\d,]+) (more|fewer) than last time)`).FindStringSubmatch(text)
		if m == nil {
			return 0, 0
		}
		s.progress = true
		is = number(t, m[1])
		switch was = is; m[3] {
		case "more":
			was -= number(t, m[2])
		case "fewer":
			was += number(t, m[2])
		}
		return was, is
	}
	s.before, s.now = trend("Updates missing")
	s.wasOpen, s.open = trend("Open installs")
	return s
}

// count counts the updates of rows that pass a filter, in other words than the program does.
func count(rows []patchgap.Row, f patchgap.Filter) (shown, hidden, largest, open int) {
	devices, cves := map[string]map[string]int{}, map[string]int{}
	for _, r := range rows {
		if devices[r.KB] == nil {
			devices[r.KB] = map[string]int{}
		}
		devices[r.KB][r.Software] += r.Devices
		cves[r.KB] = max(cves[r.KB], r.CVEs)
	}
	for kb, of := range devices {
		n := slices.Max(slices.Collect(maps.Values(of)))
		if n < f.MinDevices || cves[kb] < f.MinCVEs {
			hidden++
			continue
		}
		shown++
		largest, open = max(largest, n), open+n
	}
	return shown, hidden, largest, open
}

// tenants are the states of a tenant: three software ids that share five updates, over two builds.
var tenants = rapid.Custom(func(t *rapid.T) []patchgap.Row {
	var rows []patchgap.Row
	for _, software := range watched {
		for kb := range 5 {
			for _, os := range []string{"", "26100", "26200"} {
				if rapid.IntRange(0, 3).Draw(t, "missing") > 0 {
					continue
				}
				r := build(software, strconv.Itoa(5000001+kb), os, rapid.IntRange(1, 60).Draw(t, "devices"), rapid.IntRange(0, 9).Draw(t, "CVEs"))
				r.Name = fmt.Sprintf("%s 2026 Security Updates", time.Month(1+kb))
				rows = append(rows, r)
			}
		}
	}
	return rows
})

// week is what a tenant is like when a digest is due.
type week struct {
	rows   []patchgap.Row
	unread string
	absent string // software that nobody has
}

// histories are some weeks of a tenant.
var histories = rapid.Custom(func(t *rapid.T) []week {
	weeks := make([]week, rapid.IntRange(2, 6).Draw(t, "weeks"))
	for i := range weeks {
		w := &weeks[i]
		if i == 0 || rapid.IntRange(0, 3).Draw(t, "move") > 0 {
			w.rows = tenants.Draw(t, "rows")
		} else {
			w.rows = slices.Clone(weeks[i-1].rows)
			for at := range w.rows { // devices come and go
				w.rows[at].Devices += rapid.IntRange(0, 1).Draw(t, "wobble")
			}
		}
		if rapid.IntRange(0, 4).Draw(t, "outage") == 0 {
			w.unread = rapid.SampledFrom(watched).Draw(t, "unread")
		}
		if rapid.IntRange(0, 4).Draw(t, "leave") == 0 {
			w.absent = rapid.SampledFrom(watched[1:]).Draw(t, "absent")
		}
	}
	return weeks
})

var watched = []string{edge, windows, "microsoft-_-windows_10"}

// feedsOf are what may be known of the tenants' updates: nothing, not even their months; nothing but these; or what MSRC and
// CISA say.
var feedsOf = rapid.Custom(func(t *rapid.T) func(is, was []patchgap.Update) digest.Advice {
	switch rapid.IntRange(0, 2).Draw(t, "feeds") {
	case 0:
		return nil
	case 1:
		return advising(nil)
	}
	return advising(published(rapid.SampledFrom([]string{"", "5000001", "5000003"}).Draw(t, "exploited")))
})

// published are feeds in which each of five updates contains those before it on one line of builds, and one is exploited.
func published(exploited string) *advisory.Snapshot {
	doc := advisory.Document{ID: "2026-Nov", Released: monday, Revised: monday}
	var kev advisory.Catalog
	for i := range 5 {
		u := advisory.Update{KB: strconv.Itoa(5000001 + i), Kind: advisory.Cumulative, CVEs: []string{fmt.Sprintf("CVE-2026-%04d", i)}}
		u.Builds = []advisory.Build{{Product: "11", Line: 26100, Revision: 1000 + i}}
		doc.Updates = append(doc.Updates, u)
		if u.KB == exploited {
			kev = advisory.Catalog{Released: monday, Entries: []advisory.Exploited{{CVE: u.CVEs[0]}}}
		}
	}
	return advisory.NewSnapshot([]advisory.Document{doc}, kev)
}

// advising advises digests as the program does.
func advising(known *advisory.Snapshot) func(is, was []patchgap.Update) digest.Advice {
	return func(is, was []patchgap.Update) digest.Advice {
		a := digest.Advice{Fold: func(shown []patchgap.Update) digest.Folding { return triage.Of(known, shown) }}
		if known != nil {
			a.Exploited, a.Dates = triage.Attacks(known, is, was), triage.Dates(known, monday)
			a.In = func(gone patchgap.Row, listed []patchgap.Row) int { return triage.In(known, gone, listed) }
		}
		return a
	}
}

// Whatever happens to a tenant, the numbers of each digest fit together: what the lead counts is listed; the updates
// missing before, without those that went, with those that came, are those missing now; both are what is really missing;
// and no filter makes a gap look like none.
func TestNumbersFitTogether(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		s := weekly()
		s.Quiet = rapid.SampledFrom([]digest.Quiet{digest.Always, digest.Silent, digest.Heartbeat}).Draw(rt, "quiet")
		s.Filter = patchgap.Filter{MinDevices: rapid.SampledFrom([]int{0, 0, 20, 61}).Draw(rt, "min-devices"), MinCVEs: rapid.SampledFrom([]int{0, 0, 5}).Draw(rt, "min-cves")}
		history, feeds := histories.Draw(rt, "history"), feedsOf.Draw(rt, "feeds")
		inBubble(t, rt, func(t *testing.T, f failing) { //nolint:thelper // the whole of the check
			h := newHouse(s)
			h.t, h.Advise = t, feeds
			told := -1 // updates missing that the channel was told of last, where all could be read
			for _, w := range history {
				h.defender.ids = slices.DeleteFunc(slices.Clone(watched), func(id string) bool { return id == w.absent })
				h.defender.rows = slices.DeleteFunc(slices.Clone(w.rows), func(r patchgap.Row) bool { return r.Software == w.absent })
				h.defender.unread = map[string]string{}
				if w.unread != "" && w.unread != w.absent {
					h.defender.unread[w.unread] = "It did not answer."
				}
				before := len(h.slack.posted)
				if _, posted := h.week(); !posted {
					continue
				}
				m := h.slack.posted[before]
				checkNumbers(f, h, s.Filter, m, told)
				if told = -1; len(h.defender.unread) == 0 {
					told = read(f, m.digest).missing
				}
			}
		})
	})
}

func checkNumbers(t failing, h *house, f patchgap.Filter, m message, told int) {
	page := m.digest
	got := read(t, page)
	readable := slices.DeleteFunc(slices.Clone(h.defender.rows), func(r patchgap.Row) bool { return h.defender.unread[r.Software] != "" })
	shown, hidden, largest, open := count(readable, f)
	if got.missing != shown || got.hidden != hidden || got.largest != largest {
		t.Fatalf("%q says %d missing, %d hidden, the largest on %d; want %d, %d, %d", page.Lead, got.missing, got.hidden, got.largest, shown, hidden, largest)
	}
	none := strings.Contains(page.Lead, "No missing updates")
	clean := strings.HasPrefix(page.Title, string(digest.Clean))
	if wantNone := shown+hidden == 0; none != wantNone || clean && (!wantNone || len(h.defender.unread) > 0) {
		t.Fatalf("%q, %q, though %d updates are missing", page.Title, page.Lead, shown+hidden)
	}
	known := h.Advise != nil && h.Advise(nil, nil).Exploited != nil // then the verdict follows what is exploited
	if strings.HasPrefix(page.Title, string(digest.OnTrack)) && !known && got.progress && got.open >= got.wasOpen {
		t.Fatalf("%q, though of %d open installs %d are open still", page.Title, got.wasOpen, got.open)
	}
	unchanged := strings.Contains(page.Lead, "has changed") || strings.Contains(page.Lead, "No change")
	if unchanged && !known && (strings.HasPrefix(page.Title, string(digest.WorthALook)) || strings.HasPrefix(page.Title, string(digest.ActionRequired)) || len(got.listed) > 0) {
		t.Fatalf("%q over %q", page.Title, page.Lead)
	}
	if len(m.details.Parts) == 0 {
		return // a heartbeat
	}
	checkTables(t, m, got, shown, largest, open)
	if !maps.Equal(got.news, got.listed) {
		t.Fatalf("the lead counts %v, the lists %v:\n%s", got.news, got.listed, page.Lead)
	}
	if !got.progress {
		return // the first one, or nothing missing before and now
	}
	went := got.listed["Closed"] + got.listed["No longer listed"] + got.listed["Fell below the filter"]
	came := got.listed["New"] + got.listed["Reopened"] + got.listed["In software not counted last time"] + got.listed["Rose above the filter"]
	if got.before-went+came != got.now || got.now != shown || got.open != open {
		t.Fatalf("%d before, %d went, %d came, and %d are missing, %d installs open; want %d and %d:\n%s", got.before, went, came, got.now, got.open, shown, open, page.Lead)
	}
	if told >= 0 && len(h.defender.unread) == 0 && got.before != told {
		t.Fatalf("the last digest told of %d missing updates, and this one says that there were %d", told, got.before)
	}
}

// checkTables checks that files have a row for each update, with what is counted, and that people see those to install.
func checkTables(t failing, m message, got said, shown, largest, open int) {
	details := tableOf(m.details)
	sum, most := 0, 0
	kbs := map[string]bool{}
	in := slices.IndexFunc(details.Columns, func(c view.Column) bool { return c.Key == "contained_in" })
	for i := range details.FileLen() {
		cells := details.FileRow(i)
		kbs[cells[0].Text] = true
		sum, most = sum+cells[1].Number, max(most, cells[1].Number)
		if folded := i >= details.Len(); folded && cells[in].Text == "" {
			t.Fatalf("%s is folded into nothing", cells[0].Text)
		}
	}
	if details.FileLen() != shown || len(kbs) != shown || most != largest || sum != open {
		t.Fatalf("the details have %d rows of %d updates, the largest on %d devices, %d open installs; want %d, %d and %d", details.FileLen(), len(kbs), most, sum, shown, largest, open)
	}
	install, suffix := details.Len(), ""
	if install < shown {
		suffix = " to install"
	}
	if folds := got.install > 0; folds != (install < shown) || folds && (got.install != install || got.rows < shown) {
		t.Fatalf("the lead says %d rows = %d updates to install, the details list %d of %d", got.rows, got.install, install, shown)
	}
	if gaps := tableOf(m.digest); gaps.Len() > 0 {
		if want := fmt.Sprintf("%d of %s%s", gaps.Len(), view.Count(install, "update"), suffix); !strings.HasSuffix(gaps.Caption, want) {
			t.Fatalf("caption %q, want %q", gaps.Caption, want)
		}
		for i := range gaps.Len() {
			if gaps.Row(i)[0].Text != details.Row(i)[0].Text {
				t.Fatalf("row %d of the digest is %s, that of its thread %s", i, gaps.Row(i)[0].Text, details.Row(i)[0].Text)
			}
		}
		if strings.HasPrefix(gaps.Caption, "Largest") && !slices.IsSortedFunc(rowsOf(gaps), func(a, b []view.Cell) int { return cmp.Compare(b[1].Number, a[1].Number) }) {
			t.Fatalf("the largest gaps are not sorted by devices")
		}
	}
}

func rowsOf(t view.Table) [][]view.Cell {
	rows := make([][]view.Cell, t.Len())
	for i := range rows {
		rows[i] = t.Row(i)
	}
	return rows
}

// Comparing a gap with itself finds nothing, whatever a filter leaves of it, and no update is told twice.
func TestDiffProperties(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		before, after := gap(tenants.Draw(t, "before"), watched), gap(tenants.Draw(t, "after"), watched)
		f := patchgap.Filter{MinDevices: rapid.IntRange(0, 70).Draw(t, "min-devices")}
		if c := patchgap.Diff(before, before, nil).Keep(f); c.News() {
			t.Fatalf("a gap differs from itself: %v", kbs(c))
		}
		told := map[string]bool{}
		for _, list := range kbs(patchgap.Diff(before, after, nil).Keep(f)) {
			for _, kb := range list {
				if told[kb] {
					t.Fatalf("%v is told twice", kb)
				}
				told[kb] = true
			}
		}
	})
}
