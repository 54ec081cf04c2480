//go:build !linux

package sqlitefile

import "os"

// allocate reserves n bytes for a file.
func allocate(file *os.File, n int64) error { return fill(file, n) }

// freeBytes knows nothing on this system.
func freeBytes(string) (n int64, known bool) { return 0, false }
