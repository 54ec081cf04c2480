// Package trace records what the workspace and the app send each other, without secrets, for the page and the tests. It keeps
// the newest entries and sends each to the live feed. It does not know what an entry means.
package trace

import (
	"bytes"
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
	Kept    = 500      // entries
	MaxBody = 96 << 10 // bytes of one body: a message as long as Slack takes, and its echo
)

// Kinds of trace entries.
const (
	SocketOut   = "socket-out"   // the workspace to the app
	SocketIn    = "socket-in"    // the app to the workspace
	WebAPI      = "web-api"      // a method and its answer
	ResponseURL = "response-url" // an answer to a command or click
	Defender    = "defender"     // a call of the Defender tenant
	UI          = "ui"           // what a person did
	Error       = "error"        // what Slack would do in silence
)

// Entry is one thing that was sent, received or done. Its body holds no
// tokens, response URLs or tickets.
type Entry struct {
	Seq        int             `json:"seq"`
	Time       time.Time       `json:"time"` // of the computer, not of the workspace's clock
	Kind       string          `json:"kind"`
	Name       string          `json:"name"`
	DurationMS float64         `json:"duration_ms"`
	Body       json.RawMessage `json:"body,omitempty"`
}

// Recorder keeps the newest entries.
type Recorder struct {
	log     *slog.Logger
	feed    *ui.Feed
	secrets *strings.Replacer

	mu      sync.Mutex
	seq     int
	entries []Entry
}

// New returns an empty recorder. It hides the secrets given, and by their form those that
// are made later.
func New(log *slog.Logger, feed *ui.Feed, secrets ...string) *Recorder {
	var hidden []string
	for _, one := range secrets {
		hidden = append(hidden, one, "(hidden)")
	}
	return &Recorder{log: log, feed: feed, secrets: strings.NewReplacer(hidden...)}
}

// secretPath finds URLs that work without a token, and triggers.
var secretPath = regexp.MustCompile(`(/commands/T[0-9A-Z]+/[0-9]+/|/upload/v1/|[?&]ticket=|"trigger_id":"|xox[a-z]-|xapp-)[0-9A-Za-z._-]+`)

// secretParts are what secretPath finds nothing without: one of them is in all that it finds.
var secretParts = [][]byte{[]byte("/commands/T"), []byte("/upload/v1/"), []byte("ticket="), []byte(`"trigger_id":"`), []byte("xox"), []byte("xapp-")}

func (r *Recorder) redact(body []byte) []byte {
	body = []byte(r.secrets.Replace(string(body)))
	for _, part := range secretParts {
		if bytes.Contains(body, part) { // the pattern looks at each byte, and most bodies hold nothing for it
			return secretPath.ReplaceAll(body, []byte("${1}(hidden)"))
		}
	}
	return body
}

// Add records something that took d.
func (r *Recorder) Add(kind, name string, d time.Duration, body any) {
	entry := Entry{Time: time.Now(), Kind: kind, Name: name, DurationMS: float64(d.Microseconds()) / 1000}
	if body != nil {
		entry.Body = r.redact(protocol.Encode(body))
	}
	if len(entry.Body) > MaxBody {
		entry.Body = protocol.Encode(map[string]any{"shortened": string(entry.Body[:MaxBody])})
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.seq++
	entry.Seq = r.seq
	r.entries = append(r.entries, entry)
	if extra := len(r.entries) - Kept; extra > 0 {
		r.entries = slices.Delete(r.entries, 0, extra)
	}
	r.feed.Send("trace", entry)
}

// Fail records what Slack would drop in silence, and logs it.
func (r *Recorder) Fail(name, reason string, body any) {
	r.log.Warn("sandbox: Slack would not take this", "what", name, "reason", reason)
	r.Add(Error, name, 0, map[string]any{"reason": reason, "detail": body})
}

// Newest returns the last n entries, oldest first.
func (r *Recorder) Newest(n int) []Entry {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.entries[max(0, len(r.entries)-n):])
}
