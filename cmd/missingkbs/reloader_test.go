package main

import (
	"errors"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/alecthomas/kong"
)

// Secrets that are simply wrong are refused with every question; the settings are looked at now and then all the same.
func TestRefusedSecretsAreLookedAtNowAndThen(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		looks := 0
		r := &reloader{log: slog.New(slog.DiscardHandler)}
		r.streams.again = func() (*cli, *kong.Context, error) {
			looks++
			return nil, nil, errors.New("no settings")
		}
		refused := r.refused()
		for range 60 { // a minute of twenty questions a second
			var asking sync.WaitGroup
			for range 20 {
				asking.Go(func() { refused(t.Context()) })
			}
			asking.Wait()
			time.Sleep(time.Second)
		}
		if looks != 6 {
			t.Errorf("the settings were read %d times in a minute, want 6", looks)
		}
	})
}
