package bot

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"

	"github.com/missingkbs/missingkbs/bot/admission"
	"github.com/missingkbs/missingkbs/commands"
	"github.com/missingkbs/missingkbs/internal/view"
)

// undrawable is a page that crashes whoever draws it.
func undrawable(_ context.Context, req commands.Request) (view.Page, error) {
	if len(req.Words) > 0 && req.Words[0] == "well" {
		return view.Page{Title: "well"}, nil
	}
	return view.Page{Title: "x", Parts: []view.Part{view.Table{
		Columns: []view.Column{{Key: "kb", Title: "KB"}},
		More:    view.LazyRows{Count: 1, Make: func(int) []view.Cell { panic("hunter2") }},
	}}}, nil
}

// A crash outside of a command ends nobody else's question, and whoever asked is told.
func TestCrashWhileDrawingIsAnswered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := &observer{}
		b := start(t, undrawable, Options{Observe: o.observe})
		b.events <- typed(1, "x")
		synctest.Wait()
		b.events <- typed(2, "well")
		synctest.Wait()
		// The second acknowledgement is nothing: sockets send each once.
		expect(t, b, "0s ack e1", "0s ack e1", "0s /r1 Something went wrong here", "0s ack e2 well")
		if text := b.log[2].Message.Text; strings.Contains(text, "hunter2") || !strings.Contains(text, "Reference: ") {
			t.Errorf("got %q", text)
		}
		if diff := cmp.Diff(map[string]int{"failed internal": 1, "answered": 1}, o.outcomes()); diff != "" {
			t.Errorf("observed (-want +got):\n%s", diff)
		}
		if l := b.bot.Load(); l.Running != 0 {
			t.Errorf("%d questions still run", l.Running)
		}
	})
}

// Nor does one of whoever observes, or of something small.
func TestOtherCrashes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := start(t, echo, Options{Observe: func(context.Context, Observation) { panic("hunter2") }})
		b.events <- typed(1, "x")
		synctest.Wait()
		expect(t, b, "0s ack e1 answer to x")

		done := false
		notice := func(do func()) bool {
			_, err := b.bot.notices.Submit(t.Context(), admission.Task{Person: "U1", Do: func(context.Context) { do() }})
			return err == nil
		}
		if !notice(func() { panic("hunter2") }) || !notice(func() { done = true }) {
			t.Error("no room")
		}
		synctest.Wait()
		if !done || b.bot.Stats().Dropped != 1 {
			t.Errorf("the next one is done: %v, counts %+v", done, b.bot.Stats())
		}
	})
	if err := guarded(func() { panic("hunter2") }); !errors.Is(err, commands.ErrPanic) {
		t.Errorf("got %v", err)
	}
}

// Where there is no response_url, whoever asked is told as well.
func TestCrashOutsideOfChannelsIsAnswered(t *testing.T) {
	for to, entry := range map[string]Entry{"home": EntryHome, "message": EntryModal} {
		synctest.Test(t, func(t *testing.T) {
			b := start(t, undrawable, Options{})
			b.bot.screens = timedScreens{b.fakeSlack}
			b.events <- entrances[entry].event(1, "U1", "T1", "", "x")
			synctest.Wait()
			got := b.withWords()
			if len(got) != 1 || got[0].To != to || !strings.Contains(got[0].Message.Text, "Something went wrong here") || strings.Contains(got[0].Message.Text, "hunter2") {
				t.Errorf("%s: sent %v", entry, got)
			}
		})
	}
}
