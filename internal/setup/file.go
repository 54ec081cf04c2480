package setup

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"github.com/goccy/go-yaml"

	"github.com/missingkbs/missingkbs/internal/config"
)

// head is the comment above the settings.
const head = "# Settings of missingkbs, written by missingkbs setup. It holds secrets: keep it from others (chmod 600).\n"

// checkPlace returns true if a file is there already. It fails if none can be written, before an operator has typed a line.
func checkPlace(path string) (there bool, err error) {
	if info, err := os.Stat(path); err == nil {
		if !info.Mode().IsRegular() {
			return false, config.UsageError{Err: fmt.Errorf("%s is no file; --file names another", path)}
		}
		there = true
	}
	probe, err := temporary(path)
	if err != nil {
		return false, config.UsageError{Err: fmt.Errorf("%s cannot be written (%w); --file names another", path, cause(err))}
	}
	_ = probe.Close()
	return there, os.Remove(probe.Name())
}

// temporary makes a file beside the one to write, which only its owner can read.
func temporary(path string) (*os.File, error) {
	return os.CreateTemp(filepath.Dir(path), ".missingkbs-setup-*")
}

func cause(err error) error {
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		return e.Err
	}
	return err
}

// write writes the settings in one step: other programs see the old file or the whole new one. Without replace it fails if a
// file has appeared in the meantime.
func write(path string, values map[string]string, replace bool) (err error) {
	var lines yaml.MapSlice
	for _, name := range slices.Sorted(maps.Keys(values)) {
		lines = append(lines, yaml.MapItem{Key: name, Value: values[name]})
	}
	body, err := yaml.Marshal(lines)
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	file, err := temporary(path)
	if err != nil {
		return fmt.Errorf("write %s: %w", path, cause(err))
	}
	defer func() { _ = os.Remove(file.Name()) }() // it no longer exists after success
	_, err = file.WriteString(head + string(body))
	err = errors.Join(err, file.Sync(), file.Close())
	if err != nil {
		return fmt.Errorf("write %s: %w", path, cause(err))
	}
	if !replace {
		if err := os.Link(file.Name(), path); err == nil {
			return nil
		} else if errors.Is(err, fs.ErrExist) {
			return fmt.Errorf("%s has appeared in the meantime and was kept: start again, or name another with --file", path)
		}
		// On file systems without links nothing else fails if the file exists; it did not at the beginning.
	}
	if err := os.Rename(file.Name(), path); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return nil
}
