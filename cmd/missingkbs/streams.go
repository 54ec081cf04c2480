package main

import (
	"errors"
	"io"
	"time"

	"github.com/alecthomas/kong"

	"github.com/missingkbs/missingkbs/commands"
	"github.com/missingkbs/missingkbs/internal/config"
	"github.com/missingkbs/missingkbs/internal/tty"
	"github.com/missingkbs/missingkbs/internal/view"
)

// Formats of answers other than text and CSV.
const (
	outputJSON = "json"
	outputXLSX = "xlsx"
)

// streams are where a command reads and writes, and how it reads its settings.
type streams struct {
	in       io.Reader
	out, err io.Writer
	env      func(string) (string, bool)
	again    func() (*cli, *kong.Context, error) // reads the settings again
}

// errStopped is the failure of a command that a signal has ended.
var errStopped = errors.New("stopped")

// errReported is a failure that the command has already reported in full.
var errReported = errors.New("already reported")

// reportedError is a failure that standard error already shows, with its cause.
type reportedError struct{ error }

func (reportedError) Is(target error) bool { return target == errReported }
func (e reportedError) Unwrap() error      { return e.error }

// report writes a failure for people.
func report(s streams, err error) error {
	if writeErr := terminalOf(s.err, s.env).Write(s.err, commands.Explain(err)); writeErr != nil {
		return writeErr
	}
	if own, ok := errors.AsType[*commands.Error](err); ok && own.Usage {
		return config.UsageError{Err: reportedError{err}}
	}
	return reportedError{err}
}

// waiting says on standard error, if that is a terminal, what a command does and for how long, once a second has passed. stop
// ends that; it may be called twice.
func waiting(s streams, doing string) (stop func()) {
	if !takesEscapes(s.err, s.env) {
		return func() {}
	}
	began := time.Now()
	return tty.Progress(s.err, terminalOf(s.err, s.env).Width, func() string { return doing + "… " + view.Age(time.Since(began)) })
}
