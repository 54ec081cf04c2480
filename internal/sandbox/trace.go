package sandbox

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/missingkbs/missingkbs/api/apitest"
	"github.com/missingkbs/missingkbs/internal/sandbox/protocol"
)

// Bounds of what the trace keeps in memory.
const (
	traceEntries = 500
	traceBody    = 64 << 10
)

// Kinds of trace entries.
const (
	TraceSocketOut   = "socket-out"   // the workspace to the app
	TraceSocketIn    = "socket-in"    // the app to the workspace
	TraceWebAPI      = "web-api"      // a method and its answer
	TraceResponseURL = "response-url" // an answer to a command or click
	TraceDefender    = "defender"     // a call of the Defender tenant
	TraceUI          = "ui"           // what a person did
	TraceError       = "error"        // what Slack would do in silence
)

// TraceEntry is one thing that was sent, received or done. Its body holds no
// tokens, response URLs or tickets.
type TraceEntry struct {
	Seq        int             `json:"seq"`
	Time       time.Time       `json:"time"` // of the computer, not of the workspace's clock
	Kind       string          `json:"kind"`
	Name       string          `json:"name"`
	DurationMS float64         `json:"duration_ms"`
	Body       json.RawMessage `json:"body,omitempty"`
}

// trace keeps the newest entries.
type trace struct {
	w       *Workspace
	secrets *strings.Replacer

	mu      sync.Mutex
	seq     int
	entries []TraceEntry
}

func newTrace(w *Workspace) *trace {
	const hidden = "(hidden)"
	return &trace{w: w, secrets: strings.NewReplacer(w.appToken, hidden, w.botToken, hidden, w.verification, hidden)}
}

// secretPath finds URLs that work without a token, and triggers.
var secretPath = regexp.MustCompile(`(/commands/T[0-9A-Z]+/[0-9]+/|/upload/v1/|[?&]ticket=|"trigger_id":"|xox[a-z]-|xapp-)[0-9A-Za-z._-]+`)

func (t *trace) redact(body []byte) []byte {
	return secretPath.ReplaceAll([]byte(t.secrets.Replace(string(body))), []byte("${1}(hidden)"))
}

// add records something that took d.
func (t *trace) add(kind, name string, d time.Duration, body any) {
	entry := TraceEntry{Time: time.Now(), Kind: kind, Name: name, DurationMS: float64(d.Microseconds()) / 1000}
	if body != nil {
		entry.Body = t.redact(protocol.Encode(body))
	}
	if len(entry.Body) > traceBody {
		entry.Body = protocol.Encode(object{"shortened": string(entry.Body[:traceBody])})
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.seq++
	entry.Seq = t.seq
	t.entries = append(t.entries, entry)
	if extra := len(t.entries) - traceEntries; extra > 0 {
		t.entries = slices.Delete(t.entries, 0, extra)
	}
	t.w.feed.Send("trace", entry)
}

// fail records what Slack would swallow, and says it in the log too.
func (t *trace) fail(name, reason string, body any) {
	t.w.log.Warn("sandbox: Slack would not take this", "what", name, "reason", reason)
	t.add(TraceError, name, 0, object{"reason": reason, "detail": body})
}

func (t *trace) newest(n int) []TraceEntry {
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.Clone(t.entries[max(0, len(t.entries)-n):])
}

// Trace returns the newest entries of what was sent and received, oldest first.
func (w *Workspace) Trace() []TraceEntry { return w.trace.newest(traceEntries) }

// traceDefender puts the tenant's calls into the trace.
func (w *Workspace) traceDefender() {
	t := w.opts.Defender
	if t == nil {
		return
	}
	t.OnCall(func(c apitest.Call) {
		if w.ctx.Err() != nil {
			return // the tenant outlives the workspace
		}
		body := object{"query": c.Query, "status": c.Status, "request_id": c.RequestID}
		if c.Fault != "" {
			body["fault"] = c.Fault
		}
		if json.Valid(c.Body) && len(c.Body) < traceBody/2 {
			body["response"] = json.RawMessage(c.Body)
		} else {
			body["response_bytes"] = len(c.Body)
		}
		w.trace.add(TraceDefender, c.Method+" "+c.Path, c.Duration, body)
	})
}
