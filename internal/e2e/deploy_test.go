package e2e

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-yaml"

	"github.com/missingkbs/missingkbs/internal/feeds"
	"github.com/missingkbs/missingkbs/internal/repotest"
	"github.com/missingkbs/missingkbs/internal/sandbox"
	"github.com/missingkbs/missingkbs/internal/store"
)

const (
	alertsFile     = "deploy/prometheus/alerts.yaml"
	dashboardFile  = "deploy/grafana/missingkbs.json"
	manifestFile   = "deploy/kubernetes/missingkbs.yaml"
	operationsFile = "docs/operations.md"
)

// What dashboard, alerts and their documentation name is there when it is looked for.
func TestDeployNamesMetricsThatExist(t *testing.T) {
	t.Parallel()
	w := digestStage(t, sandbox.Options{})
	r := sqliteRecords(t)
	r.subscribe(t, due("1001", sandbox.General, "microsoft-_-edge"))
	kev := store.FeedDocument{Feed: feeds.KEV, ID: "list", Released: time.Now(), Revised: time.Now(), Entries: 1, Body: []byte(`{}`)}
	if _, err := r.ReplaceFeedDocument(t.Context(), kev, func(store.FeedDocument) error { return nil }); err != nil {
		t.Fatal(err)
	}
	w.start(t, map[string]string{"DATABASE_URL": r.url})
	if err := w.slack.WaitConnected(soon(t), 1); err != nil {
		t.Fatal(err)
	}
	w.ask(t, "microsoft-_-windows_11")
	r.settle(t, 1)
	body := w.figures(t, "missingkbs_questions_total{", `missingkbs_digests_total{outcome="sent"} 1`, "missingkbs_data_age_seconds{")
	exists := map[string]bool{}
	for _, m := range regexp.MustCompile(`(?m)^([a-z_]+)[ {]`).FindAllStringSubmatch(body, -1) {
		exists[m[1]] = true
	}
	names := regexp.MustCompile(`\b(missingkbs|go|process)_[a-z0-9_]+\b`)
	for _, path := range []string{alertsFile, dashboardFile, operationsFile, "deploy/prometheus/alerts_test.yaml"} {
		found := names.FindAllString(repotest.Read(t, path), -1)
		if len(found) == 0 {
			t.Errorf("%s names no metric", path)
		}
		for _, name := range found {
			if !exists[name] && !exists[name+"_bucket"] {
				t.Errorf("%s names %s, which no scrape holds", path, name)
			}
		}
	}
}

// What an alert counts is there before it first happens: increase() does not see what a series begins with.
func TestDeployAlertsSeeTheFirst(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	body := w.figures(t, "missingkbs_slack_reconnects_total{", "missingkbs_defender_throttled_total ")
	counted := regexp.MustCompile(`(missingkbs_[a-z_]+_(?:total|bucket))(?:\{([^}]*)\})?\[`)
	only := regexp.MustCompile(`([a-z]+)=~?"([^"]*)"`)
	looked := 0
	for _, a := range alerts(t) {
		for _, m := range counted.FindAllStringSubmatch(a.Expr, -1) {
			series := regexp.MustCompile(`(?m)^`+m[1]+`[ {].*$`).FindAllString(body, -1)
			if len(series) == 0 {
				t.Errorf("%s counts %s, which is not there at start", a.Alert, m[1])
			}
			for _, label := range only.FindAllStringSubmatch(m[2], -1) {
				for value := range strings.SplitSeq(label[2], "|") {
					looked++
					if !slices.ContainsFunc(series, func(s string) bool { return strings.Contains(s, label[1]+`="`+value+`"`) }) {
						t.Errorf("%s counts %s with %s=%q, which is not there at start", a.Alert, m[1], label[1], value)
					}
				}
			}
		}
	}
	if looked < 8 {
		t.Errorf("looked at %d values of labels only", looked)
	}
}

func TestDeployDashboard(t *testing.T) {
	t.Parallel()
	var d struct {
		UID    string
		Panels []struct {
			ID                       int
			Type, Title, Description string
			GridPos                  struct{ H, W, X, Y int }
			Datasource               struct{ UID string }
			FieldConfig              struct{ Defaults struct{ Unit string } }
			Targets                  []struct{ Expr string }
		}
		Templating struct{ List []struct{ Name, Type string } }
	}
	if err := json.Unmarshal([]byte(repotest.Read(t, dashboardFile)), &d); err != nil {
		t.Fatal(err)
	}
	if d.UID == "" || len(d.Templating.List) == 0 || d.Templating.List[0].Type != "datasource" {
		t.Errorf("no id, or no choice of the data source: %+v", d.Templating)
	}
	ids := map[int]bool{}
	for _, p := range d.Panels {
		if ids[p.ID] || p.GridPos.X+p.GridPos.W > 24 || p.GridPos.W == 0 {
			t.Errorf("panel %q: id %d again, or it does not fit: %+v", p.Title, p.ID, p.GridPos)
		}
		ids[p.ID] = true
		if p.Type == "row" {
			continue
		}
		if p.Description == "" || p.FieldConfig.Defaults.Unit == "" || p.Datasource.UID != "${datasource}" || len(p.Targets) == 0 {
			t.Errorf("panel %q lacks its description, unit, data source or query", p.Title)
		}
	}
}

// alerts are those of the file of rules.
func alerts(t *testing.T) (list []struct {
	Alert, Expr, For    string
	Labels, Annotations map[string]string
},
) {
	t.Helper()
	var file struct {
		Groups []struct {
			Name  string
			Rules []struct {
				Alert, Expr, For    string
				Labels, Annotations map[string]string
			}
		}
	}
	d := yaml.NewDecoder(strings.NewReader(repotest.Read(t, alertsFile)), yaml.Strict())
	if err := d.Decode(&file); err != nil {
		t.Fatal(err)
	}
	for _, g := range file.Groups {
		list = append(list, g.Rules...)
	}
	if len(list) == 0 {
		t.Fatal("no alerts")
	}
	return list
}

func TestDeployAlertsSayWhatToDo(t *testing.T) {
	t.Parallel()
	book, tests := repotest.Read(t, operationsFile), repotest.Read(t, "deploy/prometheus/alerts_test.yaml")
	for _, a := range alerts(t) {
		for _, name := range []string{"summary", "description", "action", "runbook_url"} {
			if a.Annotations[name] == "" {
				t.Errorf("%s has no %s", a.Alert, name)
			}
		}
		if !slices.Contains([]string{"warning", "critical"}, a.Labels["severity"]) {
			t.Errorf("%s has the severity %q", a.Alert, a.Labels["severity"])
		}
		if !strings.HasSuffix(a.Annotations["runbook_url"], "/"+operationsFile+"#"+strings.ToLower(a.Alert)) || !strings.Contains(book, "\n### "+a.Alert+"\n") {
			t.Errorf("%s has no part in %s", a.Alert, operationsFile)
		}
		for _, kind := range []string{" fires", " keeps silent"} {
			if !strings.Contains(tests, "- name: "+a.Alert+kind+"\n") {
				t.Errorf("no test that %s%s", a.Alert, kind)
			}
		}
	}
}
