package storetest

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/missingkbs/missingkbs/internal/store"
)

// File puts an empty SQLite database where a URL expects one, unless the file exists. It is migrated as by
// [store.Store.Migrate], but once for all tests of a binary: under the race detector a migration takes a second, and a
// copy nothing. URLs of other databases are left alone. Tests about migrations or files do not use it.
func File(tb testing.TB, databaseURL string) {
	tb.Helper()
	path, lite := strings.CutPrefix(databaseURL, "sqlite://")
	if _, err := os.Stat(path); !lite || err == nil {
		return
	}
	raw, err := migrated()
	if err == nil {
		err = errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, raw, 0o600))
	}
	if err != nil {
		tb.Fatal(err)
	}
}

var migrated = sync.OnceValues(migrate)

// migrate makes a database and returns its file.
func migrate() (raw []byte, err error) {
	folder, err := os.MkdirTemp("", "storetest")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(folder)
	path := filepath.Join(folder, "new.db")
	ctx := context.Background() // shared by all tests
	s, err := store.Open(ctx, "sqlite://"+filepath.ToSlash(path), store.Options{})
	if err != nil {
		return nil, err
	}
	if err := errors.Join(s.Migrate(ctx), s.Close()); err != nil {
		return nil, err
	}
	return os.ReadFile(path)
}
