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

// Login is a user of one database who needs a password.
type Login struct{}

// NewLogin is never called: there is no database.
func NewLogin(testing.TB, string, string) *Login { return nil }

// SetPassword does nothing.
func (*Login) SetPassword(string) {}

// Disconnect does nothing.
func (*Login) Disconnect() {}

// URL is none.
func (*Login) URL(string) string { return "" }
