//go:build unix

package main

import (
	"io"
	"os"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/creack/pty"
)

// onTerminal runs the program in a window of some columns and returns what a person sees there.
func onTerminal(t *testing.T, columns uint16, vars map[string]string, args ...string) (seen string, code int) {
	t.Helper()
	window, terminal, err := pty.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer window.Close()
	if err := pty.Setsize(terminal, &pty.Winsize{Rows: 40, Cols: columns}); err != nil {
		t.Fatal(err)
	}
	read := make(chan string)
	go func() {
		b, _ := io.ReadAll(window) // ends with an error when the terminal is closed
		read <- strings.ReplaceAll(string(b), "\r\n", "\n")
	}()
	code = run(t.Context(), args, env(vars), streams{out: terminal, err: terminal})
	if err := terminal.Close(); err != nil {
		t.Fatal(err)
	}
	return <-read, code
}

// What is printed for a person fits the window, and knows colours; what is printed into a file does neither.
func TestAskOnATerminal(t *testing.T) {
	t.Parallel()
	plain := invoke(t, noEnv, "ask", "--sandbox", "help").out
	for name, c := range map[string]struct {
		columns    uint16
		vars       map[string]string
		want       int // the longest line
		wantColors bool
	}{
		"narrow":          {60, nil, 60, true},
		"wide":            {500, nil, 500, true},
		"COLUMNS":         {500, map[string]string{"COLUMNS": "70"}, 70, true},
		"no such COLUMNS": {90, map[string]string{"COLUMNS": "many"}, 90, true},
		"NO_COLOR":        {80, map[string]string{"NO_COLOR": "1"}, 80, false},
		"dumb":            {80, map[string]string{"TERM": "dumb"}, 80, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			seen, code := onTerminal(t, c.columns, c.vars, "ask", "--sandbox", "help")
			if code != exitDone {
				t.Fatalf("exit code %d: %s", code, seen)
			}
			bare := strings.NewReplacer("\x1b[1m", "", "\x1b[2m", "", "\x1b[0m", "").Replace(seen)
			if colours := bare != seen; colours != c.wantColors {
				t.Errorf("colours %v", colours)
			}
			longest := 0
			for line := range strings.SplitSeq(bare, "\n") {
				longest = max(longest, utf8.RuneCountInString(line))
			}
			if longest > c.want || c.want < 200 && longest < c.want/2 {
				t.Errorf("the longest line has %d characters, want %d at most", longest, c.want)
			}
			if c.want == 500 && bare != plain {
				t.Errorf("a wide terminal reads\n%s\na file\n%s", bare, plain)
			}
		})
	}
	if strings.Contains(plain, "\x1b") {
		t.Error("a file has colours")
	}
	if seen, code := onTerminal(t, 80, nil, "ask", "--sandbox", "microsoft-_-edge", "-o", "xlsx"); code != exitWrongUse || !strings.Contains(seen, "write it to a file") {
		t.Errorf("a workbook on the screen: %d, %s", code, seen)
	}
	if null, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0); err != nil {
		t.Fatal(err)
	} else if got := terminalOf(null, noEnv); got != terminalOf(io.Discard, noEnv) {
		t.Errorf("the null device is a terminal: %+v", got)
	}
}
