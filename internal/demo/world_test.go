package demo

import (
	"context"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/missingkbs/missingkbs/commands"
	"github.com/missingkbs/missingkbs/internal/deadline"
	"github.com/missingkbs/missingkbs/internal/manifest"
	"github.com/missingkbs/missingkbs/internal/sandbox"
)

// world is a sandbox that runs, as Alice sees it in #patching.
type world struct {
	*Demo
	t   *testing.T
	ctx context.Context
}

// patience bounds one wait on a machine that has much else to do.
const patience = 2 * time.Minute

func startWorld(t *testing.T, sla string, faults ...string) world {
	t.Helper()
	policy, err := deadline.Parse(sla)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	d, err := Start(ctx, Options{Deadlines: policy, Faults: faults, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- d.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Errorf("the bot ended: %v", err)
		}
		d.Close()
	})
	w := world{d, t, ctx}
	connecting, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if err := d.WaitConnected(connecting); err != nil {
		t.Fatal(err)
	}
	return w
}

// ask types words after the command and returns the answer.
func (w world) ask(words string) string {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.ctx, patience)
	defer cancel()
	before := len(w.workspace.Messages(sandbox.Patching, sandbox.Alice))
	if sent, err := w.workspace.Command(ctx, sandbox.Alice, sandbox.Patching, manifest.Command+" "+words); err != nil || sent.Err != "" {
		w.t.Fatalf("%s: %v %s", words, err, sent.Err)
	}
	var answer sandbox.Message
	err := w.workspace.Wait(ctx, func() bool {
		all := w.workspace.Messages(sandbox.Patching, sandbox.Alice)
		for _, m := range all[min(before, len(all)):] {
			// On a busy machine a line may come first that says what the answer waits for.
			if m.Kind == sandbox.KindApp && m.EphemeralFor == sandbox.Alice && !commands.IsWaiting(m.Text) {
				answer = m
				return true
			}
		}
		return false
	})
	if err != nil {
		w.t.Fatalf("%s: %v", words, err)
	}
	return sandbox.Unescape(answer.Text)
}

// travel moves the clock on, with all that is due on the way.
func (w world) travel(d time.Duration) {
	w.t.Helper()
	if err := w.workspace.Travel(w.ctx, d); err != nil {
		w.t.Fatal(err)
	}
}

// posted are the messages for everybody, oldest first.
func (w world) posted() []sandbox.Message {
	var all []sandbox.Message
	for _, m := range w.workspace.Messages(sandbox.Patching, sandbox.Alice) {
		if m.Kind == sandbox.KindApp && m.EphemeralFor == "" {
			all = append(all, m)
		}
	}
	return all
}

// says checks that a text has each of some words.
func (w world) says(text string, words ...string) {
	w.t.Helper()
	for _, want := range words {
		if !strings.Contains(text, want) {
			w.t.Errorf("it lacks %q:\n%s", want, text)
		}
	}
}

const week = 7 * 24 * time.Hour
