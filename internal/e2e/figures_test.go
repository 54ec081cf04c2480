package e2e

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/missingkbs/missingkbs/internal/repotest"
)

// measureFigures is set by `make bench`.
var measureFigures = flag.String("figures", "", "have TestFiguresAreMeasured write docs/performance.md: idle refuses a machine that does something else, busy does not")

const performanceFile = "docs/performance.md"

// figure is what one benchmark reports about one thing, with what is asked of it.
type figure struct {
	what string
	in   string // the package
	run  string // the benchmark, with its parts between slashes
	of   string // the benchmark among those that run; run itself where it is empty
	unit string // as the benchmark reports it
	by   float64
	as   string // the unit in the table, which is by times the other
	time string // how long or how often
	most float64
	// least is in place of most where more is better.
	least float64
}

const (
	inMemory  = "BenchmarkCompare/200_a_second/Defender_0s/same/missingkbs"
	withFeeds = "BenchmarkQuestionWithFeeds"
	perOp     = "ns/op"
)

// figures are the rows of the table. The targets are those that the project has set itself.
var figures = []figure{
	{what: "start of the process until Slack's hello", in: "internal/e2e", run: "BenchmarkProcess", time: "5x", unit: "ms-to-hello", by: 1, as: "ms", most: 60},
	{what: "memory of a process that has answered 20 questions and rests", in: "internal/e2e", run: "BenchmarkProcess", time: "5x", unit: "MB-at-rest", by: 1, as: "MiB", most: 39},
	{what: "the same after `/metrics` was read", in: "internal/e2e", run: "BenchmarkProcess", time: "5x", unit: "MB-after-scrape", by: 1, as: "MiB", most: 45},
	{what: "CPU of a question whose answer is in memory, at 200 a second", in: "internal/e2e", run: "BenchmarkCompare", of: inMemory, time: "1x", unit: "ms-of-cpu/question", by: 1, as: "ms", most: 0.53},
	{what: "time to its acknowledgement, median", in: "internal/e2e", run: "BenchmarkCompare", of: inMemory, time: "1x", unit: "ms-to-ack-p50", by: 1, as: "ms", most: 0.47},
	{what: "a question in one process, alone, its answer in memory", in: "internal/e2e", run: "BenchmarkQuestion/cached", time: "3s", unit: perOp, by: 1e-6, as: "ms", most: 1},
	{what: "the same, its answer from a Defender that takes no time", in: "internal/e2e", run: "BenchmarkQuestion/uncached", time: "3s", unit: perOp, by: 1e-6, as: "ms", most: 5},
	{what: "p99 of an answer with feeds, above one without", in: "internal/e2e", run: withFeeds, time: "12000x", unit: "%-p99-on", by: 1, as: "%", most: 5},
	{what: "the same with old feeds", in: "internal/e2e", run: withFeeds, time: "12000x", unit: "%-p99-stale", by: 1, as: "%", most: 5},
	{what: "the same with absurd feeds", in: "internal/e2e", run: withFeeds, time: "12000x", unit: "%-p99-absurd", by: 1, as: "%", most: 5},
	{what: "drawing a page of 10,000 updates", in: "bot/blocks", run: "BenchmarkRender/10000", time: "2s", unit: perOp, by: 1e-6, as: "ms", most: 50},
	{what: "what to install first of 10,000 updates", in: "internal/plan", run: "BenchmarkPlan10000", time: "2s", unit: perOp, by: 1e-6, as: "ms", most: 50},
	{what: "peak memory of a process that reads a document of 20 MB", in: "internal/advisory", run: "BenchmarkMemoryOfAProcess", time: "3x", unit: "MiB-peak", by: 1, as: "MiB", most: 40},
	{what: "suggestions from 50,000 products, p99", in: "commands/search", run: "BenchmarkSuggest", time: "3s", unit: "p99-ms", by: 1, as: "ms", most: 5},
	{what: "a spreadsheet of 10,000 rows", in: "internal/xlsx", run: "BenchmarkWrite10000", time: "2s", unit: perOp, by: 1e-6, as: "ms", most: 1000},
	{what: "Defender calls of 1,000 digests about 50 software ids in one minute", in: "internal/e2e", run: "BenchmarkDigests/PostgreSQL", time: "1x", unit: "defender-calls", by: 1, as: "calls", most: 50},
	{what: "posts a second of 2,000 digests for 50 channels, SQLite", in: "internal/e2e", run: "BenchmarkRush/SQLite/50x40", time: "1x", unit: "posts/s", by: 1, as: "a second", least: 4},
	{what: "posts a second of 2,000 digests for 2,000 channels, PostgreSQL", in: "internal/e2e", run: "BenchmarkRush/PostgreSQL/2000x1", time: "1x", unit: "posts/s", by: 1, as: "a second", least: 4},
}

