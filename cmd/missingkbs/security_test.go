package main

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
)

// tests are the names of all tests of the module.
func tests(t *testing.T) map[string]bool {
	t.Helper()
	exist := map[string]bool{}
	function := regexp.MustCompile(`(?m)^func ((?:Test|Fuzz)\w+)\(`)
	err := filepath.WalkDir("../..", func(path string, d fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		code, err := os.ReadFile(path)
		for _, m := range function.FindAllSubmatch(code, -1) {
			exist[string(m[1])] = true
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return exist
}

// The threat model says which test shows each defence, and the runbook which shows each end to waiting; all of them exist.
func TestThreatModelNamesTestsThatExist(t *testing.T) {
	t.Parallel()
	exist := tests(t)
	named := regexp.MustCompile("`((?:Test|Fuzz)[^`]*)`")
	for file, least := range map[string]int{"../../docs/security.md": 25, "../../docs/operations.md": 14} {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		rows := 0
		for line := range strings.Lines(string(text)) {
			cells := strings.Split(line, "|")
			if len(cells) == 5 && named.MatchString(line) {
				rows++
			}
		}
		if rows < least {
			t.Errorf("%d rows of %s name a test, want %d", rows, file, least)
		}
		for _, m := range named.FindAllSubmatch(text, -1) {
			if !exist[string(m[1])] {
				t.Errorf("%s names %s, which does not exist", file, m[1])
			}
		}
	}
}

// The scopes of the manifest each have their reason in the threat model.
func TestScopesHaveReasons(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../docs/security.md")
	if err != nil {
		t.Fatal(err)
	}
	raw, err := os.ReadFile("../../manifest.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var manifest struct {
		OAuth struct {
			Scopes struct{ Bot []string } `yaml:"scopes"`
		} `yaml:"oauth_config"`
	}
	if err := yaml.Unmarshal(raw, &manifest); err != nil {
		t.Fatal(err)
	}
	if len(manifest.OAuth.Scopes.Bot) == 0 {
		t.Fatal("the manifest has no scopes")
	}
	for _, scope := range manifest.OAuth.Scopes.Bot {
		if !strings.Contains(string(text), "`"+scope+"`") {
			t.Errorf("docs/security.md has no reason for the scope %s", scope)
		}
	}
}
