//go:build unix

package e2e

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/missingkbs/missingkbs/commands/digestcmd"

	"github.com/missingkbs/missingkbs/api/apitest"
	"github.com/missingkbs/missingkbs/commands"
	"github.com/missingkbs/missingkbs/internal/app"
	"github.com/missingkbs/missingkbs/internal/digest/schedule"
	"github.com/missingkbs/missingkbs/internal/sandbox"
	"github.com/missingkbs/missingkbs/internal/store/pgtest"
)

const (
	typedWord  = "zebra7typed"   // what somebody types
	typedID    = "giraffe8typed" // the number of a digest that is there
	typedThing = "CZEBRA7TYPED"  // the id of a channel or a person
)

// typedLines are lines for each command that there is, and for each word that may follow one.
func typedLines(t *testing.T) (lines []string) {
	t.Helper()
	r, err := app.NewRouter(nil, nil, nil, digestcmd.New(nil, digestcmd.Options{}), commands.Home(nil, nil, commands.HomeOptions{}), commands.Admin(nil, nil, nil, nil))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range r.Commands() {
		lines = append(lines, c.Name+" "+typedWord, c.Name+" "+typedWord+"\x00", c.Name+" --"+typedWord, c.Name+" "+edge+" "+typedWord)
		for word := range strings.SplitSeq(c.Usage, " | ") {
			if strings.ContainsAny(word, "<[ ") || word == "" {
				continue
			}
			for _, what := range []string{typedWord, typedID, typedThing, typedID + " --yes", typedID + " until 7d", typedWord + "\x00", "\xff" + typedWord} {
				lines = append(lines, c.Name+" "+word+" "+what)
			}
		}
	}
	if len(lines) < 60 {
		t.Fatalf("there are %d lines only: %q", len(lines), lines)
	}
	return append(lines, `digest add `+edge+` --at "mon 09:00" --tz `+typedWord, "digest add "+typedWord+"-_-x "+edge)
}

// wantUntyped looks for what was typed in a log. Jobs name their digest, whoever typed it.
func wantUntyped(t *testing.T, log string) {
	t.Helper()
	if !strings.Contains(log, `"question failed"`) || !strings.Contains(log, `"level":"DEBUG"`) {
		t.Error("no question failed, or the log is not that of the level debug")
	}
	for line := range strings.Lines(log) {
		for _, typed := range []string{typedWord, typedID, typedThing, edge} {
			if strings.Contains(strings.ToLower(line), strings.ToLower(typed)) && !strings.Contains(line, `"msg":"job `) {
				t.Errorf("the log repeats %s: %.600s", typed, line)
			}
		}
	}
}

// askAll types all lines, a few at once, and waits until all are over.
func (w *world) askAll(t *testing.T, lines []string) {
	t.Helper()
	before := strings.Count(w.log.String(), `"msg":"answered"`)
	for _, line := range lines {
		if d, err := w.slack.Command(patiently(t), sandbox.Alice, sandbox.General, "/missingkbs "+line); err != nil || d.Err != "" {
			t.Fatalf("%q: delivery %+v, %v", line, d, err)
		}
	}
	eventually(t, func() (string, bool) {
		n := strings.Count(w.log.String(), `"msg":"answered"`) - before
		return fmt.Sprintf("%d of %d lines are answered", n, len(lines)), n >= len(lines)
	})
}

// typedSettings have questions fail soon, and all be logged.
func typedSettings(databaseURL string) map[string]string {
	return map[string]string{
		"MISSINGKBS_AUDIT_QUESTIONS": "off", "MISSINGKBS_CACHE_TTL": "0", "MISSINGKBS_STALE_FOR": "0", "MISSINGKBS_ANSWER_TIMEOUT": "1s", "MISSINGKBS_ADMIN_USERS": sandbox.Alice,
		"MISSINGKBS_DEFENDER_PER_MINUTE": "0", "MISSINGKBS_DEFENDER_PER_HOUR": "0", "DATABASE_URL": databaseURL, "LOG_LEVEL": "debug",
	}
}

// Whatever is wrong with the database, nothing that people type gets into the log by its errors.
func TestTypedWordsAreNotLoggedWhenTheDatabaseFails(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		prepare func(t *testing.T) (databaseURL string, breakIt func(w *world))
		says    string
	}{
		"PostgreSQL is away":  {wired((*pgtest.Wire).Cut), "The bot's database cannot be reached"},
		"PostgreSQL hangs":    {wired((*pgtest.Wire).Hang), "The bot's database cannot be reached"},
		"PostgreSQL is well":  {wired(func(*pgtest.Wire) {}), "No such digest"},
		"no more connections": {limited, "The bot's database is too busy"},
		"SQLite is locked":    {onFile(lockFile), "The bot's database is too busy"},
		"SQLite is damaged":   {onFile(damageFile), "The bot's database is damaged"},
		"SQLite is full":      {onFile(limitFiles), "The bot's database has no space left"},
		"SQLite is well":      {onFile(func(*testing.T, *world, string) {}), "No such digest"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			database, breakIt := c.prepare(t)
			w := newWorld(t, typedSettings(database))
			breakIt(w)
			w.askAll(t, typedLines(t))
			if !strings.Contains(w.wrote(t, t.TempDir())["messages"], c.says) {
				t.Errorf("people are not told: %s", c.says)
			}
			w.kill(t)
			wantUntyped(t, w.log.String())
		})
	}
}