// unmeasured is a figure that no idle machine has given yet.
const unmeasured = "not measured yet"

func (f figure) name() string {
	if f.of != "" {
		return f.of
	}
	return f.run
}

func (f figure) target() string {
	if f.least > 0 {
		return fmt.Sprintf("at least %s %s", short(f.least), f.as)
	}
	return fmt.Sprintf("at most %s %s", short(f.most), f.as)
}

// shown is a value as the table has it. One that misses the target says so.
func (f figure) shown(value float64) string {
	text := short(value) + " " + f.as
	if f.misses(value) {
		text += ", missed"
	}
	return text
}

// misses judges what the table shows, so that the two never disagree.
func (f figure) misses(value float64) bool {
	seen, err := strconv.ParseFloat(short(value), 64)
	return err != nil || f.least > 0 && seen < f.least || f.most > 0 && seen > f.most
}

// short writes a number with as many digits as such measurements bear.
func short(v float64) string {
	digits := 1
	if v < 10 && v > -10 {
		digits = 2
	}
	text := strconv.FormatFloat(v, 'f', digits, 64)
	return strings.TrimSuffix(strings.TrimRight(text, "0"), ".")
}

// The table of docs/performance.md has a row for each figure and no other, each made by a benchmark that there is, with its
// target, and none hides that it misses it.
func TestFiguresHaveTargets(t *testing.T) {
	t.Parallel()
	rows := tableOf(t, "figures")
	if want := []string{"what", "figure", "target", "machine"}; len(rows) != len(figures)+2 || !slices.Equal(rows[0], want) {
		t.Fatalf("%s has %d rows below %q, want %d below %q: make bench", performanceFile, len(rows)-2, rows[0], len(figures), want)
	}
	machine := regexp.MustCompile(`^.+, \d+ processors, \w+/\w+, go\d\S+; load before: \d+\.\d+$`)
	for i, f := range figures {
		row := rows[i+2] // below the head and the line
		if len(row) != 4 || row[0] != f.cell() || row[2] != f.target() {
			t.Errorf("row %q, want %q with the target %q: make bench", row, f.cell(), f.target())
			continue
		}
		if row[1] == unmeasured && row[3] == "" {
			continue
		}
		number, _, _ := strings.Cut(row[1], " ")
		value, err := strconv.ParseFloat(number, 64)
		if err != nil || row[1] != f.shown(value) {
			t.Errorf("%s: %q is no figure that make bench writes: %v", f.what, row[1], err)
		}
		if !machine.MatchString(row[3]) {
			t.Errorf("%s: %q does not say what machine that was", f.what, row[3])
		}
	}
}

// The comparison has a row for each load and program.
func TestComparisonIsWhole(t *testing.T) {
	t.Parallel()
	rows := tableOf(t, "comparison")
	if len(rows) != 2*len(loads())+2 {
		t.Fatalf("%d rows, want two for each of %d loads: make bench", len(rows)-2, len(loads()))
	}
	for i, row := range rows[2:] {
		l, program := loads()[i/2], []string{"missingkbs", "other"}[i%2]
		if want := []string{strconv.Itoa(l.rate), l.slow.String(), l.kind(), program}; len(row) != 9 || !slices.Equal(row[:4], want) {
			t.Errorf("row %q, want one of %q", row, want)
			continue
		}
		for _, cell := range row[4:] {
			for number := range strings.SplitSeq(cell, ", ") {
				if _, err := strconv.ParseFloat(number, 64); err != nil {
					t.Errorf("row %q: %v", row, err)
				}
			}
		}
	}
}

