package feeds

import (
	"context"
	"time"

	"github.com/missingkbs/missingkbs/internal/store"
)

// State is what operators see of a feed.
type State struct {
	store.Feed
	Data      time.Time // date of the newest document; zero if there is none
	Newest    string    // the newest document of MSRC, such as 2026-Nov
	Documents int
	Entries   int // updates, or entries of the list
}

// Operators are warned about data older than this. The limits are longer than those on pages where a publisher may
// pause, as CISA does over holidays.
const (
	staleKEV  = 7 * 24 * time.Hour
	staleMSRC = 35 * 24 * time.Hour
)

// Stale reports whether there is data and it is too old.
func (s State) Stale(now time.Time) bool {
	limit := staleMSRC
	if s.Name == KEV {
		limit = staleKEV
	}
	return !s.Data.IsZero() && now.Sub(s.Data) > limit
}

// States returns the state of each feed, in the order of [Names].
func States(ctx context.Context, s Store) ([]State, error) {
	known, err := s.Feeds(ctx)
	if err != nil {
		return nil, err
	}
	documents, err := s.FeedDocuments(ctx)
	if err != nil {
		return nil, err
	}
	states := make([]State, 0, len(Names()))
	for _, name := range Names() {
		state := State{Feed: store.Feed{Name: name}}
		for _, f := range known {
			if f.Name == name {
				state.Feed = f
			}
		}
		var newest time.Time
		for _, d := range documents {
			if d.Feed != name {
				continue
			}
			state.Documents++
			state.Entries += d.Entries
			if d.Revised.After(state.Data) {
				state.Data = d.Revised
			}
			if name == MSRC && d.Released.After(newest) {
				newest, state.Newest = d.Released, d.ID
			}
		}
		states = append(states, state)
	}
	return states, nil
}
