package main

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"

	"github.com/missingkbs/missingkbs/api/apitest"
	"github.com/missingkbs/missingkbs/internal/config"
	"github.com/missingkbs/missingkbs/internal/repotest"
)

const (
	unitFile       = "deploy/systemd/missingkbs.service"
	packageFile    = "deploy/debian/missingkbs.env"
	manifestFile   = "deploy/kubernetes/missingkbs.yaml"
	composeFile    = "deploy/compose.yaml"
	helmFile       = "deploy/helm/templates/_helpers.tpl"
	operationsFile = "docs/operations.md"
)

// unitLines are the values of a key of the service.
func unitLines(t *testing.T, key string) (values []string) {
	t.Helper()
	for line := range strings.Lines(repotest.Read(t, unitFile)) {
		if value, ok := strings.CutPrefix(strings.TrimSpace(line), key+"="); ok {
			values = append(values, value)
		}
	}
	return values
}

// signInWays are the ways to sign in to Entra that are documented. Each must do by itself, whatever deploys the program.
var signInWays = []map[string]string{
	{"AZURE_TENANT_ID": apitest.TenantID, "AZURE_CLIENT_ID": apitest.ClientID, "AZURE_CLIENT_SECRET_FILE": "azure-client-secret"},
	{"AZURE_TENANT_ID": apitest.TenantID, "AZURE_CLIENT_ID": apitest.ClientID, "AZURE_CLIENT_CERTIFICATE_PATH": "azure-certificate.pem"},
	{"AZURE_TENANT_ID": apitest.TenantID, "AZURE_CLIENT_ID": apitest.ClientID, "AZURE_FEDERATED_TOKEN_FILE": "azure-identity-token"},
	{"AZURE_CLIENT_ID": "system"},
}

// The service starts with what its comment has people put there, tries again what may pass and not what cannot, and has
// the program read the files of secrets that people replace: a copy of systemd's would stay as it was.
func TestDeployedServiceStarts(t *testing.T) {
	t.Parallel()
	set := map[string]string{} // of the unit
	for _, line := range unitLines(t, "Environment") {
		name, value, _ := strings.Cut(line, "=")
		set[name] = value
		if strings.HasSuffix(name, config.FileSuffix) && filepath.Dir(value) != "/etc/missingkbs" {
			t.Errorf("%s is %s, which nobody is told to write", name, value)
		}
	}
	for _, way := range signInWays {
		own := maps.Clone(set)
		maps.Copy(own, way)
		if p := planned(t, secretFiles(t, own), "serve"); p.DatabaseURL != "sqlite:///var/lib/missingkbs/missingkbs.db" {
			t.Errorf("%v: the database is %q", way, p.DatabaseURL)
		}
	}
	maps.Copy(set, signInWays[0]) // of missingkbs.env
	set["DATABASE_URL_FILE"] = "/etc/missingkbs/database-url"
	if p := planned(t, secretFiles(t, set), "serve"); !strings.HasPrefix(p.DatabaseURL, "postgres://") {
		t.Errorf("with a file the database is %q", p.DatabaseURL)
	}
	for key, want := range map[string][]string{
		"RestartPreventExitStatus": {fmt.Sprintf("%d %d", exitWrongUse, exitRefused)},
		"StartLimitIntervalSec":    {"0"}, // no outage is too long
		"Restart":                  {"on-failure"},
		"StateDirectory":           {"missingkbs"},
		"LoadCredential":           nil,
	} {
		if got := unitLines(t, key); !slices.Equal(got, want) {
			t.Errorf("%s=%q, want %q", key, got, want)
		}
	}
}

// The Debian package's file of settings offers ways to sign in that do, each by itself.
func TestPackageOffersWaysToSignIn(t *testing.T) {
	t.Parallel()
	set := map[string]string{}
	for _, line := range unitLines(t, "Environment") {
		name, value, _ := strings.Cut(line, "=")
		set[name] = value
	}
	ways := 0
	for part := range strings.SplitSeq(repotest.Read(t, packageFile), "\n# ") {
		way := map[string]string{}
		for _, m := range regexp.MustCompile(`(?m)^#([A-Z_]+)=(\S+)$`).FindAllStringSubmatch(part, -1) {
			way[m[1]] = m[2]
		}
		if way["AZURE_CLIENT_ID"] == "" {
			continue
		}
		ways++
		maps.Copy(way, set)
		planned(t, secretFiles(t, way), "serve")
	}
	if ways != 3 {
		t.Errorf("%d ways, want 3", ways)
	}
}

