package store_test

import (
	"database/sql"
	"errors"
	"io/fs"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/missingkbs/missingkbs/internal/store"
	"github.com/missingkbs/missingkbs/internal/store/pgtest"
)

func sqliteURL(path string) string {
	return "sqlite://" + (&url.URL{Path: filepath.ToSlash(path)}).EscapedPath()
}

func TestOpenRefusesURLs(t *testing.T) {
	t.Parallel()
	const secret = "hunter2"
	for _, tt := range []struct{ url, want string }{
		{"", "takes sqlite:///path/file.db or postgres://"},
		{"missingkbs.db", "takes sqlite:///path/file.db or postgres://"},
		{"mysql://u:" + secret + "@host/db", "takes sqlite:///path/file.db or postgres://"},
		{"sqlite:missingkbs.db", "three slashes"},
		{"sqlite://missingkbs.db", "three slashes"},
		{"sqlite://data/missingkbs.db", "three slashes"},
		{"sqlite:///", "three slashes"},
		{"sqlite:///data/", "three slashes"},
		{"sqlite:///data/x.db?mode=ro", "without parameters"},
		{"sqlite:///data/%zz.db", "three slashes"},
		{"sqlite:///data/%00.db", "three slashes"},
		{"postgres://u:" + secret + "@host:port/db", "cannot be read as postgres://"},
		{"postgres://u:" + secret + "%zz@host/db", "cannot be read as postgres://"},
		{"postgres://u:" + secret + "/#?@host/db", "cannot be read as postgres://"},
		{"postgres://u:@" + secret + "@host/db", "cannot be read as postgres://"}, // pgx would take the secret for the host
		{"postgres://u:" + secret + "@host/db?sslmode=perhaps", "cannot be read as postgres://"},
		{"postgres://u:" + secret + "@host/db?sslmode=verify-full&sslrootcert=/no/such.pem", "/no/such.pem: no such file"},
	} {
		s, err := store.Open(t.Context(), tt.url, store.Options{})
		if err == nil {
			t.Errorf("%s: opened", tt.url)
			s.Close()
			continue
		}
		if !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), secret) {
			t.Errorf("%s: got %q, want %q in it and no password", tt.url, err, tt.want)
		}
	}
}

// No password is ever in an error, however the URL around it is broken.
func TestOpenKeepsPasswords(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		secret := rapid.StringMatching(`[a-z0-9@:/?#%&= ]{0,4}s3cr3t[a-z0-9@:/?#%&= ]{0,4}`).Draw(rt, "password")
		raw := "postgres://127.0.0.1:1/d?password=" + secret + rapid.SampledFrom([]string{"", "&sslmode=x"}).Draw(rt, "option")
		if rapid.Bool().Draw(rt, "in front") {
			raw = rapid.SampledFrom([]string{"postgres://u:", "postgres://:", "postgresql://u:", "postgres:u:", "pg://u:"}).Draw(rt, "before") +
				secret + rapid.SampledFrom([]string{"@127.0.0.1:1/db", "@127.0.0.1:x/db", "@[::1/db", "@127.0.0.1:1/db?sslmode=x"}).Draw(rt, "after")
		}
		s, err := store.Open(t.Context(), raw, store.Options{})
		if err == nil {
			s.Close()
			rt.Skip("opened")
		}
		if strings.Contains(err.Error(), "s3cr3t") || strings.Contains(err.Error(), "lookup") {
			rt.Fatalf("%q", err)
		}
	})
}

