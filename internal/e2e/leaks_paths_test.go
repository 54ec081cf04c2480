//go:build unix

package e2e

import (
	"context"
	"encoding/pem"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/missingkbs/missingkbs/api/apitest"
	"github.com/missingkbs/missingkbs/bot"
	"github.com/missingkbs/missingkbs/bot/slackapi"
	"github.com/missingkbs/missingkbs/commands"
	"github.com/missingkbs/missingkbs/internal/logging"
	"github.com/missingkbs/missingkbs/internal/sandbox"
	"github.com/missingkbs/missingkbs/internal/view"
)

// A command that crashes with secrets in its last words is answered without them, and its log has them masked.
func TestNoSecretGetsOutOfACrash(t *testing.T) {
	t.Parallel()
	w := stage(t)
	secrets := []string{
		w.slack.AppToken(), w.slack.BotToken(), w.slack.ConfigToken(), w.defender.Token(), "hunter2-of-the-crash", "Zq38Q~hunter2HUNTER2hunter2HUNTER2hunter",
		"/commands/T0SANDBOX/1234567890123/hunter2HUNTER", "1234567890123.123456789012.0123456789abcdef0123456789abcdef", "ticket-of-the-socket",
	}
	last := fmt.Sprintf("boom app %s bot %s config %s Bearer %s postgres://u:%s@db/x secret %s reply https://hooks.slack.com%s trigger %s dial wss://x/link?ticket=%s", anys(secrets)...)
	router, err := commands.NewRouter(commands.Command{Run: func(context.Context, commands.Request) (view.Page, error) { panic(last) }})
	if err != nil {
		t.Fatal(err)
	}
	log := logging.New(w.log, "json", slog.LevelDebug)
	config := slackapi.Config{Tokens: slackapi.NewTokens(w.slack.AppToken(), w.slack.BotToken()), APIURL: w.slack.APIURL()}
	workspace, err := slackapi.SignIn(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- bot.Run(ctx, config, workspace, router, bot.Options{Log: log}) }()
	if err := w.slack.WaitConnected(soon(t), 1); err != nil {
		t.Fatal(err)
	}
	page := w.ask(t, "anything")
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if title(page) != "Something went wrong here" || strings.Contains(page.Text+string(page.Blocks), "boom") {
		t.Errorf("got %s", page.Text)
	}
	if !strings.Contains(w.log.String(), "boom app xapp-"+masked) || !strings.Contains(w.log.String(), "goroutine ") {
		t.Errorf("the crash is not in the log: %s", w.log)
	}
	shown := strings.ReplaceAll(w.log.String(), masked, "")
	for _, leak := range leaks(append(secrets, w.secrets()...), map[string]string{"log": shown, "page": page.Text + string(page.Blocks)}) {
		t.Error("a secret got out: " + leak)
	}
}

func anys(list []string) []any {
	all := make([]any, len(list))
	for i, s := range list {
		all[i] = s
	}
	return all
}

// Signed in by a certificate, neither its key nor an assertion gets out, also when Entra repeats what it refuses.
func TestNoAssertionGetsOut(t *testing.T) {
	t.Parallel()
	file := certificateFile(t, time.Now().AddDate(1, 0, 0))
	folder := t.TempDir()
	w := newWorld(t, map[string]string{
		"AZURE_CLIENT_SECRET": "", "AZURE_CLIENT_CERTIFICATE_PATH": file, "MISSINGKBS_CACHE_TTL": "0", "MISSINGKBS_STALE_FOR": "0",
		"DATABASE_URL": "sqlite://" + filepath.ToSlash(filepath.Join(folder, "x.db")),
	})
	w.answers(t, edge)
	var assertion string
	for _, s := range w.defender.Secrets() {
		if strings.Count(s, ".") == 2 && s != w.defender.Token() {
			assertion = s
		}
	}
	if assertion == "" {
		t.Fatal("Entra was shown no assertion")
	}
	w.defender.RevokeTokens()
	w.defender.Inject(apitest.Fault{
		Path: apitest.EntraPath, Status: http.StatusUnauthorized, Code: "invalid_client",
		Message: "AADSTS700027: the assertion '" + assertion + "' is not registered.",
	})
	w.ask(t, windows11) // Defender refuses the token, and the next question asks for another
	if m := w.ask(t, windows11); !strings.Contains(m.Text, "AADSTS700027") {
		t.Errorf("got %q", m.Text)
	}
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	_, rest := pem.Decode(raw)
	secrets := append(w.secrets(), strings.Split(string(rest), "\n")[1:]...)
	if !strings.Contains(strings.Join(secrets, "\n"), assertion) || len(secrets) < 20 {
		t.Error("there is too little to look for")
	}
	wrote := w.wrote(t, folder)
	_, wrote["pages"] = w.look(t, "/metrics")
	clean(t, secrets, wrote, "log", "messages", "pages")
}

