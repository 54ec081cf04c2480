//go:build unix

package store

import (
	"io/fs"

	"golang.org/x/sys/unix"
)

// mayWrite asks the system whether files may be made in a folder; nothing is made.
func mayWrite(folder string) error { return unix.Access(folder, unix.W_OK|unix.X_OK) }

// exposed reports whether others than the owner may read a file.
func exposed(m fs.FileMode) bool { return m.Perm()&0o044 != 0 }
