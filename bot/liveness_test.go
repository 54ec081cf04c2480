package bot

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/slack-go/slack/socketmode"
)

// stalling is a log that takes no lines, and so whoever writes any.
type stalling struct {
	slog.Handler
	until chan struct{}
}

func (s stalling) Enabled(context.Context, slog.Level) bool { return true }

func (s stalling) Handle(context.Context, slog.Record) error {
	<-s.until
	return nil
}

func TestLivenessTellsALoopThatIsStuck(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, until := NewLiveness(), make(chan struct{})
		beat := func() error {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			return p.Heartbeat(ctx)
		}
		if err := beat(); err != nil {
			t.Errorf("before there is a loop: %v", err)
		}
		b := start(t, slow(4*time.Second), Options{Liveness: p, Log: slog.New(stalling{slog.DiscardHandler, until})})
		synctest.Wait()
		b.events <- typed(1, "x")
		if err := beat(); err != nil {
			t.Errorf("while a question is answered: %v", err)
		}
		b.events <- socketmode.Event{Type: "brand_new", Request: &socketmode.Request{EnvelopeID: "e9"}} // is logged by the loop
		if err := beat(); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("while the loop is stuck: got %v, want the end of the wait", err)
		}
		close(until)
		if err := beat(); err != nil {
			t.Errorf("when it is free again: %v", err)
		}
		b.stop()
		synctest.Wait()
		if err := beat(); err != nil {
			t.Errorf("while it waits for what runs: %v", err)
		}
		b.finish()
		if err := beat(); err != nil {
			t.Errorf("after its end: %v", err)
		}
	})
}
