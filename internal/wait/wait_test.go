package wait_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/missingkbs/missingkbs/internal/wait"
)

func TestUnless(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		woken := make(chan struct{})
		close(woken)
		limited, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		for _, test := range []struct {
			name  string
			wake  <-chan struct{}
			d     time.Duration
			want  error
			taken time.Duration
		}{
			{"the whole time", nil, time.Second, nil, time.Second},
			{"no time", nil, -time.Second, nil, 0},
			{"woken", woken, time.Hour, wait.ErrWoken, 0},
			{"the end of the context", nil, time.Hour, context.DeadlineExceeded, 59 * time.Second},
		} {
			began := time.Now()
			if err := wait.Unless(limited, test.d, test.wake); !errors.Is(err, test.want) || time.Since(began) != test.taken {
				t.Errorf("%s: %v after %v, want %v after %v", test.name, err, time.Since(began), test.want, test.taken)
			}
		}
		if wait.For(limited, time.Second) || !wait.For(t.Context(), time.Second) {
			t.Error("For does not report whether the whole time passed")
		}
	})
}
