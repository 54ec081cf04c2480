package main

import (
	"context"
	"errors"
	"io"
	"strings"
	"time"

	"github.com/missingkbs/missingkbs/api"
	"github.com/missingkbs/missingkbs/commands"
	"github.com/missingkbs/missingkbs/internal/config"
	"github.com/missingkbs/missingkbs/internal/tty"
	"github.com/missingkbs/missingkbs/internal/view"
)

// minWatch is the shortest interval of --watch. Defender's own figures change every few hours.
const minWatch = 10 * time.Second

// readWatch returns the interval of --watch, 0 if it is not set.
func (c askCmd) readWatch(errs *config.Errors) time.Duration {
	if c.Watch == "" {
		return 0
	}
	if strings.EqualFold(c.Output, outputXLSX) {
		errs.Add("--watch", "repeats what a workbook holds once: leave one of --watch and -o xlsx out")
	}
	return errs.Duration("--watch", c.Watch, minWatch)
}

// keepAnswers makes the client keep answers for less than the interval of --watch, so that each question asks Defender again.
func (c askCmd) keepAnswers(o *api.Options) {
	if every := c.readWatch(&config.Errors{}); every > 0 && o.CacheTTL > 0 {
		o.CacheTTL = min(o.CacheTTL, every/2)
	}
}

// question is what ask asks.
type question struct {
	router  *commands.Router
	words   []string
	timeout time.Duration
	write   func(io.Writer, view.Page) error
}

// ask asks once. After a second a line on standard error says what it waits for, if standard error is a terminal.
func (q question) ask(ctx context.Context, s streams) (view.Page, error) {
	ctx, cancel := context.WithTimeout(ctx, q.timeout)
	defer cancel()
	if takesEscapes(s.err, s.env) {
		var progress *commands.Progress
		ctx, progress = commands.WithProgress(ctx)
		progress.Begin(time.Now().Add(q.timeout))
		stop := tty.Progress(s.err, terminalOf(s.err, s.env).Width, progress.Words)
		defer stop()
	}
	return q.router.Run(ctx, commands.Request{Words: q.words, Terminal: true})
}

// watch asks until ctx ends. A failure is shown, and the question asked again; wrong use ends it.
func (q question) watch(ctx context.Context, every time.Duration, s streams) error {
	w := tty.Watch{Every: every, Write: q.write, Out: s.out}
	if takesEscapes(s.out, s.env) {
		t := terminalOf(s.out, s.env)
		w.Screen = &t
	}
	w.Ask = func(ctx context.Context) (view.Page, error) {
		page, err := q.ask(ctx, s)
		if own, ok := errors.AsType[*commands.Error](err); ok && own.Usage && ctx.Err() == nil {
			return page, report(s, err)
		}
		if err != nil {
			page = commands.Explain(err)
		}
		return page, nil
	}
	return w.Run(ctx)
}
