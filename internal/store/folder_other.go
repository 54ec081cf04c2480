//go:build !unix

package store

import (
	"io/fs"
	"syscall"
)

// mayWrite is not known here.
func mayWrite(string) error { return nil }

// exposed is not known here: permissions are not those of Unix.
func exposed(fs.FileMode) bool { return false }

// openFolder is not known here.
func openFolder(fs.FileMode) bool { return false }

// errQuota is Windows' ERROR_DISK_FULL, which is no ENOSPC.
var errQuota error = syscall.Errno(112)

// fileSizeLimit is not known here.
func fileSizeLimit() int64 { return 0 }