// Operators are told to run doctor with what the service sets.
func TestDoctorIsToldToRunAsTheService(t *testing.T) {
	t.Parallel()
	var told []string
	for _, m := range regexp.MustCompile(` -E (\S+)`).FindAllStringSubmatch(repotest.Read(t, operationsFile), -1) {
		told = append(told, m[1])
	}
	if set := unitLines(t, "Environment"); !slices.Equal(told, set) {
		t.Errorf("%s says %q, the service sets %q", operationsFile, told, set)
	}
	for _, want := range []string{" --uid=" + unitLines(t, "User")[0] + " ", " -p EnvironmentFile=" + unitLines(t, "EnvironmentFile")[0] + " "} {
		if !strings.Contains(repotest.Read(t, operationsFile), want) {
			t.Errorf("%s does not say %q", operationsFile, want)
		}
	}
}

// What operations.md says of an upgrade is what the chart does; .ci/kube looks at what comes out of it.
func TestUpgradesAreAsTheChartMakesThem(t *testing.T) {
	t.Parallel()
	const template = "deploy/helm/templates/deployment.yaml"
	found := regexp.MustCompile(`(?s)strategy:\s+\{\{- if eq \.Values\.database\.kind "sqlite" \}\}\s+type: (\w+).*?\{\{- else \}\}\s+type: (\w+)\s+rollingUpdate: \{maxUnavailable: 0, maxSurge: 1\}`).
		FindStringSubmatch(repotest.Read(t, template))
	if found == nil {
		t.Fatalf("%s has no strategy for each database", template)
	}
	told := repotest.Read(t, operationsFile)
	for database, strategy := range map[string]string{"SQLite": found[1], "PostgreSQL": found[2]} {
		if !strings.Contains(told, "| "+database+" | `"+strategy+"`:") {
			t.Errorf("%s does not say that the strategy with %s is %s", operationsFile, database, strategy)
		}
	}
}

// No secret may stand among the chart's settings, which end in a ConfigMap.
func TestChartRefusesSecretsInValues(t *testing.T) {
	t.Parallel()
	const schema = "deploy/helm/values.schema.json"
	text := repotest.Read(t, schema)
	for _, name := range secretNames(t) {
		if !strings.Contains(text, `"`+name+`"`) {
			t.Errorf("%s allows %s in settings", schema, name)
		}
	}
}

const dockerFile = "Dockerfile"

// imageEnv is the environment that the image gives to every container.
func imageEnv(t *testing.T) map[string]string {
	t.Helper()
	set := map[string]string{}
	for _, m := range regexp.MustCompile(`(?m)^ENV ([A-Z_]+)=(\S+)$`).FindAllStringSubmatch(repotest.Read(t, dockerFile), -1) {
		set[m[1]] = m[2]
	}
	if len(set) != strings.Count("\n"+repotest.Read(t, dockerFile), "\nENV ") {
		t.Fatalf("lines of ENV that cannot be read here; read %v", set)
	}
	return set
}

// pod is what matters here of a pod's container.
type pod struct {
	Args    []string
	Env     []struct{ Name, Value string }
	EnvFrom []struct {
		ConfigMapRef struct{ Name string } `yaml:"configMapRef"`
	} `yaml:"envFrom"`
}

// object is what matters here of an object of the manifests.
type object struct {
	Kind     string
	Metadata struct{ Name string }
	Data     map[string]string
	Spec     struct {
		Template struct{ Spec struct{ Containers []pod } }
	}
}

// deployedObject reads the one object of a kind among the manifests.
func deployedObject(t *testing.T, kind string) object {
	t.Helper()
	d := yaml.NewDecoder(strings.NewReader(repotest.Read(t, manifestFile)))
	for {
		var o object
		err := d.Decode(&o)
		if errors.Is(err, io.EOF) {
			t.Fatalf("no %s", kind)
		}
		if err != nil {
			t.Fatal(err)
		}
		if o.Kind == kind {
			return o
		}
	}
}

func deployedPod(t *testing.T) pod {
	t.Helper()
	return deployedObject(t, "Deployment").Spec.Template.Spec.Containers[0]
}

func configMap(t *testing.T) object {
	t.Helper()
	return deployedObject(t, "ConfigMap")
}

