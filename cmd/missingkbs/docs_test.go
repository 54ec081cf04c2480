package main

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

func documentText(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// No document says how many settings or checks there are: such figures grow old.
func TestDocsCountNothing(t *testing.T) {
	t.Parallel()
	counted := regexp.MustCompile(`(?i)the other \d+|\b\d+ (settings|checks|scopes|metrics|alerts|commands|findings)\b`)
	files, err := os.ReadDir("../../docs")
	if err != nil {
		t.Fatal(err)
	}
	names := []string{"../../README.md"}
	for _, f := range files {
		if strings.HasSuffix(f.Name(), ".md") {
			names = append(names, "../../docs/"+f.Name())
		}
	}
	for _, name := range names {
		if got := counted.FindString(documentText(t, name)); got != "" {
			t.Errorf("%s says %q", name, got)
		}
	}
}
