// Package repotest gives tests the files of the repository, wherever their package lies. It reads, and changes nothing.
package repotest

import (
	"os"
	"path/filepath"
	"testing"
)

// Root returns the folder of the repository.
func Root(tb testing.TB) string {
	tb.Helper()
	folder, err := os.Getwd()
	if err != nil {
		tb.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(folder, "go.mod")); err == nil {
			return folder
		}
		parent := filepath.Dir(folder)
		if parent == folder {
			tb.Fatal("this test does not run in the repository")
		}
		folder = parent
	}
}

// Read returns the text of a file, which is named from the root with slashes.
func Read(tb testing.TB, name string) string {
	tb.Helper()
	raw, err := os.ReadFile(filepath.Join(Root(tb), filepath.FromSlash(name)))
	if err != nil {
		tb.Fatal(err)
	}
	return string(raw)
}
