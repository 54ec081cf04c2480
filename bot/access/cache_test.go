package access

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/slack-go/slack"

	"github.com/missingkbs/missingkbs/bot/slackapi"
)

// oracle is what is asked: it answers with the number of the call, or with an error.
type oracle struct {
	mu    sync.Mutex
	asked int
	err   error
	takes time.Duration
}

func (o *oracle) ask(ctx context.Context, _ string) (int, error) {
	o.mu.Lock()
	o.asked++
	n, err, takes := o.asked, o.err, o.takes
	o.mu.Unlock()
	select {
	case <-ctx.Done():
		return 0, ctx.Err()
	case <-time.After(takes):
		return n, err
	}
}

func (o *oracle) calls() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.asked
}

func (o *oracle) fail(err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.err = err
}

var errGone = slack.SlackErrorResponse{Err: "user_not_found"}

func (o *oracle) cache() *directoryCache[int] {
	return newDirectoryCache(o.ask, func(err error) bool { return slackapi.HasCode(err, "user_not_found") })
}

// What is fresh serves without asking, what is older is asked for again, and the last word of a Slack that cannot be
// asked serves for an hour and not a moment longer.
func TestCacheServesForAnHour(t *testing.T) {
	for _, step := range []struct {
		at    time.Duration // since the answer
		fails bool
		want  string // what is got: the number of the call that gave it
		calls int    // made by then, a background one included
	}{
		{0, false, "1", 1},
		{refreshAfter - 1, false, "1", 1},
		{refreshAfter, false, "1", 2}, // served at once, and asked for in the background
		{freshFor - 1, false, "1", 2},
		{freshFor, false, "2", 2},
		{freshFor - 1, true, "1", 2},
		{freshFor, true, "1", 2},
		{staleFor - 1, true, "1", 2},
		{staleFor, true, "no", 2},
		{100 * time.Hour, true, "no", 2},
		{100 * time.Hour, false, "2", 2},
	} {
		t.Run(fmt.Sprint(step.at, step.fails), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				o := &oracle{}
				k := o.cache()
				if got := outcomeOf(k.get(t.Context(), "U1")); got != "1" {
					t.Fatalf("got %s first", got)
				}
				if step.fails {
					o.fail(errors.New("connection refused"))
				}
				time.Sleep(step.at)
				if got := outcomeOf(k.get(t.Context(), "U1")); got != step.want {
					t.Errorf("got %s, want %s", got, step.want)
				}
				synctest.Wait()
				if n := o.calls(); n != step.calls {
					t.Errorf("%d calls, want %d", n, step.calls)
				}
			})
		})
	}
}

func outcomeOf(v int, err error) string {
	if err != nil {
		return "no"
	}
	return strconv.Itoa(v)
}

// An outage is not met with a call for each question, and no question waits for long.
func TestCacheSparesASlackThatFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := &oracle{}
		k := o.cache()
		_, _ = k.get(t.Context(), "U1")
		o.fail(&slack.RateLimitedError{RetryAfter: 20 * time.Second})
		time.Sleep(freshFor)
		for range 190 { // in 19 s
			if v, err := k.get(t.Context(), "U1"); err != nil || v != 1 {
				t.Fatalf("got %d, %v", v, err)
			}
			time.Sleep(100 * time.Millisecond)
		}
		if n := o.calls(); n != 2 {
			t.Errorf("%d calls in 19s of a pause of 20s, want 2", n)
		}
		o.fail(nil)
		time.Sleep(2 * time.Second)
		if v, err := k.get(t.Context(), "U1"); err != nil || v != 3 {
			t.Errorf("after the pause: %d, %v", v, err)
		}
	})
}

func TestCacheWaitsNotForLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := &oracle{takes: time.Hour}
		k := o.cache()
		began := time.Now()
		if _, err := k.get(t.Context(), "U1"); !errors.Is(err, errNotAsked) {
			t.Errorf("got %v", err)
		}
		if took := time.Since(began); took != callPatience {
			t.Errorf("waited %v, want %v", took, callPatience)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := k.get(ctx, "U1"); !errors.Is(err, errNotAsked) || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
		if n := o.calls(); n != 1 {
			t.Errorf("%d calls at once, want 1", n)
		}
		time.Sleep(slackapi.Timeout) // the call ends by itself
		synctest.Wait()
	})
}

// Who asks together shares a call; whoever leaves does not end it for the others.
func TestCacheSharesCalls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := &oracle{takes: time.Second}
		k := o.cache()
		impatient, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		go func() { _, _ = k.get(impatient, "U1") }()
		var all sync.WaitGroup
		for range 50 {
			all.Go(func() {
				if v, err := k.get(t.Context(), "U1"); err != nil || v != 1 {
					t.Errorf("got %d, %v", v, err)
				}
			})
		}
		all.Wait()
	})
}

// What is not there is remembered for seconds only: many may ask for it, whoever mends it need not wait, and nobody goes by
// what was.
func TestCacheForgetsWhatIsGone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := &oracle{err: errGone}
		k := o.cache()
		for range 20 { // in 20 s
			if _, err := k.get(t.Context(), "U1"); !k.gone(err) || errors.Is(err, errNotAsked) {
				t.Errorf("got %v", err)
			}
			time.Sleep(time.Second)
		}
		if n := o.calls(); n != 2 {
			t.Errorf("%d calls in 20s, want 2", n)
		}
		o.fail(nil)
		if v, err := k.get(t.Context(), "U1"); err != nil || v != 3 {
			t.Errorf("got %d, %v", v, err)
		}
		o.fail(errGone)
		time.Sleep(refreshAfter)
		_, _ = k.get(t.Context(), "U1") // asks in the background, and is told that it is gone
		synctest.Wait()
		if _, err := k.get(t.Context(), "U1"); !k.gone(err) {
			t.Errorf("what is gone is still known: %v", err)
		}
		if _, ok := k.peek("U1"); ok {
			t.Error("it is remembered")
		}
	})
}

func TestCacheIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := &oracle{}
		k := o.cache()
		for i := range maxEntries + 10 {
			_, _ = k.get(t.Context(), strconv.Itoa(i))
			time.Sleep(time.Millisecond)
		}
		if len(k.entries) != maxEntries {
			t.Errorf("%d things are remembered, want %d", len(k.entries), maxEntries)
		}
		for id, want := range map[string]bool{"0": false, "9": false, "10": true, strconv.Itoa(maxEntries + 9): true} {
			if _, ok := k.peek(id); ok != want {
				t.Errorf("%s is remembered: %v, want %v: the oldest go first", id, ok, want)
			}
		}
	})
}