// Where somebody redirects to an address with secrets in it, the address is in no log and on no page.
func TestNoSecretInRedirectsGetsOut(t *testing.T) {
	t.Parallel()
	const secret = "hunter2-of-the-redirect"
	elsewhere := func(rw http.ResponseWriter, r *http.Request) {
		http.Redirect(rw, r, "https://elsewhere.example/"+secret+"?token="+secret+"&client_secret="+secret, http.StatusFound)
	}
	redirecting := httptest.NewTLSServer(http.HandlerFunc(elsewhere))
	t.Cleanup(redirecting.Close)
	for name, c := range map[string]struct {
		path  string // of Slack's, from which is redirected
		where string // the setting that names what redirects
		says  string
	}{
		"sign-in to Slack": {path: "/api/auth.test", says: "sign in to Slack"},
		"socket":           {path: "/api/apps.connections.open", says: "could not connect to Slack"},
		"response URL":     {path: "/commands/", says: `"answer lost"`},
		"person":           {path: "/api/users.info", says: `"refused"`},
		"Entra":            {where: "AZURE_AUTHORITY_HOST", says: `"question failed"`},
		"Defender":         {where: "DEFENDER_API_URL", says: `"question failed"`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			defender, err := apitest.Start(apitest.Options{})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(defender.Close)
			var behind atomic.Pointer[httputil.ReverseProxy]
			front := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
				if c.path != "" && strings.HasPrefix(r.URL.Path, c.path) {
					elsewhere(rw, r)
					return
				}
				behind.Load().ServeHTTP(rw, r)
			}))
			t.Cleanup(front.Close)
			slack, err := sandbox.Start(sandbox.Options{Command: "/missingkbs", Defender: defender.Tenant, HookURL: front.URL})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = slack.Close() })
			to, err := url.Parse(slack.URL())
			if err != nil {
				t.Fatal(err)
			}
			behind.Store(&httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(to) }})
			roots := filepath.Join(t.TempDir(), "roots.pem")
			replace(t, roots, string(append(defender.CertPEM(), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: redirecting.Certificate().Raw})...)))
			settings := map[string]string{"SLACK_API_URL": front.URL + "/api/", "SSL_CERT_FILE": roots, "HTTP_ADDR": "", "MISSINGKBS_ANSWER_TIMEOUT": "3s"}
			if c.where != "" {
				settings[c.where] = redirecting.URL
			}
			w := &world{defender: defender, slack: slack, log: &locked{}}
			w.start(t, settings)
			if !strings.HasPrefix(c.path, "/api/a") { // else it does not come so far
				if err := slack.WaitConnected(soon(t), 1); err != nil {
					t.Fatal(err)
				}
				if _, err := slack.Command(soon(t), sandbox.Alice, sandbox.General, "/missingkbs "+edge); err != nil {
					t.Fatal(err)
				}
			}
			eventually(t, func() (string, bool) { return "nothing went wrong", strings.Contains(w.log.String(), c.says) })
			wrote := w.wrote(t, t.TempDir())
			for _, leak := range leaks(append(w.secrets(), secret), wrote) {
				t.Error("a secret got out: " + leak)
			}
		})
	}
}
