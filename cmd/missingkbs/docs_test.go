package main

import (
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/missingkbs/missingkbs/internal/config"
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

// hasHeading returns true if a document has a heading with this anchor.
func hasHeading(t *testing.T, document, anchor string) bool {
	t.Helper()
	headings := regexp.MustCompile(`(?m)^#+ (.*)$`)
	return slices.ContainsFunc(headings.FindAllStringSubmatch(repotest.Read(t, document), -1), func(h []string) bool { return anchorOf(h[1]) == anchor })
}

// Every link of a document to another one leads to a file, and to a heading in it, that exist.
func TestDocsLinksLeadSomewhere(t *testing.T) {
	t.Parallel()
	links := regexp.MustCompile(`\]\(([^)\s]+)\)`)
	linked := map[string]bool{}
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
			linked[target] = true
			if _, err := os.Stat("../../" + target); err != nil {
				t.Errorf("%s links to %s, which does not exist", name, target)
			} else if anchor != "" && !hasHeading(t, target, anchor) {
				t.Errorf("%s links to #%s, which is no heading of %s", name, anchor, target)
			}
		}
	}
	pictures, err := filepath.Glob("../../docs/images/*.png")
	if err != nil || len(pictures) == 0 {
		t.Fatalf("no pictures: %v", err)
	}
	for _, p := range pictures {
		if name := strings.TrimPrefix(filepath.ToSlash(p), "../../"); !linked[name] {
			t.Errorf("no document shows %s", name)
		}
	}
}

// What code, deployments and scripts say of the documents exists: files such as docs/audit.md, and headings in them.
func TestDocsAreWhereTheRestSaysTheyAre(t *testing.T) {
	t.Parallel()
	named, seen := regexp.MustCompile(`\bdocs/[a-z]+\.md(?:#([a-z0-9-]+))?`), 0
	err := filepath.WalkDir("../..", func(file string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && (d.Name() == ".git" || d.Name() == "node_modules"):
			return fs.SkipDir
		case d.IsDir() || !slices.Contains([]string{".go", ".yaml", ".yml", ".sh", ".service", ".env", ".txt", ".tpl", ".json", ".md", ""}, filepath.Ext(file)):
			return nil
		}
		text, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		for _, m := range named.FindAllStringSubmatch(string(text), -1) {
			seen++
			document, _, _ := strings.Cut(m[0], "#")
			if _, err := os.Stat("../../" + document); err != nil {
				t.Errorf("%s names %s, which does not exist", file, document)
			} else if m[1] != "" && !hasHeading(t, document, m[1]) {
				t.Errorf("%s names %s, which is no heading", file, m[0])
			}
		}
		return nil
	})
	if err != nil || seen < 50 {
		t.Errorf("%d seen: %v", seen, err)
	}
}

// All documents are read within a quarter of an hour: running text, without headings, tables, code and generated parts, which
// people look up. The README shows a newcomer around, and no more.
func TestDocsAreShort(t *testing.T) {
	t.Parallel()
	const wordsAMinute, minutes, readmeLines = 250, 15, 250
	unread := []*regexp.Regexp{
		regexp.MustCompile(`(?s)<!-- generated: .*?<!-- end of [a-z]+ -->`), regexp.MustCompile("(?s)```.*?```"), regexp.MustCompile(`(?m)^(\||#).*$`), regexp.MustCompile(`!\[[^]]*\]`), regexp.MustCompile(`\]\([^)]*\)`),
	}
	total, each := 0, strings.Builder{}
	for _, name := range documents(t) {
		if name != "README.md" && !strings.HasPrefix(name, "docs/") {
			continue
		}
		text := repotest.Read(t, name)
		for _, r := range unread {
			text = r.ReplaceAllString(text, "")
		}
		words := 0
		for w := range strings.FieldsSeq(text) {
			if strings.ContainsFunc(w, unicode.IsLetter) {
				words++
			}
		}
		total += words
		fmt.Fprintf(&each, "%5d %s\n", words, name)
	}
	t.Logf("%s%5d in all", each.String(), total)
	if total > wordsAMinute*minutes {
		t.Errorf("%d words take longer than %d minutes:\n%s", total, minutes, each.String())
	}
	if n := strings.Count(repotest.Read(t, "README.md"), "\n"); n > readmeLines {
		t.Errorf("README.md has %d lines, more than %d", n, readmeLines)
	}
}

// What documents call the program with are commands and flags that it has.
func TestDocsNameCommandsThatParse(t *testing.T) {
	t.Parallel()
	spans := regexp.MustCompile("(?m)(?:`|^|\\| )missingkbs ([a-z][^`|>#\\n]*)")
	words := regexp.MustCompile(`"[^"]*"|\S+`)
	seen := 0
	for _, name := range documents(t) {
		if name == "CHANGELOG.md" { // which has what there was
			continue
		}
		for _, m := range spans.FindAllStringSubmatch(repotest.Read(t, name), -1) {
			var args []string
			for _, w := range words.FindAllString(m[1], -1) {
				args = append(args, strings.Trim(w, `"'`))
			}
			parser, err := newParser(&cli{}, noEnv, &config.File{}, streams{out: io.Discard, err: io.Discard})
			if err != nil {
				t.Fatal(err)
			}
			seen++
			if slices.Contains(args, "--help") {
				continue // it ends the program
			}
			if _, err := parser.Parse(moveAskFlags(args)); err != nil {
				t.Errorf("%s: missingkbs %s: %v", name, m[1], err)
			}
		}
	}
	if seen < 40 {
		t.Errorf("only %d commands", seen)
	}
}

// The symptoms of the runbook are words that the program says, and so are the lines of the log that alerts and steps quote.
func TestDocsSymptomsAreWhatTheProgramSays(t *testing.T) {
	t.Parallel()
	_, table, _ := strings.Cut(repotest.Read(t, operationsFile), "\n## What you see\n")
	table, _, _ = strings.Cut(table, "\n## ")
	var code strings.Builder
	err := filepath.WalkDir("../..", func(path string, d fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		text, err := os.ReadFile(path)
		code.Write(text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	quoted := regexp.MustCompile(`"([^"]+)"`).FindAllStringSubmatch(table, -1)
	logged := regexp.MustCompile(`[ (]'([^'\n]+)'|\blog\b[^.|\n]* `+"`([a-z ]+)`"+`|msg=(\w+)`).FindAllStringSubmatch(repotest.Read(t, operationsFile), -1)
	for _, m := range logged {
		quoted = append(quoted, []string{m[0], m[1] + m[2] + m[3]})
	}
	if len(quoted) < 9 {
		t.Errorf("only %q", quoted)
	}
	for _, m := range quoted {
		for part := range strings.SplitSeq(m[1], "…") {
			if !strings.Contains(code.String(), strings.TrimSpace(part)) {
				t.Errorf("%s quotes %q, which the program does not say", operationsFile, m[1])
			}
		}
	}
}
