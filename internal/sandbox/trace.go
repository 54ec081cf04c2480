package sandbox

import (
	"encoding/json"
	"log/slog"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/missingkbs/missingkbs/internal/sandbox/protocol"
	"github.com/missingkbs/missingkbs/internal/sandbox/ui"
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
	log     *slog.Logger
	feed    *ui.Feed
	secrets *strings.Replacer

	mu      sync.Mutex
	seq     int
	entries []TraceEntry
}

// newTrace returns an empty trace that hides the secrets, and the forms of those that
// are made later.
func newTrace(log *slog.Logger, feed *ui.Feed, secrets ...string) *trace {
	var hidden []string
	for _, one := range secrets {
		hidden = append(hidden, one, "(hidden)")
	}
	return &trace{log: log, feed: feed, secrets: strings.NewReplacer(hidden...)}
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
		entry.Body = protocol.Encode(map[string]any{"shortened": string(entry.Body[:traceBody])})
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.seq++
	entry.Seq = t.seq
	t.entries = append(t.entries, entry)
	if extra := len(t.entries) - traceEntries; extra > 0 {
		t.entries = slices.Delete(t.entries, 0, extra)
	}
	t.feed.Send("trace", entry)
}

// fail records what Slack would drop in silence, and logs it.
func (t *trace) fail(name, reason string, body any) {
	t.log.Warn("sandbox: Slack would not take this", "what", name, "reason", reason)
	t.add(TraceError, name, 0, map[string]any{"reason": reason, "detail": body})
}

// newest returns the last n entries, oldest first.
func (t *trace) newest(n int) []TraceEntry {
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.Clone(t.entries[max(0, len(t.entries)-n):])
}
