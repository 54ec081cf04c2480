package main

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/missingkbs/missingkbs/api"
)

// spoken is a client of Defender that has heard a word.
type spoken struct{ word api.Word }

func (s *spoken) Word() api.Word { return s.word }

// A refusal that one process was given holds for the others and for those to come, until one of them is let in.
func TestARefusalHoldsForAll(t *testing.T) {
	t.Parallel()
	records := sqliteRecords(t)
	nine := time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)
	process := func() (*spoken, *standing) {
		client := &spoken{}
		return client, &standing{defender: client, keeper: records, log: slog.New(slog.DiscardHandler)}
	}
	say := func(c *spoken, s *standing, minute int, refusal *api.Error) {
		t.Helper()
		c.word = api.Word{At: nine.Add(time.Duration(minute) * time.Minute), Refusal: refusal}
		if err := s.look(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	want := func(what string, s *standing, refused bool) {
		t.Helper()
		if got := s.refused(t.Context()); got != refused {
			t.Errorf("%s: refused %v, want %v", what, got, refused)
		}
	}
	forbidden := &api.Error{Kind: api.ErrPermission, Status: 403}
	one, first := process()
	two, second := process()
	want("at first", first, false)
	say(one, first, 0, nil)
	say(two, second, 1, nil)
	say(one, first, 2, forbidden)
	want("who was refused", first, true)
	want("another", second, true)
	say(two, second, 3, nil) // it was let in before and after, so it writes nothing
	want("another that was let in later", second, false)
	three, third := process()
	want("one to come", third, true)
	say(three, third, 1, nil) // its word came late
	want("one to come, let in before", third, true)
	four, fourth := process()
	say(four, fourth, 4, nil)
	_, fifth := process()
	want("one to come after that", fifth, false)

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if s := (&standing{defender: &spoken{}, keeper: records}); !s.refused(ctx) {
		t.Error("where it cannot be told nothing is to be shown")
	}
}

// The last word is written when the program ends, too.
func TestStandingIsKeptAtTheEnd(t *testing.T) {
	t.Parallel()
	records := sqliteRecords(t)
	word := api.Word{At: time.Now(), Refusal: &api.Error{Kind: api.ErrCredential, Status: 401}}
	s := &standing{defender: &spoken{word}, keeper: records, log: slog.New(slog.DiscardHandler)}
	background(s.run)()
	if next := (&standing{defender: &spoken{}, keeper: records}); !next.refused(t.Context()) {
		t.Error("a process to come knows nothing of the refusal")
	}
}
