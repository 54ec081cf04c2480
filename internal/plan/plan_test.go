package plan_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/missingkbs/missingkbs/internal/advisory"
	"github.com/missingkbs/missingkbs/internal/patchgap"
	"github.com/missingkbs/missingkbs/internal/plan"
)

func row(software, kb, build, name string, devices, cves int) patchgap.Row {
	return patchgap.Row{Key: patchgap.Key{Software: software, KB: kb, OSBuild: build}, Name: name, Devices: devices, CVEs: cves}
}

func released(month time.Month) time.Time { return time.Date(2026, month, 10, 0, 0, 0, 0, time.UTC) }

func cves(n ...int) []string {
	ids := make([]string, len(n))
	for i, id := range n {
		ids[i] = fmt.Sprintf("CVE-2026-%d", 1000+id)
	}
	return ids
}

// feeds lists updates with the CVEs that they fix, of which the first ones may be under attack.
func feeds(exploited []string, updates ...advisory.Update) *advisory.Snapshot {
	var kev advisory.Catalog
	for _, id := range exploited {
		kev.Entries = append(kev.Entries, advisory.Exploited{CVE: id})
	}
	return advisory.NewSnapshot([]advisory.Document{{ID: "2026-Nov", Released: released(time.November), Updates: updates}}, kev)
}

func ids(steps []plan.Step) string {
	var all []string
	for _, s := range steps {
		all = append(all, s.KB())
	}
	return strings.Join(all, " ")
}

func TestOrder(t *testing.T) {
	t.Parallel()
	build := func(revision int) []advisory.Build {
		return []advisory.Build{{Product: "11", Line: 26100, Revision: revision}}
	}
	for name, tc := range map[string]struct {
		rows  []patchgap.Row
		known *advisory.Snapshot
		want  string
		total plan.Pairs
	}{
		"counts alone": {
			rows: []patchgap.Row{row("a", "5000001", "", "", 10, 2), row("a", "5000002", "", "", 5, 9), row("a", "5000003", "", "", 7, 0)},
			want: "5000002 5000001 5000003", total: plan.Pairs{All: 65},
		},
		"of software that shares an update the largest counts": {
			rows: []patchgap.Row{row("a", "5000001", "", "", 10, 2), row("b", "5000001", "", "", 4, 2)},
			want: "5000001", total: plan.Pairs{All: 20},
		},
		"builds add up": {
			rows: []patchgap.Row{row("a", "5000001", "22631", "", 10, 2), row("a", "5000001", "22621", "", 4, 2)},
			want: "5000001", total: plan.Pairs{All: 28},
		},
		"a newer update closes what it contains": {
			rows: []patchgap.Row{row("a", "5000001", "26100", "October 2026 Security Updates", 10, 5), row("a", "5000002", "26100", "November 2026 Security Updates", 12, 1)},
			want: "5000002", total: plan.Pairs{All: 62},
		},
		"exploited first": {
			rows:  []patchgap.Row{row("a", "5000001", "", "", 100, 50), row("a", "5000002", "", "", 3, 1)},
			known: feeds(cves(1), advisory.Update{KB: "5000002", CVEs: cves(1)}),
			want:  "5000002 5000001", total: plan.Pairs{Exploited: 3, All: 5003},
		},
		"two that fix the same are not installed for it twice": {
			rows: []patchgap.Row{row("a", "5000001", "26100", "", 10, 3), row("a", "5000002", "26100", "", 10, 3), row("a", "5000003", "", "", 1, 1)},
			known: feeds(nil, advisory.Update{KB: "5000001", Kind: advisory.Cumulative, Builds: build(7), CVEs: cves(1, 2, 3)},
				advisory.Update{KB: "5000002", Kind: advisory.Hotpatch, Builds: build(7), CVEs: cves(1, 2, 3)}),
			want: "5000002 5000003 5000001", total: plan.Pairs{All: 31},
		},
		"the same CVE on other devices is another pair": {
			rows:  []patchgap.Row{row("a", "5000001", "26100", "", 10, 1), row("a", "5000002", "22631", "", 4, 1)},
			known: feeds(nil, advisory.Update{KB: "5000001", CVEs: cves(1)}, advisory.Update{KB: "5000002", CVEs: cves(1)}),
			want:  "5000001 5000002", total: plan.Pairs{All: 14},
		},
		"nothing": {want: ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := plan.New(tc.rows, tc.known)
			o := p.Order()
			if got := ids(o.Next); got != tc.want || o.Total != tc.total {
				t.Errorf("order %q of %+v, want %q of %+v", got, o.Total, tc.want, tc.total)
			}
			if n := len(o.Next); n > 0 && o.Next[n-1].Sum != o.Total {
				t.Errorf("all of it closes %+v of %+v", o.Next[n-1].Sum, o.Total)
			}
		})
	}
}

