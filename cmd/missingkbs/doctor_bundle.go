package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"slices"

	"github.com/alecthomas/kong"

	"github.com/missingkbs/missingkbs/commands/cmdline"
	"github.com/missingkbs/missingkbs/internal/bundle"
	"github.com/missingkbs/missingkbs/internal/config"
	"github.com/missingkbs/missingkbs/internal/doctor"
)

// maxLogFile bounds how much of a log is read, from its end.
const maxLogFile = 1 << 20

// checkBundle checks the flags of a bundle.
func (c doctorCmd) checkBundle(errs *config.Errors) {
	if c.Bundle == "" && c.Question != "" {
		errs.Add("--question", "belongs to --bundle")
	}
	if c.Bundle == "" && c.LogFile != "" {
		errs.Add("--log", "belongs to --bundle")
	}
	if c.Bundle != "" && c.Live != "" {
		errs.Add("--live", "makes a report of its own, without --bundle")
	}
	if c.Bundle != "" && c.Question != "" && c.Offline {
		errs.Add("--offline", "leaves no way to ask the question of --question")
	}
	if _, err := os.Lstat(c.Bundle); c.Bundle != "" && err == nil {
		errs.Add("--bundle", "names a file that is there already: choose another name")
	}
}

// writeBundle runs the checks, asks the question, and writes the archive. Failed checks do not make it fail.
func (c doctorCmd) writeBundle(ctx context.Context, s streams, checker *doctor.Checker, o doctor.Options, parsed *kong.Context) error {
	log, err := tail(c.LogFile)
	if err != nil {
		return config.UsageError{Err: fmt.Errorf("--log: %w", err)}
	}
	stop := waiting(s, "Checking")
	defer stop()
	given := config.Resolver{Env: o.Env, File: o.File}.Given(parsed)
	contents := bundle.Contents{
		Version: o.Version, Report: checker.Run(ctx, c.Offline), Origins: o.Origins, Values: withoutSecrets(given, parsed),
		Metrics: checker.Metrics(ctx), Log: log,
	}
	if c.Question != "" {
		contents.Question = c.ask(ctx, s)
	}
	stop()
	if ctx.Err() != nil {
		return errors.New("stopped; no bundle was written")
	}
	private := slices.Concat(slices.Collect(maps.Values(given)), checker.Private(), []string{c.Bundle, c.LogFile})
	if err := bundle.Save(c.Bundle, contents, bundle.NewMask(private...)); err != nil {
		return fmt.Errorf("no bundle was written: %w", err)
	}
	_, err = fmt.Fprintf(s.out, "Wrote %s. Its README.txt says what is in it: look through it before you send it.\n", c.Bundle)
	return err
}

// ask asks the question as the command ask does, and records the calls to Defender.
func (c doctorCmd) ask(ctx context.Context, s streams) *bundle.Question {
	q := &bundle.Question{Words: cmdline.Read(c.Question), Calls: bundle.NewRecorder()}
	ask := askCmd{
		Output: outputJSON, Timeout: c.Slack.Timeout, Defender: c.Defender, Quota: c.Quota, Store: c.Database, Deadline: c.Deadline,
		Log: config.Log{Level: "error", Format: c.Log.Format}, Words: q.Words, transport: q.Calls,
	}
	err := ask.answer(ctx, streams{in: s.in, out: io.Discard, err: io.Discard, env: s.env})
	if err != nil {
		q.Failure = err.Error()
	}
	return q
}

// withoutSecrets returns the values of all settings but secrets.
func withoutSecrets(given map[string]string, parsed *kong.Context) map[string]string {
	open := maps.Clone(given)
	for _, flag := range parsed.Flags() {
		if config.IsSecret(flag) {
			for _, name := range flag.Envs {
				delete(open, name)
				delete(open, name+config.FileSuffix)
			}
		}
	}
	return open
}

// tail returns the end of a file; nil without one.
func tail(path string) ([]byte, error) {
	if path == "" {
		return nil, nil
	}
	f, err := os.Open(path)
	if err != nil {
		if e, ok := errors.AsType[*fs.PathError](err); ok {
			err = e.Err
		}
		return nil, fmt.Errorf("%s cannot be read: %w", path, err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if over := info.Size() - maxLogFile; over > 0 {
		if _, err := f.Seek(over, io.SeekStart); err != nil {
			return nil, err
		}
	}
	return io.ReadAll(io.LimitReader(f, maxLogFile))
}
