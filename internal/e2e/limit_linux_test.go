package e2e

import (
	"os"
	"testing"

	"golang.org/x/sys/unix"
)

// limitFiles lets no file of the program grow any more: the disk of a database that is full.
func limitFiles(t *testing.T, w *world, path string) {
	t.Helper()
	info, err := os.Stat(path + "-wal")
	if err != nil {
		t.Fatal(err)
	}
	size := uint64(info.Size()) //nolint:gosec // a size is not negative
	if err := unix.Prlimit(w.process.Process.Pid, unix.RLIMIT_FSIZE, &unix.Rlimit{Cur: size, Max: unix.RLIM_INFINITY}, nil); err != nil {
		t.Fatal(err)
	}
}
