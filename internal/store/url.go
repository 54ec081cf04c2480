package store

import (
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"strings"

	"github.com/jackc/pgx/v5/pgxpool"
)

// target is where a database is; exactly one field is set.
type target struct {
	path string          // of SQLite's file
	pool *pgxpool.Config // of PostgreSQL
}

var (
	errURL    = errors.New("it takes sqlite:///path/file.db or postgres://user:password@host/database")
	errSQLite = errors.New("it takes sqlite:///path/file.db, with three slashes and without parameters")
)

// CheckURL returns what is wrong with a database URL, without opening anything. The error quotes nothing of it.
func CheckURL(raw string) error {
	_, err := parseURL(raw)
	return err
}

// SameDatabase reports whether two database URLs name the same database, regardless of the login. An invalid URL names
// none.
func SameDatabase(a, b string) bool {
	one, err := parseURL(a)
	if err != nil {
		return false
	}
	other, err := parseURL(b)
	if err != nil || (one.pool == nil) != (other.pool == nil) {
		return false
	}
	if one.pool == nil {
		return one.path == other.path
	}
	return withoutLogin(one.pool) == withoutLogin(other.pool)
}

// withoutLogin returns a configuration in a form without user and password.
func withoutLogin(c *pgxpool.Config) string {
	u, err := url.Parse(c.ConnString())
	if err != nil {
		return ""
	}
	options := u.Query()
	for _, who := range []string{"user", "password"} {
		options.Del(who)
	}
	u.User, u.RawQuery = nil, options.Encode()
	return u.String()
}

// parseURL parses a database URL. Its errors quote nothing of it, because where the password is in an invalid URL is a
// guess: pgx redacts such URLs "best effort", net/url not at all.
func parseURL(raw string) (target, error) {
	scheme, rest, _ := strings.Cut(raw, ":")
	switch strings.ToLower(scheme) {
	case "sqlite":
		path, err := sqlitePath(rest)
		return target{path: path}, err
	case "postgres", "postgresql":
		pool, err := poolConfig(raw)
		return target{pool: pool}, err
	}
	return target{}, errURL
}

// sqlitePath returns the file of a sqlite URL.
func sqlitePath(rest string) (string, error) {
	escaped, ok := strings.CutPrefix(rest, "//")
	if !ok || len(escaped) < 2 || escaped[0] != '/' || strings.ContainsAny(escaped, "?#") {
		return "", errSQLite
	}
	path, err := url.PathUnescape(escaped)
	if err != nil || strings.HasSuffix(path, "/") || strings.ContainsRune(path, 0) {
		return "", errSQLite
	}
	// Four slashes, which other programs want, would begin the name of a machine in SQLite's own URLs.
	path = "/" + strings.TrimLeft(path, "/")
	if len(path) > 2 && path[2] == ':' { // "/C:/folder/file.db"
		path = path[1:]
	}
	return path, nil
}

// poolConfig parses a postgres URL.
func poolConfig(raw string) (*pgxpool.Config, error) {
	config, err := pgxpool.ParseConfig(raw)
	if pathErr, ok := errors.AsType[*fs.PathError](err); ok { // a certificate
		return nil, fmt.Errorf("a file of it cannot be read: %w", pathErr)
	}
	if err != nil || ambiguous(raw) {
		return nil, errors.New("it cannot be read as postgres://user:password@host:port/database?option=value; " +
			"special characters of the password are written as %40 for @, %2F for /, and so on")
	}
	if !strings.Contains(raw, "pool_max_conns=") {
		config.MaxConns = poolConns
	}
	config.MaxConns = max(config.MaxConns, fewestConns)
	return config, nil
}

// ambiguous reports whether a character in the password seems to end the first part of a URL: the rest of the password
// would be read, and shown, as the database's name.
func ambiguous(raw string) bool {
	u, err := url.Parse(raw)
	if err != nil || u.Opaque != "" || strings.ContainsRune(raw, '#') || strings.ContainsRune(u.EscapedPath(), '@') {
		return true
	}
	// An @ in the password: pgx ends the password at the first one, and takes what follows for the host.
	_, authority, _ := strings.Cut(raw, "://")
	if end := strings.IndexAny(authority, "/?"); end >= 0 {
		authority = authority[:end]
	}
	if strings.Count(authority, "@") > 1 {
		return true
	}
	for option := range u.Query() {
		if strings.ContainsAny(option, "@/:") {
			return true
		}
	}
	return false
}
