package search

import (
	"math/rand/v2"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/missingkbs/missingkbs/api"
)

// largeList is a tenant of many products, with names such as real ones have: a vendor of some thousand, words of some
// thousand, versions.
func largeList(n int) api.Answer[[]api.Software] {
	r := rand.New(rand.NewPCG(1, 2))
	syllables := strings.Fields("ac ad al an ar as at ba be bi bo ca ce co cu da de di do ed el em en er es ex fa fi fo ge go ha he ib ic im in is it ja jo ka ke la le li lo ma me mi mo na ne no of on op or os pa pe po pro qu ra re ri ro sa se si so st ta te ti to tra un up us va ve vi vo wa we win xa ya zo")
	word := func() string {
		var b strings.Builder
		for range 2 + r.IntN(3) {
			b.WriteString(syllables[r.IntN(len(syllables))])
		}
		return b.String()
	}
	words, vendors := make([]string, 4000), make([]string, 3000)
	for i := range words {
		words[i] = word()
	}
	for i := range vendors {
		vendors[i] = word()
	}
	common := strings.Fields("server client tools windows office update manager agent driver studio framework runtime reader player desktop service security sql visual studio")
	a := estateList()
	seen := map[string]bool{}
	for len(a.Value) < n {
		vendor := "microsoft"
		if r.IntN(4) > 0 {
			vendor = vendors[r.IntN(len(vendors))]
		}
		parts := []string{words[r.IntN(len(words))]}
		for range r.IntN(4) {
			parts = append(parts, append(common, words[r.IntN(len(words))])[r.IntN(len(common)+1)])
		}
		if r.IntN(3) == 0 {
			parts = append(parts, strconv.Itoa(2000+r.IntN(27)))
		}
		name := strings.Join(parts, "_")
		if id := vendor + "-_-" + name; !seen[id] {
			seen[id] = true
			a.Value = append(a.Value, api.Software{ID: id, Name: name, Vendor: vendor, ExposedMachines: r.IntN(2000)})
		}
	}
	return a
}

// typing is what a select is asked while people type, letter by letter.
func typing() []string {
	var all []string
	for _, line := range []string{
		"windows 11", "w11 24h2", "server 2022", "sql server 2019", "widnows server", "chorme", "office 365", "microsoft edge", "visual studio code", ".net framework",
		"acrobat reader dc", "2019", "teams", "nothing that fits", "micrsoft servr 2022", "microsoft-_-windows_server", "agent tools update", "studio visual", "zzzzzz",
	} {
		for n := range len(line) + 1 {
			all = append(all, line[:n])
		}
	}
	return all
}

// BenchmarkSuggest answers what people type from 50,000 products. Of each line the median counts, since other programs take
// the processor away now and then; p50, p99 and the maximum are over lines.
func BenchmarkSuggest(b *testing.B) {
	x := &Index{People: remembered{Microsoft + "windows_11", Microsoft + "edge", "google-_-chrome"}}
	x.Prepare(largeList(50_000))
	typed := typing()
	took := make([][]time.Duration, len(typed))
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		at := i % len(typed)
		began := time.Now()
		if _, err := x.Suggest(b.Context(), Question{Words: strings.Fields(typed[at]), Person: "U1"}, 100); err != nil {
			b.Fatal(err)
		}
		took[at] = append(took[at], time.Since(began))
	}
	var medians []time.Duration
	for _, of := range took {
		if slices.Sort(of); len(of) > 0 {
			medians = append(medians, of[len(of)/2])
		}
	}
	slices.Sort(medians)
	at := func(q float64) float64 { return medians[int(q*float64(len(medians)-1))].Seconds() * 1e3 }
	b.ReportMetric(at(0.5), "p50-ms")
	b.ReportMetric(at(0.99), "p99-ms")
	b.ReportMetric(at(1), "max-ms")
}

// BenchmarkPrepare prepares 50,000 products, and tells what they take in memory beside the list itself.
func BenchmarkPrepare(b *testing.B) {
	list := largeList(50_000)
	var before, after runtime.MemStats
	b.ReportAllocs()
	for b.Loop() {
		runtime.GC()
		runtime.ReadMemStats(&before)
		l := newList(list.Value)
		runtime.GC()
		runtime.ReadMemStats(&after)
		runtime.KeepAlive(l)
	}
	b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/(1<<20), "MiB-kept")
	runtime.KeepAlive(list)
}
