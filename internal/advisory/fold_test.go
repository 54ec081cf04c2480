package advisory

import (
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func snapshotOf(updates ...Update) *Snapshot {
	return NewSnapshot([]Document{{ID: "2031-May", Released: time.Date(2031, 5, 13, 0, 0, 0, 0, time.UTC), Updates: updates}}, Catalog{})
}

func build(product string, revision int) Build { return Build{product, 26100, revision} }

func TestFold(t *testing.T) {
	t.Parallel()
	const client, server = "12390", "12436"
	w11, srv := Scope("microsoft-_-windows_11", "26100"), Scope("microsoft-_-windows_server_2025", "26100")
	for name, c := range map[string]struct {
		known   []Update
		missing []Missing
		want    []Folded
	}{
		"older builds are contained": {
			[]Update{{KB: "6000001", Builds: []Build{build(client, 10)}}, {KB: "6000002", Builds: []Build{build(client, 20)}}, {KB: "6000003", Builds: []Build{build(client, 30)}}},
			[]Missing{{"6000001", "", w11}, {"6000003", "", w11}, {"6000002", "", w11}},
			[]Folded{{1, ByBuild}, {1, NotContained}, {1, ByBuild}},
		},
		"client and server share a line and never mix": {
			[]Update{{KB: "6000001", Builds: []Build{build(client, 9445)}}, {KB: "6000002", Builds: []Build{build(server, 33438)}}},
			[]Missing{{"6000001", "", w11}, {"6000002", "", w11}, {"6000002", "", srv}},
			[]Folded{{0, NotContained}, {1, NotContained}, {2, NotContained}},
		},
		"scopes never mix": {
			[]Update{{KB: "6000001", Builds: []Build{build(client, 10)}}, {KB: "6000002", Builds: []Build{build(client, 20)}}},
			[]Missing{{"6000001", "", w11}, {"6000002", "", srv}},
			[]Folded{{0, NotContained}, {1, NotContained}},
		},
		"a wrong line does not matter": {
			[]Update{{KB: "6000001", Builds: []Build{{client, 19043, 10}}}, {KB: "6000002", Builds: []Build{{client, 19044, 20}}}},
			[]Missing{{"6000001", "", w11}, {"6000002", "", w11}},
			[]Folded{{1, ByBuild}, {1, NotContained}},
		},
		"hotpatches keep to themselves": {
			[]Update{
				{KB: "6000001", Kind: Hotpatch, Builds: []Build{build(client, 10)}},
				{KB: "6000002", Kind: Hotpatch, Builds: []Build{build(client, 20)}},
				{KB: "6000003", Builds: []Build{build(client, 30)}},
			},
			[]Missing{{"6000001", "", w11}, {"6000002", "", w11}, {"6000003", "", w11}},
			[]Folded{{1, ByBuild}, {1, NotContained}, {2, NotContained}},
		},
		"equal builds are equals": {
			[]Update{{KB: "6000001", Builds: []Build{build(client, 20)}}, {KB: "6000002", Builds: []Build{build(client, 20)}, Supersedes: []string{"6000001"}}},
			[]Missing{{"6000001", "", w11}, {"6000002", "", w11}},
			[]Folded{{0, NotContained}, {1, NotContained}},
		},
		"security only contains nothing": {
			[]Update{{KB: "6000001", Kind: SecurityOnly, Builds: []Build{build(client, 10)}}, {KB: "6000002", Kind: SecurityOnly, Builds: []Build{build(client, 20)}, Supersedes: []string{"6000001"}}, {KB: "6000003", Builds: []Build{build(client, 30)}}},
			[]Missing{{"6000001", "", w11}, {"6000002", "", w11}, {"6000003", "", w11}},
			[]Folded{{0, NotContained}, {1, NotContained}, {2, NotContained}},
		},
		"supersedence over a missing step": {
			[]Update{{KB: "6000002", Supersedes: []string{"6000001"}}, {KB: "6000003", Supersedes: []string{"6000002"}}},
			[]Missing{{"6000001", "", w11}, {"6000003", "", w11}},
			[]Folded{{1, BySupersedence}, {1, NotContained}},
		},
		"a fork has an end each": {
			[]Update{{KB: "6000002", Supersedes: []string{"6000001"}}, {KB: "6000003", Supersedes: []string{"6000001"}}},
			[]Missing{{"6000001", "", w11}, {"6000002", "", w11}, {"6000003", "", w11}},
			[]Folded{{2, BySupersedence}, {1, NotContained}, {2, NotContained}},
		},
		"a circle contains nothing": {
			[]Update{{KB: "6000001", Supersedes: []string{"6000002"}}, {KB: "6000002", Supersedes: []string{"6000001"}}, {KB: "6000003", Supersedes: []string{"6000003"}}},
			[]Missing{{"6000001", "", w11}, {"6000002", "", w11}, {"6000003", "", w11}},
			[]Folded{{0, NotContained}, {1, NotContained}, {2, NotContained}},
		},
		"ahead in one product, behind in another": {
			[]Update{{KB: "6000001", Builds: []Build{build("a", 10), build("b", 20)}}, {KB: "6000002", Builds: []Build{build("a", 20), build("b", 10)}}},
			[]Missing{{"6000001", "", w11}, {"6000002", "", w11}},
			[]Folded{{0, NotContained}, {1, NotContained}},
		},
		"without feeds a newer month is assumed": {
			nil,
			[]Missing{{"1", "October 2026 Security Updates", w11}, {"2", "November 2026 Security Updates", w11}, {"3", "Servicing", w11}, {"4", "2026-11 Out-of-band", w11}},
			[]Folded{{1, Assumed}, {1, NotContained}, {2, NotContained}, {3, NotContained}},
		},
		"months of other kinds of updates do not mix": {
			nil,
			[]Missing{{"1", "2031-04 Cumulative Update for .NET (KB6000001)", w11}, {"2", "2031-05 Cumulative Update for .NET (KB6000002)", w11}, {"3", "2031-06 Cumulative Update for Windows 11 (KB6000003)", w11}},
			[]Folded{{1, Assumed}, {1, NotContained}, {2, NotContained}},
		},
		"nor months of security only updates": {
			nil,
			[]Missing{{"1", "2031-04 Security Only Quality Update", w11}, {"2", "2031-05 Security Only Quality Update", w11}},
			[]Folded{{0, NotContained}, {1, NotContained}},
		},
		"not where the build is not known": {
			nil,
			[]Missing{{"1", "October 2026 Security Updates", Scope("microsoft-_-office", "")}, {"2", "November 2026 Security Updates", Scope("microsoft-_-office", "")}},
			[]Folded{{0, NotContained}, {1, NotContained}},
		},
		"not of updates that a feed knows": {
			[]Update{{KB: "6000001"}},
			[]Missing{{"6000001", "October 2026 Security Updates", w11}, {"2", "November 2026 Security Updates", w11}},
			[]Folded{{0, NotContained}, {1, NotContained}},
		},
	} {
		s := snapshotOf(c.known...)
		if diff := cmp.Diff(c.want, s.Fold(c.missing)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	var none *Snapshot
	if got := none.Fold([]Missing{{"1", "October 2026 x", w11}, {"2", "November 2026 x", w11}}); got[0] != (Folded{1, Assumed}) {
		t.Errorf("without a snapshot: %+v", got)
	}
}

// Whatever the feeds say, folding is a partition into updates to install and what each of them contains: nothing is
// dropped, what contains others is contained in nothing, and neither order nor a second time changes it.
func TestFoldIsAPartition(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		kb := rapid.Custom(func(t *rapid.T) string { return strconv.Itoa(6000000 + rapid.IntRange(0, 9).Draw(t, "kb")) })
		updates := map[string]Update{}
		for range rapid.IntRange(0, 8).Draw(t, "updates") {
			u := Update{KB: kb.Draw(t, "u"), Kind: rapid.SampledFrom([]Kind{Cumulative, Cumulative, Hotpatch, SecurityOnly, Other}).Draw(t, "kind")}
			for range rapid.IntRange(0, 2).Draw(t, "builds") {
				u.Builds = append(u.Builds, build(rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "product"), rapid.IntRange(1, 4).Draw(t, "revision")))
			}
			for range rapid.IntRange(0, 2).Draw(t, "supersedes") {
				u.Supersedes = append(u.Supersedes, kb.Draw(t, "old"))
			}
			updates[u.KB] = u
		}
		var known []Update
		for _, u := range updates {
			known = append(known, u)
		}
		slices.SortFunc(known, func(a, b Update) int { return compare(a.KB, b.KB) })
		s := snapshotOf(known...)
		missing := rapid.SliceOfNDistinct(rapid.Custom(func(t *rapid.T) Missing {
			return Missing{kb.Draw(t, "m"), rapid.SampledFrom([]string{"", "October 2026 x", "November 2026 x"}).Draw(t, "name"), rapid.SampledFrom([]string{Scope("w", "1"), Scope("w", "2"), Scope("s", "")}).Draw(t, "scope")}
		}), 0, 12, func(m Missing) string { return m.KB + m.Scope }).Draw(t, "missing")
		got := s.Fold(missing)
		if len(got) != len(missing) {
			t.Fatalf("%d of %d", len(got), len(missing))
		}
		var tops []Missing
		for i, f := range got {
			switch top := got[f.In]; {
			case missing[f.In].Scope != missing[i].Scope:
				t.Fatalf("%v is contained in %v of another scope", missing[i], missing[f.In])
			case top.In != f.In || top.Why != NotContained:
				t.Fatalf("%v is contained in %v, which is contained itself", missing[i], missing[f.In])
			case (f.In == i) != (f.Why == NotContained):
				t.Fatalf("%+v of %d", f, i)
			}
			if f.In == i {
				tops = append(tops, missing[i])
			}
		}
		for i, f := range s.Fold(tops) {
			if f.In != i {
				t.Fatalf("folded again, %v is contained in %v", tops[i], tops[f.In])
			}
		}
		order := rapid.Permutation(indexes(len(missing))).Draw(t, "order")
		shuffled := make([]Missing, len(missing))
		for to, from := range order {
			shuffled[to] = missing[from]
		}
		for to, f := range s.Fold(shuffled) {
			if want := got[order[to]]; missing[want.In] != shuffled[f.In] || want.Why != f.Why {
				t.Fatalf("order changes %v: %v, want %v", shuffled[to], shuffled[f.In], missing[want.In])
			}
		}
	})
}

