//go:build unix

// Package pgtest gives tests a real PostgreSQL: one server for each test binary, started when the first test asks, from
// the programs of the machine, and a database of its own for each test. It knows nothing of what the tests keep there.
package pgtest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// Database returns the URL of a new and empty database, which is dropped at the end of the test. Where PostgreSQL is not
// installed the test is skipped; but with CI=true in the environment it fails.
func Database(tb testing.TB) string {
	tb.Helper()
	folder, err := server()
	if errors.Is(err, errMissing) && os.Getenv("CI") != "true" { //nolint:forbidigo // for tests only
		tb.Skip(err)
	}
	if err != nil {
		tb.Fatal(err)
	}
	name := fmt.Sprintf("test%d", databases.Add(1))
	run(tb, folder, "CREATE DATABASE "+name)
	tb.Cleanup(func() { run(tb, folder, "DROP DATABASE "+name+" WITH (FORCE)") })
	return url(folder, name)
}

// Login is a user of one database who needs a password, which can be changed. It lives as long as the server.
type Login struct {
	tb               testing.TB
	folder, name, db string
}

// NewLogin makes a user of a database of [Database].
func NewLogin(tb testing.TB, databaseURL, password string) *Login {
	tb.Helper()
	folder, err := server()
	if err != nil {
		tb.Fatal(err)
	}
	config, err := pgx.ParseConfig(databaseURL)
	if err != nil {
		tb.Fatal(err)
	}
	l := &Login{tb, folder, fmt.Sprintf("user%d", databases.Add(1)), config.Database}
	run(tb, folder, "CREATE ROLE "+l.name+" LOGIN SUPERUSER IN ROLE "+withPassword) // all else is not what is tested
	l.SetPassword(password)
	return l
}

// SetPassword changes the password for new connections.
func (l *Login) SetPassword(password string) {
	l.tb.Helper()
	run(l.tb, l.folder, "ALTER ROLE "+l.name+" PASSWORD '"+password+"'")
}

// Disconnect ends all connections of the user, as a restart of the server would.
func (l *Login) Disconnect() {
	l.tb.Helper()
	run(l.tb, l.folder, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '"+l.name+"'")
}

// URL is the user's, with a password.
func (l *Login) URL(password string) string {
	return fmt.Sprintf("postgres://%s:%s@/%s?host=%s", l.name, password, l.db, l.folder)
}

// withPassword is the group whose members must say their password.
const withPassword = "with_password"

// guard makes the members of a group say their password; all others need none.
func guard(folder string) error {
	return os.WriteFile(filepath.Join(folder, "pg_hba.conf"),
		[]byte("local all +"+withPassword+" scram-sha-256\nlocal all all trust\n"), 0o600)
}

var (
	errMissing = errors.New("PostgreSQL is not installed: tests need initdb and postgres, on the PATH or below /usr/lib/postgresql")
	databases  atomic.Int64
	server     = sync.OnceValues(start)
)

// watch runs the server until its input ends. That is when the test binary does, however it does, since nothing else
// holds the other end of the pipe.
const watch = `"$1" -D "$0" -k "$0" -F -c listen_addresses= -c max_connections=200 >"$0/log" 2>&1 </dev/null &
read -r _; kill -INT $!; wait $!; cd /; rm -rf "$0"`

func start() (folder string, err error) {
	bin, err := programs()
	if err != nil {
		return "", err
	}
	if folder, err = os.MkdirTemp("", "pgtest"); err != nil {
		return "", err
	}
	attr, err := unprivileged(folder)
	if err != nil {
		return "", err
	}
	initdb := exec.Command(filepath.Join(bin, "initdb"), "-D", folder, "-A", "trust", "-U", "test", "-N", "-E", "UTF8", "--locale=C") //nolint:noctx,gosec // for tests
	initdb.SysProcAttr, initdb.Dir = attr, folder
	if out, err := initdb.CombinedOutput(); err != nil {
		return "", fmt.Errorf("initdb: %w\n%s", err, out)
	}
	if err := guard(folder); err != nil {
		return "", err
	}
	input, hold, err := os.Pipe() // hold stays open as long as this process lives
	if err != nil {
		return "", err
	}
	postgres := exec.Command("sh", "-c", watch, folder, filepath.Join(bin, "postgres")) //nolint:noctx,gosec // for tests
	postgres.SysProcAttr, postgres.Dir, postgres.Stdin = attr, folder, input
	if err := postgres.Start(); err != nil {
		return "", err
	}
	if err := errors.Join(input.Close(), ready(folder)); err != nil {
		log, _ := os.ReadFile(filepath.Join(folder, "log"))
		return "", errors.Join(err, hold.Close(), errors.New(string(bytes.TrimSpace(log))))
	}
	keep.Store(hold)
	return folder, execute(folder, "CREATE ROLE "+withPassword)
}

// keep holds the pipe, which the garbage collector would close.
var keep atomic.Pointer[os.File]

func programs() (string, error) {
	if path, err := exec.LookPath("postgres"); err == nil {
		return filepath.Dir(path), nil
	}
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if err != nil || len(found) == 0 {
		return "", errMissing
	}
	return filepath.Dir(slices.Max(found)), nil
}

// unprivileged makes programs run as postgres where tests run as root, whom PostgreSQL refuses.
func unprivileged(folder string) (*syscall.SysProcAttr, error) {
	attr := &syscall.SysProcAttr{Setpgid: true} // spares the server the terminal's ^C
	if os.Getuid() != 0 {
		return attr, nil
	}
	u, err := user.Lookup("postgres")
	if err != nil {
		return nil, err
	}
	uid, uidErr := strconv.ParseUint(u.Uid, 10, 32)
	gid, gidErr := strconv.ParseUint(u.Gid, 10, 32)
	attr.Credential = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
	return attr, errors.Join(uidErr, gidErr, os.Chown(folder, int(uid), int(gid)))
}

func url(folder, database string) string {
	return fmt.Sprintf("postgres:///%s?host=%s&user=test", database, folder)
}

func ready(folder string) error {
	var err error
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if err = execute(folder, "SELECT 1"); err == nil {
			return nil
		}
	}
	return fmt.Errorf("the server does not come up: %w", err)
}

func run(tb testing.TB, folder, statement string) {
	tb.Helper()
	if err := execute(folder, statement); err != nil {
		tb.Errorf("%s: %v", statement, err)
	}
}

func execute(folder, statement string) error {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	conn, err := pgx.Connect(ctx, url(folder, "postgres"))
	if err != nil {
		return err
	}
	_, err = conn.Exec(ctx, statement)
	return errors.Join(err, conn.Close(ctx))
}
