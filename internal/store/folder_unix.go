//go:build unix

package store

import (
	"io/fs"

	"golang.org/x/sys/unix"
)

// mayWrite asks the system whether files may be made in a folder; nothing is made.
func mayWrite(folder string) error { return unix.Access(folder, unix.W_OK|unix.X_OK) }

// exposed reports whether others than the owner may read or change a file.
func exposed(m fs.FileMode) bool { return m.Perm()&0o066 != 0 }

// openFolder reports whether everybody may put files of their own in the place of those in a folder.
func openFolder(m fs.FileMode) bool { return m.Perm()&0o002 != 0 && m&fs.ModeSticky == 0 }

// errQuota is the error of a user whose share of the disk is used up.
var errQuota error = unix.EDQUOT

// fileSizeLimit is how long files may be that this process writes (ulimit -f); 0 for no limit.
func fileSizeLimit() int64 {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_FSIZE, &limit); err != nil || limit.Cur > 1<<62 {
		return 0
	}
	return int64(limit.Cur) //nolint:gosec // it is below
}
