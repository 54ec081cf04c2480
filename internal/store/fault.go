package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"syscall"

	"github.com/jackc/pgx/v5/pgconn"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/missingkbs/missingkbs/internal/digest"
	"github.com/missingkbs/missingkbs/internal/risk"
	"github.com/missingkbs/missingkbs/internal/store/sqlitefile"
)

// failed returns the error of a method that reads; see [Store.fault].
func (s *Store) failed(doing string, err error) error { return s.fault(doing, err, false) }

// failedWrite returns the error of a method that writes; see [Store.fault].
func (s *Store) failedWrite(doing string, err error) error { return s.fault(doing, err, true) }

// fault returns the error of a method: what it was doing, without arguments, and why it failed. Trouble with the
// database becomes a [digest.StoreError] and is counted. Drivers put values into some of their texts, and what people
// type is among these values: only texts known to be free of them are kept, others are reduced to type and code.
func (s *Store) fault(doing string, err error, write bool) error {
	if _, told := errors.AsType[*digest.StoreError](err); told || isOurs(err) {
		return fmt.Errorf("%s: %w", doing, err)
	}
	trouble := s.trouble(err)
	if trouble == "" {
		return fmt.Errorf("%s: %w", doing, outlined{err})
	}
	told := &digest.StoreError{Trouble: trouble, Message: outline(err), Err: err}
	s.health.note(trouble, told.Message, write)
	return fmt.Errorf("%s: %w", doing, told)
}

// isOurs reports whether an error is the program's own and says nothing about the database.
func isOurs(err error) bool {
	for _, own := range []error{digest.ErrNotFound, digest.ErrExists, errChanged, errRemoved, errUnlisted, errCallback, ErrNewer, ErrNotEmpty, risk.ErrChanged} {
		if errors.Is(err, own) {
			return true
		}
	}
	return errors.Is(err, context.Canceled)
}

// outlined is an error whose text is only its outline.
type outlined struct{ error }

// Error returns the outline.
func (o outlined) Error() string { return outline(o.error) }

// Unwrap returns the original error.
func (o outlined) Unwrap() error { return o.error }

// outline returns what may be shown of a driver's error.
func outline(err error) string {
	if said, ok := errors.AsType[*pgconn.PgError](err); ok {
		if troubleOfPostgres(said.Code) == "" {
			return strings.TrimSpace(fmt.Sprintf("SQLSTATE %s %s %s", said.Code, said.TableName, said.ConstraintName))
		}
		return said.Error()
	}
	if said, ok := errors.AsType[*sqlite.Error](err); ok { // it knows parameters by number only
		return said.Error()
	}
	if connect, ok := errors.AsType[*pgconn.ConnectError](err); ok {
		return "connect: " + tries{errors.Unwrap(connect)}.Error()
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return "it does not answer in time"
	}
	if isCutOff(err) || sqlitefile.IsDiskFull(err) {
		return err.Error()
	}
	innermost := err
	for next := errors.Unwrap(err); next != nil; next = errors.Unwrap(next) {
		innermost = next
	}
	return fmt.Sprintf("%T", innermost)
}

// trouble classifies a driver's error; "" if it is not trouble with the database.
func (s *Store) trouble(err error) digest.Trouble {
	if said, ok := errors.AsType[*pgconn.PgError](err); ok {
		return troubleOfPostgres(said.Code)
	}
	if said, ok := errors.AsType[*sqlite.Error](err); ok {
		return s.troubleOfSQLite(said)
	}
	switch {
	case sqlitefile.IsDiskFull(err):
		return digest.TroubleFull
	case errors.Is(err, context.DeadlineExceeded) && s.sqlite: // it waited for another writer
		return digest.TroubleBusy
	case errors.Is(err, context.DeadlineExceeded), !s.sqlite && isCutOff(err):
		return digest.TroubleAway
	}
	return ""
}

// isCutOff reports whether the connection to the database failed or was lost.
func isCutOff(err error) bool {
	_, connect := errors.AsType[*pgconn.ConnectError](err)
	_, network := errors.AsType[*net.OpError](err) // not net.Error, which every errno implements
	if connect || network {
		return true
	}
	for _, end := range []error{
		io.EOF, io.ErrUnexpectedEOF, net.ErrClosed, pgconn.ErrConnClosed, driver.ErrBadConn, sql.ErrConnDone, syscall.EPIPE, syscall.ECONNRESET,
	} {
		if errors.Is(err, end) {
			return true
		}
	}
	return pgconn.SafeToRetry(err) // nothing was sent: the connection was gone before
}

// troubleOfPostgres classifies a SQLSTATE, see https://www.postgresql.org/docs/current/errcodes-appendix.html.
func troubleOfPostgres(code string) digest.Trouble {
	switch code {
	case "53100":
		return digest.TroubleFull
	case "25006":
		return digest.TroubleReadOnly
	case "58030":
		return digest.TroubleDisk
	case "58P01", "XX001", "XX002": // a data file is missing, or data or an index is corrupted
		return digest.TroubleDamaged
	case "42501":
		return digest.TroubleDenied
	case "42P01", "42703", "3F000": // no such table, column, schema
		return digest.TroubleReplaced
	case "57014", "55P03", "40001", "40P01": // its own time limit, locks
		return digest.TroubleBusy
	}
	switch code[:min(2, len(code))] {
	case "08", "57":
		return digest.TroubleAway
	case "53":
		return digest.TroubleBusy
	case "28", "3D":
		return digest.TroubleDenied
	}
	return ""
}

