package yamlfault_test

import (
	"strings"
	"testing"

	"github.com/goccy/go-yaml"

	"github.com/missingkbs/missingkbs/internal/yamlfault"
)

func TestText(t *testing.T) {
	t.Parallel()
	for file, want := range map[string]string{
		"A: hunter2: c\n":                "line 1 is no valid YAML",
		"B: 1\nA: [hunter2\n":            "line 2 is no valid YAML",
		"\t- hunter2\n":                  "line 1 is no valid YAML",
		"A: \"hunter2\n":                 "line 1 is no valid YAML",
		"hunter2\n":                      "line 1 does not begin with a name",
		"- hunter2\n- b\n":               "line 1 does not begin with a name",
		"HUNTER2: x\nB: 1\nHUNTER2: y\n": "line 3 has a name that an earlier line has, too",
		"\x00\xff\xfe":                   "line 1 does not begin with a name",
		"A: *hunter2\n":                  "line 1 is no valid YAML",
	} {
		var values map[string]any
		err := yaml.Unmarshal([]byte(file), &values)
		if err == nil {
			t.Errorf("%q is read: %v", file, values)
			continue
		}
		if got := yamlfault.Text(err); !strings.HasPrefix(got, want) || strings.Contains(strings.ToLower(got), "hunter2") {
			t.Errorf("%q: got %s, want %s (%v)", file, got, want, err)
		}
	}
}
