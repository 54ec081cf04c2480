package redact_test

import (
	"bytes"
	"errors"
	"io"
	"log/slog"
	"strings"
	"testing"

	"github.com/missingkbs/missingkbs/internal/redact"
)

func TestWhatIsMasked(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"token xoxb-123456789012-1234567890123-abcDEF ends":                          "token xoxb-(hidden) ends",
		"xoxe.xoxp-1-Mi0yLTEyMzQ":                                                    "xoxe.xoxp-(hidden)",
		"xapp-1-A0123456789-1234567890123-0a1b2c":                                    "xapp-(hidden)",
		"a eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abc-_9 b":                            "a (hidden) b",
		"Post https://hooks.slack.com/commands/T012/345/abcDEF: EOF":                 "Post https://hooks.slack.com/commands/(hidden) EOF",
		"https://hooks.slack.com/services/T0/B0/x and":                               "https://hooks.slack.com/services/(hidden) and",
		`"http://127.0.0.1:1/commands/T0SANDBOX/1234567890123/abc"`:                  `"http://127.0.0.1:1/commands/T0SANDBOX/(hidden)"`,
		"dial wss://wss-primary.slack.com/link/?ticket=abc-def&app_id=A1: refused":   "dial wss://wss-primary.slack.com/link/?ticket=(hidden)&app_id=A1: refused",
		"grant_type=client_credentials&client_secret=s3cr~t&scope=x":                 "grant_type=client_credentials&client_secret=(hidden)&scope=x",
		"postgres://bot:hunter2@db.example/x":                                        "postgres://bot:(hidden)@db.example/x",
		"postgres://bot:hunt@er2@db.example/x":                                       "postgres://bot:(hidden)@db.example/x",
		"postgres://bot:hunter2:password@db.example/x":                               "postgres://bot:(hidden)@db.example/x",
		"proxyconnect: http://me:hunter2@proxy:3128":                                 "proxyconnect: http://me:(hidden)@proxy:3128",
		"host=db user=bot password=hunter2 sslmode=on":                               "host=db user=bot password=(hidden) sslmode=on",
		"secret 3Zx8Q~aB.c-d_e~fghijklmnopqrstuvwxyz0123 is wrong":                   "secret (hidden) is wrong",
		"Authorization: Bearer abcdefghijkl.mnop":                                    "Authorization: Bearer (hidden)",
		"trigger 1234567890123.123456789012.0123456789abcdef0123456789abcdef it was": "trigger (hidden) it was",
	} {
		if got := redact.String(in); got != want {
			t.Errorf("%q\n got %q\nwant %q", in, got, want)
		}
	}
}

// What people need to read stays.
func TestWhatIsNotMasked(t *testing.T) {
	t.Parallel()
	for _, in := range []string{
		"", "missing updates: microsoft-_-windows_11", "GET /api/Software/microsoft-_-edge/getmissingkbs",
		"https://catalog.update.microsoft.com/v7/site/Search.aspx?q=KB4540673", "connect to PostgreSQL at db:5432, database \"x\", as user \"bot\"",
		"ts 1795424400.000000 in C0GENERAL", "10.0.22631.4317", "SLACK_APP_TOKEN is another kind of token: it looks like xapp-…",
		"ask bob@contoso.example", "request_id edf8424b-04c7-464b-75b9-d1e924270876", "AADSTS7000215: Invalid client secret provided",
		"set DATABASE_URL, such as postgres://user@host/database", "want sqlite:///path/file.db or postgres://user:password@host/database", "as postgres://user:password@host:port/database?option=value; as %40 for @", "you sent Bearer REDACTED here",
	} {
		if got := redact.String(in); got != in {
			t.Errorf("%q became %q", in, got)
		}
	}
}

// In messages and attributes of both kinds of log, and in the texts of errors.
func TestLogsAreMasked(t *testing.T) {
	t.Parallel()
	const token = "xoxb-123456789012-1234567890123-abcDEF"
	for name, handler := range map[string]func(io.Writer) slog.Handler{
		"text": func(w io.Writer) slog.Handler { return slog.NewTextHandler(w, nil) },
		"json": func(w io.Writer) slog.Handler { return slog.NewJSONHandler(w, nil) },
	} {
		var out bytes.Buffer
		log := slog.New(handler(redact.Writer{Writer: &out}))
		log.With("a", token).WithGroup("g").Warn("with "+token, "b", token, "c", errors.New("it was "+token), "d", []string{token}, "e", map[string]string{token: token})
		if strings.Contains(out.String(), "abcDEF") || strings.Count(out.String(), "xoxb-(hidden)") < 6 {
			t.Errorf("%s: %s", name, out.String())
		}
	}
}

func TestWriterTellsWhatItTook(t *testing.T) {
	t.Parallel()
	text := "a Bearer abcdefghijklmnop"
	if n, err := (redact.Writer{Writer: io.Discard}).Write([]byte(text)); n != len(text) || err != nil {
		t.Errorf("wrote %d, %v", n, err)
	}
}

func FuzzBytes(f *testing.F) {
	f.Add("postgres://a:b@c", "xoxb-1-2-3")
	f.Fuzz(func(t *testing.T, before, after string) {
		const token = "xoxb-123456789012-1234567890123-abcDEFghijkl"
		if got := redact.String(before + " " + token + " " + after); strings.Contains(got, "abcDEFghijkl") {
			t.Errorf("%q", got)
		}
	})
}

func BenchmarkLine(b *testing.B) {
	for name, line := range map[string]string{
		"plain":  `{"time":"2026-11-25T13:01:00Z","level":"INFO","msg":"answered","user":"U0ALICE01","channel":"C0GENERAL","kind":"run","took":3672955}`,
		"marked": `{"time":"2026-11-25T13:01:00Z","level":"DEBUG","msg":"defender call","call":"GET /api/Software/microsoft-_-edge/getmissingkbs","status":200}`,
		"secret": `{"time":"2026-11-25T13:01:00Z","level":"WARN","msg":"x","error":"xoxb-123456789012-1234567890123-abcDEF"}`,
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				_ = redact.Bytes([]byte(line))
			}
		})
	}
}
