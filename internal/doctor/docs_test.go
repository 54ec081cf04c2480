package doctor

import (
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// checkNames are the names of all checks, those of the live trial included.
func checkNames() []string {
	checker := &Checker{now: time.Now}
	var names []string
	for _, c := range slices.Concat(checker.checks(false), newLiveRun(checker, LiveOptions{}).checks()) {
		names = append(names, c.Name)
	}
	slices.Sort(names)
	return names
}

func documentText(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// docs/doctor.md has a line for every check, and for no other.
func TestDoctorDocsNameEveryCheck(t *testing.T) {
	t.Parallel()
	named := map[string]bool{}
	for line := range strings.Lines(documentText(t, "../../docs/doctor.md")) {
		first, rest, ok := strings.Cut(strings.TrimPrefix(line, "| "), " | ")
		if !ok || rest == "" || !strings.HasPrefix(line, "| `") {
			continue
		}
		for _, m := range regexp.MustCompile("`([a-z-]+)`").FindAllStringSubmatch(first, -1) {
			named[m[1]] = true
		}
	}
	if diff := cmp.Diff(checkNames(), slices.Sorted(maps.Keys(named))); diff != "" {
		t.Errorf("docs/doctor.md (-there is +named):\n%s", diff)
	}
}

// docs/entra.md names every role that the program can use, with an id of its own, and no role besides them.
func TestEntraDocsNameEveryRole(t *testing.T) {
	t.Parallel()
	text := documentText(t, "../../docs/entra.md")
	ids := map[string]bool{}
	var named []string
	for _, m := range regexp.MustCompile("(?m)^\\| `([A-Za-z.]+)` \\| .* \\| `([0-9a-f-]{36})` \\|$").FindAllStringSubmatch(text, -1) {
		named = append(named, m[1])
		ids[m[2]] = true
	}
	var want []string
	for _, r := range Roles() {
		want = append(want, r.Name)
	}
	if diff := cmp.Diff(want, named); diff != "" || len(ids) != len(want) {
		t.Errorf("docs/entra.md has %d ids (-there is +named):\n%s", len(ids), diff)
	}
}

// Each line of docs/unproven.md has something that shows it, and the checks it names exist.
func TestUnprovenDocsNameChecksThatExist(t *testing.T) {
	t.Parallel()
	exist, lines := checkNames(), 0
	check := regexp.MustCompile("`((?:live|slack|entra|defender)-[a-z-]+|defender)`")
	for line := range strings.Lines(documentText(t, "../../docs/unproven.md")) {
		cells := strings.Split(strings.TrimSpace(line), " | ")
		if !strings.HasPrefix(line, "| ") || strings.HasPrefix(line, "| assumption") {
			continue
		}
		lines++
		if len(cells) != 3 || !strings.Contains(cells[2], "`") && !strings.Contains(cells[2], "*Home*") && !strings.Contains(cells[2], "none needed") {
			t.Errorf("nothing shows it: %s", line)
			continue
		}
		for _, m := range check.FindAllStringSubmatch(cells[2], -1) {
			if !slices.Contains(exist, m[1]) {
				t.Errorf("there is no check %s: %s", m[1], line)
			}
		}
	}
	if lines < 20 {
		t.Errorf("only %d lines", lines)
	}
}
