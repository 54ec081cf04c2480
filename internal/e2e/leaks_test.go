//go:build unix

package e2e

import (
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/missingkbs/missingkbs/api/apitest"
	"github.com/missingkbs/missingkbs/internal/sandbox"
	"github.com/missingkbs/missingkbs/internal/sandbox/faults"
	"github.com/missingkbs/missingkbs/internal/store/pgtest"
)

// masked is what stands where the log's last defence has found something: a secret that somebody logged.
const masked = "(hidden)"

// repeated takes out what Defender and Entra say here of a secret that package api has hidden in it: nobody logged that one.
var repeated = strings.NewReplacer("you sent Authorization: Bearer "+masked, "", "the assertion '"+masked, "")

// leaks finds secrets in what the program wrote: as they are and as they stand in URLs. A secret that was masked is one
// that leaked, too. It names no secret, but says what it is found in.
func leaks(secrets []string, wrote map[string]string) []string {
	var found []string
	for where, text := range wrote {
		if strings.Contains(repeated.Replace(text), masked) {
			found = append(found, where+": a secret that was masked")
		}
		for _, s := range secrets {
			if len(s) >= 8 && (strings.Contains(text, s) || strings.Contains(text, url.QueryEscape(s))) {
				found = append(found, fmt.Sprintf("%s: %.4s…", where, s))
			}
		}
	}
	return found
}

// wrote is everything that a world's program has written, to wherever.
func (w *world) wrote(tb testing.TB, folder string) map[string]string {
	tb.Helper()
	all := map[string]string{"log": w.log.String()}
	for _, channel := range []string{sandbox.General, sandbox.Patching, sandbox.AliceDM} {
		for _, as := range []string{sandbox.Alice, sandbox.Bob, sandbox.Guest} {
			for _, m := range w.slack.Messages(channel, as) {
				all["messages"] += m.Text + string(m.Blocks) + "\n"
			}
		}
	}
	for _, as := range []string{sandbox.Alice, sandbox.Bob} {
		all["views"] += string(w.slack.Home(as))
		for _, v := range w.slack.Views(as) {
			all["views"] += string(v)
		}
	}
	files, err := filepath.Glob(filepath.Join(folder, "*")) // with the write-ahead log
	if err != nil {
		tb.Fatal(err)
	}
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			tb.Fatal(err)
		}
		all["database"] += string(raw)
	}
	return all
}

// secrets are those that the servers gave out or were shown.
func (w *world) secrets() []string { return append(w.slack.Secrets(), w.defender.Secrets()...) }

// canaries are words that are no secret and stand in each place where secrets are looked for: the same search finds them
// there, so what it does not find is not there.
var canaries = map[string]string{
	"log": "signed in to Slack", "messages": "Missing updates", "views": "software with missing updates", "database": "microsoft-_-edge",
	"pages": "missingkbs_questions_total", "crash": "goroutine ", "traces": "question typed",
}

// clean fails for each secret that got out, and for each place where the search does not find what is there.
func clean(t *testing.T, secrets []string, wrote map[string]string, want ...string) {
	t.Helper()
	for _, where := range want {
		text, ok := wrote[where]
		if canary := canaries[where]; !ok || len(leaks([]string{canary}, map[string]string{where: text})) == 0 {
			t.Errorf("the search for secrets does not find %q in the %s", canary, where)
		}
	}
	for _, leak := range leaks(secrets, wrote) {
		t.Error("a secret got out: " + leak)
	}
}

