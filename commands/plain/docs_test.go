package plain

import (
	"regexp"
	"strings"
	"testing"

	"github.com/missingkbs/missingkbs/internal/repotest"
)

// docs/commands.md says as which command each sentence is read.
func TestDocsSayHowSentencesAreRead(t *testing.T) {
	t.Parallel()
	_, table, _ := strings.Cut(repotest.Read(t, "docs/commands.md"), "| you write | same as |\n")
	table, _, _ = strings.Cut(table, "\n\n")
	code, seen := regexp.MustCompile("`([^`]+)`"), 0
	for row := range strings.Lines(table) {
		written, same, _ := strings.Cut(row, " | ")
		want := code.FindStringSubmatch(same)
		if want == nil {
			continue
		}
		for _, m := range code.FindAllStringSubmatch(written, -1) {
			seen++
			if got := testReader().Read(m[1]); got != want[1] {
				t.Errorf("%q is read as %q, not as %q", m[1], got, want[1])
			}
		}
	}
	if seen < 8 {
		t.Errorf("only %d sentences", seen)
	}
}