// What is chosen comes first, and the rest is planned after it.
func TestWhatIf(t *testing.T) {
	t.Parallel()
	p := plan.New([]patchgap.Row{
		row("a", "5000001", "26100", "October 2026 Security Updates", 10, 5),
		row("a", "5000002", "26100", "November 2026 Security Updates", 12, 1),
		row("a", "5000003", "", "", 30, 2),
	}, nil)
	at := func(kb string) int {
		i, ok := p.Find(kb)
		if !ok {
			t.Fatalf("no %s", kb)
		}
		return i
	}
	old := p.Order(at("5000001"), at("5000001"))
	if got := ids(old.Chosen) + ", " + ids(old.Next); got != "5000001, 5000003 5000002" || old.Chosen[0].Closes.All != 50 || old.Next[1].Closes.All != 12 {
		t.Errorf("order %q: %+v", got, old)
	}
	all := p.Order(at("5000002"), at("5000003"))
	if len(all.Next) != 0 || all.Chosen[1].Sum != p.Total {
		t.Errorf("%d are left, %+v of %+v", len(all.Next), all.Chosen[1].Sum, p.Total)
	}
	if u := p.Updates[at("5000001")]; !u.Contained || u.In != "5000002" || !p.Assumed {
		t.Errorf("the older update is %+v", u)
	}
}

// chance makes a small problem in which updates share CVEs.
func chance(r *rand.Rand, attacks bool) *plan.Problem {
	var rows []patchgap.Row
	var updates []advisory.Update
	for i := range 2 + r.IntN(7) {
		kb := strconv.Itoa(5000001 + i)
		var fixes []string
		for range r.IntN(5) {
			fixes = append(fixes, cves(r.IntN(8))...)
		}
		slices.Sort(fixes)
		updates = append(updates, advisory.Update{KB: kb, CVEs: slices.Compact(fixes)})
		for range 1 + r.IntN(2) {
			build := []string{"26100", "22631"}[r.IntN(2)]
			if !slices.ContainsFunc(rows, func(have patchgap.Row) bool { return have.KB == kb && have.OSBuild == build }) {
				rows = append(rows, row("a", kb, build, "", 1+r.IntN(20), len(fixes)))
			}
		}
	}
	var exploited []string
	if attacks {
		exploited = cves(r.IntN(8), r.IntN(8))
	}
	return plan.New(rows, feeds(exploited, updates...))
}

