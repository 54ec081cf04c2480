package main

import (
	"bytes"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/missingkbs/missingkbs/internal/advisory"
	"github.com/missingkbs/missingkbs/internal/advisory/advisorytest"
	"github.com/missingkbs/missingkbs/internal/feeds"
	"github.com/missingkbs/missingkbs/internal/store"
	"github.com/missingkbs/missingkbs/internal/store/pgtest"
)

// publisher serves invented feeds of three months, up to some days ago, which do not change.
func publisher(t *testing.T) *advisorytest.Server {
	t.Helper()
	now := time.Now().UTC()
	s := advisorytest.Start(advisorytest.Options{
		Now: func() time.Time { return now },
		Updates: func() []advisorytest.Update {
			var all []advisorytest.Update
			for back := range 3 {
				all = append(all, advisorytest.Update{
					KB: strconv.Itoa(5090003 - back), Supersedes: strconv.Itoa(5090002 - back), Product: "9001", Released: now.AddDate(0, 0, -10-31*back), CVEs: []string{fmt.Sprintf("CVE-2031-1000%d", back)},
				})
			}
			return all
		},
		Listed: func() []advisorytest.Exploited {
			return []advisorytest.Exploited{{CVE: "CVE-2031-10001", Added: now.AddDate(0, 0, -9)}}
		},
	})
	t.Cleanup(s.Close)
	return s
}

// asProcess runs the program as a process of its own, which trusts a publisher.
func asProcess(t *testing.T, p *advisorytest.Server, settings map[string]string, args ...string) output {
	t.Helper()
	cert := filepath.Join(t.TempDir(), "cert.pem")
	if err := os.WriteFile(cert, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: p.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), self, args...)
	cmd.Env = []string{leakCheck + "=1", "SSL_CERT_FILE=" + cert, "MISSINGKBS_MSRC_URL=" + p.MSRC(), "MISSINGKBS_KEV_URL=" + strings.Join(p.KEV(), ","), "HOME=" + t.TempDir()}
	for name, value := range settings {
		cmd.Env = append(cmd.Env, name+"="+value)
	}
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	code := 0
	if err := cmd.Run(); err != nil {
		exit, ok := errors.AsType[*exec.ExitError](err)
		if !ok {
			t.Fatal(err)
		}
		code = exit.ExitCode()
	}
	return output{code, stdout.String(), stderr.String()}
}

// eachDatabase runs a test on an empty database of each kind.
func eachDatabase(t *testing.T, test func(t *testing.T, address string)) {
	t.Helper()
	t.Run("SQLite", func(t *testing.T) {
		t.Parallel()
		test(t, "sqlite://"+filepath.ToSlash(filepath.Join(t.TempDir(), "missingkbs.db")))
	})
	t.Run("PostgreSQL", func(t *testing.T) {
		t.Parallel()
		test(t, pgtest.Database(t))
	})
}

