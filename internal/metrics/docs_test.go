package metrics_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/missingkbs/missingkbs/internal/repotest"
)

// docs/operations.md has every figure of ours, in the words that Prometheus gets.
func TestDocsHaveEveryFigure(t *testing.T) {
	t.Parallel()
	families, err := everything().Registry().Gather()
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	out.WriteString(repotest.TableRow("metric", "labels", "what it tells") + "|---|---|---|\n")
	for _, f := range families {
		if !strings.HasPrefix(f.GetName(), "missingkbs_") {
			continue
		}
		var labels []string
		for _, m := range f.GetMetric() {
			for _, l := range m.GetLabel() {
				if name := "`" + l.GetName() + "`"; !slices.Contains(labels, name) {
					labels = append(labels, name)
				}
			}
		}
		out.WriteString(repotest.TableRow("`"+f.GetName()+"`", strings.Join(labels, ", "), f.GetHelp()))
	}
	repotest.Section(t, "docs/operations.md", "metrics", out.String())
}
