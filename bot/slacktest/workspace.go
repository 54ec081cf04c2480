package slacktest

import (
	"context"
	"testing"
	"time"

	"github.com/missingkbs/missingkbs/internal/sandbox"
)

// Start starts a sandbox for one test.
func Start(t *testing.T, o sandbox.Options) *sandbox.Workspace {
	t.Helper()
	w, err := sandbox.Start(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.Close(); err != nil {
			t.Error(err)
		}
	})
	return w
}

// Soon returns a context for what should happen quickly.
func Soon(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	t.Cleanup(cancel)
	return ctx
}

// Calls counts the calls of a method that reached the workspace.
func Calls(w *sandbox.Workspace, method string) int {
	n := 0
	for _, c := range w.Trace() {
		if c.Name == method {
			n++
		}
	}
	return n
}
