package e2e

import (
	"compress/gzip"
	"encoding/hex"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	traces "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"github.com/missingkbs/missingkbs/api/apitest"
	"github.com/missingkbs/missingkbs/internal/sandbox"
)

// spans is an OpenTelemetry collector that keeps what it is sent.
type spans struct {
	*httptest.Server
	mu    sync.Mutex
	got   []*traces.Span
	who   map[string]string // of the resource
	auth  string
	whole strings.Builder
}

func collect(t *testing.T) *spans {
	t.Helper()
	c := &spans{who: map[string]string{}}
	c.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := c.take(r); err != nil || r.URL.Path != "/v1/traces" {
			http.Error(w, fmt.Sprint(err), http.StatusBadRequest)
			t.Errorf("%s: %v", r.URL.Path, err)
		}
	}))
	t.Cleanup(c.Close)
	return c
}

func (c *spans) take(r *http.Request) error {
	body := io.Reader(r.Body)
	if r.Header.Get("Content-Encoding") == "gzip" {
		z, err := gzip.NewReader(body)
		if err != nil {
			return err
		}
		body = z
	}
	raw, err := io.ReadAll(body)
	if err != nil {
		return err
	}
	var sent collector.ExportTraceServiceRequest
	if err := proto.Unmarshal(raw, &sent); err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.auth = r.Header.Get("Authorization")
	c.whole.WriteString(protojson.Format(&sent)) // as text: random ids hold any three bytes
	for _, rs := range sent.GetResourceSpans() {
		for _, a := range rs.GetResource().GetAttributes() {
			c.who[a.GetKey()] = a.GetValue().GetStringValue()
		}
		for _, ss := range rs.GetScopeSpans() {
			c.got = append(c.got, ss.GetSpans()...)
		}
	}
	return nil
}

// tree draws the spans of the trace whose root has a name, each under its parent.
func (c *spans) tree(t *testing.T, root string) []string {
	t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	var lines []string
	var draw func(parent []byte, depth int)
	draw = func(parent []byte, depth int) {
		for _, s := range c.got {
			if string(s.GetParentSpanId()) == string(parent) && (depth > 0 || s.GetName() == root) {
				lines = append(lines, strings.Repeat("  ", depth)+s.GetName())
				draw(s.GetSpanId(), depth+1)
			}
		}
	}
	slices.SortFunc(c.got, func(a, b *traces.Span) int {
		if a.GetStartTimeUnixNano() != b.GetStartTimeUnixNano() {
			return int(int64(a.GetStartTimeUnixNano()) - int64(b.GetStartTimeUnixNano()))
		}
		return strings.Compare(a.GetName(), b.GetName())
	})
	draw(nil, 0)
	return lines
}

func (c *spans) find(name string) []*traces.Span {
	c.mu.Lock()
	defer c.mu.Unlock()
	var out []*traces.Span
	for _, s := range c.got {
		if s.GetName() == name {
			out = append(out, s)
		}
	}
	return out
}

func attrs(s *traces.Span) map[string]string {
	out := map[string]string{}
	for _, a := range s.GetAttributes() {
		out[a.GetKey()] = a.GetValue().GetStringValue()
	}
	return out
}

// stop ends the program as an operator does.
func (w *world) stop(t *testing.T) {
	t.Helper()
	if err := w.process.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := w.process.Wait(); err != nil {
		t.Errorf("exit: %v\n%s", err, w.log)
	}
}

