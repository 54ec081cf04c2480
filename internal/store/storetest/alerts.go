package storetest

import (
	"errors"
	"strconv"
	"sync"
)

// Processes that change a state at once each see what the one before has made of it.
func alertStates(in test) {
	t, s := in.T, in.store
	none, err := s.AlertStates(t.Context())
	must(t, err)
	diff(t, "no states", map[string]string{}, none)
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			err := s.ChangeAlertState(t.Context(), "throttled", func(state string) (string, error) {
				n, _ := strconv.Atoi(state) // empty at first
				return strconv.Itoa(n + 1), nil
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	refuse := errors.New("no")
	if err := s.ChangeAlertState(t.Context(), "throttled", func(string) (string, error) { return "0", refuse }); !errors.Is(err, refuse) {
		t.Errorf("got %v", err)
	}
	must(t, s.ChangeAlertState(t.Context(), "licence", func(string) (string, error) { return "x", nil }))
	got, err := s.AlertStates(t.Context())
	must(t, err)
	diff(t, "states", map[string]string{"throttled": "16", "licence": "x"}, got)
}
