package main

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/missingkbs/missingkbs/internal/repotest"
)

// No document says how many settings or checks there are: such figures grow old.
func TestDocsCountNothing(t *testing.T) {
	t.Parallel()
	counted := regexp.MustCompile(`(?i)the other \d+|\b\d+ (settings|checks|scopes|metrics|alerts|commands|findings)\b`)
	files, err := os.ReadDir("../../docs")
	if err != nil {
		t.Fatal(err)
	}
	names := []string{"README.md"}
	for _, f := range files {
		if strings.HasSuffix(f.Name(), ".md") {
			names = append(names, "docs/"+f.Name())
		}
	}
	for _, name := range names {
		if got := counted.FindString(repotest.Read(t, name)); got != "" {
			t.Errorf("%s says %q", name, got)
		}
	}
}

// The tree in the README is the tree on disk: each package has its line, and each line its folder. Packages for tests, and
// those that belong to one other package alone, need none.
func TestReadmeShowsTheTree(t *testing.T) {
	t.Parallel()
	_, after, found := strings.Cut(repotest.Read(t, "README.md"), "The tree, from the edges to the core:\n\n```\n")
	tree, _, closed := strings.Cut(after, "```")
	if !found || !closed {
		t.Fatal("the README has no tree")
	}
	named := map[string]bool{}
	for line := range strings.Lines(tree) {
		folders, _, _ := strings.Cut(line, "  ")
		for folder := range strings.SplitSeq(folders, ", ") {
			named[folder] = true
			if info, err := os.Stat("../../" + folder); err != nil || !info.IsDir() {
				t.Errorf("the tree names %q, which is no folder", folder)
			}
		}
	}
	inner := regexp.MustCompile(`^(\.ci/.*|.*test|internal/store/(db|sqlitefile)|internal/span)$`)
	for _, p := range packages(t) {
		folder := strings.TrimPrefix(strings.TrimPrefix(p.ImportPath, module), "/")
		if folder != "" && !inner.MatchString(folder) && !named[folder] {
			t.Errorf("the tree of the README lacks %s", folder)
		}
	}
}
