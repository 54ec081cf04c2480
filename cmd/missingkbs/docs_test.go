package main

import (
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/missingkbs/missingkbs/internal/repotest"
)

// documents are the documents of the repository.
func documents(t *testing.T) []string {
	t.Helper()
	var names []string
	for _, pattern := range []string{"*.md", "docs/*.md"} {
		files, err := filepath.Glob("../../" + pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range files {
			names = append(names, strings.TrimPrefix(filepath.ToSlash(f), "../../"))
		}
	}
	if len(names) < 10 {
		t.Fatalf("only %q", names)
	}
	return names
}

// No document says how many settings or checks there are: such figures grow old.
func TestDocsCountNothing(t *testing.T) {
	t.Parallel()
	counted := regexp.MustCompile(`(?i)the other \d+|\b\d+ (settings|checks|scopes|metrics|alerts|commands|findings)\b`)
	for _, name := range documents(t) {
		if name == "CHANGELOG.md" { // what was true of a version stays true of it
			continue
		}
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

// anchorOf is the anchor that GitHub gives a heading.
func anchorOf(heading string) string {
	kept := regexp.MustCompile(`[^\p{L}\p{N} _-]`).ReplaceAllString(strings.ToLower(strings.TrimSpace(heading)), "")
	return strings.ReplaceAll(kept, " ", "-")
}

// Every link of a document to another one leads to a file, and to a heading in it, that exist.
func TestDocsLinksLeadSomewhere(t *testing.T) {
	t.Parallel()
	links := regexp.MustCompile(`\]\(([^)\s]+)\)`)
	headings := regexp.MustCompile(`(?m)^#+ (.*)$`)
	for _, name := range documents(t) {
		for _, m := range links.FindAllStringSubmatch(repotest.Read(t, name), -1) {
			if strings.Contains(m[1], "://") {
				continue
			}
			file, anchor, _ := strings.Cut(m[1], "#")
			target := name
			if file != "" {
				target = path.Join(path.Dir(name), file)
			}
			if _, err := os.Stat("../../" + target); err != nil {
				t.Errorf("%s links to %s, which does not exist", name, target)
				continue
			}
			if anchor == "" {
				continue
			}
			found := false
			for _, h := range headings.FindAllStringSubmatch(repotest.Read(t, target), -1) {
				found = found || anchorOf(h[1]) == anchor
			}
			if !found {
				t.Errorf("%s links to #%s, which is no heading of %s", name, anchor, target)
			}
		}
	}
}
