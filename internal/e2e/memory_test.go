package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/missingkbs/missingkbs/api/apitest"
	"github.com/missingkbs/missingkbs/internal/repotest"
	"github.com/missingkbs/missingkbs/internal/sandbox"
)

// memory is a figure of the program's process, in MiB: "VmRSS" is what it has in memory, "RssAnon" that without the pages
// of its file, which the system may drop and read again, and "VmHWM" the most that it had.
func (w *world) memory(tb testing.TB, name string) float64 {
	tb.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", w.process.Process.Pid))
	if err != nil {
		tb.Skip("memory is read from /proc")
	}
	found := regexp.MustCompile(name + `:\s*(\d+) kB`).FindSubmatch(status)
	if found == nil {
		tb.Fatalf("no %s in %s", name, status)
	}
	kb, err := strconv.Atoi(string(found[1]))
	if err != nil {
		tb.Fatal(err)
	}
	return float64(kb) / 1024
}

// inManifest is a value of the Kubernetes manifest.
func inManifest(t *testing.T, pattern string) string {
	t.Helper()
	found := regexp.MustCompile(pattern).FindStringSubmatch(repotest.Read(t, manifestFile))
	if found == nil {
		t.Fatalf("no %s in %s", pattern, manifestFile)
	}
	return found[1]
}

// longBody is an answer of Defender of so many bytes, which are more than a hundred thousand rows.
func longBody(tb testing.TB, size int) string {
	tb.Helper()
	var b strings.Builder
	b.WriteString(`{"@odata.context":"https://api.security.microsoft.com/api/$metadata#Collection(Analytics.Contracts.PublicAPI.PublicProductFixDto)","value":[`)
	for i := 0; b.Len() < size; i++ {
		kb := apitest.KB{
			ID: strconv.Itoa(5_000_000 + i), Name: fmt.Sprintf("November %d Security Updates", 2000+i%27), OSBuild: 17763 + i%8000,
			ProductsNames: []string{"windows_10", "internet_explorer"}, URL: fmt.Sprintf("https://catalog.update.microsoft.com/v7/site/Search.aspx?q=KB%d", 5_000_000+i),
			MachineMissedOn: i, CVEAddressed: i % 97,
		}
		row, err := json.Marshal(kb)
		if err != nil {
			tb.Fatal(err)
		}
		if i > 0 {
			b.WriteByte(',')
		}
		b.Write(row)
	}
	b.WriteString(`]}`)
	return b.String()
}

// collections are the lines that Go writes about its collections when GODEBUG has gctrace=1: how large the heap was at
// the begin and at the end of one, and how much of it was in use.
var collections = regexp.MustCompile(`(?m)^gc \d+ .* (\d+)->(\d+)->(\d+) MB, `)

// peakHeap is how many MiB the heap of a program took at most, and how many of them were in use, by what it has logged.
func peakHeap(tb testing.TB, log string) (heap, live int) {
	tb.Helper()
	all := collections.FindAllStringSubmatch(log, -1)
	if len(all) == 0 {
		tb.Fatal("nothing is known of any collection")
	}
	for _, c := range all {
		for i, to := range map[int]*int{2: &heap, 3: &live} {
			n, err := strconv.Atoi(c[i])
			if err != nil {
				tb.Fatal(err)
			}
			*to = max(*to, n)
		}
	}
	return heap, live
}

// Six long answers that are asked for at once are all given, and take hardly more memory than the two of them that are
// read at a time and the one that is remembered. All of it fits a container of the Kubernetes manifest.
func TestLongAnswersTakeTurns(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds")
	}
	const software, bound = 6, 190
	w := stage(t)
	w.program = releasedProgram(t)
	w.start(t, map[string]string{"GODEBUG": "gctrace=1", "GOMEMLIMIT": inManifest(t, `GOMEMLIMIT: (\w+)`), "LOG_LEVEL": "info", "MISSINGKBS_ANSWER_TIMEOUT": "5m"})
	if err := w.slack.WaitConnected(soon(t), 1); err != nil {
		t.Fatal(err)
	}
	w.defender.Inject(apitest.Fault{Path: "/api/Software/long-_-", Body: longBody(t, 30_000_000)})
	var asking sync.WaitGroup
	defer asking.Wait()
	for i := range software {
		asking.Go(func() {
			if d, err := w.slack.Command(soon(t), asker(i), sandbox.General, fmt.Sprintf("/missingkbs long-_-%d", i)); err != nil || d.Err != "" {
				t.Errorf("question %d: %+v, %v", i, d, err)
			}
		})
	}
	patient, cancel := context.WithTimeout(t.Context(), 6*time.Minute)
	defer cancel()
	for i := range software {
		want := "Missing updates: " + called(fmt.Sprintf("long-_-%d", i))
		m, err := w.slack.WaitMessage(patient, sandbox.General, asker(i), func(m sandbox.Message) bool { return title(m) == want })
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(m.Text, " updates missing, the largest on ") {
			t.Errorf("got %.200q", m.Text)
		}
	}
	heap, live := peakHeap(t, w.log.String())
	t.Logf("at most %d MiB of heap, %d MiB of them in use", heap, live)
	if live > bound {
		t.Errorf("%d MiB were in use, want %d at most", live, bound)
	}
	peak, limit := w.memory(t, "VmHWM"), inManifest(t, `(?s)limits:\s+memory: (\d+)Mi`)
	t.Logf("at most %.0f MiB in memory, which may be %s", peak, limit)
	if most, err := strconv.ParseFloat(limit, 64); err != nil || peak > most {
		t.Errorf("the container would have been killed (%v)", err)
	}
}

// asker is one of two people, since nobody has more than three questions worked on at once.
func asker(i int) string { return []string{sandbox.Alice, sandbox.Bob}[i%2] }
