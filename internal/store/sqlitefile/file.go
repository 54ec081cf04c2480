// Package sqlitefile handles the files of a SQLite database: it makes them private to their owner, opens them, checks that
// they can grow, and returns what the file system says of them. It knows file systems and SQLite's file names and options.
// It knows no tables, and it does not know what an error means for the program.
package sqlitefile

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"slices"

	_ "modernc.org/sqlite" // the driver
)

// Paths returns the paths of a database and of the two files that SQLite keeps beside it.
func Paths(path string) []string { return []string{path, path + "-wal", path + "-shm"} }

// Missing returns those of the files of [Paths] that do not exist yet.
func Missing(path string) []string {
	return slices.DeleteFunc(Paths(path), func(file string) bool { return !missing(file) })
}

// Tighten makes files that SQLite has made beside a database readable for their owner only. SQLite gives them the
// permissions of the database, which may be wider and are not ours to change.
func Tighten(files []string) error {
	for _, file := range files {
		info, err := os.Stat(file)
		if errors.Is(err, fs.ErrNotExist) || err == nil && !exposed(info.Mode()) {
			continue
		}
		if err == nil {
			err = os.Chmod(file, 0o600)
		}
		if err != nil {
			return fmt.Errorf("make a file of the database private: %w", err)
		}
	}
	return nil
}

// Create makes a database file that only its owner can read, and its folder, unless they exist. SQLite gives its other
// files the permissions of this one.
func Create(path string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return fmt.Errorf("make the database's folder: %w", err)
	}
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return fmt.Errorf("open the database file for writing: %w", err)
	}
	if err := file.Close(); err != nil {
		return fmt.Errorf("open the database file: %w", err)
	}
	// The file alone is not enough: SQLite keeps two more beside it.
	probe, err := os.CreateTemp(filepath.Dir(path), ".missingkbs-*")
	if err != nil {
		return fmt.Errorf("write into the database's folder: %w", pathCause(err))
	}
	return errors.Join(probe.Close(), os.Remove(probe.Name()))
}

// pathCause replaces the name of a temporary file by its folder.
func pathCause(err error) error {
	if p, ok := errors.AsType[*fs.PathError](err); ok {
		return fmt.Errorf("%s: %w", filepath.Dir(p.Path), p.Err)
	}
	return err
}

// Open opens a database. lock says when a transaction takes its lock. It is "immediate" for databases: a transaction that
// begins by reading cannot write once another has written, and would fail instead of waiting. It is "exclusive" for lock
// files.
func Open(ctx context.Context, path, lock string) (*sql.DB, error) {
	query := url.Values{"_txlock": {lock}, "_pragma": {"busy_timeout(10000)", "journal_mode(WAL)", "synchronous(NORMAL)"}}
	if lock == "exclusive" { // a lock file, which stays empty
		query["_pragma"] = []string{"busy_timeout(60000)"}
	}
	return OpenWith(ctx, path, query)
}

// OpenWith opens a database with options of the driver.
func OpenWith(ctx context.Context, path string, query url.Values) (*sql.DB, error) {
	name := url.URL{Scheme: "file", Opaque: (&url.URL{Path: filepath.ToSlash(path)}).EscapedPath(), RawQuery: query.Encode()}
	d, err := sql.Open("sqlite", name.String())
	if err != nil {
		return nil, fmt.Errorf("open the database file %s: %w", path, err)
	}
	if err := d.PingContext(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("open the database file %s: %w", path, err), d.Close())
	}
	return d, nil
}
