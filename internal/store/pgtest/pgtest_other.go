//go:build !unix

// Package pgtest gives tests a real PostgreSQL, on Unix.
package pgtest

import "testing"

// Database skips the test: servers are started on Unix only.
func Database(tb testing.TB) string {
	tb.Helper()
	tb.Skip("tests start PostgreSQL on Unix only")
	return ""
}