// One question is one trace, from the envelope over each try at Defender to the answer; stopping sends the last spans.
func TestTracesOfAQuestion(t *testing.T) {
	t.Parallel()
	c := collect(t)
	w := newWorld(t, map[string]string{
		"OTEL_EXPORTER_OTLP_ENDPOINT": c.URL, "OTEL_EXPORTER_OTLP_HEADERS": "Authorization=Bearer%20hunter2",
		"OTEL_SERVICE_NAME": "bot-of-tests", "OTEL_RESOURCE_ATTRIBUTES": "deployment.environment.name=test",
	})
	w.defender.Inject(apitest.Fault{Status: http.StatusServiceUnavailable, Times: 1})
	w.ask(t, "microsoft-_-edge --min-devices 3")
	w.ask(t, "secret-_-words")
	w.stop(t)

	wantTree := []string{
		"question typed", "  queue", "  gate", "  command software",
		"    Client.MissingKBs",
		"      HTTP GET",
	}
	tree := c.tree(t, "question typed")
	for _, line := range wantTree {
		if !slices.Contains(tree, line) {
			t.Errorf("no span %q in\n%s", line, strings.Join(tree, "\n"))
		}
	}
	if tries := len(slices.DeleteFunc(c.find("HTTP GET"), func(s *traces.Span) bool { return !strings.Contains(attrs(s)["url.full"], "microsoft-_-edge") })); tries != 2 {
		t.Errorf("%d tries in traces, want 2: the first was refused", tries)
	}
	roots := c.find("question typed")
	if len(roots) != 2 {
		t.Fatalf("%d questions in traces, want 2", len(roots))
	}
	first := attrs(roots[0])
	if first["missingkbs.command"] != "software" || first["missingkbs.outcome"] != "answered" || first["messaging.system"] != "slack" {
		t.Errorf("the root says %v", first)
	}
	if diff := cmp.Diff(map[string]string{"service.name": "bot-of-tests", "deployment.environment.name": "test"}, pick(c.who, "service.name", "deployment.environment.name")); diff != "" {
		t.Errorf("resource (-want +got):\n%s", diff)
	}
	// The same ids stand in the log.
	id, trace := first["missingkbs.request_id"], hex.EncodeToString(roots[0].GetTraceId())
	if !regexp.MustCompile(`"request":"` + id + `","trace_id":"` + trace + `"`).MatchString(w.log.String()) {
		t.Errorf("no log line with request %s and trace %s", id, trace)
	}
	if c.auth != "Bearer hunter2" {
		t.Errorf("the collector was sent Authorization %q", c.auth)
	}
	for _, secret := range []string{"--min-devices", "/commands/", "hunter2", sandbox.Alice, sandbox.General, w.slack.BotToken(), w.defender.Token(), "%24", "$filter"} {
		if strings.Contains(c.whole.String(), secret) {
			t.Errorf("the traces hold %.12s…", secret)
		}
	}
	if strings.Contains(w.log.String(), "hunter2") {
		t.Error("the log holds the collector's secret")
	}
}

// Two who ask the same at once cost one call; the trace of the second has a link to that of the first.
func TestTracesOfASharedCall(t *testing.T) {
	t.Parallel()
	c := collect(t)
	w := newWorld(t, map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": c.URL})
	w.ask(t, "help") // a connection and a table are no news any more
	w.defender.Inject(apitest.Fault{Delay: 4 * time.Second, Times: 1})
	var asking sync.WaitGroup
	for _, person := range []string{sandbox.Alice, sandbox.Bob} {
		asking.Go(func() {
			if _, err := w.slack.Command(soon(t), person, sandbox.General, "/missingkbs microsoft-_-edge"); err != nil {
				t.Error(err)
			}
		})
	}
	asking.Wait()
	w.figures(t, `missingkbs_answers_total{from="joined"} 1`, `missingkbs_questions_total{command="software",entry="typed",outcome="answered",reason="none"} 2`)
	w.stop(t)
	asked := c.find("command software")
	if len(asked) != 2 {
		t.Fatalf("%d questions in traces, want 2", len(asked))
	}
	slices.SortFunc(asked, func(a, b *traces.Span) int { return len(a.GetLinks()) - len(b.GetLinks()) })
	first, second := asked[0], asked[1]
	if len(first.GetLinks()) != 0 || len(second.GetLinks()) != 1 || string(second.GetLinks()[0].GetTraceId()) != string(first.GetTraceId()) {
		t.Errorf("links %v and %v", first.GetLinks(), second.GetLinks())
	}
}

// One attempt at a digest is one trace, from the job over each call of Defender to the message.
func TestTracesOfADigest(t *testing.T) {
	t.Parallel()
	c := collect(t)
	w := digestStage(t, sandbox.Options{})
	r := sqliteRecords(t)
	r.subscribe(t, due("1001", sandbox.General, "microsoft-_-edge"))
	w.start(t, map[string]string{"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": c.URL + "/v1/traces", "DATABASE_URL": r.url})
	r.settle(t, 1)
	w.stop(t)
	want := []string{"digest", "  snapshot", "    Client.MissingKBs", "      HTTP GET", "  post", "  reply"}
	tree := slices.DeleteFunc(c.tree(t, "digest"), func(line string) bool { return strings.HasSuffix(line, "HTTP POST") }) // a token, if it was the first to want one
	if diff := cmp.Diff(want, slices.Compact(tree)); diff != "" {
		t.Errorf("spans (-want +got):\n%s", diff)
	}
}

func pick(m map[string]string, keys ...string) map[string]string {
	out := maps.Clone(m)
	maps.DeleteFunc(out, func(k, _ string) bool { return !slices.Contains(keys, k) })
	return out
}

// A collector that is away neither stops the bot nor keeps it from stopping.
func TestCollectorAway(t *testing.T) {
	t.Parallel()
	w := newWorld(t, map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1"})
	w.ask(t, "microsoft-_-edge")
	w.stop(t)
}
