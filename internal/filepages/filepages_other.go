//go:build !linux

package filepages

// Drop does nothing.
func Drop() error { return nil }
