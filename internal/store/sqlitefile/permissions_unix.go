//go:build unix

package sqlitefile

import (
	"io/fs"

	"golang.org/x/sys/unix"
)

// canWrite returns an error if the user cannot make files in a folder. It makes none.
func canWrite(folder string) error { return unix.Access(folder, unix.W_OK|unix.X_OK) }

// exposed returns true if other users may read or change a file.
func exposed(m fs.FileMode) bool { return m.Perm()&0o066 != 0 }

// replaceable returns true if other users may replace the files in a folder.
func replaceable(m fs.FileMode) bool { return m.Perm()&0o002 != 0 && m&fs.ModeSticky == 0 }

// errQuota says that the user's disk quota is used up.
var errQuota error = unix.EDQUOT

// fileSizeLimit returns the size limit of files that this process writes (ulimit -f), or 0 for none.
func fileSizeLimit() int64 {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_FSIZE, &limit); err != nil || limit.Cur > 1<<62 {
		return 0
	}
	return int64(limit.Cur) //nolint:gosec // it is below
}
