package e2e

import (
	"bytes"
	"database/sql"
	"errors"
	"flag"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/missingkbs/missingkbs/api/apitest"
	"github.com/missingkbs/missingkbs/internal/digest"
	"github.com/missingkbs/missingkbs/internal/sandbox"
	"github.com/missingkbs/missingkbs/internal/store"
	"github.com/missingkbs/missingkbs/internal/store/pgtest"
)

// Databases that released versions have written are in testdata/upgrade, as SQL, one of each kind for each schema. A new one
// is made by the program of that schema:
//
//	go test ./internal/e2e -run TestMakeUpgradeFixture -upgrade-program=/path/missingkbs -upgrade-schema=07
//
// Branches land in another order than they take numbers: 3 landed after 5. The programs of 3 and 4 are 39c5bcc and 56f3aef with
// 7ddb59d, which adds 3, picked onto them.
var (
	upgradeProgram = flag.String("upgrade-program", "", "have TestMakeUpgradeFixture make databases with this program")
	upgradeSchema  = flag.String("upgrade-schema", "", "the number of its newest migration, two digits")
)

const upgradeFolder = "testdata/upgrade"

// upgraded is the software whose gap the old program has read, and its KBs then.
var upgraded = []apitest.KB{
	{ID: "5000001", Name: "First", MachineMissedOn: 40, CVEAddressed: 3},
	{ID: "5000002", Name: "Second", MachineMissedOn: 7, CVEAddressed: 1},
}

func (w *world) missing(kbs ...apitest.KB) {
	w.defender.PutSoftware(apitest.Software{ID: suite, Name: "suite", Vendor: "microsoft", Weaknesses: 4, ExposedMachines: 40}, kbs...)
}

// say types a line as Alice in #general and waits until an answer says something.
func (w *world) say(t *testing.T, words, want string) {
	t.Helper()
	if _, err := w.slack.Command(patiently(t), sandbox.Alice, sandbox.General, "/missingkbs "+words); err != nil {
		t.Fatalf("%s: %v", words, err)
	}
	w.wait(t, want)
}

// wait waits until a message in #general says something.
func (w *world) wait(t *testing.T, want string) {
	t.Helper()
	says := regexp.MustCompile(want)
	_, err := w.slack.WaitMessage(patiently(t), sandbox.General, sandbox.Alice, func(m sandbox.Message) bool { return says.MatchString(m.Text) })
	if err != nil {
		t.Fatalf("nothing in #general says %q: %v\n%s", want, err, w.log)
	}
}

// A database of an earlier version is migrated at the start, and its digests go on: they compare with what the old program
// has read, and keep what it has audited.
func TestUpgrade(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob(filepath.Join(upgradeFolder, "*.sql"))
	if err != nil || len(files) < 2 {
		t.Fatalf("databases: %v, %v", files, err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			t.Parallel()
			address := restore(t, file)
			w := stage(t)
			w.missing(apitest.KB{ID: "5000001", Name: "First", MachineMissedOn: 12, CVEAddressed: 3}, upgraded[1])
			w.start(t, map[string]string{"DATABASE_URL": address})
			if err := w.slack.WaitConnected(patiently(t), 1); err != nil {
				t.Fatalf("%v\n%s", err, w.log)
			}
			s, err := store.Open(t.Context(), address, store.Options{})
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			subs, err := s.Subscriptions(t.Context(), digest.SubscriptionFilter{})
			if err != nil || len(subs) != 2 {
				t.Fatalf("subscriptions: %+v, %v", subs, err)
			}
			active := slices.IndexFunc(subs, func(s digest.Subscription) bool { return !s.Paused })
			if active < 0 || !subs[1-active].Paused || !slices.Equal(subs[active].Watch, []string{suite}) {
				t.Fatalf("subscriptions: %+v", subs)
			}
			// One that became due while no program ran may have told it already.
			if _, err := w.slack.Command(patiently(t), sandbox.Alice, sandbox.General, "/missingkbs digest run "+subs[active].ID); err != nil {
				t.Fatal(err)
			}
			w.wait(t, `KB5000001: from 40 to 12 devices`)
			audits := 0
			for a, err := range s.Audits(t.Context(), store.AuditFilter{}) {
				if err != nil {
					t.Fatal(err)
				}
				if a.Action == "digest.add" && a.User == sandbox.Alice {
					audits++
				}
			}
			if audits != 2 {
				t.Errorf("%d audits of digests that the old program added, want 2", audits)
			}
		})
	}
}

// neverNewest are the schemas that no program has had as its last one: they landed after 11.
var neverNewest = []int64{8, 9, 10}

