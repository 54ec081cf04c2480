//go:build unix

package store_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"log/slog"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/missingkbs/missingkbs/internal/audit"
	"github.com/missingkbs/missingkbs/internal/digest"
	"github.com/missingkbs/missingkbs/internal/patchgap"
	"github.com/missingkbs/missingkbs/internal/risk"
	"github.com/missingkbs/missingkbs/internal/store"
	"github.com/missingkbs/missingkbs/internal/store/pgtest"
)

// canary is what somebody typed.
const canary = "zebra7typed"

// method is one that asks the database, and fails with it.
type method struct {
	name string
	call func(ctx context.Context) error
}

// methods are all of a store, its queue and its quota, with the canary in every text that they are given.
func methods(t *testing.T, s *store.Store, words string) []method {
	t.Helper()
	queue, err := s.Queue(func(context.Context, digest.Job, int) error { return nil }, store.QueueOptions{})
	if err != nil {
		t.Fatal(err)
	}
	owners := []any{s, queue}
	if q := s.Quota(words); q != nil {
		owners = append(owners, q)
	}
	skip := []string{"Begin", "BookAt", "LockMigrations", "MigrateTo", "Migrate", "Probe", "Start", "Stop", "Version"}
	var all []method
	for _, owner := range owners {
		v := reflect.ValueOf(owner)
		for i := range v.NumMethod() {
			name := v.Type().Method(i).Name
			if f := v.Method(i).Type(); slices.Contains(skip, name) || f.NumIn() == 0 || f.In(0) != reflect.TypeFor[context.Context]() {
				continue
			}
			all = append(all, method{fmt.Sprintf("%T.%s", owner, name), func(ctx context.Context) error {
				return called(v.Method(i), ctx, words)
			}})
		}
	}
	if len(all) < 30 {
		t.Fatalf("there are %d methods only", len(all))
	}
	return all
}

