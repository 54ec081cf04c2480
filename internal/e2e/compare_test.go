package e2e

import (
	"context"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/missingkbs/missingkbs/api/apitest"
	"github.com/missingkbs/missingkbs/internal/repotest"
)

var (
	compareWith = flag.String("compare", "", "the command that BenchmarkCompare measures beside this program, which reads the same environment; none is the plain bot of internal/e2e/yardstick")
	compareFor  = flag.Duration("compare-for", 10*time.Second, "how long each load lasts")
)

// askers is how many people ask.
const askers = 200

// load is what a bot is asked.
type load struct {
	rate    int // questions a second
	slow    time.Duration
	repeats bool // about twenty software ids, over and over; else each about one of its own
}

// BenchmarkCompare lets two programs do the same work, one after the other, and reports what each needs.
func BenchmarkCompare(b *testing.B) {
	other := strings.Fields(*compareWith)
	if len(other) == 0 {
		other = []string{yardstick(b)}
	}
	for _, l := range loads() {
		b.Run(l.name()+"/missingkbs", func(b *testing.B) { measure(b, []string{releasedProgram(b), "serve"}, l, *compareFor) })
		b.Run(l.name()+"/other", func(b *testing.B) { measure(b, other, l, *compareFor) })
	}
}

// loads are those that programs are compared under.
func loads() (all []load) {
	for _, rate := range []int{20, 200} {
		for _, slow := range []time.Duration{0, 100 * time.Millisecond} {
			all = append(all, load{rate, slow, true}, load{rate, slow, false})
		}
	}
	return all
}

// kind says what the questions are about.
func (l load) kind() string {
	if l.repeats {
		return "same"
	}
	return "distinct"
}

func (l load) name() string {
	return fmt.Sprintf("%d_a_second/Defender_%s/%s", l.rate, l.slow, l.kind())
}

// The comparison works, with every question answered by either program.
func TestCompare(t *testing.T) {
	for name, command := range map[string][]string{"missingkbs": {program(t), "serve"}, "yardstick": {yardstick(t)}} {
		t.Run(name, func(t *testing.T) { measure(t, command, load{rate: 50, repeats: true}, time.Second) })
	}
}

// yardstick builds the plain bot.
func yardstick(tb testing.TB) string {
	tb.Helper()
	file := filepath.Join(tb.TempDir(), "yardstick")
	build := exec.CommandContext(tb.Context(), "go", "build", "-trimpath", "-o", file, "./internal/e2e/yardstick")
	build.Dir = repotest.Root(tb)
	if out, err := build.CombinedOutput(); err != nil {
		tb.Fatalf("%v\n%s", err, out)
	}
	return file
}

