package cmdline

import (
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// A line without marks holds nothing to remove, so that reading it may skip the search.
func TestLinesWithoutMarks(t *testing.T) {
	t.Parallel()
	part := rapid.OneOf(
		rapid.SampledFrom([]string{"id", "software", "product_id", "eq", "-_-", "@U1", "|", "](", ")", ">", "_", "~", ";", "!"}),
		rapid.StringMatching("[^"+`<\[\x60*"':= \t\n\f\r`+"]{0,6}"),
	)
	rapid.Check(t, func(t *rapid.T) {
		line := strings.Join(rapid.SliceOfN(part, 0, 8).Draw(t, "line"), "")
		if got := withoutMarks(line); got != line {
			t.Errorf("%q becomes %q", line, got)
		}
	})
	for line, want := range map[string]string{"`x`, y": "`x` y", "software edge-_-x": "edge-_-x", "*a b*": "a b", "id:x": "x", "[a](b-_-c)": "a"} {
		if got := withoutMarks(line); got != want {
			t.Errorf("%q becomes %q, want %q", line, got, want)
		}
	}
}

func TestShutsAreThoseOfPairs(t *testing.T) {
	t.Parallel()
	for _, shut := range pairs {
		if !strings.Contains(shuts, string(shut)) {
			t.Errorf("%q closes a pair, and is not in shuts", shut)
		}
	}
}