func TestEverySchemaHasADatabase(t *testing.T) {
	t.Parallel()
	s, err := store.Open(t.Context(), "sqlite://"+filepath.ToSlash(filepath.Join(t.TempDir(), "empty.db")), store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	_, newest, err := s.Version(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for schema := int64(1); schema < newest; schema++ {
		if slices.Contains(neverNewest, schema) {
			continue
		}
		for _, kind := range []string{"sqlite", "postgres"} {
			if _, err := os.Stat(filepath.Join(upgradeFolder, fmt.Sprintf("schema%02d.%s.sql", schema, kind))); err != nil {
				t.Errorf("no database to upgrade from: %v; make it with the program before migration %d (see upgradeProgram)", err, schema+1)
			}
		}
	}
}

func TestMakeUpgradeFixture(t *testing.T) {
	if *upgradeProgram == "" {
		t.Skip("makes databases with the program of -upgrade-program")
	}
	for _, kind := range []string{"sqlite", "postgres"} {
		w := stage(t)
		w.program = *upgradeProgram
		w.missing(upgraded...)
		path := filepath.Join(t.TempDir(), "old.db")
		address := "sqlite://" + filepath.ToSlash(path)
		if kind == "postgres" {
			address = pgtest.Database(t)
		}
		w.start(t, map[string]string{"DATABASE_URL": address})
		if err := w.slack.WaitConnected(patiently(t), 1); err != nil {
			t.Fatalf("%v\n%s", err, w.log)
		}
		w.say(t, `digest add `+suite+` --at "mon 09:00" --tz UTC`, `(?i)digest`)
		w.say(t, `digest add microsoft-_-edge --at "tue 09:00" --tz UTC`, `(?i)edge`)
		s, err := sql.Open("sqlite", "file:"+path)
		if kind == "postgres" {
			s, err = sql.Open("pgx", address)
		}
		if err != nil {
			t.Fatal(err)
		}
		id := func(watch string) (id string) {
			eventually(t, func() (string, bool) {
				err := s.QueryRowContext(t.Context(), "SELECT id FROM subscriptions WHERE watch LIKE $1", "%"+watch+"%").Scan(&id)
				return fmt.Sprint(err, w.log), err == nil
			})
			return id
		}
		edge, own := id("edge"), id(suite)
		w.say(t, "digest pause "+edge, `(?i)paused`)
		w.say(t, "digest run "+own, `(?i)digest`)
		w.wait(t, `KB5000001`)
		eventually(t, func() (string, bool) {
			var n int
			err := s.QueryRowContext(t.Context(), "SELECT COUNT(*) FROM baselines").Scan(&n)
			return fmt.Sprint(n, err), n == 1
		})
		if err := w.process.Process.Signal(os.Interrupt); err != nil {
			t.Fatal(err)
		}
		_ = w.process.Wait()
		var dump string
		if kind == "postgres" {
			dump = dumpPostgres(t, address)
		} else {
			dump = dumpSQLite(t, s)
		}
		if err := os.MkdirAll(upgradeFolder, 0o750); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(upgradeFolder, "schema"+*upgradeSchema+"."+kind+".sql"), []byte(dump), 0o600); err != nil {
			t.Fatal(err)
		}
		_ = s.Close()
	}
}

// dumpSQLite writes a database as the statements that make it.
func dumpSQLite(t *testing.T, d *sql.DB) string {
	t.Helper()
	var out strings.Builder
	var tables, names []string
	rows, err := d.QueryContext(t.Context(), "SELECT type, name, sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%' ORDER BY type DESC, rowid")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var kind, name, statement string
		if err := rows.Scan(&kind, &name, &statement); err != nil {
			t.Fatal(err)
		}
		names = append(names, statement+";\n")
		if kind == "table" {
			tables = append(tables, name)
		}
	}
	out.WriteString(strings.Join(names, ""))
	for _, table := range tables {
		out.WriteString(insertsOf(t, d, table))
	}
	return out.String()
}

func insertsOf(t *testing.T, d *sql.DB, table string) string {
	t.Helper()
	rows, err := d.QueryContext(t.Context(), "SELECT * FROM "+table+" WHERE 1 = 0")
	if err != nil {
		t.Fatal(err)
	}
	columns, err := rows.Columns()
	if err = errors.Join(err, rows.Err(), rows.Close()); err != nil {
		t.Fatal(err)
	}
	quoted := make([]string, len(columns))
	for i, c := range columns {
		quoted[i] = "quote(" + c + ")"
	}
	rows, err = d.QueryContext(t.Context(), "SELECT "+strings.Join(quoted, " || ', ' || ")+" FROM "+table)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var out strings.Builder
	for rows.Next() {
		var values string
		if err := rows.Scan(&values); err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&out, "INSERT INTO %s (%s) VALUES (%s);\n", table, strings.Join(columns, ", "), values)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// dumpPostgres is what pg_dump writes, without what only psql reads.
func dumpPostgres(t *testing.T, address string) string {
	t.Helper()
	programs, _ := filepath.Glob("/usr/lib/postgresql/*/bin/pg_dump")
	if len(programs) == 0 {
		t.Fatal("there is no pg_dump")
	}
	var stderr bytes.Buffer
	c := exec.CommandContext(t.Context(), programs[len(programs)-1], "--inserts", "--no-owner", "--no-privileges", "--no-comments", address)
	c.Stderr = &stderr
	raw, err := c.Output()
	if err != nil {
		t.Fatalf("pg_dump: %v\n%s", err, stderr.String())
	}
	var out strings.Builder
	for line := range strings.Lines(string(raw)) {
		if line != "\n" && !strings.HasPrefix(line, "--") && !strings.HasPrefix(line, `\`) && !strings.Contains(line, "set_config('search_path'") && !strings.HasPrefix(line, "SET ") {
			out.WriteString(line)
		}
	}
	return out.String()
}

// restore makes a database from its statements, and returns its address.
func restore(t *testing.T, file string) string {
	t.Helper()
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var address, name string
	driver := "pgx"
	if strings.Contains(filepath.Base(file), "sqlite") {
		path := filepath.Join(t.TempDir(), "old.db")
		address, driver, name = "sqlite://"+filepath.ToSlash(path), "sqlite", "file:"+filepath.ToSlash(path)
	} else {
		address = pgtest.Database(t)
		u, err := url.Parse(address)
		if err != nil {
			t.Fatal(err)
		}
		q := u.Query()
		q.Set("default_query_exec_mode", "simple_protocol") // takes several statements
		u.RawQuery = q.Encode()
		name = u.String()
	}
	d, err := sql.Open(driver, name)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	if _, err := d.ExecContext(t.Context(), string(raw)); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	return address
}
