package redact_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"os"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/missingkbs/missingkbs/internal/redact"
)

func TestWhatIsHidden(t *testing.T) {
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
func TestWhatIsNotHidden(t *testing.T) {
	t.Parallel()
	for _, in := range []string{
		"", "missing updates: microsoft-_-windows_11", "GET /api/Software/microsoft-_-edge/getmissingkbs",
		"https://catalog.update.microsoft.com/v7/site/Search.aspx?q=KB4540673", "connect to PostgreSQL at db:5432, database \"x\", as user \"bot\"",
		"ts 1795424400.000000 in C0GENERAL", "10.0.22631.4317", "SLACK_APP_TOKEN is another kind of token: it looks like xapp-…",
		"ask bob@contoso.example", "request_id edf8424b-04c7-464b-75b9-d1e924270876", "AADSTS7000215: Invalid client secret provided",
		"set DATABASE_URL, such as postgres://user@host/database", "want sqlite:///path/file.db or postgres://user:password@host/database", "as postgres://user:password@host:port/database?option=value; as %40 for @", "search bearer software", "Slack refuses SLACK_BOT_TOKEN: token_revoked", "SLACK_APP_TOKEN: invalid_auth; make a new one", "Visual Basic Enterprise", "search basic training", "Www-Authenticate: Bearer", "linuxapp-_-linuxapp-tools", "vendor-_-xapp-viewer", "xoxo-_-xoxo-game",
		"2026-11 Cumulative Update for Windows 11 Version 24H2 for x64-based Systems (KB5068861)", "KB5031455-Windows11-24H2-x64-Cumulative-Update-Preview", "26100.6899",
		"digest add microsoft-_-windows_server_2012_r2_standard_edition --at \"mon 09:00\"", "machine 1e5bc9d7e413ddd7902c2932e418702b84d0cc07", "8b1f2e9c-3d4a-4f6b-9c2d-1e0f5a7b8c9d",
		"SLACK_BOT_TOKEN is missing: it looks like xoxb-…", "you sent (hidden) here", "github.com/missingkbs/missingkbs/cmd/missingkbs.TestNoSecretInAddressesGetsOut(0xc000123456, 0x3)", "digest_key=", "the password is wrong",
		"{\"code\":\"Unauthorized\",\"key\":\"digest/ABC/1795424400\"}", "/tmp/TestNoSecretInAddressesGetsOut3948573948/001/missingkbs.db",
	} {
		if got := redact.String(in); got != in {
			t.Errorf("%q became %q", in, got)
		}
	}
}

// In messages and attributes of both kinds of log, and in the texts of errors.
func TestLogsHideSecrets(t *testing.T) {
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

// example is a text that holds secrets of one form. Tests of other packages read the same file.
type example struct {
	Form   string   `json:"form"`
	Text   string   `json:"text"`
	Secret []string `json:"secret"` // what must not get out
}

func examples(tb testing.TB) []example {
	tb.Helper()
	raw, err := os.ReadFile("testdata/secrets.jsonl")
	if err != nil {
		tb.Fatal(err)
	}
	var all []example
	for line := range bytes.Lines(raw) {
		var e example
		if err := json.Unmarshal(line, &e); err != nil {
			tb.Fatal(err)
		}
		all = append(all, e)
	}
	return all
}

func TestExamplesAreHidden(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, e := range examples(t) {
		seen[e.Form] = true
		for _, text := range []string{e.Text, "before " + e.Text, e.Text + " after", "(" + e.Text + ")"} {
			got := redact.String(text)
			for _, secret := range e.Secret {
				if strings.Contains(got, secret) || !strings.Contains(text, secret) {
					t.Errorf("%s: %q is left of %q: %q", e.Form, secret, text, got)
				}
			}
			if again := redact.String(got); again != got {
				t.Errorf("%s: %q became %q and then %q", e.Form, text, got, again)
			}
		}
	}
	for _, name := range redact.Forms() {
		if !seen[name] {
			t.Errorf("no example of the form %q", name)
		}
	}
}

// A line of JSON is one afterwards, too: whatever reads the log goes on reading it.
func TestJSONStaysJSON(t *testing.T) {
	t.Parallel()
	for _, e := range examples(t) {
		var out bytes.Buffer
		log := slog.New(slog.NewJSONHandler(redact.Writer{Writer: &out}, nil))
		log.Warn("it was", "said", e.Text, "list", []string{e.Text, "next"}, "last", 1)
		var got struct {
			Last int      `json:"last"`
			List []string `json:"list"`
		}
		if err := json.Unmarshal(out.Bytes(), &got); err != nil || got.Last != 1 || len(got.List) != 2 || got.List[1] != "next" {
			t.Errorf("%s: %v: %s", e.Form, err, out.String())
		}
		for _, secret := range e.Secret {
			if strings.Contains(out.String(), secret) {
				t.Errorf("%s: %q is left: %s", e.Form, secret, out.String())
			}
		}
	}
}

// Software, devices and updates as Defender names them are left alone.
func TestOrdinaryTextIsLeftAlone(t *testing.T) {
	t.Parallel()
	letters := rapid.StringOfN(rapid.RuneFrom([]rune("abcdefghijklmnopqrstuvwxyz0123456789_.+")), 1, 60, -1)
	rapid.Check(t, func(t *rapid.T) {
		id := letters.Draw(t, "vendor") + "-_-" + letters.Draw(t, "product")
		n := strconv.Itoa(rapid.IntRange(100000, 9999999).Draw(t, "number"))
		for _, text := range []string{
			id, "GET /api/Software/" + id + "/getmissingkbs", "KB" + n, "https://catalog.update.microsoft.com/v7/site/Search.aspx?q=KB" + n,
			"https://www.catalog.update.microsoft.com/Search.aspx?q=" + n, "10.0." + n + ".4317", "2026-11 Cumulative Update (KB" + n + ")", `{"id":"` + n + `","software":"` + id + `"}`,
			"CVE-2026-" + n, "digest add " + id + ` --at "mon 09:00" --tz Europe/Stockholm`, "DESKTOP-" + n + ".corp.contoso.com",
		} {
			if got := redact.String(text); got != text {
				t.Fatalf("%q became %q", text, got)
			}
		}
	})
}

func FuzzBytes(f *testing.F) {
	f.Add("postgres://a:b@c", "xoxb-1-2-3")
	for _, e := range examples(f) {
		f.Add(e.Text, e.Text)
	}
	f.Fuzz(func(t *testing.T, before, after string) {
		const token = "xoxb-123456789012-1234567890123-abcDEFghijkl"
		got := redact.String(before + " " + token + " " + after)
		if strings.Contains(got, "abcDEFghijkl") && !strings.Contains(before+after, "abcDEFghijkl") {
			t.Errorf("%q", got)
		}
		if again := redact.String(got); again != got {
			t.Errorf("%q became %q", got, again)
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
