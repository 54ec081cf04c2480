package tty

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"
)

// A script answers a line each; the last may lack its end, and after it there is none.
func TestPromptOnAPipe(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	p := NewPrompt(strings.NewReader(" one \r\n\nhidden"), &out)
	for _, want := range []string{"one", ""} {
		if got, err := p.Line(t.Context(), "Value"); err != nil || got != want {
			t.Errorf("got %q, %v; want %q", got, err, want)
		}
	}
	if got, err := p.Secret(t.Context(), "Secret"); err != nil || got != "hidden" || p.Person() {
		t.Errorf("got %q, %v", got, err)
	}
	if got, err := p.Line(t.Context(), "More"); !errors.Is(err, ErrNoAnswer) {
		t.Errorf("got %q, %v", got, err)
	}
	if got, want := out.String(), "Value:\nValue:\nSecret:\nMore:\n"; got != want {
		t.Errorf("shown %q, want %q", got, want)
	}
	long := NewPrompt(strings.NewReader(strings.Repeat("x", 2*maxAnswer)+"\n"), io.Discard)
	if _, err := long.Line(t.Context(), "Value"); err == nil || !strings.Contains(err.Error(), "64 KiB") {
		t.Errorf("a long line: %v", err)
	}
}

// An interrupt ends a question that is not answered.
func TestPromptEndsWithItsContext(t *testing.T) {
	t.Parallel()
	in, typed := io.Pipe()
	defer typed.Close()
	ctx, stop := context.WithCancel(t.Context())
	p := NewPrompt(in, io.Discard)
	ended := make(chan error)
	go func() {
		_, err := p.Line(ctx, "Value")
		ended <- err
	}()
	stop()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("ended by %v", err)
	}
	if _, err := p.Line(ctx, "Value"); !errors.Is(err, context.Canceled) {
		t.Errorf("asked after the end: %v", err)
	}
}
