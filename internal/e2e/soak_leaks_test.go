//go:build unix

package e2e

import (
	"bufio"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/missingkbs/missingkbs/internal/sandbox"
)

// snapshot is what a program that rests has open.
type snapshot struct {
	goroutines map[string]int // by the function they began with
	figures    map[string]float64
}

func (s snapshot) sum() int {
	n := 0
	for _, k := range s.goroutines {
		n += k
	}
	return n
}

// look asks the program's page for something.
func (s *soak) look(path string) string {
	status, body := s.w.lookAt(s.t, s.address+path)
	if status != http.StatusOK {
		s.t.Errorf("%s: %d %s", path, status, body)
	}
	return body
}

// figures are the program's metrics without labels.
func (s *soak) figures() map[string]float64 {
	figures := map[string]float64{}
	lines := bufio.NewScanner(strings.NewReader(s.look("/metrics")))
	for lines.Scan() {
		name, value, _ := strings.Cut(lines.Text(), " ")
		if v, err := strconv.ParseFloat(value, 64); err == nil && !strings.ContainsAny(name, "#{") {
			figures[name] = v
		}
	}
	return figures
}

var (
	goroutineCount = regexp.MustCompile(`^(\d+) @`)
	goroutineFrame = regexp.MustCompile(`^#\t0x[0-9a-f]+\t(\S+?)\+0x`)
)

// goroutines counts the program's by the function they began with.
func (s *soak) goroutines() map[string]int {
	began := map[string]int{}
	for group := range strings.SplitSeq(s.look("/debug/pprof/goroutine?debug=1"), "\n\n") {
		n, first := 0, ""
		for line := range strings.Lines(group) {
			if m := goroutineCount.FindStringSubmatch(line); m != nil {
				n, _ = strconv.Atoi(m[1])
			}
			if m := goroutineFrame.FindStringSubmatch(line); m != nil {
				first = m[1]
			}
		}
		if n > 0 {
			began[first] += n
		}
	}
	return began
}

// kept are goroutines of connections that clients and servers keep open for the next call, in bounded numbers.
func kept(function string) bool {
	return strings.HasPrefix(function, "net/http.") || strings.HasPrefix(function, "net/http/internal/")
}

// atRest has everything happen once, and notes what the program has open when it rests.
func (s *soak) atRest() snapshot {
	for _, who := range soakPeople() {
		s.typed(who, edge)
		s.typed(who, "windows")
		s.put(askHome, who, "", time.Now())(s.w.slack.OpenHome(s.ctx, who))
	}
	s.modal(sandbox.Alice, "zz-first")
	s.subscribe(sandbox.General, edge)
	s.settle()
	return snapshot{s.goroutines(), s.figures()}
}

// spare is how many connections and files more than in the beginning may be open in the end: clients keep some.
const spare = 15

// calm waits until the program has no more open than in the beginning, and returns what it has.
func (s *soak) calm(before snapshot) snapshot {
	var after snapshot
	well := false
	// A client closes connections that it does not need after a minute and a half.
	s.until(2*time.Minute, func() (string, bool) {
		after = snapshot{s.goroutines(), s.figures()}
		var more []string
		idle := 0
		for function, n := range after.goroutines {
			switch extra := n - before.goroutines[function]; {
			case kept(function):
				idle += extra
			case extra > 0:
				more = append(more, fmt.Sprintf("%d more of %s", extra, function))
			}
		}
		if idle > 2*spare {
			more = append(more, fmt.Sprintf("%d more for connections", idle))
		}
		if files := after.figures["process_open_fds"] - before.figures["process_open_fds"]; files > spare {
			more = append(more, fmt.Sprintf("%v more files and connections", files))
		}
		slices.Sort(more)
		well = len(more) == 0
		return "leaked goroutines or connections: " + strings.Join(more, ", "), well
	})
	if !well {
		s.t.Logf("what runs:\n%s", s.look("/debug/pprof/goroutine?debug=1"))
	}
	return after
}

// heapWhile samples the memory in use, after collecting garbage, while something goes on.
func (s *soak) heapWhile(do func()) []float64 {
	done := make(chan struct{})
	var samples []float64
	var sampling sync.WaitGroup
	sampling.Go(func() {
		tick := time.NewTicker(time.Second)
		defer tick.Stop()
		for {
			select {
			case <-done:
				return
			case <-tick.C:
			}
			s.look("/debug/pprof/heap?gc=1")
			samples = append(samples, s.figures()["go_memstats_heap_alloc_bytes"])
		}
	})
	do()
	close(done)
	sampling.Wait()
	return samples
}

// thirds are the medians of the first third and of the last.
func thirds(samples []float64) (first, last float64) {
	n := len(samples) / 3
	if n == 0 {
		return 0, 0
	}
	middle := func(of []float64) float64 {
		return slices.Sorted(slices.Values(of))[len(of)/2]
	}
	return middle(samples[:n]), middle(samples[len(samples)-n:])
}

// heapMargin is what the last third may hold more than the first: the ids of the last ten thousand envelopes, which are
// remembered, and what more people, digests and answers there are by then.
const heapMargin = 12 << 20

func (s *soak) judgeHeap(samples []float64) {
	if first, last := thirds(samples); last > first*1.1+heapMargin {
		s.t.Errorf("the heap grew from %.1f MB to %.1f MB: %v", first/1e6, last/1e6, samples)
	}
}
