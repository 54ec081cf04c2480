package config

import (
	"fmt"
	"log/slog"
	"slices"
	"strings"
)

// UsageError reports wrong use of the program. A restart with the same flags, settings and files fails again.
type UsageError struct{ Err error }

// Error implements error.
func (e UsageError) Error() string { return e.Err.Error() }

// Unwrap returns the error without the classification.
func (e UsageError) Unwrap() error { return e.Err }

// Errors collects what is wrong with settings, and warnings about settings that work. Texts never repeat a value, because
// it may be a secret. The zero value is ready to use. It is not safe for concurrent use.
type Errors struct {
	errors   []error
	warnings []string
}

// Add adds an error: what is wrong with a setting, and which value is right.
func (e *Errors) Add(setting, format string, args ...any) {
	e.errors = append(e.errors, fmt.Errorf("%s %s", setting, fmt.Sprintf(format, args...)))
}

// warn adds a warning about a setting that works.
func (e *Errors) warn(setting, text string) {
	e.warnings = append(e.warnings, setting+" "+text)
}

// All returns the errors in the order in which they were found. Each text begins with the name of the setting.
func (e *Errors) All() []error { return e.errors }

// Warnings returns the warnings, each beginning with the name of the setting. There may be duplicates.
func (e *Errors) Warnings() []string { return e.warnings }

// Err returns all errors as one [UsageError] with a line for each, or nil.
func (e *Errors) Err() error {
	if len(e.errors) == 0 {
		return nil
	}
	lines := make([]string, len(e.errors))
	for i, err := range e.errors {
		lines[i] = "  - " + err.Error()
	}
	return UsageError{fmt.Errorf("these settings are wrong (flags, environment or the file of --config):\n%s", strings.Join(lines, "\n"))}
}

// LogWarnings logs each warning once, although several readers may have found it, and forgets them.
func (e *Errors) LogWarnings(log *slog.Logger) {
	slices.Sort(e.warnings)
	for _, text := range slices.Compact(e.warnings) {
		log.Warn("a setting should be changed", "setting", text)
	}
	e.warnings = nil
}
