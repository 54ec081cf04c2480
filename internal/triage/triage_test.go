package triage_test

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/missingkbs/missingkbs/internal/advisory"
	"github.com/missingkbs/missingkbs/internal/patchgap"
	"github.com/missingkbs/missingkbs/internal/triage"
)

const (
	w11  = "microsoft-_-windows_11"
	edge = "microsoft-_-edge"
)

func day(month time.Month, d int) time.Time { return time.Date(2031, month, d, 0, 0, 0, 0, time.UTC) }

func row(software, kb, build, name string, devices int) patchgap.Row {
	return patchgap.Row{Key: patchgap.Key{Software: software, KB: kb, OSBuild: build}, Name: name, Devices: devices, CVEs: 1}
}

// may is a month in which the older of two updates of a product fixes a CVE that CISA lists, and a third one of another
// product fixes one that MSRC calls exploited.
func may() *advisory.Snapshot {
	build := func(revision int) []advisory.Build {
		return []advisory.Build{{Product: "1", Line: 26100, Revision: revision}}
	}
	return advisory.NewSnapshot([]advisory.Document{{
		ID: "2031-May", Released: day(5, 13), Revised: day(5, 20),
		Updates: []advisory.Update{
			{KB: "6000001", Builds: build(10), CVEs: []string{"CVE-2031-1"}},
			{KB: "6000002", Builds: build(20), CVEs: []string{"CVE-2031-2"}},
			{KB: "6000003", CVEs: []string{"CVE-2031-3"}},
		},
		CVEs: []advisory.CVE{{ID: "CVE-2031-1", Severity: "Critical"}, {ID: "CVE-2031-2", Severity: "Low"}, {ID: "CVE-2031-3", Severity: "Important", Exploited: true}},
	}}, advisory.Catalog{Released: day(5, 28), Entries: []advisory.Exploited{{CVE: "CVE-2031-1", Due: day(6, 4)}}})
}

func kbs(updates []patchgap.Update) []string {
	var all []string
	for _, u := range updates {
		all = append(all, u.KB())
	}
	return all
}

// texts are the cells of the columns of an update, by key.
func texts(t *triage.Triage, shown []patchgap.Update, u patchgap.Update, alone bool) map[string]string {
	m := map[string]string{}
	for _, e := range t.Columns(shown, alone) {
		if text := e.Cell(u).Text; text != "" {
			m[e.Key] = text
		}
	}
	return m
}

// The page of an update says which of those that it contains is exploited, where it is not itself.
func TestAboutWhatIsInside(t *testing.T) {
	t.Parallel()
	got := triage.Of(may(), patchgap.Updates([]patchgap.Row{row(w11, "6000001", "26100", "", 9), row(w11, "6000002", "26100", "", 31)}))
	facts := map[string]string{}
	for _, f := range got.About("6000002") {
		facts[f.Name] = f.Value
	}
	if want := "KB6000001 (CVE-2031-1, KEV, due 4 Jun 2031)"; facts["Exploited, and contained in it"] != want || !strings.HasPrefix(facts["Exploited"], "no: ") {
		t.Errorf("facts %v, want %q", facts, want)
	}
	if words, want := got.AboutWords("6000002"), "It contains KB6000001, which fixes a vulnerability under attack (CVE-2031-1, KEV, due 4 Jun 2031)."; words != want {
		t.Errorf("got %q, want %q", words, want)
	}
	if words := got.AboutWords("6000001"); !strings.HasPrefix(words, "It fixes a vulnerability under attack") {
		t.Errorf("the contained one: %q", words)
	}
}

