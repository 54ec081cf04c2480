//go:build !unix

package sqlitefile

import (
	"io/fs"
	"syscall"
)

// canWrite knows nothing on this system.
func canWrite(string) error { return nil }

// exposed knows nothing here: permissions are not those of Unix.
func exposed(fs.FileMode) bool { return false }

// replaceable knows nothing on this system.
func replaceable(fs.FileMode) bool { return false }

// errQuota is Windows' ERROR_DISK_FULL, which is not ENOSPC.
var errQuota error = syscall.Errno(112)

// fileSizeLimit knows nothing on this system.
func fileSizeLimit() int64 { return 0 }