// Each figure comes from a benchmark that is there.
func TestFiguresHaveBenchmarks(t *testing.T) {
	t.Parallel()
	for _, f := range figures {
		top, _, _ := strings.Cut(f.run, "/")
		tests, err := filepath.Glob(filepath.Join(repotest.Root(t), filepath.FromSlash(f.in), "*_test.go"))
		if err != nil {
			t.Fatal(err)
		}
		if !slices.ContainsFunc(tests, func(file string) bool {
			raw, err := os.ReadFile(file)
			return err == nil && strings.Contains(string(raw), "\nfunc "+top+"(b *testing.B)")
		}) {
			t.Errorf("%s: there is no %s in %s", f.what, top, f.in)
		}
		if (f.most > 0) == (f.least > 0) {
			t.Errorf("%s has no target, or two", f.what)
		}
	}
}

func TestFiguresAreShown(t *testing.T) {
	t.Parallel()
	most, least := figure{as: "ms", most: 0.53}, figure{as: "a second", least: 4}
	for _, tc := range []struct {
		of    figure
		value float64
		want  string
	}{
		{most, 0.5296, "0.53 ms"},
		{most, 0.5361, "0.54 ms, missed"},
		{most, 0, "0 ms"},
		{most, -1.5, "-1.5 ms"},
		{most, 120.04, "120 ms, missed"},
		{least, 3.996, "4 a second"},
		{least, 3.9, "3.9 a second, missed"},
		{least, 12.34, "12.3 a second"},
	} {
		if got := tc.of.shown(tc.value); got != tc.want {
			t.Errorf("%v is shown as %q, want %q", tc.value, got, tc.want)
		}
	}
	lines := "goos: linux\nBenchmarkQuestion/cached-2   100\t 412345 ns/op\t 12 B/op\nBenchmarkRush/SQLite/50x40   1\t 0 ns/op\t 4.05 posts/s\nPASS\n"
	want := map[string]map[string]float64{
		"BenchmarkQuestion/cached": {"ns/op": 412345, "B/op": 12}, "BenchmarkRush/SQLite/50x40": {"ns/op": 0, "posts/s": 4.05},
	}
	if got := readBenchmarks(lines); fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("read %v, want %v", got, want)
	}
}

// cell is the first one of the row.
func (f figure) cell() string { return fmt.Sprintf("%s (`%s`)", f.what, f.run) }

// tableOf is a generated table of the document, by rows and cells.
func tableOf(t *testing.T, section string) (rows [][]string) {
	t.Helper()
	_, rest, _ := strings.Cut(repotest.Read(t, performanceFile), "<!-- generated: "+section+" -->")
	part, _, _ := strings.Cut(rest, "<!-- end of "+section+" -->")
	for line := range strings.Lines(part) {
		line = strings.TrimSpace(line)
		if !strings.HasPrefix(line, "|") {
			continue
		}
		cells := strings.Split(strings.Trim(line, "|"), "|")
		for i := range cells {
			cells[i] = strings.TrimSpace(cells[i])
		}
		rows = append(rows, cells)
	}
	return rows
}

// readBenchmarks reads what go test says of benchmarks: of each the values by their units.
func readBenchmarks(out string) map[string]map[string]float64 {
	all := map[string]map[string]float64{}
	for line := range strings.Lines(out) {
		words := strings.Fields(line)
		if len(words) < 4 || !strings.HasPrefix(words[0], "Benchmark") {
			continue
		}
		values := map[string]float64{}
		for i := 2; i+1 < len(words); i += 2 {
			if v, err := strconv.ParseFloat(words[i], 64); err == nil {
				values[words[i+1]] = v
			}
		}
		all[regexp.MustCompile(`-\d+$`).ReplaceAllString(words[0], "")] = values
	}
	return all
}