// measure starts a command, asks it for a while, and waits for all answers.
func measure(tb testing.TB, command []string, l load, lasting time.Duration) {
	tb.Helper()
	w := stage(tb)
	w.program = command[0]
	ids := twentySoftware(w.defender)
	total := int(lasting.Seconds() * float64(l.rate))
	if !l.repeats {
		for i := range total {
			id := fmt.Sprintf("microsoft-_-own_%d", i)
			w.defender.PutSoftware(apitest.Software{ID: id, Name: "own", Vendor: "microsoft", ExposedMachines: 100},
				apitest.KB{ID: strconv.Itoa(6_000_000 + i), Name: "November Security Updates", MachineMissedOn: 9, CVEAddressed: 2})
			ids = append(ids, id)
		}
		ids = ids[20:]
	}
	slack := newBareSlack(tb)
	a := newAnswers(tb, slack, total)
	w.prepare(tb, map[string]string{
		"LOG_LEVEL": "info", "SLACK_API_URL": slack.URL + "/api/", "MISSINGKBS_SOCKETS": "1",
		"MISSINGKBS_DEFENDER_PER_MINUTE": "0", "MISSINGKBS_DEFENDER_PER_HOUR": "0",
	})
	w.process.Args = command
	began := time.Now()
	w.launch(tb)
	ctx, stop := context.WithTimeout(tb.Context(), time.Minute)
	defer stop()
	var conn *websocket.Conn
	select {
	case conn = <-slack.conns:
	case <-ctx.Done():
		tb.Fatalf("%v does not connect:\n%s", command, w.log)
	}
	hello := time.Since(began)
	go a.read(conn)
	if l.slow > 0 {
		w.defender.Inject(apitest.Fault{Delay: l.slow, Times: 1 << 30})
	}
	before := w.cpu(tb)
	pace := time.NewTicker(time.Second / time.Duration(l.rate))
	defer pace.Stop()
	for n := range total {
		<-pace.C
		a.ask(tb, conn, n, ids[n%len(ids)])
	}
	a.wait(tb, w)
	spent := w.cpu(tb) - before
	b, ok := tb.(*testing.B)
	if !ok {
		return
	}
	ms := func(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(ms(quantile(a.acked, 0.5)), "ms-to-ack-p50")
	b.ReportMetric(ms(quantile(a.acked, 0.99)), "ms-to-ack-p99")
	b.ReportMetric(ms(quantile(a.answered, 0.5)), "ms-to-answer-p50")
	b.ReportMetric(ms(quantile(a.answered, 0.99)), "ms-to-answer-p99")
	b.ReportMetric(ms(spent)/float64(total), "ms-of-cpu/question")
	b.ReportMetric(w.memory(b, "VmRSS"), "MB")
	b.ReportMetric(ms(hello), "ms-to-hello")
}

// answers are how long acknowledgements and answers took, each by the number of its question; zero is none yet.
type answers struct {
	url string

	mu              sync.Mutex
	sent            []time.Time
	acked, answered []time.Duration
}

func newAnswers(tb testing.TB, s *bareSlack, n int) *answers {
	tb.Helper()
	a := &answers{url: s.URL, sent: make([]time.Time, n), acked: make([]time.Duration, n), answered: make([]time.Duration, n)}
	s.mux.HandleFunc("/hook/{n}", func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		n, err := strconv.Atoi(r.PathValue("n"))
		if err != nil {
			tb.Error(err)
			return
		}
		a.note(a.answered, n)
	})
	return a
}

// note keeps the first time only: an answer may be two messages.
func (a *answers) note(of []time.Duration, n int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if of[n] == 0 {
		of[n] = time.Since(a.sent[n])
	}
}

func (a *answers) ask(tb testing.TB, conn *websocket.Conn, n int, words string) {
	tb.Helper()
	envelope := fmt.Appendf(nil, `{"type":"slash_commands","envelope_id":"%d","accepts_response_payload":true,"payload":{"token":"verification","team_id":"T1",`+
		`"team_domain":"example","channel_id":"C1","channel_name":"general","user_id":"U%d","user_name":"alice","command":"/missingkbs","text":"%s","api_app_id":"A1",`+
		`"is_enterprise_install":"false","response_url":"%s/hook/%d","trigger_id":"%d.1"}}`, n, n%askers, words, a.url, n, n)
	a.mu.Lock()
	a.sent[n] = time.Now()
	a.mu.Unlock()
	if err := conn.WriteMessage(websocket.TextMessage, envelope); err != nil {
		tb.Fatal(err)
	}
}

// read takes the acknowledgements that come on a socket, until it is closed.
func (a *answers) read(conn *websocket.Conn) {
	for {
		var ack struct {
			EnvelopeID string         `json:"envelope_id"`
			Payload    map[string]any `json:"payload"`
		}
		if err := conn.ReadJSON(&ack); err != nil {
			return
		}
		n, err := strconv.Atoi(ack.EnvelopeID)
		if err != nil {
			continue // not the acknowledgement of a question
		}
		a.note(a.acked, n)
		if len(ack.Payload) > 0 {
			a.note(a.answered, n)
		}
	}
}

func (a *answers) wait(tb testing.TB, w *world) {
	tb.Helper()
	eventually(tb, func() (string, bool) {
		a.mu.Lock()
		defer a.mu.Unlock()
		open := func(of []time.Duration) (n int) {
			for _, d := range of {
				if d == 0 {
					n++
				}
			}
			return n
		}
		acks, rest := open(a.acked), open(a.answered)
		return fmt.Sprintf("%d questions without an acknowledgement, %d without an answer\n%s", acks, rest, w.log), acks+rest == 0
	})
}

// quantile returns the time within which so many of the questions were done.
func quantile(took []time.Duration, q float64) time.Duration {
	sorted := slices.Sorted(slices.Values(took))
	return sorted[min(int(q*float64(len(sorted))), len(sorted)-1)]
}
