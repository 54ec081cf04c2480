//go:build unix && !linux

package e2e

import "testing"

func limitFiles(t *testing.T, _ *world, _ string) {
	t.Helper()
	t.Skip("only Linux sets the limits of another process")
}
