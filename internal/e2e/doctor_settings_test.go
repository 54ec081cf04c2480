package e2e

import (
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/missingkbs/missingkbs/internal/sandbox"
	"github.com/missingkbs/missingkbs/internal/store"
)

// noQueue are options of a queue that is never started.
var noQueue = store.QueueOptions{}

func TestDoctorSettingsFile(t *testing.T) {
	t.Parallel()
	c := newClinic(t, sandbox.Options{})
	file := func(text string) map[string]string {
		t.Helper()
		path := filepath.Join(t.TempDir(), "settings.yaml")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return map[string]string{"MISSINGKBS_CONFIG": path}
	}
	for name, settings := range map[string]map[string]string{
		"not there":    {"MISSINGKBS_CONFIG": "/no/such/file.yaml"},
		"no YAML":      file("{"),
		"not a value":  file("DEFENDER_CLOUD: [hunter2]\n"),
		"no setting":   file("DEFENDER_CLUOD: hunter2\n"),
		"empty, is OK": file("# nothing\n"),
	} {
		d := c.examine(t, settings, "--offline")
		if strings.HasSuffix(name, "OK") {
			d.only(t)
			continue
		}
		d.wants(t, "configuration", "fail", settings["MISSINGKBS_CONFIG"], "correct the file")
		d.wants(t, "database", "ok", "", "") // what does not depend on it
		d.only(t, "configuration")
	}
	settings := file("LOG_LEVEL: debug\nDEFENDER_CLOUD: public\nMISSINGKBS_TABLES: auto\n")
	settings["LOG_LEVEL"] = "info"
	d := c.examine(t, settings, "--offline", "--defender-cloud=public")
	found := d.text("configuration")
	for _, want := range []string{"flags: DEFENDER_CLOUD;", "environment: AZURE_", "LOG_LEVEL, ", "file " + settings["MISSINGKBS_CONFIG"] + ": MISSINGKBS_TABLES;", "default: all others"} {
		if !strings.Contains(found, want) {
			t.Errorf("%q is not in %s", want, found)
		}
	}
	for _, value := range []string{"DEFENDER_API_URL=", c.defender.URL, "debug"} {
		if strings.Contains(found, value) {
			t.Errorf("the value %q is in %s", value, found)
		}
	}
}

func TestDoctorProxy(t *testing.T) {
	t.Parallel()
	c := newClinic(t, sandbox.Options{})
	proxy := "http://user:hunter2@proxy.example:3128"
	d := c.examine(t, map[string]string{"HTTPS_PROXY": proxy, "SLACK_API_URL": "https://slack.example/api/", "NO_PROXY": "login.example", "AZURE_AUTHORITY_HOST": "https://login.example"}, "--offline")
	d.wants(t, "proxy", "ok", "slack.example via http://proxy.example:3128; directly: login.example", "")
	for name, value := range map[string]string{"HTTPS_PROXY": "http://me:hunter2%off@proxy.example:3128", "https_proxy": "me:hunter2%off@proxy.example:3128"} {
		d := c.examine(t, map[string]string{name: value, "SLACK_API_URL": "https://slack.example/api/"}, "--offline")
		d.wants(t, "proxy", "warn", name+" cannot be read, so no proxy is used", "%25")
		d.wants(t, "configuration", "warn", name+" cannot be read", "")
		d.only(t, "proxy", "configuration")
	}
	c.examine(t, map[string]string{"SSL_CERT_FILE": "/no/such.pem"}, "--offline").wants(t, "proxy", "fail", "cannot be read", "root certificates")
	none := filepath.Join(t.TempDir(), "none.pem")
	if err := os.WriteFile(none, []byte("nonsense"), 0o600); err != nil {
		t.Fatal(err)
	}
	c.examine(t, map[string]string{"SSL_CERT_FILE": none}, "--offline").wants(t, "proxy", "fail", "contains no certificate", "PEM")
}

// The names of the JSON are an API.
func TestDoctorJSONShape(t *testing.T) {
	t.Parallel()
	var got map[string]any
	if err := json.Unmarshal([]byte(newClinic(t, sandbox.Options{}).run(t, nil, "-o", "json", "--offline").out), &got); err != nil {
		t.Fatal(err)
	}
	keys := func(v any) []string {
		var out []string
		for key := range v.(map[string]any) {
			out = append(out, key)
		}
		slices.Sort(out)
		return out
	}
	for _, c := range []struct {
		of   any
		want []string
	}{
		{got, []string{"checks", "summary"}},
		{got["summary"], []string{"fail", "ok", "skip", "status", "took_ms", "warn"}},
		{got["checks"].([]any)[0], []string{"check", "cure", "found", "status", "took_ms"}},
	} {
		if have := keys(c.of); !reflect.DeepEqual(have, c.want) {
			t.Errorf("got %v, want %v", have, c.want)
		}
	}
}
