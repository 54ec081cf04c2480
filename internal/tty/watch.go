package tty

import (
	"bytes"
	"context"
	"io"
	"strings"
	"time"

	"github.com/missingkbs/missingkbs/internal/view"
)

const (
	clearScreen = "\x1b[H\x1b[2J\x1b[3J"
	reverse     = "\x1b[7m"
	plain       = "\x1b[0m"

	changeMark = "* " // before a changed line on terminals without colours
)

// Watch repeats a question.
type Watch struct {
	Every time.Duration // interval between questions
	// Ask returns the answer, or a page that explains a failure. An error ends the watch.
	Ask   func(ctx context.Context) (view.Page, error)
	Write func(w io.Writer, p view.Page) error // prints an answer on a pipe
	Out   io.Writer
	// Screen is the terminal that Out is. Each answer replaces the previous one, with changes highlighted. Nil is a
	// pipe, on which answers follow each other.
	Screen *view.Terminal
}

// Run asks until ctx is done, which is not an error. A question that takes longer than the interval delays the next
// one; missed ones are skipped.
func (w Watch) Run(ctx context.Context) error {
	ticks := time.NewTicker(w.Every)
	defer ticks.Stop()
	var before *view.Page
	for {
		page, err := w.Ask(ctx)
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return err
		}
		if err := w.show(before, page); err != nil {
			return err
		}
		before = &page
		select {
		case <-ctx.Done():
			return nil
		case <-ticks.C:
		}
	}
}

func (w Watch) show(before *view.Page, page view.Page) error {
	if w.Screen == nil {
		return w.Write(w.Out, page)
	}
	screen := *w.Screen
	if !screen.Color && screen.Width > 0 {
		screen.Width -= len(changeMark)
	}
	text, err := render(screen, page)
	if err != nil {
		return err
	}
	if before != nil {
		if text, err = mark(screen, text, *before, page); err != nil {
			return err
		}
	}
	now := time.Now()
	note := "Asked at " + now.Format(time.TimeOnly) + ", again every " + view.Age(w.Every) + ". Ctrl-C ends."
	_, err = io.WriteString(w.Out, clearScreen+text+"\n"+fit(note, w.Screen.Width)+"\n")
	return err
}

func render(t view.Terminal, page view.Page) (string, error) {
	var b bytes.Buffer
	err := t.Write(&b, page)
	return b.String(), err
}

// mark highlights the lines that the previous answer did not have, or marks them on terminals without colours. The time
// of the data changes with each answer, so it is not highlighted.
func mark(screen view.Terminal, text string, before, page view.Page) (string, error) {
	before.AsOf, page.AsOf = view.AsOf{}, view.AsOf{}
	bare := view.Terminal{Width: screen.Width}
	was, err := render(bare, before)
	if err != nil {
		return "", err
	}
	is, err := render(bare, page)
	if err != nil {
		return "", err
	}
	old, changed := map[string]bool{}, map[string]bool{}
	for l := range strings.Lines(was) {
		old[words(l)] = true
	}
	for l := range strings.Lines(is) {
		changed[words(l)] = !old[words(l)]
	}
	lines := strings.Split(text, "\n")
	for i, l := range lines {
		bare := escapes.Replace(l)
		switch {
		case !changed[words(bare)]:
		case screen.Color:
			lines[i] = reverse + bare + plain
		default:
			lines[i] = changeMark + bare
		}
	}
	return strings.Join(lines, "\n"), nil
}

// escapes removes the escapes that package view writes.
var escapes = strings.NewReplacer("\x1b[1m", "", "\x1b[2m", "", plain, "")

// words returns a line without its spaces: a longer number elsewhere widens a column, which changes no line.
func words(line string) string { return strings.Join(strings.Fields(line), " ") }
