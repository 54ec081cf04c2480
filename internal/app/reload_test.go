package app

import (
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// A wrong secret is refused with every question. The settings are read every ten seconds all the same.
func TestRefusedSecretsReloadNowAndThen(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		reads := 0
		r := &reloader{log: discard, read: func() (Settings, error) {
			reads++
			return Settings{}, errors.New("no settings")
		}}
		refused := r.onRefusal()
		for range 60 { // a minute of twenty questions a second
			var asking sync.WaitGroup
			for range 20 {
				asking.Go(func() { refused(t.Context()) })
			}
			asking.Wait()
			time.Sleep(time.Second)
		}
		if reads != 6 {
			t.Errorf("the settings were read %d times in a minute, want 6", reads)
		}
	})
}
