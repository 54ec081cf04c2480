//go:build !unix

package store

import "io/fs"

// mayWrite is not known here.
func mayWrite(string) error { return nil }

// exposed is not known here: permissions are not those of Unix.
func exposed(fs.FileMode) bool { return false }