// Whatever people do and whatever fails, nothing that the program writes holds a secret.
func TestNoSecretGetsOut(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	traces := collect(t)
	w := newWorld(t, map[string]string{
		"DATABASE_URL": "sqlite://" + filepath.ToSlash(filepath.Join(folder, "x.db")), "HTTP_ADDR": "127.0.0.1:0", "MISSINGKBS_CACHE_TTL": "0",
		"OTEL_EXPORTER_OTLP_ENDPOINT": traces.URL, "OTEL_EXPORTER_OTLP_HEADERS": "Authorization=Bearer%20collectors-own-secret",
		"MISSINGKBS_DEFENDER_PER_MINUTE": "0", "MISSINGKBS_DEFENDER_PER_HOUR": "0", "GOTRACEBACK": "all",
	})
	m := w.ask(t, edge)
	w.click(t, sandbox.Alice, m, "Refresh")
	w.click(t, sandbox.Alice, m, "Share to channel")
	w.answer(t, sandbox.General, func(m sandbox.Message) bool { return m.EphemeralFor == "" && m.Kind == sandbox.KindApp })
	w.click(t, sandbox.Alice, m, "CSV")
	w.file(t, ".csv")
	w.slack.Inject(faults.Fault{Call: "files.completeUploadExternal", Cut: true})
	w.click(t, sandbox.Alice, m, "XLSX")
	w.answer(t, sandbox.General, func(m sandbox.Message) bool { return title(m) == "The file may be missing" })
	w.ask(t, "search windows")
	if _, err := w.slack.Command(soon(t), sandbox.Alice, sandbox.Patching, "/missingkbs digest add "+edge+" --at \"mon 09:00\""); err != nil {
		t.Fatal(err)
	}
	added := w.answer(t, sandbox.Patching, func(m sandbox.Message) bool { return strings.Contains(title(m), " is set up") })
	if _, err := w.slack.Command(soon(t), sandbox.Alice, sandbox.Patching, "/missingkbs digest run "+strings.Fields(title(added))[1]); err != nil {
		t.Fatal(err)
	}
	w.answer(t, sandbox.Patching, func(m sandbox.Message) bool { return m.EphemeralFor == "" && m.Kind == sandbox.KindApp })
	if _, err := w.slack.OpenHome(soon(t), sandbox.Alice); err != nil {
		t.Fatal(err)
	}
	w.home(t, canaries["views"])
	for _, wrong := range w.troubles(t) {
		heal := w.defender.Inject(wrong)
		w.ask(t, edge)
		heal()
	}
	w.slack.SetFaults(faults.Switches{WebAPIError: "fatal_error"})
	w.click(t, sandbox.Alice, m, "Share to channel")
	w.slack.SetFaults(faults.Switches{RateLimited: true})
	_, _ = w.slack.Command(soon(t), sandbox.Alice, sandbox.General, "/missingkbs "+windows11)
	w.slack.SetFaults(faults.Switches{})
	w.reconnects(t)
	w.defender.SetSecret(nextSecret) // the program's own is wrong now
	w.defender.RevokeTokens()
	w.ask(t, edge)
	w.ask(t, edge)

	wrote := w.wrote(t, folder)
	for _, path := range []string{"/metrics", "/healthz", "/readyz"} {
		_, body := w.look(t, path)
		wrote["pages"] += body
	}
	// A crash, as a stack overflow or a race in a map would end it: what stands in the stacks are addresses and numbers.
	if err := w.process.Process.Signal(syscall.SIGQUIT); err != nil {
		t.Fatal(err)
	}
	_ = w.process.Wait()
	wrote["crash"] = w.log.String()
	if !strings.Contains(wrote["crash"], "SIGQUIT") || !strings.Contains(wrote["crash"], "goroutine ") {
		t.Error("the program did not crash with its stacks")
	}
	traces.mu.Lock()
	wrote["traces"] = traces.whole.String()
	traces.mu.Unlock()
	clean(t, append(w.secrets(), "collectors-own-secret"), wrote, "log", "messages", "views", "database", "pages", "crash", "traces")
}

// troubles are refusals that repeat the token they were asked with, and what a proxy says in between.
func (w *world) troubles(tb testing.TB) []apitest.Fault {
	tb.Helper()
	var token string
	for _, s := range w.defender.Secrets() {
		if strings.HasPrefix(s, "eyJ") {
			token = s
		}
	}
	if token == "" {
		tb.Fatal("no token was given out")
	}
	var all []apitest.Fault
	for _, status := range []int{400, 401, 403, 404, 429, 500, 503} {
		all = append(all, apitest.Fault{Path: "/api/", Times: 1, Status: status, Body: fmt.Sprintf(`{"error":{"code":"E%d","message":"you sent Authorization: Bearer %s","target":%q}}`, status, token, token)})
	}
	return append(all,
		apitest.Fault{Path: "/api/", Times: 1, Body: "<html>Authorization: Bearer " + token + "</html>", ContentType: "text/html"},
		apitest.Fault{Path: "/api/", Times: 1, NextLink: "https://evil.example/?token=" + token},
		apitest.Fault{Path: "/api/", Times: 1, Cut: 20},
	)
}

// Passwords of the database are in nothing either, with PostgreSQL and when it refuses them.
func TestNoDatabasePasswordGetsOut(t *testing.T) {
	t.Parallel()
	const password, other = "hunter2-of-the-database", "hunter3-of-the-database"
	address := pgtest.Database(t)
	login := pgtest.NewLogin(t, address, password)
	w := newWorld(t, map[string]string{"DATABASE_URL": login.URL(password), "HTTP_ADDR": "127.0.0.1:0"})
	w.ask(t, "digest add "+edge+" --at \"mon 09:00\"")
	m := w.ask(t, edge)
	w.click(t, sandbox.Alice, m, "Refresh")
	login.SetPassword(other)
	login.Disconnect()
	w.ask(t, "digest list")
	eventually(t, func() (string, bool) {
		return "the database refuses nobody", strings.Contains(w.log.String(), "password authentication failed") || strings.Contains(w.log.String(), "SQLSTATE")
	})
	wrote := w.wrote(t, t.TempDir())
	for _, path := range []string{"/metrics", "/readyz"} {
		_, body := w.look(t, path)
		wrote["pages"] += body
	}
	wrote["database"] = openRecords(t, address, "pgx", "").dump(t)
	clean(t, append(w.secrets(), password, other), wrote, "log", "messages", "pages", "database")
}