// TestFiguresAreMeasured is `make bench`: it runs the benchmarks one after the other and writes the tables.
func TestFiguresAreMeasured(t *testing.T) {
	if *measureFigures == "" {
		t.Skip("make bench measures")
	}
	machine := thisMachine(t)
	measured := map[string]map[string]float64{}
	ran := map[string]bool{}
	var table strings.Builder
	table.WriteString("| what | figure | target | machine |\n|---|---|---|---|\n")
	for _, f := range figures {
		if !ran[f.run] {
			ran[f.run] = true
			maps.Copy(measured, readBenchmarks(runBenchmark(t, f)))
		}
		value, ok := measured[f.name()][f.unit]
		if !ok {
			t.Fatalf("%s reports no %s: %v", f.name(), f.unit, measured[f.name()])
		}
		table.WriteString(repotest.TableRow(f.cell(), f.shown(value*f.by), f.target(), machine))
	}
	repotest.Section(t, performanceFile, "figures", table.String())
	repotest.Section(t, performanceFile, "comparison", comparison(measured)+"\nMeasured on "+machine+".\n")
}

// thisMachine describes it. One that is busy is not measured on, unless that is wanted.
func thisMachine(t *testing.T) string {
	t.Helper()
	loads, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		t.Fatalf("CPU and memory of processes are read from Linux's /proc: %v", err)
	}
	load, _, _ := strings.Cut(string(loads), " ")
	n, err := strconv.ParseFloat(load, 64)
	if err != nil {
		t.Fatal(err)
	}
	if *measureFigures != "busy" && n > float64(runtime.NumCPU())/2 {
		t.Fatalf("this machine is busy, its load is %s: wait until it does nothing else (or run `make bench MACHINE=busy`, and keep none of its figures)", load)
	}
	info, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		t.Fatal(err)
	}
	name := "a processor without a name"
	if m := regexp.MustCompile(`(?m)^model name\s*: (.+)$`).FindSubmatch(info); m != nil {
		name = string(m[1])
	}
	return fmt.Sprintf("%s, %d processors, %s/%s, %s; load before: %s", name, runtime.NumCPU(), runtime.GOOS, runtime.GOARCH, runtime.Version(), load)
}

// runBenchmark runs one in a process of its own, and passes on what it says.
func runBenchmark(t *testing.T, f figure) string {
	t.Helper()
	var parts []string
	for part := range strings.SplitSeq(f.run, "/") {
		parts = append(parts, "^"+part+"$")
	}
	c := exec.CommandContext(t.Context(), "go", "test", "./"+f.in, "-run=^$", "-bench="+strings.Join(parts, "/"), "-benchtime="+f.time, "-timeout=0")
	c.Dir, c.Stderr = repotest.Root(t), os.Stderr
	out, err := c.Output()
	fmt.Fprintf(os.Stderr, "%s", out)
	if err != nil {
		t.Fatalf("%s: %v", f.run, err)
	}
	return string(out)
}

// comparison is the table beside the plain bot.
func comparison(measured map[string]map[string]float64) string {
	var table strings.Builder
	table.WriteString("| questions a second | Defender takes | software ids | program | acknowledged p50, p99 (ms) | answered p50, p99 (ms) | CPU a question (ms) | memory (MiB) | start to hello (ms) |\n|---|---|---|---|---|---|---|---|---|\n")
	for _, l := range loads() {
		for _, program := range []string{"missingkbs", "other"} {
			v := measured["BenchmarkCompare/"+l.name()+"/"+program]
			table.WriteString(repotest.TableRow(strconv.Itoa(l.rate), l.slow.String(), l.kind(), program,
				short(v["ms-to-ack-p50"])+", "+short(v["ms-to-ack-p99"]), short(v["ms-to-answer-p50"])+", "+short(v["ms-to-answer-p99"]),
				short(v["ms-of-cpu/question"]), short(v["MB"]), short(v["ms-to-hello"])))
		}
	}
	return table.String()
}
