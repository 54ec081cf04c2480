package store

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

// sqliteConns bounds the connections that queries share: readers do not wait for the one writer, and more connections
// only wait for each other.
const sqliteConns = 4

func (s *Store) openSQLite(ctx context.Context, path string) error {
	return s.openError(s.openSQLiteFile(ctx, path))
}

func (s *Store) openSQLiteFile(ctx context.Context, path string) error {
	s.lite, s.path = true, path
	if err := createFile(path); err != nil {
		return err
	}
	made := slices.DeleteFunc(sqliteFiles(path), func(file string) bool { return !missing(file) })
	var err error
	if s.db, err = openFile(ctx, path, "immediate"); err != nil {
		return err
	}
	s.db.SetMaxOpenConns(sqliteConns)
	// River wants one connection only, and would wait for itself while a transaction of ours held it.
	if s.jobs, err = openFile(ctx, path, "immediate"); err != nil {
		return err
	}
	s.jobs.SetMaxOpenConns(1)
	if s.health.file, err = os.Stat(path); err != nil {
		return fmt.Errorf("look at the database file: %w", err)
	}
	if _, err := s.db.ExecContext(ctx, "SELECT count(*) FROM sqlite_master"); err != nil { // makes the files beside the database
		return fmt.Errorf("read the database file %s: %w", path, err)
	}
	return tighten(made)
}

// tighten makes files that SQLite has made beside a database readable for their owner only. SQLite gives them the permissions
// of the database, which may be wider and not ours to change.
func tighten(files []string) error {
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

// createFile makes a database file that only its owner can read, in a folder of the same kind, unless they are there.
// SQLite gives its other files the permissions of this one.
func createFile(path string) error {
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

// pathCause names the folder and not the file that was tried in it, whose name says nothing.
func pathCause(err error) error {
	if p, ok := errors.AsType[*fs.PathError](err); ok {
		return fmt.Errorf("%s: %w", filepath.Dir(p.Path), p.Err)
	}
	return err
}

// openFile opens a SQLite file. lock says when a transaction takes its lock: "immediate" at its begin, since one that
// began by reading could not become a writer once another had written, and would fail in place of waiting.
func openFile(ctx context.Context, path, lock string) (*sql.DB, error) {
	query := url.Values{"_txlock": {lock}, "_pragma": {"busy_timeout(10000)", "journal_mode(WAL)", "synchronous(NORMAL)"}}
	if lock == "exclusive" { // a lock file, which never holds anything
		query["_pragma"] = []string{"busy_timeout(60000)"}
	}
	return openNamed(ctx, path, query)
}

func openNamed(ctx context.Context, path string, query url.Values) (*sql.DB, error) {
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