func TestOf(t *testing.T) {
	t.Parallel()
	updates := patchgap.Updates([]patchgap.Row{
		row(w11, "6000001", "26100", "", 9), row(w11, "6000002", "26100", "", 31), row(edge, "6000003", "", "", 20), row(edge, "7000000", "", "", 40),
	})
	got := triage.Of(may(), updates)
	got.Sort(got.Install, false)
	if diff := cmp.Diff([][]string{{"6000002", "6000003", "7000000"}, {"6000001"}}, [][]string{kbs(got.Install), kbs(got.Folded)}); diff != "" {
		t.Errorf("exploited first, contained updates folded (-want +got):\n%s", diff)
	}
	if want := "2 of 4 missing updates fix vulnerabilities under attack, on at least 20 devices; of 1 it is unknown."; got.Words(true) != want {
		t.Errorf("got %q, want %q", got.Words(true), want)
	}
	if want := "4 rows from Defender = 3 updates to install."; got.FoldWords() != want {
		t.Errorf("got %q, want %q", got.FoldWords(), want)
	}
	for i, want := range []map[string]string{
		{"exploited": "KEV, due 4 Jun (KB6000001)", "severity": "Critical (KB6000001)", "contains": "KB6000001", "kev_due": "2031-06-04", "released": "2031-05-13"},
		{"exploited": "MSRC", "severity": "Important", "released": "2031-05-13"},
		{"exploited": "unknown", "severity": "unknown"},
	} {
		if diff := cmp.Diff(want, texts(got, got.Install, got.Install[i], false)); diff != "" {
			t.Errorf("KB%s (-want +got):\n%s", got.Install[i].KB(), diff)
		}
	}
	want := map[string]string{"exploited": "KEV, due 4 Jun", "severity": "Critical", "contained_in": "KB6000002", "why": "newer build", "kev_due": "2031-06-04", "released": "2031-05-13"}
	if diff := cmp.Diff(want, texts(got, got.Folded, got.Folded[0], true)); diff != "" {
		t.Errorf("contained (-want +got):\n%s", diff)
	}
	if alone := texts(got, got.Install, got.Install[0], true); alone["exploited"] != "no" || alone["severity"] != "Low" {
		t.Errorf("alone: %v", alone)
	}
}

// One severity stands in a row, with its source; the page of an update says where others differ from it.
func TestSeveritiesAreExplained(t *testing.T) {
	t.Parallel()
	all := triage.Of(may(), patchgap.Updates([]patchgap.Row{row(w11, "6000001", "26100", "", 9), row(w11, "6000002", "26100", "", 31), row(edge, "6000003", "", "", 20)}))
	for _, c := range []struct{ kb, defender, want string }{
		{"6000001", "Critical", ""},
		{"6000001", "", ""},
		{"6000003", "High", ""}, // Important by MSRC
		{"6000003", "Medium", "Severities differ: MSRC calls it important; Defender rates the worst of its CVEs on your devices medium, on a scale of its own."},
		{"6000002", "Low", "Severities differ: MSRC calls it low, and KB6000001, which it contains, critical (lists show the worst)."},
		{"6000002", "Critical", "Severities differ: MSRC calls it low, and KB6000001, which it contains, critical (lists show the worst); Defender rates the worst of its CVEs on your devices critical, on a scale of its own."},
		{"7000000", "Critical", ""}, // MSRC does not list it
	} {
		if got := all.AboutSeverity(c.kb, c.defender); got != c.want {
			t.Errorf("KB%s, %q by Defender: %q, want %q", c.kb, c.defender, got, c.want)
		}
	}
	if got := triage.Of(nil, nil).AboutSeverity("6000001", "High"); got != "" {
		t.Errorf("without feeds: %q", got)
	}
}

// Without data of feeds nothing is said of attacks, and what is assumed of months is marked.
func TestNothingKnown(t *testing.T) {
	t.Parallel()
	updates := patchgap.Updates([]patchgap.Row{
		row(w11, "7000001", "26100", "April 2031 Security Updates", 9), row(w11, "7000002", "26100", "May 2031 Security Updates", 9), row(w11, "7000003", "", "March 2031 Security Updates", 9),
	})
	got := triage.Of(nil, updates)
	if got.Words(true) != "" || got.Known() || triage.Dates(nil, day(6, 1)) != "" {
		t.Errorf("words %q", got.Words(true))
	}
	if want := "3 rows from Defender = 2 updates to install, assumed where no feed says so: the newest month contains the older ones."; got.FoldWords() != want {
		t.Errorf("got %q, want %q", got.FoldWords(), want)
	}
	for _, c := range got.Columns(got.Install, false) {
		if !c.Hidden && c.Key != "contains" {
			t.Errorf("column %s is shown", c.Key)
		}
	}
	if cells := texts(got, got.Install, got.Install[slices.Index(kbs(got.Install), "7000002")], false); cells["exploited"] != "unknown" || cells["contains"] != "KB7000001 (assumed)" {
		t.Errorf("%v", cells)
	}
}

