package main

import (
	"io"
	"os"
	"strconv"

	"golang.org/x/term"

	"github.com/missingkbs/missingkbs/internal/logging"
	"github.com/missingkbs/missingkbs/internal/view"
)

// minWidth is the smallest width that is believed. Below it the width counts as unknown.
const minWidth = 20

// terminalOf describes the terminal of w. It returns the zero value for a file or a pipe. COLUMNS wins over the width of the
// system. NO_COLOR (https://no-color.org) switches colours off.
func terminalOf(w io.Writer, env func(string) (string, bool)) view.Terminal {
	if !logging.IsTerminal(w) {
		return view.Terminal{}
	}
	var t view.Terminal
	if f, ok := w.(*os.File); ok {
		if width, _, err := term.GetSize(int(f.Fd())); err == nil && width >= minWidth {
			t.Width = width
		}
	}
	if set, ok := env("COLUMNS"); ok {
		if width, err := strconv.Atoi(set); err == nil && width >= minWidth {
			t.Width = width
		}
	}
	noColor, _ := env("NO_COLOR")
	t.Color = noColor == "" && takesEscapes(w, env)
	return t
}

// takesEscapes returns true for a terminal whose lines and screen can be cleared.
func takesEscapes(w io.Writer, env func(string) (string, bool)) bool {
	kind, _ := env("TERM")
	return logging.IsTerminal(w) && kind != "dumb"
}
