// Package tty keeps a person at a terminal informed: by a line that says what is waited for, and by a question that is
// asked again and again. It writes to the writers it is given; what is asked, and whether there is a terminal at all, is the
// caller's affair.
package tty

import (
	"io"
	"strings"
	"sync"
	"time"

	"github.com/missingkbs/missingkbs/internal/view"
)

const (
	// patience is how long nothing is said. Most answers take less.
	patience = time.Second
	// clearLine moves to the start of the line and empties it.
	clearLine = "\r\x1b[K"
)

// Progress says on one line of w what is waited for, in the words of the moment, once a second has passed. The line is as
// wide as width at most; 0 is unknown. stop ends it and clears the line; it may be called twice.
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
					_, _ = io.WriteString(w, clearLine) // the answer matters, not the line
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

// fit shortens a line so that it does not go on below: a line that does cannot be cleared.
func fit(line string, width int) string {
	runes := []rune(line)
	if width <= 0 || len(runes) < width {
		return line
	}
	return strings.TrimSpace(string(runes[:max(width-2, 0)])) + "…"
}