// secretFiles writes a file for each variable that names one, and has the variable name that. What they name is not on
// this machine.
func secretFiles(t *testing.T, set map[string]string) map[string]string {
	t.Helper()
	text := map[string]string{
		"SLACK_APP_TOKEN_FILE": "xapp-1", "SLACK_BOT_TOKEN_FILE": "xoxb-1", "AZURE_CLIENT_SECRET_FILE": "secret",
		"DATABASE_URL_FILE": "postgres://bot:word@db.example/missingkbs", "AZURE_FEDERATED_TOKEN_FILE": "token",
		"AZURE_CLIENT_CERTIFICATE_PATH": "certificate",
	}
	own := maps.Clone(set)
	for name := range set {
		if !strings.HasSuffix(name, config.FileSuffix) && !strings.HasSuffix(name, "_PATH") {
			continue
		}
		own[name] = filepath.Join(t.TempDir(), "secret")
		if err := os.WriteFile(own[name], []byte(text[name]), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return own
}

// planned reads an environment as serve does.
func planned(t *testing.T, set map[string]string, args ...string) config.Values {
	t.Helper()
	s := streams{out: io.Discard, err: io.Discard, env: env(set)}
	c, _, err := load(args, s.env, s)
	if err != nil {
		t.Fatal(err)
	}
	var m config.Errors
	p := c.Serve.Read(&m, s.env)
	if err := m.Err(); err != nil {
		t.Error(err)
	}
	return p
}

// The environment of the image and that of the manifest make one environment, with which the program starts.
func TestDeployedPodStarts(t *testing.T) {
	t.Parallel()
	pod, set := deployedPod(t), imageEnv(t)
	for _, e := range pod.Env {
		set[e.Name] = e.Value
		if strings.HasPrefix(e.Name, "AZURE_") {
			t.Errorf("%s is set in the pod, where no way to sign in can leave it out", e.Name)
		}
	}
	if len(pod.EnvFrom) != 1 || pod.EnvFrom[0].ConfigMapRef.Name != configMap(t).Metadata.Name {
		t.Fatalf("the settings come from %+v", pod.EnvFrom)
	}
	settings := configMap(t).Data
	for _, way := range append(signInWays, settings) {
		own := maps.Clone(set)
		for name, value := range settings {
			if !strings.HasPrefix(name, "AZURE_") {
				own[name] = value
			}
		}
		maps.Copy(own, way)
		if p := planned(t, secretFiles(t, own), pod.Args...); !strings.HasPrefix(p.DatabaseURL, "postgres://") {
			t.Errorf("%v: the database is %q, want that of the secret", way, p.DatabaseURL)
		}
	}
}

// The image itself stands in the way of no setting, and keeps its file in its volume where nobody says otherwise.
func TestImageStarts(t *testing.T) {
	t.Parallel()
	for setting, want := range map[string]string{
		"":                  "sqlite:///data/missingkbs/missingkbs.db",
		"DATABASE_URL":      "postgres://bot:word@other.example/missingkbs",
		"DATABASE_URL_FILE": "postgres://bot:word@db.example/missingkbs",
	} {
		set := imageEnv(t)
		maps.Copy(set, map[string]string{
			"SLACK_APP_TOKEN": "xapp-1", "SLACK_BOT_TOKEN": "xoxb-1", "AZURE_TENANT_ID": apitest.TenantID, "AZURE_CLIENT_ID": apitest.ClientID, "AZURE_CLIENT_SECRET": "3",
			"HOME": "/home/nonroot",
		})
		if setting != "" {
			set[setting] = want
		}
		if p := planned(t, secretFiles(t, set), "serve"); p.DatabaseURL != want {
			t.Errorf("with %q the database is %q, want %q", setting, p.DatabaseURL, want)
		}
	}
	if !strings.Contains(repotest.Read(t, dockerFile), "\nVOLUME /data\n") {
		t.Error("the folder is no volume")
	}
}

// A unit or manifest that names a setting which there is not would be silent about it.
func TestDeployNamesSettingsThatExist(t *testing.T) {
	t.Parallel()
	parser, err := newParser(&cli{}, noEnv, &config.File{}, streams{out: io.Discard, err: io.Discard})
	if err != nil {
		t.Fatal(err)
	}
	// Go itself reads the first, the address of the database the second, PostgreSQL's image the third.
	known := append(config.Names(parser.Model.Node), "GOMEMLIMIT", "XDG_DATA_HOME", "POSTGRES_PASSWORD")
	for path, pattern := range map[string]string{
		unitFile:     `(?m)^(?:Environment=|#   )([A-Z_]+)=`,
		manifestFile: `(?m)^  ([A-Z_]+): `,
		composeFile:  `(?m)^\s+((?:[A-Z]+_)*[A-Z]+): (?:/run|json|192MiB)`,
		helmFile:     `(?m)^\s*([A-Z_]+): `,
	} {
		found := regexp.MustCompile(pattern).FindAllStringSubmatch(repotest.Read(t, path), -1)
		if len(found) < 4 {
			t.Errorf("%s names %d settings", path, len(found))
		}
		for _, m := range found {
			if !slices.Contains(known, m[1]) && !slices.Contains(known, strings.TrimSuffix(m[1], config.FileSuffix)) {
				t.Errorf("%s names %s, which is no setting", path, m[1])
			}
		}
	}
	for _, want := range []string{"path: /healthz", "path: /readyz", "containerPort: 8080", "HTTP_ADDR: :8080", "runAsNonRoot: true", "readOnlyRootFilesystem: true"} {
		if !strings.Contains(repotest.Read(t, manifestFile), want) {
			t.Errorf("the manifest does not say %q", want)
		}
	}
}
