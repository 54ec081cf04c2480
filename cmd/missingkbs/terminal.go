package main

import (
	"io"
	"os"
	"strconv"

	"golang.org/x/term"

	"github.com/missingkbs/missingkbs/internal/logging"
	"github.com/missingkbs/missingkbs/internal/view"
)

// narrowest is the width below which a window is taken for one whose width is not known.
const narrowest = 20

// terminalOf is what a person reads w on; the zero value where w is a file or a pipe. COLUMNS wins over what the system
// says, and NO_COLOR (https://no-color.org) switches colours off.
func terminalOf(w io.Writer, env func(string) (string, bool)) view.Terminal {
	if !logging.IsTerminal(w) {
		return view.Terminal{}
	}
	t := view.Terminal{Color: true}
	if f, ok := w.(*os.File); ok {
		if width, _, err := term.GetSize(int(f.Fd())); err == nil && width >= narrowest {
			t.Width = width
		}
	}
	if set, ok := env("COLUMNS"); ok {
		if width, err := strconv.Atoi(set); err == nil && width >= narrowest {
			t.Width = width
		}
	}
	noColor, _ := env("NO_COLOR")
	kind, _ := env("TERM")
	if noColor != "" || kind == "dumb" {
		t.Color = false
	}
	return t
}