// Greedy against the best of all choices: the first k steps close at least 1-(1-1/k)^k of what the best k updates close,
// and where CVEs are under attack as much of those.
func TestGreedyIsNearTheBest(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(13, 2)) //nolint:gosec // a test
	for range 400 {
		for _, attacks := range []bool{false, true} {
			p := chance(r, attacks)
			count := func(n plan.Pairs) int {
				if attacks {
					return n.Exploited
				}
				return n.All
			}
			o := p.Order()
			best := make([]int, len(p.Updates)+1)
			for set := range 1 << len(p.Updates) {
				var chosen []int
				for i := range p.Updates {
					if set&(1<<i) != 0 {
						chosen = append(chosen, i)
					}
				}
				if k := len(chosen); k > 0 {
					best[k] = max(best[k], count(p.Order(chosen...).Chosen[k-1].Sum))
				}
			}
			for i, s := range o.Next {
				k := float64(i + 1)
				if bound := (1 - math.Pow(1-1/k, k)) * float64(best[i+1]); float64(count(s.Sum)) < bound-1e-9 {
					t.Fatalf("%d steps close %d, the best %d of them %d", i+1, count(s.Sum), i+1, best[i+1])
				}
			}
			if last := o.Next[len(o.Next)-1].Sum; last != p.Total {
				t.Fatalf("all steps close %+v of %+v", last, p.Total)
			}
		}
	}
}

// A plan does not depend on the order of the rows, and each step closes no more than the one before.
func TestOrderIsStable(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(4, 5)) //nolint:gosec // a test
	var rows []patchgap.Row
	for i := range 60 {
		rows = append(rows, row("a", strconv.Itoa(5000001+i/2), []string{"26100", "22631"}[i%2], "", 1+r.IntN(9), 1+r.IntN(4)))
	}
	want := plan.New(slices.Clone(rows), nil).Order()
	for range 20 {
		r.Shuffle(len(rows), func(i, j int) { rows[i], rows[j] = rows[j], rows[i] })
		if got := plan.New(slices.Clone(rows), nil).Order(); ids(got.Next) != ids(want.Next) {
			t.Fatalf("order %s, want %s", ids(got.Next), ids(want.Next))
		}
	}
	for i := range want.Next[1:] {
		if want.Next[i+1].Closes.All > want.Next[i].Closes.All {
			t.Errorf("step %d closes more than the one before", i+1)
		}
	}
}

func TestFirst(t *testing.T) {
	t.Parallel()
	p := plan.New([]patchgap.Row{
		row("a", "5000001", "", "", 1, 60), row("a", "5000002", "", "", 1, 30), row("a", "5000003", "", "", 1, 10), row("a", "5000004", "", "", 1, 0),
	}, nil)
	for _, tc := range []struct {
		share float64
		most  int
		want  int
	}{{0.5, 5, 1}, {0.8, 5, 2}, {0.95, 5, 3}, {1.1, 9, 3}, {0.95, 2, 2}} {
		if got := p.Order().First(tc.share, tc.most); got != tc.want {
			t.Errorf("First(%v, %d) = %d, want %d", tc.share, tc.most, got, tc.want)
		}
	}
	if got := p.Order(0).First(0.7, 5); got != 1 {
		t.Errorf("after the first one, %d close most of the rest", got)
	}
}

// Ten thousand updates that fix five CVEs each, as those of MSRC's last 24 months do on average.
func BenchmarkPlan10000(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // a benchmark
	var rows []patchgap.Row
	var updates []advisory.Update
	for i := range 10_000 {
		kb := strconv.Itoa(5000000 + i)
		var fixes []string
		for range 1 + r.IntN(9) {
			fixes = append(fixes, cves(r.IntN(4000))...)
		}
		slices.Sort(fixes)
		fixes = slices.Compact(fixes)
		updates = append(updates, advisory.Update{KB: kb, Kind: advisory.Cumulative, CVEs: fixes, Builds: []advisory.Build{{Product: strconv.Itoa(i % 500), Line: 26100, Revision: i / 4}}})
		rows = append(rows, row(fmt.Sprint("software", i%50), kb, "26100", "November 2026 Security Updates", 1+r.IntN(9000), len(fixes)))
	}
	known := feeds(cves(1, 2, 3, 4, 5, 6, 7, 8), updates...)
	b.ReportAllocs()
	for b.Loop() {
		plan.New(slices.Clone(rows), known).Order()
	}
}
