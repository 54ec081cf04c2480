package sqlitefile

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// allocate reserves n bytes for a file. Most file systems do it without writing.
func allocate(file *os.File, n int64) error {
	err := unix.Fallocate(int(file.Fd()), 0, 0, n) //nolint:gosec // a file descriptor fits
	if errors.Is(err, unix.EOPNOTSUPP) || errors.Is(err, unix.ENOSYS) {
		return fill(file, n)
	}
	return err
}

// freeBytes returns how much space the disk of a folder has for this user.
func freeBytes(folder string) (n int64, known bool) {
	var s unix.Statfs_t
	if unix.Statfs(folder, &s) != nil {
		return 0, false
	}
	return int64(s.Bavail) * int64(s.Bsize), true //nolint:gosec,unconvert // other machines have other types
}
