package storetest

import (
	"errors"
	"strconv"
	"sync"
)

// Processes that change a matter at once each see what the one before has made of it.
func matters(in test) {
	t, s := in.T, in.store
	none, err := s.Matters(t.Context())
	must(t, err)
	diff(t, "no matters", map[string]string{}, none)
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			err := s.ChangeMatter(t.Context(), "throttled", func(state string) (string, error) {
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
	if err := s.ChangeMatter(t.Context(), "throttled", func(string) (string, error) { return "0", refuse }); !errors.Is(err, refuse) {
		t.Errorf("got %v", err)
	}
	must(t, s.ChangeMatter(t.Context(), "licence", func(string) (string, error) { return "x", nil }))
	got, err := s.Matters(t.Context())
	must(t, err)
	diff(t, "matters", map[string]string{"throttled": "16", "licence": "x"}, got)
}
