//go:build unix

package pgtest

import "testing"

// NewOwner makes a user who owns a database of [Database] and is no superuser: limits hold for it.
func NewOwner(tb testing.TB, databaseURL, password string) *Login {
	tb.Helper()
	l := NewLogin(tb, databaseURL, password)
	run(tb, l.folder, "ALTER ROLE "+l.name+" NOSUPERUSER")
	run(tb, l.folder, "ALTER DATABASE "+l.db+" OWNER TO "+l.name)
	tb.Cleanup(func() { run(tb, l.folder, "ALTER DATABASE "+l.db+" OWNER TO test") })
	return l
}

// SetLimit changes how many connections the user may have from now on; -1 is no limit.
func (l *Login) SetLimit(connections string) {
	l.tb.Helper()
	run(l.tb, l.folder, "ALTER ROLE "+l.name+" CONNECTION LIMIT "+connections)
}

// SetReadOnly changes whether the user's new connections may write, as a standby server would.
func (l *Login) SetReadOnly(on string) {
	l.tb.Helper()
	run(l.tb, l.folder, "ALTER ROLE "+l.name+" SET default_transaction_read_only = "+on)
}
