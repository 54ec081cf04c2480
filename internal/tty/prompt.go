package tty

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/term"
)

// ErrNoAnswer reports that the input ended before a question was answered: a pipe has no more lines, or the user typed
// Ctrl-C or Ctrl-D.
var ErrNoAnswer = errors.New("the input ended before this was answered")

// maxAnswer bounds one line of a pipe. No setting is longer.
const maxAnswer = 64 << 10

// Prompt asks questions and reads one line per answer: from a user at a terminal, or from a script on a pipe. It is not
// safe for concurrent use.
type Prompt struct {
	out    io.Writer
	pipe   *bufio.Reader
	file   *os.File       // the terminal; nil for a pipe
	screen *term.Terminal // edits and shows what the user types
}

// NewPrompt returns a prompt that reads from in and shows its questions on out. On a terminal secrets are not shown.
func NewPrompt(in io.Reader, out io.Writer) *Prompt {
	f, ok := in.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return &Prompt{out: out, pipe: bufio.NewReaderSize(in, maxAnswer)}
	}
	screen := term.NewTerminal(struct {
		io.Reader
		io.Writer
	}{f, out}, "")
	if width, height, err := term.GetSize(int(f.Fd())); err == nil && width > 0 {
		_ = screen.SetSize(width, height) // only a hint for long lines
	}
	return &Prompt{out: out, file: f, screen: screen}
}

// Person reports whether answers come from a terminal. A script cannot be asked again.
func (p *Prompt) Person() bool { return p.file != nil }

// Line asks a question and returns the answer without white space around it. It returns the cause if ctx ends first, and
// [ErrNoAnswer] at the end of the input.
func (p *Prompt) Line(ctx context.Context, question string) (string, error) {
	return p.ask(ctx, question, func(prompt string) (string, error) {
		p.screen.SetPrompt(prompt)
		return p.screen.ReadLine()
	})
}

// Secret is [Prompt.Line] for an answer that must not be seen on the screen.
func (p *Prompt) Secret(ctx context.Context, question string) (string, error) {
	return p.ask(ctx, question, func(prompt string) (string, error) { return p.screen.ReadPassword(prompt) })
}

// ask waits for an answer or the end of ctx. A read cannot be cancelled, so it is abandoned then.
func (p *Prompt) ask(ctx context.Context, question string, read func(prompt string) (string, error)) (string, error) {
	if ctx.Err() != nil {
		return "", context.Cause(ctx)
	}
	if p.file == nil {
		read = p.readLine
	} else {
		// The terminal must stop echoing before the question asks for a secret.
		state, err := term.MakeRaw(int(p.file.Fd()))
		if err != nil {
			return "", fmt.Errorf("read from the terminal: %w", err)
		}
		defer func() { _ = term.Restore(int(p.file.Fd()), state) }()
	}
	type result struct {
		text string
		err  error
	}
	answered := make(chan result, 1)
	go func() {
		text, err := read(question + ": ")
		answered <- result{text, err}
	}()
	select {
	case <-ctx.Done():
		return "", context.Cause(ctx)
	case r := <-answered:
		if errors.Is(r.err, io.EOF) {
			return "", ErrNoAnswer
		}
		return strings.TrimSpace(r.text), r.err
	}
}

// readLine reads a line of a script. What it shows is a record of the questions, without the answers.
func (p *Prompt) readLine(prompt string) (string, error) {
	fmt.Fprintln(p.out, strings.TrimSpace(prompt))
	line, err := p.pipe.ReadSlice('\n')
	switch {
	case errors.Is(err, bufio.ErrBufferFull):
		return "", fmt.Errorf("an answer is longer than %d KiB, which no setting is", maxAnswer>>10)
	case errors.Is(err, io.EOF) && len(line) > 0:
		return string(line), nil // the last line may have no line break
	}
	return string(line), err
}