// called calls a function with arguments that are made for it, and returns its error.
func called(f reflect.Value, ctx context.Context, words string) error { //nolint:revive // the function comes first
	args := []reflect.Value{reflect.ValueOf(ctx)}
	for i := 1; i < f.Type().NumIn(); i++ {
		args = append(args, made(f.Type().In(i), words))
	}
	out := f.Call(args)
	switch last := out[len(out)-1].Interface().(type) {
	case error:
		return last
	case iter.Seq2[audit.Entry, error]:
		for _, err := range last {
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// made is a value of a type that is nowhere empty.
func made(t reflect.Type, words string) reflect.Value {
	v := reflect.New(t).Elem()
	switch {
	case t == reflect.TypeFor[time.Time]():
		return reflect.ValueOf(time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC))
	case t == reflect.TypeFor[patchgap.Snapshot]():
		row := made(reflect.TypeFor[patchgap.Row](), words).Interface().(patchgap.Row)
		return reflect.ValueOf(patchgap.Snapshot{Tenant: words, At: time.Now(), Software: []string{row.Software}, Rows: []patchgap.Row{row}})
	case t.Kind() == reflect.String:
		v.SetString(words)
	case t.Kind() == reflect.Int, t.Kind() == reflect.Int64:
		v.SetInt(1)
	case t.Kind() == reflect.Bool:
		v.SetBool(true)
	case t.Kind() == reflect.Slice:
		v = reflect.Append(v, made(t.Elem(), words))
	case t.Kind() == reflect.Map:
		v = reflect.MakeMap(t)
		v.SetMapIndex(made(t.Key(), words), made(t.Elem(), words))
	case t.Kind() == reflect.Struct:
		for i := range t.NumField() {
			v.Field(i).Set(made(t.Field(i).Type, words))
		}
	case t == reflect.TypeFor[func(string) bool](): // which software is wanted
		return reflect.ValueOf(func(string) bool { return true })
	case t == reflect.TypeFor[func(string) (string, error)](): // the change of a matter
		return reflect.ValueOf(func(state string) (string, error) { return state + words, nil })
	case t.Kind() == reflect.Func: // it does nothing
		return reflect.MakeFunc(t, func([]reflect.Value) []reflect.Value { return []reflect.Value{reflect.Zero(t.Out(0))} })
	}
	return v
}

// broken is a database that a test has broken, and what its methods are to say.
type broken struct {
	open   func(t *testing.T) (s *store.Store, breakIt func())
	want   digest.Trouble
	writes bool     // only what writes fails
	hangs  bool     // it fails only when its time is over
	well   []string // methods that do not fail
}

// tableless are methods that ask for no table.
var tableless = []string{"*store.Store.Ping", "*store.Store.Condition"}

func breakages() map[string]broken {
	return map[string]broken{
		"PostgreSQL is away":       {open: overWire((*pgtest.Wire).Cut), want: digest.TroubleAway},
		"PostgreSQL hangs":         {open: overWire((*pgtest.Wire).Hang), want: digest.TroubleAway, hangs: true},
		"too many connections":     {open: byOwner(func(l *pgtest.Login) { l.SetLimit("0") }), want: digest.TroubleBusy},
		"another password":         {open: byOwner(func(l *pgtest.Login) { l.SetPassword("other") }), want: digest.TroubleDenied},
		"PostgreSQL is a standby":  {open: byOwner(func(l *pgtest.Login) { l.SetReadOnly("on") }), want: digest.TroubleReadOnly, writes: true},
		"PostgreSQL has no tables": {open: onPostgres("DROP SCHEMA public CASCADE", "CREATE SCHEMA public"), want: digest.TroubleReplaced, well: tableless},
		"SQLite is locked":         {open: onSQLite(lockSQLite), want: digest.TroubleBusy, writes: true, hangs: true},
		"SQLite is damaged":        {open: onSQLite(damageSQLite), want: digest.TroubleDamaged},
		"SQLite has no tables":     {open: onSQLite(emptySQLite), want: digest.TroubleReplaced, well: tableless},
		"SQLite is full":           {open: onSQLite(fillSQLite), want: digest.TroubleFull, writes: true},
	}
}

// What fails because of the database says so, by its kind, and repeats nothing of what it was given: people type that.
func TestTroubleIsToldWithoutWords(t *testing.T) {
	t.Parallel()
	for name, b := range breakages() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, breakIt := b.open(t)
			all := methods(t, s, canary)
			breakIt()
			failed := 0
			for _, m := range all {
				patience := time.Minute
				if b.hangs {
					patience = 200 * time.Millisecond
				}
				ctx, cancel := context.WithTimeout(t.Context(), patience)
				err := m.call(ctx)
				cancel()
				if err != nil && strings.Contains(err.Error(), canary) {
					t.Errorf("%s repeats what it was given: %v", m.name, err)
				}
				switch got := digest.TroubleOf(err); {
				case err == nil && (b.writes || slices.Contains(b.well, m.name)), errors.Is(err, digest.ErrNotFound), b.writes && errors.Is(err, risk.ErrChanged): // nothing was to be written
				case got == b.want:
					failed++
				default:
					t.Errorf("%s: got %q (%v), want %q", m.name, got, err, b.want)
				}
			}
			if failed < 4 {
				t.Errorf("%d methods failed", failed)
			}
			counted := int64(0)
			for f, n := range s.Health().Failures {
				if f.Trouble == b.want {
					counted += n
				}
			}
			if counted < int64(failed) {
				t.Errorf("%d failures are counted of %d", counted, failed)
			}
		})
	}
}

// Odd words are as good as any: what they name is not there.
func TestOddWordsAreNoFault(t *testing.T) {
	t.Parallel()
	eachEngine(t, func(on engine) {
		s := open(on.T, on.url, store.Options{})
		for _, words := range []string{canary + "\x00", canary + "\xff\xfe", canary + "\ufffe' OR 1=1 --", strings.Repeat(canary, 3000)} {
			for _, m := range methods(on.T, s, words) {
				err := m.call(on.Context())
				if err != nil && strings.Contains(err.Error(), canary) {
					on.Errorf("%s repeats what it was given: %.300v", m.name, err)
				}
				if digest.TroubleOf(err) != "" {
					on.Errorf("%s: %.300v is no trouble of the database", m.name, err)
				}
			}
			if _, err := s.Subscription(on.Context(), words); !errors.Is(err, digest.ErrNotFound) {
				on.Errorf("the subscription %.20q: %v", words, err)
			}
		}
	})
}

