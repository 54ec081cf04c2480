package app

import (
	"context"
	"testing"
	"time"

	"github.com/missingkbs/missingkbs/api"
)

// fixedResponse is a client whose last definite response is fixed.
type fixedResponse struct{ last api.AuthResult }

func (c *fixedResponse) AuthResult() api.AuthResult { return c.last }

// A refusal that one process was given holds for the others and for those to come, until one of them is let in.
func TestARefusalHoldsForAll(t *testing.T) {
	t.Parallel()
	database := openDatabase(t)
	nine := time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)
	process := func() (*fixedResponse, *authState) {
		client := &fixedResponse{}
		return client, newAuthState(client, database, discard)
	}
	say := func(c *fixedResponse, s *authState, minute int, refusal *api.Error) {
		t.Helper()
		c.last = api.AuthResult{At: nine.Add(time.Duration(minute) * time.Minute), Refusal: refusal}
		if err := s.write(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	want := func(what string, s *authState, refused bool) {
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
	if s := newAuthState(&fixedResponse{}, database, discard); !s.refused(ctx) {
		t.Error("where it cannot be told nothing is to be shown")
	}
}

// The last word is written when the program ends, too.
func TestAuthStateIsWrittenAtTheEnd(t *testing.T) {
	t.Parallel()
	database := openDatabase(t)
	word := api.AuthResult{At: time.Now(), Refusal: &api.Error{Kind: api.ErrCredential, Status: 401}}
	s := newAuthState(&fixedResponse{word}, database, discard)
	background(s.run)()
	if next := newAuthState(&fixedResponse{}, database, discard); !next.refused(t.Context()) {
		t.Error("a process to come knows nothing of the refusal")
	}
}