// stored are all rows of the feeds in a database.
func stored(t *testing.T, s *store.Store) map[string]string {
	t.Helper()
	documents, err := s.FeedDocuments(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]string{}
	for _, d := range documents {
		all[d.Feed+" "+d.ID] = fmt.Sprint(d.Released, d.Revised, d.Entries, d.Chained)
	}
	if err := s.EachFeedBody(t.Context(), func(feed, id string, body []byte) error {
		all[feed+" "+id] += string(body)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return all
}

func openStore(t *testing.T, address string) *store.Store {
	t.Helper()
	s, err := store.Open(t.Context(), address, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// What one machine fetches into files and another imports is byte for byte what a bot fetches.
func TestDataImportGivesWhatFetchGives(t *testing.T) {
	t.Parallel()
	eachDatabase(t, func(t *testing.T, address string) {
		t.Helper()
		p, folder := publisher(t), t.TempDir()
		fetch := func(want string) {
			t.Helper()
			got := asProcess(t, p, nil, "data", "fetch", "--to", folder)
			if got.code != exitDone || strings.Count(got.out, want) != 3 || !strings.Contains(got.out, "CISA's KEV list saved\n") || got.err != "" {
				t.Errorf("fetch: %+v, want %q three times", got, want)
			}
		}
		fetch(" saved\n2")
		fetch(" is up to date\n")
		files, err := filepath.Glob(filepath.Join(folder, "*.json"))
		if err != nil || len(files) != 4 {
			t.Fatalf("%q, %v", files, err)
		}
		database := map[string]string{"DATABASE_URL": address}
		for _, want := range []string{" stored\n", " was stored before\n"} { // the first one makes the tables
			got := asProcess(t, p, database, append([]string{"data", "import"}, files...)...)
			if got.code != exitDone || strings.Count(got.out, want) != 4 || got.err != "" {
				t.Errorf("import: %+v, want %q four times", got, want)
			}
		}
		fetched := openStore(t, "sqlite://"+filepath.ToSlash(filepath.Join(t.TempDir(), "fetched.db")))
		if err := fetched.Migrate(t.Context()); err != nil {
			t.Fatal(err)
		}
		r, err := feeds.NewRefresher(fetched, feeds.Options{Pause: -1, FetchOptions: advisory.FetchOptions{MSRC: p.MSRC(), KEV: p.KEV(), Transport: p.Client()}}, time.Now, slog.New(slog.DiscardHandler))
		if err != nil || !r.Refresh(t.Context()) {
			t.Fatal("nothing was fetched", err)
		}
		if diff := cmp.Diff(stored(t, fetched), stored(t, openStore(t, address))); diff != "" {
			t.Errorf("rows (-fetched +imported):\n%s", diff)
		}
		checkStatus(t, p, database)
	})
}

// checkStatus reads data status, as people and as scripts do.
func checkStatus(t *testing.T, p *advisorytest.Server, database map[string]string) {
	t.Helper()
	if got := asProcess(t, p, database, "data", "status"); got.code != exitDone || !strings.Contains(got.out, "Both feeds are as they should be.") || !strings.Contains(got.out, "MSRC's documents") {
		t.Errorf("status: %+v", got)
	}
	got := asProcess(t, p, database, "data", "status", "-o", "json")
	var page struct{ Title string }
	if err := json.Unmarshal([]byte(got.out), &page); err != nil || page.Title == "" {
		t.Errorf("status as JSON: %v: %+v", err, got)
	}
	if got := asProcess(t, p, database, "data", "status", "-o", "csv"); got.code != exitDone || strings.Count(got.out, "\n") < 3 {
		t.Errorf("status as CSV: %+v", got)
	}
	if got := asProcess(t, p, database, "data", "status", "-o", "xml"); got.code != exitWrongUse || !strings.Contains(got.err, "text, json, csv") {
		t.Errorf("status as XML: %+v", got)
	}
}

// A file that is no feed, or fails a check, changes nothing, is named with the reason, and leaves the other files to be imported.
func TestDataImportOfBadFiles(t *testing.T) {
	t.Parallel()
	eachDatabase(t, func(t *testing.T, address string) {
		t.Helper()
		p, folder := publisher(t), t.TempDir()
		if got := asProcess(t, p, nil, "data", "fetch", "--to", folder); got.code != exitDone {
			t.Fatalf("fetch: %+v", got)
		}
		list := filepath.Join(folder, "known_exploited_vulnerabilities.json")
		good, err := os.ReadFile(list)
		if err != nil {
			t.Fatal(err)
		}
		documents, err := filepath.Glob(filepath.Join(folder, "20*.json"))
		if err != nil || len(documents) != 3 {
			t.Fatal(documents, err)
		}
		document, err := os.ReadFile(documents[0])
		if err != nil {
			t.Fatal(err)
		}
		database := map[string]string{"DATABASE_URL": address}
		if got := asProcess(t, p, database, append([]string{"data", "import", list}, documents...)...); got.code != exitDone {
			t.Fatalf("import: %+v", got)
		}
		held := stored(t, openStore(t, address))
		for name, c := range map[string]struct{ text, says string }{
			"empty.json":    {"", "neither a monthly document of MSRC"},
			"page.json":     {"<html><title>Sorry</title></html>", "neither a monthly document of MSRC"},
			"other.json":    {`{"a":[{"Vulnerability":1}]}`, "neither a monthly document of MSRC"},
			"cut.json":      {string(good[:len(good)/2]), "unexpected EOF"},
			"miscount.json": {strings.Replace(string(good), `"count":1`, `"count":9`, 1), "not the count that it names"},
			"nothing.json":  {`{"count":0,"dateReleased":"2031-01-01T00:00:00Z","vulnerabilities":[]}`, "cannot have 0 entries"},
			"2031-Jan.json": {string(document), "another document than was asked for"},
			"future.json":   {strings.Replace(string(good), `"dateReleased":"20`, `"dateReleased":"21`, 1), "dated in the future"},
		} {
			path := filepath.Join(t.TempDir(), name)
			if err := os.WriteFile(path, []byte(c.text), 0o600); err != nil {
				t.Fatal(err)
			}
			got := asProcess(t, p, database, "data", "import", path, list)
			if got.code != exitFailed || !strings.Contains(got.err, name) || !strings.Contains(got.err, c.says) || !strings.Contains(got.err, "1 file of 2 could not be imported; what was stored before is kept") ||
				!strings.Contains(got.out, "was stored before") {
				t.Errorf("%s: %+v, want %q", name, got, c.says)
			}
		}
		if got := asProcess(t, p, database, "data", "import", filepath.Join(folder, "no-such.json")); got.code != exitFailed || !strings.Contains(got.err, "no such file") {
			t.Errorf("no file: %+v", got)
		}
		if diff := cmp.Diff(held, stored(t, openStore(t, address))); diff != "" {
			t.Errorf("a refused file changed rows (-before +after):\n%s", diff)
		}
		if got := asProcess(t, p, database, "data", "status"); !strings.Contains(got.out, "failing since") || !strings.Contains(got.out, "another document than was asked for") {
			t.Errorf("status: %+v", got)
		}
	})
}

// What cannot be fetched is told on standard error, and what can be is saved all the same.
func TestDataFetchFails(t *testing.T) {
	t.Parallel()
	p, folder := publisher(t), t.TempDir()
	p.Set(advisorytest.WrongMonth, true)
	got := asProcess(t, p, nil, "data", "fetch", "--to", folder)
	if got.code != exitFailed || !strings.Contains(got.out, "CISA's KEV list saved") || !strings.Contains(got.err, "another document than was asked for") || !strings.Contains(got.err, "a second run fetches the rest") {
		t.Errorf("got %+v", got)
	}
	if files, err := os.ReadDir(folder); err != nil || len(files) != 1 {
		t.Errorf("saved %v, %v", files, err)
	}
	if got := asProcess(t, p, map[string]string{"MISSINGKBS_MSRC_URL": "http://msrc.example"}, "data", "fetch", "--to", folder); got.code != exitWrongUse || !strings.Contains(got.err, "MISSINGKBS_MSRC_URL takes an https:// address") {
		t.Errorf("over http: %+v", got)
	}
}
