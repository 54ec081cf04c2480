package sandbox

import (
	"context"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// workspace starts a workspace that ends with the test.
func workspace(t *testing.T, o Options) *Workspace {
	t.Helper()
	return quick(t, o, func(*timing) {})
}

// quick is a workspace whose waiting times a test shortens.
func quick(t *testing.T, o Options, shorten func(*timing)) *Workspace {
	t.Helper()
	if o.Command == "" {
		o.Command = "/missingkbs"
	}
	spans := slackTiming()
	shorten(&spans)
	w, err := start(o, spans)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return w
}

// soon is a context for what should happen at once.
func soon(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	t.Cleanup(cancel)
	return ctx
}