// dump is every row of every table.
func (r *records) dump(tb testing.TB) string {
	tb.Helper()
	var all strings.Builder
	for _, table := range r.column(tb, "SELECT quote_ident(tablename) FROM pg_tables WHERE schemaname = 'public'") {
		for _, row := range r.column(tb, "SELECT x::text FROM "+table+" x") {
			all.WriteString(row + "\n")
		}
	}
	return all.String()
}

func (r *records) column(tb testing.TB, query string) []string {
	tb.Helper()
	rows, err := r.sql.QueryContext(patiently(tb), query)
	if err != nil {
		tb.Fatal(err)
	}
	defer rows.Close()
	var all []string
	for rows.Next() {
		var s string
		if err := rows.Scan(&s); err != nil {
			tb.Fatal(err)
		}
		all = append(all, s)
	}
	if rows.Err() != nil {
		tb.Fatal(rows.Err())
	}
	return all
}

// What cannot be reached is told without the secrets in its address: proxies, hosts that do not exist, sockets that are
// not there, files that are no certificate.
func TestNoSecretInAddressesGetsOut(t *testing.T) {
	t.Parallel()
	const ticket, proxy, password = "ticket-0123456789", "hunter2-of-the-proxy", "hunter2-of-the-certificate"
	slack := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		if strings.HasSuffix(r.URL.Path, "/apps.connections.open") {
			fmt.Fprintf(w, `{"ok":true,"url":"ws://127.0.0.1:1/link/?ticket=%s"}`, ticket)
			return
		}
		fmt.Fprint(w, `{"ok":true,"team_id":"T0SANDBOX","user_id":"U0BOT0001"}`)
	}))
	t.Cleanup(slack.Close)
	for name, tc := range map[string]struct {
		settings map[string]string
		says     string
	}{
		"socket that is not there": {map[string]string{"SLACK_API_URL": slack.URL + "/"}, "could not connect to Slack"},
		"proxy that is not there":  {map[string]string{"SLACK_API_URL": "https://slack.example/api/", "HTTPS_PROXY": "http://me:" + proxy + "@127.0.0.1:1"}, "sign in to Slack"},
		"host that does not exist": {map[string]string{"SLACK_API_URL": "https://slack.invalid/api/"}, "sign in to Slack"},
		"no database":              {map[string]string{"DATABASE_URL": "postgres://u:" + password + "@127.0.0.1:1/x"}, "DATABASE_URL"},
		"broken database URL":      {map[string]string{"DATABASE_URL": "postgres://u:" + password + "@@host/x"}, "DATABASE_URL"},
		"no certificate":           {map[string]string{"AZURE_CLIENT_CERTIFICATE_PATH": keep(t, "x.pem", password), "AZURE_CLIENT_CERTIFICATE_PASSWORD": password}, "certificate"},
		"tokens mixed up":          {map[string]string{"SLACK_APP_TOKEN": "xoxb-1-2-" + password}, "SLACK_APP_TOKEN"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := stage(t)
			settings := map[string]string{"HTTP_ADDR": ""}
			maps.Copy(settings, tc.settings)
			w.start(t, settings)
			eventually(t, func() (string, bool) { return "nothing went wrong", strings.Contains(w.log.String(), tc.says) })
			clean(t, append(w.secrets(), apitest.ClientSecret, ticket, proxy, password), map[string]string{"log": w.log.String()})
		})
	}
}

// The search above finds what it is to find, wherever one is planted.
func TestLeaksAreFound(t *testing.T) {
	t.Parallel()
	w := newWorld(t, map[string]string{"MISSINGKBS_CACHE_TTL": "0"})
	m := w.ask(t, edge)
	w.click(t, sandbox.Alice, m, "Refresh")
	kinds := map[string]*regexp.Regexp{
		"app token": regexp.MustCompile(`^xapp-`), "bot token": regexp.MustCompile(`^xoxb-`), "access token": regexp.MustCompile(`^eyJ`),
		"client secret": regexp.MustCompile(`^` + regexp.QuoteMeta(apitest.ClientSecret) + `$`), "response URL": regexp.MustCompile(`^/commands/T`),
		"trigger id": regexp.MustCompile(`^\d+\.\d+\.[0-9A-Za-z]+$`), "socket ticket": regexp.MustCompile(`^[0-9A-Za-z]{20,}$`),
	}
	planted := map[string]int{}
	for _, secret := range w.secrets() {
		for kind, form := range kinds {
			if form.MatchString(secret) {
				planted[kind]++
			}
		}
		for _, text := range []string{"before " + secret + " after", "?a=" + url.QueryEscape(secret)} {
			if len(leaks(w.secrets(), map[string]string{"log": text})) == 0 {
				t.Errorf("%.6s… was planted and not found", secret)
			}
		}
	}
	for kind := range kinds {
		if planted[kind] == 0 {
			t.Errorf("the servers tell of no %s", kind)
		}
	}
	if len(leaks(nil, map[string]string{"log": "xoxb-" + masked})) != 1 {
		t.Error("a secret that was masked is not found")
	}
}
