package store_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// During a rollout the version before runs on beside the new one, which has migrated their database. So a migration only
// adds to the tables that are there: no statement of the old version may fail for it, neither for a column that is gone nor
// for one that it does not fill. Tables that a migration makes itself are its own.
func TestMigrationsLetTheVersionBeforeRun(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("migrations/*.sql")
	if err != nil || len(files) == 0 {
		t.Fatalf("migrations: %v, %v", files, err)
	}
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, broken := range breaks(string(raw)) {
			t.Errorf("%s: the version before cannot run beside %q", file, broken)
		}
	}
}

func TestBreaks(t *testing.T) {
	t.Parallel()
	for statement, want := range map[string]bool{
		"CREATE TABLE b (\n    id TEXT NOT NULL\n)":                       false,
		"CREATE INDEX a_at ON a (at)":                                     false,
		"DROP INDEX a_at":                                                 false,
		"ALTER TABLE a ADD COLUMN c TEXT":                                 false,
		"ALTER TABLE a ADD COLUMN c TEXT NOT NULL DEFAULT ''":             false,
		"UPDATE a SET c = 1":                                              false,
		"CREATE TABLE b (c TEXT); CREATE UNIQUE INDEX b_once ON b (c)":    false,
		"ALTER TABLE a ADD COLUMN c TEXT NOT NULL":                        true,
		"ALTER TABLE a ADD COLUMN c TEXT NOT NULL DEFAULT '' UNIQUE":      true,
		"ALTER TABLE a DROP COLUMN c":                                     true,
		"ALTER TABLE a RENAME COLUMN c TO d":                              true,
		"ALTER TABLE a RENAME TO b":                                       true,
		"ALTER TABLE a ALTER COLUMN c TYPE BIGINT":                        true,
		"CREATE UNIQUE INDEX a_once ON a (c)":                             true,
		"DROP TABLE a":                                                    true,
		"CREATE TRIGGER a_after AFTER INSERT ON a BEGIN SELECT 1; END":    true,
		"-- a comment; with a semicolon\nALTER TABLE a ADD COLUMN c TEXT": false,
	} {
		if got := len(breaks("-- +goose Up\n"+statement+";\n-- +goose Down\nDROP TABLE a;\n")) > 0; got != want {
			t.Errorf("%s: breaks is %t, want %t", statement, got, want)
		}
	}
}

// breaks returns the statements of a migration that the version before could fail for.
func breaks(migration string) (broken []string) {
	up, _, _ := strings.Cut(migration, "-- +goose Down")
	up = regexp.MustCompile(`--[^\n]*`).ReplaceAllString(up, "")
	harmless := regexp.MustCompile(`^(CREATE TABLE|CREATE INDEX|DROP INDEX|INSERT INTO|UPDATE|DELETE FROM) `)
	added := regexp.MustCompile(`^ALTER TABLE (\w+) ADD COLUMN \w+ \w+( NOT NULL DEFAULT ('\w*'|\w+))?$`)
	unique := regexp.MustCompile(`^CREATE UNIQUE INDEX \w+ ON (\w+)`)
	own := map[string]bool{}
	for _, m := range regexp.MustCompile(`CREATE TABLE (\w+)`).FindAllStringSubmatch(up, -1) {
		own[m[1]] = true
	}
	for statement := range strings.SplitSeq(up, ";") {
		statement = strings.Join(strings.Fields(statement), " ")
		if statement == "" || harmless.MatchString(statement) || added.MatchString(statement) {
			continue
		}
		if m := unique.FindStringSubmatch(statement); m != nil && own[m[1]] {
			continue
		}
		broken = append(broken, statement)
	}
	return broken
}