// subscribed adds the digest that is typed of.
func (r *records) subscribed(t *testing.T) {
	t.Helper()
	sub := due(typedID, sandbox.General, edge)
	sub.NextRun = schedule.Next(sub.Schedule, sub.NextRun.AddDate(0, 0, 1))
	r.subscribe(t, sub)
}

func wired(breakIt func(*pgtest.Wire)) func(*testing.T) (string, func(*world)) {
	return func(t *testing.T) (string, func(*world)) {
		t.Helper()
		database := pgtest.Database(t)
		openRecords(t, database, "pgx", "").subscribed(t)
		wire := pgtest.NewWire(t, database)
		return wire.URL, func(*world) { breakIt(wire) }
	}
}

func limited(t *testing.T) (string, func(*world)) {
	t.Helper()
	database := pgtest.Database(t)
	owner := pgtest.NewOwner(t, database, "hunter2")
	openRecords(t, owner.URL("hunter2"), "pgx", "").subscribed(t)
	return owner.URL("hunter2"), func(*world) {
		owner.SetLimit("0")
		owner.Disconnect()
	}
}

func onFile(breakIt func(t *testing.T, w *world, path string)) func(*testing.T) (string, func(*world)) {
	return func(t *testing.T) (string, func(*world)) {
		t.Helper()
		path := filepath.Join(t.TempDir(), "x.db")
		address := "sqlite://" + filepath.ToSlash(path)
		openRecords(t, address, "sqlite", "file:"+path).subscribed(t)
		return address, func(w *world) { breakIt(t, w, path) }
	}
}

// lockFile holds the lock of writers, as another program would.
func lockFile(t *testing.T, _ *world, path string) {
	t.Helper()
	other, err := sql.Open("sqlite", "file:"+path)
	if err != nil {
		t.Fatal(err)
	}
	conn, err := other.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := conn.ExecContext(t.Context(), "BEGIN IMMEDIATE"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_, _ = conn.ExecContext(context.WithoutCancel(t.Context()), "ROLLBACK")
		_, _ = conn.Close(), other.Close()
	})
}

// damageFile overwrites all pages but the first, and the log.
func damageFile(t *testing.T, _ *world, path string) {
	t.Helper()
	for _, name := range []string{path, path + "-wal"} {
		file, err := os.OpenFile(name, os.O_WRONLY, 0)
		if err != nil {
			t.Fatal(err)
		}
		info, err := file.Stat()
		if err == nil && info.Size() > 4096 {
			_, err = file.WriteAt([]byte(strings.Repeat("damage!!", int(info.Size()-4096)/8)), 4096)
		}
		if err != nil {
			t.Fatal(err)
		}
		_ = file.Close()
	}
}

// What Slack repeats of a call in its refusals is not logged either, nor what stands in between and answers for it.
func TestTypedWordsAreNotLoggedWhenSlackFails(t *testing.T) {
	t.Parallel()
	for name, echo := range map[string]func(rw http.ResponseWriter, said string){
		"as a word": func(rw http.ResponseWriter, said string) {
			quoted, _ := json.Marshal(said)
			fmt.Fprintf(rw, `{"ok":false,"error":%s,"response_metadata":{"messages":[%[1]s]}}`, quoted)
		},
		"as a page": func(rw http.ResponseWriter, said string) {
			rw.Header().Set("Content-Type", "text/html")
			rw.WriteHeader(http.StatusBadRequest)
			fmt.Fprintf(rw, "<html>%s</html>", said)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, fail := echoing(t, echo)
			w.askAll(t, []string{"help"}) // who asks is known from now on
			fail.Store(true)
			w.askAll(t, append([]string{edge}, typedLines(t)...)) // whose table does not travel in an acknowledgement
			w.kill(t)
			if !strings.Contains(w.log.String(), `"answer lost"`) {
				t.Error("no answer was refused")
			}
			wantUntyped(t, w.log.String())
		})
	}
}

// echoing is a world whose Slack answers each call by what was sent, once it is to.
func echoing(t *testing.T, echo func(http.ResponseWriter, string)) (w *world, fail *atomic.Bool) {
	t.Helper()
	defender, err := apitest.Start(apitest.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(defender.Close)
	var behind atomic.Pointer[httputil.ReverseProxy]
	fail = &atomic.Bool{}
	front := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if !fail.Load() {
			behind.Load().ServeHTTP(rw, r)
			return
		}
		sent, _ := io.ReadAll(io.LimitReader(r.Body, 1<<20))
		plain, _ := url.QueryUnescape(string(sent))
		rw.Header().Set("Content-Type", "application/json")
		echo(rw, plain)
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
	path := filepath.Join(t.TempDir(), "x.db")
	database := "sqlite://" + filepath.ToSlash(path)
	openRecords(t, database, "sqlite", "file:"+path).subscribed(t)
	settings := typedSettings(database)
	settings["SLACK_API_URL"], settings["HTTP_ADDR"] = front.URL+"/api/", ""
	w = &world{defender: defender, slack: slack, log: &locked{}}
	w.start(t, settings)
	if err := slack.WaitConnected(soon(t), 1); err != nil {
		t.Fatal(err)
	}
	return w, fail
}