func TestOpenUnreachable(t *testing.T) {
	t.Parallel()
	t.Run("nobody listens", func(t *testing.T) {
		t.Parallel()
		_, err := store.Open(t.Context(), "postgres://u:hunter2@127.0.0.1:1/digests?sslmode=disable", store.Options{})
		wantError(t, err, `connect to PostgreSQL at 127.0.0.1:1, database "digests", as user "u"`, "connection refused")
		wantAway(t, err, true)
	})
	t.Run("nobody answers", func(t *testing.T) {
		t.Parallel()
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		start := time.Now()
		_, err = store.Open(t.Context(), "postgres://u:hunter2@"+l.Addr().String()+"/digests?sslmode=disable&connect_timeout=1", store.Options{})
		wantError(t, err, "connect to PostgreSQL at "+l.Addr().String(), "timeout")
		wantAway(t, err, true)
		if took := time.Since(start); took > 30*time.Second {
			t.Errorf("it took %s", took)
		}
	})
	t.Run("no such database", func(t *testing.T) {
		t.Parallel()
		other, err := url.Parse(pgtest.Database(t))
		if err != nil {
			t.Fatal(err)
		}
		other.Path = "/nosuch"
		_, err = store.Open(t.Context(), other.String()+"&password=hunter2", store.Options{})
		wantError(t, err, `database "nosuch"`, "does not exist")
		wantAway(t, err, false)
	})
	t.Run("a file that another process has", func(t *testing.T) {
		t.Parallel()
		file := filepath.Join(t.TempDir(), "x.db")
		other, err := sql.Open("sqlite", "file:"+file+"?_txlock=exclusive")
		if err != nil {
			t.Fatal(err)
		}
		defer other.Close()
		tx, err := other.BeginTx(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		defer tx.Rollback() //nolint:errcheck // nothing was changed
		_, err = store.Open(t.Context(), sqliteURL(file), store.Options{})
		wantError(t, err, "open the database file", "locked")
		wantAway(t, err, true)
	})
	t.Run("no file of SQLite's", func(t *testing.T) {
		t.Parallel()
		file := filepath.Join(t.TempDir(), "x.db")
		if err := os.WriteFile(file, []byte(strings.Repeat("no database ", 100)), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := store.Open(t.Context(), sqliteURL(file), store.Options{})
		wantError(t, err, "open the database file")
		wantAway(t, err, false)
	})
}

// wantAway looks whether an error says that the database may be back later.
func wantAway(t *testing.T, err error, want bool) {
	t.Helper()
	if got := errors.Is(err, store.ErrUnavailable); got != want {
		t.Errorf("%v: is the database away? got %t, want %t", err, got, want)
	}
}

func wantError(t *testing.T, err error, parts ...string) {
	t.Helper()
	if err == nil {
		t.Fatal("no error")
	}
	for _, part := range parts {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("got %q, want %q in it", err, part)
		}
	}
	if strings.Contains(err.Error(), "hunter2") {
		t.Errorf("the password is in %q", err)
	}
}

func TestOpenMakesPrivateFiles(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("permissions are Unix's")
	}
	folder := filepath.Join(t.TempDir(), "a", "b")
	s := fresh(t, sqliteURL(filepath.Join(folder, "x.db")), store.Options{})
	added := filepath.Dir(folder)
	err := filepath.WalkDir(added, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		want := fs.FileMode(0o600)
		if d.IsDir() {
			want = 0o700
		}
		if got := info.Mode().Perm(); got != want {
			t.Errorf("%s: %v, want %v", path, got, want)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	for _, name := range []string{"x.db", "x.db-wal"} {
		if _, err := os.Stat(filepath.Join(folder, name)); err != nil {
			t.Error(err)
		}
	}
	if err := s.Ping(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestOpenOddPaths(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"plain.db", "with space.db", "50%.db", "a?b.db", "a#b.db", "åäö.db", "%41.db", "a&b=c.db", "[x].db"} {
		path := filepath.Join(t.TempDir(), name)
		fresh(t, sqliteURL(path), store.Options{})
		if info, err := os.Stat(path); err != nil || info.Size() == 0 {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestOpenWhereNothingCanBeWritten(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	cases := map[string][2]string{
		"the folder is a file": {filepath.Join(file, "x.db"), "make the database's folder"},
		"the file is a folder": {filepath.Dir(file), "open the database file for writing"},
		"no folder for it":     {"/proc/nowhere/x.db", "make the database's folder"},
	}
	if os.Getuid() > 0 { // root may write anywhere
		locked := filepath.Join(t.TempDir(), "locked")
		path := filepath.Join(locked, "x.db")
		fresh(t, sqliteURL(path), store.Options{})
		if err := os.Chmod(locked, 0o500); err != nil { //nolint:gosec // that is the test
			t.Fatal(err)
		}
		t.Cleanup(func() { os.Chmod(locked, 0o700) }) //nolint:errcheck,gosec // so that the folder can be removed
		cases["folder not writable"] = [2]string{path, "write into the database's folder: " + locked + ": permission denied"}
	}
	for name, tt := range cases {
		_, err := store.Open(t.Context(), sqliteURL(tt[0]), store.Options{})
		if err == nil || !strings.Contains(err.Error(), tt[1]) {
			t.Errorf("%s: got %v, want %q in it", name, err, tt[1])
		}
		wantAway(t, err, false) // only other settings mend it
	}
}

func TestOpenWhatIsNoDatabase(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "letter.txt")
	if err := os.WriteFile(path, []byte(strings.Repeat("Dear Sir or Madam, ", 100)), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := store.Open(t.Context(), sqliteURL(path), store.Options{})
	wantError(t, err, "open the database file "+path, "not a database")
}

func TestCloseTwice(t *testing.T) {
	t.Parallel()
	eachEngine(t, func(on engine) {
		t, url := on.T, on.url
		s := connect(t, url, store.Options{})
		if err := errors.Join(s.Close(), s.Close()); err != nil {
			t.Error(err)
		}
		if err := s.Ping(t.Context()); err == nil {
			t.Error("a closed database answers")
		}
	})
}