func overWire(breakIt func(*pgtest.Wire)) func(*testing.T) (*store.Store, func()) {
	return func(t *testing.T) (*store.Store, func()) {
		t.Helper()
		w := pgtest.NewWire(t, pgtest.Database(t))
		s := open(t, w.URL, store.Options{})
		t.Cleanup(w.Mend) // before the store is closed
		return s, func() { breakIt(w) }
	}
}

func byOwner(breakIt func(*pgtest.Login)) func(*testing.T) (*store.Store, func()) {
	return func(t *testing.T) (*store.Store, func()) {
		t.Helper()
		l := pgtest.NewOwner(t, pgtest.Database(t), "hunter2")
		s := open(t, l.URL("hunter2"), store.Options{})
		return s, func() {
			breakIt(l)
			l.Disconnect()
			for range 2 * 10 { // each connection is asked once after its end
				_ = s.Ping(t.Context())
			}
		}
	}
}

func onPostgres(statements ...string) func(*testing.T) (*store.Store, func()) {
	return func(t *testing.T) (*store.Store, func()) {
		t.Helper()
		s := open(t, pgtest.Database(t), store.Options{})
		return s, func() { run(t, s, statements...) }
	}
}

func run(t *testing.T, s *store.Store, statements ...string) {
	t.Helper()
	for _, statement := range statements {
		if _, err := s.DB().ExecContext(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
}

func onSQLite(breakIt func(t *testing.T, s *store.Store, path string)) func(*testing.T) (*store.Store, func()) {
	return func(t *testing.T) (*store.Store, func()) {
		t.Helper()
		path := filepath.Join(t.TempDir(), "x.db")
		s := open(t, sqliteURL(path), store.Options{})
		return s, func() { breakIt(t, s, path) }
	}
}

func lockSQLite(t *testing.T, _ *store.Store, path string) {
	t.Helper()
	locked(t, "sqlite", "file:"+path, "BEGIN IMMEDIATE")
}

// damageSQLite overwrites all pages but the first, as a disk that fails or a copy that was cut off would.
func damageSQLite(t *testing.T, s *store.Store, path string) {
	t.Helper()
	run(t, s, "PRAGMA wal_checkpoint(TRUNCATE)")
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	file, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if _, err := file.WriteAt([]byte(strings.Repeat("damage!!", (len(raw)-4096)/8)), 4096); err != nil {
		t.Fatal(err)
	}
	// The connections that are there have pages in memory.
	s.DB().SetMaxIdleConns(-1)
	s.DB().SetMaxIdleConns(4)
}

func emptySQLite(t *testing.T, s *store.Store, _ string) {
	t.Helper()
	rows, err := s.DB().QueryContext(t.Context(), "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
	if err != nil {
		t.Fatal(err)
	}
	var statements []string
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			t.Fatal(err)
		}
		statements = append(statements, "DROP TABLE "+name)
	}
	if err := errors.Join(rows.Err(), rows.Close()); err != nil {
		t.Fatal(err)
	}
	run(t, s, statements...)
}

// fillSQLite leaves no room in the file; of one connection, since the bound is a connection's own.
func fillSQLite(t *testing.T, s *store.Store, _ string) {
	t.Helper()
	s.DB().SetMaxOpenConns(1)
	run(t, s, "PRAGMA max_page_count = 1", "CREATE TEMP TABLE unused (x)")
	for i := range 1000 { // what is free in the pages that are there
		if _, err := s.DB().ExecContext(t.Context(), "INSERT INTO audits (id, at_ms, tenant, person, team, channel, action, subject, detail, result, reason, request) VALUES ($1, 0, '', '', '', '', '', '', $2, '', '', '')",
			strconv.Itoa(i), strings.Repeat("x", 4000)); err != nil {
			return
		}
	}
	t.Fatal("there is always room")
}

func textLog(to io.Writer) *slog.Logger { return slog.New(slog.NewTextHandler(to, nil)) }