func TestWords(t *testing.T) {
	t.Parallel()
	one := func(kb string, devices int) patchgap.Row { return row(edge, kb, "", "", devices) }
	for name, c := range map[string]struct {
		rows []patchgap.Row
		want string
	}{
		"nothing":            {nil, ""},
		"one, exploited":     {[]patchgap.Row{one("6000003", 1)}, "It fixes vulnerabilities under attack, on 1 device."},
		"one, not exploited": {[]patchgap.Row{one("6000002", 1)}, "It fixes no vulnerability that is known to be under attack."},
		"one, unknown":       {[]patchgap.Row{one("7000000", 1)}, "Whether it fixes a vulnerability under attack is unknown: MSRC does not list it."},
		"all unknown":        {[]patchgap.Row{one("7000000", 1), one("7000001", 1)}, "Whether they fix vulnerabilities under attack is unknown: MSRC lists none of them."},
		"none":               {[]patchgap.Row{one("6000002", 1), one("7000001", 1)}, "None of 2 missing updates is known to fix a vulnerability under attack; of 1 it is unknown."},
		"one of two":         {[]patchgap.Row{one("6000003", 31), one("6000002", 1)}, "1 of 2 missing updates fixes vulnerabilities under attack, on 31 devices."},
		"shared":             {[]patchgap.Row{one("6000003", 31), row(w11, "6000003", "", "", 5), one("6000002", 1)}, "1 of 2 missing updates fixes vulnerabilities under attack, on at least 31 devices."},
		"two of two":         {[]patchgap.Row{one("6000003", 5), one("6000001", 31)}, "2 of 2 missing updates fix vulnerabilities under attack, on at least 31 devices."},
	} {
		if got := triage.Of(may(), patchgap.Updates(c.rows)).Words(true); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

func TestDates(t *testing.T) {
	t.Parallel()
	for now, want := range map[time.Time]string{
		day(5, 30):                 "KEV of 28 May, MSRC to 2031-May.",
		day(6, 2):                  "KEV of 28 May, MSRC to 2031-May. The KEV list is 5 days old, so newer entries are not in it.",
		day(7, 1).AddDate(1, 0, 0): "KEV of 28 May 2031, MSRC to 2031-May. The KEV list is 400 days old, so newer entries are not in it. MSRC's documents are 408 days old, so newer updates are unknown.",
	} {
		if got := triage.Dates(may(), now); got != want {
			t.Errorf("%v: %q, want %q", now, got, want)
		}
	}
	if got := triage.Dates(advisory.NewSnapshot(nil, advisory.Catalog{}), day(5, 1)); got != "No KEV list, no documents of MSRC." {
		t.Errorf("of nothing: %q", got)
	}
}

// What is dated otherwise has another edition.
func TestEditionsAreDates(t *testing.T) {
	t.Parallel()
	moment := rapid.Custom(func(t *rapid.T) time.Time {
		return day(5, 28).Add(time.Duration(rapid.Int64Range(0, 60*24).Draw(t, "hours"))*time.Hour+time.Duration(rapid.Int64Range(-1, 1).Draw(t, "and"))).AddDate(rapid.IntRange(0, 1).Draw(t, "years"), 0, 0)
	})
	rapid.Check(t, func(t *rapid.T) {
		one, other := moment.Draw(t, "one"), moment.Draw(t, "other")
		if known := may(); triage.Dates(known, one) != triage.Dates(known, other) && triage.Edition(known, one) == triage.Edition(known, other) {
			t.Errorf("%v and %v have one edition: %q, %q", one, other, triage.Dates(known, one), triage.Dates(known, other))
		}
	})
	if got := triage.Edition(nil, day(5, 28)); got != "" {
		t.Errorf("without feeds: %q", got)
	}
}

// gaps draws missing updates of a few products and builds, and documents that know some of them and may contradict each
// other.
func gaps(t *rapid.T) ([]patchgap.Row, *advisory.Snapshot) {
	kb := rapid.Custom(func(t *rapid.T) string { return strconv.Itoa(6000000 + rapid.IntRange(0, 7).Draw(t, "kb")) })
	var rows []patchgap.Row
	for range rapid.IntRange(0, 14).Draw(t, "rows") {
		name := rapid.SampledFrom([]string{"March 2031 Security Updates", "April 2031 Security Updates", "2031-05 Cumulative", "Other"}).Draw(t, "name")
		r := row(rapid.SampledFrom([]string{w11, edge}).Draw(t, "software"), kb.Draw(t, "row"), rapid.SampledFrom([]string{"", "22631", "26100"}).Draw(t, "build"), name, rapid.IntRange(1, 50).Draw(t, "devices"))
		if !slices.ContainsFunc(rows, func(other patchgap.Row) bool { return other.Key == r.Key }) {
			rows = append(rows, r)
		}
	}
	d := advisory.Document{ID: "2031-May", Released: day(5, 13), CVEs: []advisory.CVE{{ID: "CVE-2031-1", Exploited: true}, {ID: "CVE-2031-2"}}}
	for _, number := range rapid.SliceOfDistinct(kb, rapid.ID[string]).Draw(t, "known") {
		u := advisory.Update{KB: number, CVEs: []string{rapid.SampledFrom([]string{"CVE-2031-1", "CVE-2031-2"}).Draw(t, "cve")}}
		u.Kind = rapid.SampledFrom([]advisory.Kind{advisory.Cumulative, advisory.Cumulative, advisory.Hotpatch, advisory.SecurityOnly}).Draw(t, "kind")
		for range rapid.IntRange(0, 2).Draw(t, "builds") {
			u.Builds = append(u.Builds, advisory.Build{Product: rapid.SampledFrom([]string{"a", "b"}).Draw(t, "product"), Line: 26100, Revision: rapid.IntRange(1, 4).Draw(t, "revision")})
		}
		if rapid.Bool().Draw(t, "supersedes") {
			u.Supersedes = []string{kb.Draw(t, "older")}
		}
		d.Updates = append(d.Updates, u)
	}
	if rapid.Bool().Draw(t, "nothing known") {
		return rows, nil
	}
	return rows, advisory.NewSnapshot([]advisory.Document{d}, advisory.Catalog{})
}

func count(updates []patchgap.Update) int {
	n := 0
	for _, u := range updates {
		n += len(u.Rows)
	}
	return n
}

// Folding drops nothing and counts nothing twice; every folded update names what to install instead, which is not folded;
// an exploited update is urgent wherever it is; and the order of what Defender sends does not matter.
func TestNothingIsDropped(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		rows, feeds := gaps(t)
		updates := patchgap.Updates(slices.Clone(rows))
		got := triage.Of(feeds, updates)
		if n := count(got.Install) + count(got.Folded); n != len(rows) || len(got.Install)+len(got.Folded) != len(updates) {
			t.Fatalf("%d rows to install and folded, want the %d of Defender", n, len(rows))
		}
		installed := kbs(got.Install)
		for _, u := range got.Folded {
			f := got.Finding(u)
			if len(f.In) == 0 || slices.ContainsFunc(f.In, func(c triage.Container) bool { return !slices.Contains(installed, c.KB) }) {
				t.Fatalf("KB%s is folded into %v, and installed are %v", u.KB(), f.In, installed)
			}
			if f.State().Exploited() && !slices.ContainsFunc(got.Install, func(i patchgap.Update) bool {
				return got.Rank(i) == 0 && slices.Contains(got.Finding(i).Contains, f)
			}) {
				t.Fatalf("KB%s is exploited, and no update to install says so", u.KB())
			}
		}
		if told := describe(got); told != describe(triage.Of(feeds, patchgap.Updates(rapid.Permutation(rows).Draw(t, "order")))) {
			t.Fatal("another order gives another answer")
		}
		again := triage.Of(feeds, slices.Clone(got.Install))
		if len(again.Folded) > 0 {
			t.Fatalf("what is to install folds again: %v", kbs(again.Folded))
		}
	})
}

// describe is all that a triage says.
func describe(t *triage.Triage) string {
	all := slices.Concat(t.Install, t.Folded)
	t.Sort(t.Install, false)
	var b strings.Builder
	fmt.Fprintln(&b, kbs(t.Install), kbs(t.Folded), t.Words(true), t.FoldWords())
	for _, u := range all {
		fmt.Fprintln(&b, texts(t, all, u, false), texts(t, all, u, true))
	}
	return b.String()
}
