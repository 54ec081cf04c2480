package sqlitefile

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// State is what the file system says of a SQLite database.
type State struct {
	File     string
	Missing  bool     // the file does not exist yet
	Exposed  []string // files of the database that other users can read or change
	Open     string   // its folder, if other users can replace files in it; else empty
	Network  string   // the kind of network file system, such as "NFS"; empty if none is known
	Full     bool     // its disk is full
	ReadOnly error    // why no file can be made in its folder; nil if one can, or if that is unknown
}

// Inspect returns the state of the database at path. It changes nothing.
func Inspect(path string) State {
	f := State{File: path, Missing: missing(path)}
	for _, file := range Paths(path) {
		if info, err := os.Stat(file); err == nil && exposed(info.Mode()) {
			f.Exposed = append(f.Exposed, file)
		}
	}
	folder := filepath.Dir(path)
	if info, err := os.Stat(folder); err == nil && replaceable(info.Mode()) {
		f.Open = folder
	}
	for parent := filepath.Dir(folder); missing(folder) && parent != folder; parent = filepath.Dir(folder) {
		folder = parent // the rest is made with the file
	}
	f.Network = networkFileSystem(folder)
	free, known := freeBytes(folder)
	f.Full = known && free < MinSpace
	if err := canWrite(folder); err != nil {
		f.ReadOnly = fmt.Errorf("%s: %w", folder, err)
	}
	return f
}

func missing(path string) bool {
	_, err := os.Stat(path)
	return errors.Is(err, os.ErrNotExist)
}
