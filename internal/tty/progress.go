// Package tty keeps a person at a terminal informed: it has a progress line, a prompt for questions, and a watch that
// repeats a question. It writes to the writers it is given. It does not know what is asked, nor whether there is a
// terminal: callers do.
package tty

import (
	"io"
	"strings"
	"sync"
	"time"

	"github.com/missingkbs/missingkbs/internal/view"
)

const (
	// patience is the delay before anything is shown. Most answers take less.
	patience = time.Second
	// clearLine moves to the start of the line and clears it.
	clearLine = "\r\x1b[K"
)

// Progress shows on one line of w what is being waited for, in the current words, after a second. width bounds the
// line; 0 if unknown. stop ends it and clears the line; it may be called twice.
func Progress(w io.Writer, width int, words func() string) (stop func()) {
	done := make(chan struct{})
	var shown sync.WaitGroup
	shown.Go(func() {
		ticks := time.NewTicker(patience)
		defer ticks.Stop()
		for last := ""; ; {
			select {
			case <-done:
				if last != "" {
					_, _ = io.WriteString(w, clearLine) // an error does not matter: the answer does
				}
				return
			case <-ticks.C:
			}
			if line := fit(view.OneLine(words()), width); line != last {
				_, _ = io.WriteString(w, clearLine+line)
				last = line
			}
		}
	})
	end := sync.OnceFunc(func() { close(done) })
	return func() {
		end()
		shown.Wait()
	}
}

// fit shortens a line so that it does not wrap: a wrapped line cannot be cleared.
func fit(line string, width int) string {
	runes := []rune(line)
	if width <= 0 || len(runes) < width {
		return line
	}
	return strings.TrimSpace(string(runes[:max(width-2, 0)])) + "…"
}
