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

// ErrNoAnswer says that the input ended before a question was answered.
var ErrNoAnswer = errors.New("the input ended before this was answered")

// maxAnswer bounds one line of input. No setting is longer.
const maxAnswer = 64 << 10

// Prompt asks questions and reads the answers, a line each: of a person at a terminal, or of a script on a pipe. It is not
// safe for concurrent use.
type Prompt struct {
	out      io.Writer
	in       *bufio.Reader
	terminal *os.File // nil for a pipe
}

// NewPrompt returns a prompt that reads from in. On a terminal secrets are not echoed.
func NewPrompt(in io.Reader, out io.Writer) *Prompt {
	p := &Prompt{out: out, in: bufio.NewReaderSize(in, maxAnswer)}
	if f, ok := in.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		p.terminal = f
	}
	return p
}

// Person returns true if the answers come from a terminal. A script cannot be asked again.
func (p *Prompt) Person() bool { return p.terminal != nil }

// Line asks a question and returns the answer without white space around it. It returns the cause if ctx ends first, and
// [ErrNoAnswer] at the end of the input.
func (p *Prompt) Line(ctx context.Context, question string) (string, error) {
	return p.ask(ctx, question, p.readLine)
}

// Secret is [Prompt.Line] for an answer that must not be seen on the screen.
func (p *Prompt) Secret(ctx context.Context, question string) (string, error) {
	if p.terminal == nil {
		return p.Line(ctx, question)
	}
	state, err := term.GetState(int(p.terminal.Fd()))
	if err != nil {
		return "", fmt.Errorf("hide what is typed: %w", err)
	}
	// After an interrupt the read goes on in the background, so its own restoring comes too late.
	defer func() { _ = term.Restore(int(p.terminal.Fd()), state) }()
	answer, err := p.ask(ctx, question, func() (string, error) {
		text, err := term.ReadPassword(int(p.terminal.Fd()))
		return string(text), err
	})
	fmt.Fprintln(p.out) // the person's own line break was not echoed either
	return answer, err
}

// ask waits for an answer or for the end of ctx. The read itself cannot be ended, so it is left behind then.
func (p *Prompt) ask(ctx context.Context, question string, read func() (string, error)) (string, error) {
	if err := ctx.Err(); err != nil {
		return "", context.Cause(ctx)
	}
	fmt.Fprint(p.out, question, ": ")
	type result struct {
		text string
		err  error
	}
	answered := make(chan result, 1)
	go func() {
		text, err := read()
		answered <- result{text, err}
	}()
	select {
	case <-ctx.Done():
		fmt.Fprintln(p.out)
		return "", context.Cause(ctx)
	case r := <-answered:
		if p.terminal == nil {
			fmt.Fprintln(p.out) // a script does not end the line of the question
		}
		if errors.Is(r.err, io.EOF) {
			return "", ErrNoAnswer
		}
		return strings.TrimSpace(r.text), r.err
	}
}

func (p *Prompt) readLine() (string, error) {
	line, err := p.in.ReadSlice('\n')
	switch {
	case errors.Is(err, bufio.ErrBufferFull):
		return "", fmt.Errorf("an answer is longer than %d KiB, which no setting is", maxAnswer>>10)
	case errors.Is(err, io.EOF) && len(line) > 0:
		return string(line), nil // the last line of a script may lack its end
	}
	return string(line), err
}
