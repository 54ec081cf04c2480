package manifest_test

import (
	"bytes"
	"flag"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/missingkbs/missingkbs/internal/manifest"
)

var update = flag.Bool("update", false, "write manifest.yaml")

// What the program prints without options is the file that people find in the repository.
func TestTheFileIsWhatIsPrinted(t *testing.T) {
	t.Parallel()
	const file = "../../manifest.yaml"
	want, err := manifest.YAML(manifest.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile(file, want, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("manifest.yaml is not what missingkbs manifest prints: run go test ./internal/manifest -update (-printed +file):\n%s", diff)
	}
}

// schemas returns our schema and, where its file is named, Slack's own. Slack publishes it at
// https://github.com/slackapi/manifest-schema.
func schemas(t *testing.T) map[string]*jsonschema.Schema {
	t.Helper()
	all := map[string]*jsonschema.Schema{}
	for name, path := range map[string]string{"ours": "testdata/manifest.schema.json", "Slack's": os.Getenv("SLACK_MANIFEST_SCHEMA")} {
		if path == "" {
			continue
		}
		compiler := jsonschema.NewCompiler()
		compiler.UseRegexpEngine(expression)
		schema, err := compiler.Compile(path)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		all[name] = schema
	}
	return all
}

// expression compiles the expressions of a schema. Slack's has two with a lookahead, which Go does not know; they are about
// domains, and no manifest of ours names one.
func expression(s string) (jsonschema.Regexp, error) {
	if strings.Contains(s, "(?!") {
		return regexp.MustCompile("$^"), nil
	}
	return regexp.Compile(s)
}

func valid(t *testing.T, schemas map[string]*jsonschema.Schema, document []byte) {
	t.Helper()
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(document))
	if err != nil {
		t.Fatal(err)
	}
	for name, schema := range schemas {
		if err := schema.Validate(value); err != nil {
			t.Errorf("not valid by the schema that is %s: %v\n%s", name, err, document)
		}
	}
}

// subsets returns every choice of parts.
func subsets() [][]manifest.Part {
	all := [][]manifest.Part{nil}
	for _, p := range manifest.Parts() {
		for _, s := range all {
			all = append(all, append(slices.Clone(s), p))
		}
	}
	return all
}

// The manifest is valid whatever is left out, and both forms of it say the same.
func TestEveryManifestIsValid(t *testing.T) {
	t.Parallel()
	all := schemas(t)
	for _, without := range subsets() {
		for _, o := range []manifest.Options{
			{Without: without},
			{Without: without, Name: `KBs: "all" #1 & more`, BotName: "kb-bot.1", OrgWide: true},
		} {
			asJSON, err := manifest.JSON(o)
			if err != nil {
				t.Fatal(err)
			}
			valid(t, all, asJSON)
			asYAML, err := manifest.YAML(o)
			if err != nil {
				t.Fatal(err)
			}
			var a, b any
			if err := yaml.Unmarshal(asYAML, &a); err != nil {
				t.Fatalf("%+v: %v\n%s", o, err, asYAML)
			}
			if err := yaml.Unmarshal(asJSON, &b); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(a, b); diff != "" {
				t.Fatalf("%+v (-YAML +JSON):\n%s", o, diff)
			}
		}
	}
}

// What belongs to a part is left out with it, and nothing else is.
func TestWhatIsLeftOut(t *testing.T) {
	t.Parallel()
	for _, without := range subsets() {
		body, err := manifest.JSON(manifest.Options{Without: without})
		if err != nil {
			t.Fatal(err)
		}
		has := func(kind, name string, part manifest.Part) {
			t.Helper()
			if got, want := bytes.Contains(body, []byte(`"`+name+`"`)), !slices.Contains(without, part); got != want {
				t.Errorf("without %v: the %s %s is there: %v, want %v", without, kind, name, got, want)
			}
		}
		for _, s := range manifest.Scopes() {
			has("scope", s.Name, s.Part)
		}
		for _, e := range manifest.Subscriptions() {
			has("event", e.Name, e.Part)
		}
		for _, s := range manifest.AppShortcuts() {
			has("shortcut", s.CallbackID, manifest.Shortcuts)
		}
		if got, want := bytes.Contains(body, []byte(`"home_tab_enabled": true`)), !slices.Contains(without, manifest.Home); got != want {
			t.Errorf("without %v: the Home tab is there: %v, want %v", without, got, want)
		}
	}
}

// Every scope, event and part has its reason, and what has no part cannot be left out.
func TestEveryLineHasAReason(t *testing.T) {
	t.Parallel()
	used := map[manifest.Part]bool{manifest.Shortcuts: true}
	for _, s := range manifest.Scopes() {
		used[s.Part] = true
		if s.Use == "" || s.Without == "" {
			t.Errorf("scope %s: %+v", s.Name, s)
		}
	}
	for _, e := range manifest.Subscriptions() {
		used[e.Part] = true
		if e.Use == "" {
			t.Errorf("event %s has no reason", e.Name)
		}
	}
	for p := range used {
		if p != "" && !slices.Contains(manifest.Parts(), p) {
			t.Errorf("part %q cannot be left out by its name", p)
		}
	}
	for _, p := range manifest.Parts() {
		if !used[p] {
			t.Errorf("nothing belongs to the part %s", p)
		}
	}
}

func TestWrongOptions(t *testing.T) {
	t.Parallel()
	for _, o := range []manifest.Options{
		{Name: strings.Repeat("x", 36)},
		{Name: "two\nlines"},
		{BotName: "Missing KBs"},
		{BotName: strings.Repeat("x", 81)},
	} {
		if body, err := manifest.YAML(o); err == nil {
			t.Errorf("%+v: got %s", o, body)
		}
		if _, err := manifest.JSON(o); err == nil {
			t.Errorf("%+v is taken", o)
		}
	}
	if got, err := manifest.ReadParts("nonsense"); err == nil || !strings.Contains(err.Error(), "home, shortcuts") {
		t.Errorf("got %v, %v", got, err)
	}
	got, err := manifest.ReadParts("Files, home")
	if diff := cmp.Diff([]manifest.Part{manifest.Files, manifest.Home}, got); err != nil || diff != "" {
		t.Errorf("%v\n%s", err, diff)
	}
}
