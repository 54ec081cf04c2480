package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/missingkbs/missingkbs/internal/audit"
	"github.com/missingkbs/missingkbs/internal/digest"
	"github.com/missingkbs/missingkbs/internal/digest/schedule"
	"github.com/missingkbs/missingkbs/internal/patchgap"
	"github.com/missingkbs/missingkbs/internal/store"
	"github.com/missingkbs/missingkbs/internal/view"
)

// The software list that the bot has saved, what it has read, and its digests are completed from the database. Without one, or with settings that are wrong, a
// shell is told the rest, and no error.
func TestCompletionFromTheDatabase(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	url := "sqlite://" + filepath.ToSlash(filepath.Join(dir, "db"))
	database, err := store.Open(t.Context(), url, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := database.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	at := time.Now()
	sub := digest.Subscription{ID: "4711", Tenant: digest.DefaultTenant, Channel: "C1", Owner: "U1", Watch: []string{"contoso-_-app"}, Schedule: schedule.Schedule{Words: "mon 09:00", Zone: "UTC"}, Quiet: digest.Silent, Created: at}
	if err := database.AddSubscription(t.Context(), sub, audit.Entry{}); err != nil {
		t.Fatal(err)
	}
	err = database.Record(t.Context(), digest.Delivery{Key: "k", Subscription: sub.ID, Tenant: sub.Tenant, At: at, Due: at, Kind: digest.First},
		patchgap.Snapshot{Tenant: sub.Tenant, At: at, Software: sub.Watch}, sub, view.Page{})
	if err != nil {
		t.Fatal(err)
	}
	saved := store.SoftwareList{Software: []byte(`[{"i":"contoso-_-app"},{"i":"contoso-_-zip"},{"i":"fabrikam-_-app"}]`), Fetched: at}
	if err := database.SaveSoftwareList(t.Context(), digest.DefaultTenant, saved); err != nil {
		t.Fatal(err)
	}
	if err := database.Close(); err != nil {
		t.Fatal(err)
	}
	wrong := filepath.Join(dir, "wrong.yaml")
	if err := os.WriteFile(wrong, []byte("NO_SUCH_SETTING: 1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		vars map[string]string
		line string
		want []string
	}{
		"software":       {map[string]string{"DATABASE_URL": url}, "ask con", []string{"contoso-_-app\tsoftware", "contoso-_-zip\tsoftware"}},
		"digests":        {map[string]string{"DATABASE_URL": url}, "ask digest show ", []string{"4711\tContoso App"}},
		"no database":    {map[string]string{"DATABASE_URL": url + "x"}, "ask con", nil},
		"wrong database": {map[string]string{"DATABASE_URL": "mysql://x"}, "ask devi", []string{"devices\t"}},
		"no settings":    {nil, "ask devi", []string{"devices\t"}},
		"wrong file":     {map[string]string{"MISSINGKBS_CONFIG": wrong}, "ask devi", []string{"devices\t"}},
		"file being typed": {
			nil, "--config " + dir + "/no", []string{":files"},
		},
	} {
		got := invoke(t, env(c.vars), append([]string{completeName, "--"}, strings.Split(c.line, " ")...)...)
		lines := strings.Split(strings.TrimSuffix(got.out, "\n"), "\n")
		same := slices.EqualFunc(lines, c.want, strings.HasPrefix) || got.out == "" && c.want == nil
		if got.code != exitDone || got.err != "" || !same {
			t.Errorf("%s: %+v, want %q", name, got, c.want)
		}
	}
	if _, err := os.Stat(filepath.Join(dir, "dbx")); err == nil {
		t.Error("a database was made")
	}
}

func TestCompletionOfAnotherShell(t *testing.T) {
	t.Parallel()
	if got := invoke(t, noEnv, "completion", "powershell"); got.code != exitWrongUse || !strings.Contains(got.err, "bash, zsh, fish") {
		t.Errorf("got %+v", got)
	}
}
