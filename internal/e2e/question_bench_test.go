package e2e

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/missingkbs/missingkbs/api/apitest"
)

// BenchmarkRepeatedQuestion asks the released program about twenty software ids, over and over, at 200 questions a
// second through a real socket. All answers are in memory. It measures the CPU time that a question takes the process,
// the time until its acknowledgement, and the memory of the process at the end.
func BenchmarkRepeatedQuestion(b *testing.B) {
	program := releasedProgram(b)
	for _, tables := range []string{"data_table", "auto"} { // the answer in the acknowledgement, and by response_url
		b.Run(tables, func(b *testing.B) {
			w := stage(b)
			w.program = program
			ids := twentySoftware(w.defender)
			slack := newBareSlack(b)
			acks := newAckTimes(b, slack)
			w.start(b, map[string]string{
				"MISSINGKBS_TABLES": tables, "LOG_LEVEL": "info", "SLACK_API_URL": slack.URL + "/api/",
				"MISSINGKBS_DEFENDER_PER_MINUTE": "0", "MISSINGKBS_DEFENDER_PER_HOUR": "0",
			})
			conn := <-slack.conns
			go acks.read(conn)
			asked := 0
			ask := func() {
				acks.ask(b, conn, asked, ids[asked%len(ids)])
				asked++
			}
			for range 10 * len(ids) {
				ask()
				acks.wait(b, asked)
			}
			before, answered := w.cpu(b), asked
			pace := time.NewTicker(5 * time.Millisecond)
			defer pace.Stop()
			for b.Loop() {
				<-pace.C
				ask()
			}
			acks.wait(b, asked)
			n := float64(asked - answered)
			b.ReportMetric(float64((w.cpu(b)-before).Microseconds())/n, "µs-of-cpu/question")
			b.ReportMetric(float64(acks.median(answered).Microseconds()), "µs-to-ack")
			b.ReportMetric(w.memory(b, "VmRSS"), "MB-at-rest")
			b.ReportMetric(0, "ns/op")
		})
	}
}

// twentySoftware gives a tenant twenty software ids, each with ten missing updates.
func twentySoftware(defender *apitest.Server) []string {
	var ids []string
	for i := range 20 {
		id := fmt.Sprintf("microsoft-_-product_%d", i)
		var kbs []apitest.KB
		for k := range 10 {
			kb := 5_000_000 + 100*i + k
			kbs = append(kbs, apitest.KB{
				ID: strconv.Itoa(kb), Name: fmt.Sprintf("November %d Security Updates", 2010+k), OSBuild: 19000 + k,
				ProductsNames: []string{strings.TrimPrefix(id, "microsoft-_-")}, URL: fmt.Sprintf("https://catalog.update.microsoft.com/v7/site/Search.aspx?q=KB%d", kb),
				MachineMissedOn: 100 - k, CVEAddressed: 2 * k,
			})
		}
		defender.PutSoftware(apitest.Software{ID: id, Name: strings.TrimPrefix(id, "microsoft-_-"), Vendor: "microsoft", ExposedMachines: 100}, kbs...)
		ids = append(ids, id)
	}
	return ids
}

// cpu is how long the threads of the program have worked so far.
func (w *world) cpu(tb testing.TB) time.Duration {
	tb.Helper()
	files, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", w.process.Process.Pid))
	if err != nil || len(files) == 0 {
		tb.Skip("CPU time is read from /proc")
	}
	var sum time.Duration
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			tb.Fatal(err)
		}
		var ran time.Duration
		if _, err := fmt.Sscan(string(raw), &ran); err != nil {
			tb.Fatalf("%s: %v", raw, err)
		}
		sum += ran
	}
	return sum
}

// ackTimes asks questions on a socket, and notes how long their acknowledgements take.
type ackTimes struct {
	hook string // a response_url
	done atomic.Int64

	mu   sync.Mutex
	sent []time.Time
	took []time.Duration
}

func newAckTimes(tb testing.TB, s *bareSlack) *ackTimes {
	tb.Helper()
	a := &ackTimes{hook: s.URL + "/hook"}
	s.mux.HandleFunc("/hook", func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		a.done.Add(1)
	})
	return a
}

// ask sends the question of a number. Its envelope has what Slack's have.
func (a *ackTimes) ask(tb testing.TB, conn *websocket.Conn, n int, line string) {
	tb.Helper()
	envelope := fmt.Appendf(nil, `{"type":"slash_commands","envelope_id":"%d","accepts_response_payload":true,"payload":{"token":"verification","team_id":"T1",`+
		`"team_domain":"example","channel_id":"C1","channel_name":"general","user_id":"U%d","user_name":"alice","command":"/missingkbs","text":"%s","api_app_id":"A1",`+
		`"is_enterprise_install":"false","response_url":"%s","trigger_id":"%d.1"}}`, n, n%100, line, a.hook, n)
	a.mu.Lock()
	a.sent, a.took = append(a.sent, time.Now()), append(a.took, 0)
	a.mu.Unlock()
	if err := conn.WriteMessage(websocket.TextMessage, envelope); err != nil {
		tb.Fatal(err)
	}
}

// read takes the acknowledgements that come on a socket. One that carries an answer answers its question.
func (a *ackTimes) read(conn *websocket.Conn) {
	for {
		_, raw, err := conn.ReadMessage()
		if err != nil {
			return
		}
		came := time.Now()
		var ack struct {
			EnvelopeID int             `json:"envelope_id,string"`
			Payload    json.RawMessage `json:"payload"`
		}
		if err := json.Unmarshal(raw, &ack); err != nil {
			panic(err)
		}
		a.mu.Lock()
		a.took[ack.EnvelopeID] = came.Sub(a.sent[ack.EnvelopeID])
		a.mu.Unlock()
		if len(ack.Payload) > 0 {
			a.done.Add(1)
		}
	}
}

// wait waits until so many questions are answered.
func (a *ackTimes) wait(tb testing.TB, n int) {
	tb.Helper()
	eventually(tb, func() (string, bool) {
		done := a.done.Load()
		return fmt.Sprintf("%d of %d questions are answered", done, n), done >= int64(n)
	})
}

// median is the middle of the times from a question on.
func (a *ackTimes) median(from int) time.Duration {
	a.mu.Lock()
	defer a.mu.Unlock()
	sorted := slices.Sorted(slices.Values(a.took[from:]))
	return sorted[len(sorted)/2]
}