func compare(a, b string) int {
	if a < b {
		return -1
	} else if a > b {
		return 1
	}
	return 0
}

func indexes(n int) []int {
	all := make([]int, n)
	for i := range all {
		all[i] = i
	}
	return all
}

func BenchmarkFold10000(b *testing.B) {
	var known []Update
	var missing []Missing
	for i := range 10_000 {
		kb := strconv.Itoa(6000000 + i)
		known = append(known, Update{KB: kb, Builds: []Build{build(strconv.Itoa(i%50), i)}})
		missing = append(missing, Missing{kb, "x", Scope(strconv.Itoa(i%50), "1")})
	}
	s := snapshotOf(known...)
	for b.Loop() {
		s.Fold(missing)
	}
}

// An update that several documents list has what all of them say; what no document lists is unknown.
func TestSnapshot(t *testing.T) {
	t.Parallel()
	may := Document{
		ID: "2031-May", Released: time.Date(2031, 5, 13, 0, 0, 0, 0, time.UTC), Revised: time.Date(2031, 5, 20, 0, 0, 0, 0, time.UTC),
		Updates: []Update{{KB: "6000001", Restart: "Yes", CVEs: []string{"CVE-2031-1"}}}, CVEs: []CVE{{"CVE-2031-1", "Moderate", 5, true, false}},
	}
	june := Document{
		ID: "2031-Jun", Released: time.Date(2031, 6, 10, 0, 0, 0, 0, time.UTC), Revised: time.Date(2031, 6, 11, 0, 0, 0, 0, time.UTC),
		Updates: []Update{{KB: "6000001", CVEs: []string{"CVE-2031-2", "CVE-2031-3"}}}, CVEs: []CVE{{"CVE-2031-2", "Critical", 9, false, true}, {"CVE-2031-3", "", 0, false, false}},
	}
	day := func(d int) time.Time { return time.Date(2031, 6, d, 0, 0, 0, 0, time.UTC) }
	kev := Catalog{"v", day(15), []Exploited{{CVE: "CVE-2031-2", Due: day(20)}, {CVE: "CVE-2031-3", Due: day(18)}, {CVE: "CVE-2031-1"}}}
	s := NewSnapshot([]Document{june, may}, kev)
	got, ok := s.Update("6000001")
	want := Facts{
		KB: "6000001", Released: may.Released, Restart: "Yes", Severity: "Critical", CVEs: []string{"CVE-2031-1", "CVE-2031-2", "CVE-2031-3"},
		KEV: []Exploited{{CVE: "CVE-2031-3", Due: day(18)}, {CVE: "CVE-2031-2", Due: day(20)}, {CVE: "CVE-2031-1"}}, MSRC: []string{"CVE-2031-1"},
	}
	if diff := cmp.Diff(want, got); diff != "" || !ok || !got.Exploited() {
		t.Errorf("update (-want +got):\n%s", diff)
	}
	if s.LastMonth != "2031-Jun" || !s.KEV.Equal(day(15)) || !s.MSRC.Equal(june.Revised) {
		t.Errorf("dates %v, %v, %s", s.KEV, s.MSRC, s.LastMonth)
	}
	if _, ok := s.Update("6000002"); ok {
		t.Error("an unknown update is known")
	}
	var none *Snapshot
	if _, ok := none.Update("6000001"); ok {
		t.Error("nothing knows an update")
	}
}