// troubleOfSQLite classifies a result code, see https://www.sqlite.org/rescode.html.
func (s *Store) troubleOfSQLite(said *sqlite.Error) digest.Trouble {
	switch said.Code() & 0xff {
	case sqlite3.SQLITE_FULL:
		return digest.TroubleFull
	case sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN:
		if sqlitefile.IsDiskFull(sqlitefile.CheckSpace(s.path)) { // SQLite only reports FULL for the database itself, not for the files next to it
			return digest.TroubleFull
		}
		return digest.TroubleDisk
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_PROTOCOL, sqlite3.SQLITE_NOMEM, sqlite3.SQLITE_INTERRUPT:
		return digest.TroubleBusy
	case sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_FORMAT:
		return digest.TroubleDamaged
	case sqlite3.SQLITE_READONLY:
		if said.Code() == sqlite3.SQLITE_READONLY_DBMOVED {
			return digest.TroubleReplaced
		}
		return digest.TroubleReadOnly
	case sqlite3.SQLITE_PERM, sqlite3.SQLITE_AUTH:
		return digest.TroubleDenied
	case sqlite3.SQLITE_ERROR:
		if strings.Contains(said.Error(), "no such table") || strings.Contains(said.Error(), "no such column") {
			return digest.TroubleReplaced
		}
	}
	return ""
}

// openError returns the error of opening a database. The author of the URL reads it, so its full text stays. What may
// be over at the next attempt wraps [ErrUnavailable]. A rejected sign-in, a file that may not be opened or one that is
// no database needs other settings.
func (s *Store) openError(err error) error {
	if err == nil {
		return nil
	}
	trouble := s.trouble(err)
	if trouble == "" && !s.sqlite {
		trouble = digest.TroubleAway
	}
	if trouble == "" {
		return err
	}
	told := &digest.StoreError{Trouble: trouble, Message: err.Error(), Err: err}
	switch trouble {
	case digest.TroubleDamaged, digest.TroubleDenied, digest.TroubleReadOnly, digest.TroubleReplaced:
		return told
	case digest.TroubleDisk:
		if said, ok := errors.AsType[*sqlite.Error](err); ok && said.Code()&0xff == sqlite3.SQLITE_CANTOPEN {
			return told
		}
	}
	return unavailable{told}
}

// Cure returns what an operator can do about trouble with this database.
func (s *Store) Cure(t digest.Trouble) string { return Cure(t, s.Address(), s.IsFile()) }

// Cure returns what an operator can do about trouble with the database at place. file is true for SQLite.
func Cure(t digest.Trouble, place string, file bool) string {
	switch t {
	case digest.TroubleFull:
		return "make room on the disk of " + place + ", or raise the quota; nothing else is to be done"
	case digest.TroubleDamaged:
		if file {
			return RestoreCure(place)
		}
		return "see the log of the PostgreSQL server, and restore a backup: " + place
	case digest.TroubleReplaced:
		if file {
			return "stop the program, put " + place + " and the files beside it (-wal, -shm) back or restore a backup, and start it again"
		}
		return "see why the tables are gone, and restore a backup: " + place
	case digest.TroubleReadOnly:
		if file {
			return "let the user of this program write " + place + " and its folder; see whether its file system is mounted for reading only"
		}
		return "name the primary server in DATABASE_URL, or make this one writable: " + place
	case digest.TroubleDisk:
		return "look at the disk and at the log of the machine, and at the rights on the folder: " + place
	case digest.TroubleDenied:
		return "correct the password or the rights of the user: " + place
	case digest.TroubleBusy:
		if file {
			return "see which other program has " + place + " open, such as a backup or sqlite3, and end it"
		}
		return "raise max_connections or the limit of the role, or end other programs that use them: " + place
	}
	return "see whether the database runs and this machine reaches it: " + place
}

// IsForeign returns true if an error says that a file is no SQLite database. Damage can look like that, too.
func IsForeign(err error) bool {
	said, ok := errors.AsType[*sqlite.Error](err)
	return ok && said.Code()&0xff == sqlite3.SQLITE_NOTADB
}

// ForeignCure says what an operator does about a file that is no SQLite database.
func ForeignCure(file string) string {
	return "name another file if this is not the bot's; if it is, it is damaged: " + RestoreCure(file)
}

// RestoreCure returns how an operator restores a SQLite file.
func RestoreCure(file string) string {
	return fmt.Sprintf("stop the program, move %[1]s and the files beside it (-wal, -shm) into another folder, put the last backup in the place of %[1]s, and start it again. "+
		"Without a backup, sqlite3 DAMAGED .recover | sqlite3 %[1]s saves what can still be read. With no file there, the bot starts without digests and history", file)
}
