//go:build !linux

package sqlitefile

// networkFileSystem knows nothing on this system.
func networkFileSystem(string) string { return "" }
