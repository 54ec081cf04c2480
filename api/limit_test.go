package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/missingkbs/missingkbs/internal/quota/quotatest"
)

// clocked is a transport in a bubble that notes when it is asked, from any goroutine.
type clocked struct {
	mu sync.Mutex
	at []time.Time
}

func (c *clocked) Do(r *http.Request) (*http.Response, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = append(c.at, time.Now())
	return reply(r, 200, edge), nil
}

func (c *clocked) calls() []time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.at)
}

func defaultLimits(o *Options) { o.PerMinute, o.PerHour = 0, 0 }

// Three hours of steady asking through the whole client, with the default limits
// and with a tenth of the calls failing and being made again.
func TestLimitThroughClient(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		server := &clocked{}
		n := 0
		c := newTestClient(t, defaultLimits, func(o *Options) {
			o.Timeout, o.Transport = 3*time.Hour, inMemory(func(r *http.Request) (*http.Response, error) {
				resp, err := server.Do(r)
				if n++; n%10 == 0 {
					resp.StatusCode = 503
				}
				return resp, err
			})
		})
		for i := range 3000 {
			if _, err := c.MissingKBs(t.Context(), strconv.Itoa(i)); err != nil {
				t.Fatal(err)
			}
		}
		at := server.calls()
		if len(at) < 3300 {
			t.Errorf("%d calls, want the retries as well", len(at))
		}
		if n := quotatest.Busiest(at, time.Minute); n > 50 {
			t.Errorf("%d calls in a minute", n)
		}
		if n := quotatest.Busiest(at, time.Hour); n > 1500 {
			t.Errorf("%d calls in an hour", n)
		}
		if n := quotatest.Busiest(at, time.Hour); n < 1450 {
			t.Errorf("only %d calls in the busiest hour: the limit is too careful", n)
		}
	})
}

func TestTwentyAtOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		server := &clocked{}
		c := newTestClient(t, defaultLimits, func(o *Options) { o.Transport = server })
		start := time.Now()
		var wg sync.WaitGroup
		for i := range 20 {
			wg.Go(func() {
				if _, err := c.MissingKBs(t.Context(), strconv.Itoa(i)); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if d := time.Since(start); d != 0 {
			t.Errorf("20 calls took %v, want no wait at all", d)
		}
		if _, err := c.MissingKBs(t.Context(), "21"); err != nil {
			t.Fatal(err)
		}
		if d := time.Since(start); d != 2*time.Second {
			t.Errorf("the 21st call was made after %v, want 2s", d)
		}
	})
}

// emptied makes a client that has just used up its burst.
func emptied(t *testing.T, server *clocked) *Client {
	t.Helper()
	c := newTestClient(t, defaultLimits, func(o *Options) { o.Transport = server })
	for i := range 20 {
		if _, err := c.MissingKBs(t.Context(), fmt.Sprint("burst ", i)); err != nil {
			t.Fatal(err)
		}
	}
	return c
}

// Whoever would wait longer than the deadline is told how long, at once: the one
// who starts a call and those who join it, while the patient get their answer.
func TestDeadlineBeforeTurn(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		server := &clocked{}
		c := emptied(t, server)
		start := time.Now()
		hurried := func() {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			began := time.Now()
			_, err := c.MissingKBs(ctx, "a")
			e := errorOf(t, err, ErrThrottled)
			if want := 2*time.Second - began.Sub(start); e.RetryAfter != want {
				t.Errorf("RetryAfter = %v, want %v", e.RetryAfter, want)
			}
			if d := time.Since(began); d != 0 {
				t.Errorf("heard it after %v, want at once", d)
			}
			if e.Call == "" {
				t.Error("the error does not name the call")
			}
		}
		hurried() // starts the call
		hurried() // joins it
		var wg sync.WaitGroup
		wg.Go(func() {
			if _, err := c.MissingKBs(t.Context(), "a"); err != nil {
				t.Error(err)
			}
		})
		time.Sleep(time.Second / 2)
		hurried() // joins later
		wg.Wait()
		if d := time.Since(start); d != 2*time.Second {
			t.Errorf("the patient caller waited %v, want 2s", d)
		}
		if n := len(server.calls()); n != 21 {
			t.Errorf("%d calls, want 21", n)
		}
	})
}

// A wait beyond the timeout of the call itself books nothing.
func TestTurnAfterTimeout(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		server := &clocked{}
		c := emptied(t, server)
		var wg sync.WaitGroup
		throttled := 0
		var mu sync.Mutex
		for i := range 100 { // 29 of them get a turn before the minute that is the timeout is over
			wg.Go(func() {
				_, err := c.MissingKBs(t.Context(), strconv.Itoa(i))
				if err == nil {
					return
				}
				mu.Lock()
				defer mu.Unlock()
				throttled++
				if e := errorOf(t, err, ErrThrottled); e.RetryAfter != 60*time.Second {
					t.Errorf("RetryAfter = %v, want 1m0s", e.RetryAfter)
				}
			})
		}
		wg.Wait()
		if throttled != 71 {
			t.Errorf("%d of 100 were throttled, want 71", throttled)
		}
	})
}

func TestCancelledInQueue(t *testing.T) {
	t.Parallel()
	for name, ask := range map[string]func(context.Context, *Client) error{
		"answer": func(ctx context.Context, c *Client) error { _, err := c.MissingKBs(ctx, "a"); return err },
		"stream": func(ctx context.Context, c *Client) error {
			for _, err := range c.AllSoftware(ctx, SoftwareQuery{}) {
				return err
			}
			return nil
		},
	} {
		synctest.Test(t, func(t *testing.T) {
			c := emptied(t, &clocked{})
			ctx, cancel := context.WithCancel(t.Context())
			time.AfterFunc(time.Second/2, cancel)
			err := ask(ctx, c)
			e := errorOf(t, err, ErrThrottled)
			if !errors.Is(err, context.Canceled) || e.RetryAfter != 1500*time.Millisecond {
				t.Errorf("%s: error = %v, RetryAfter %v", name, err, e.RetryAfter)
			}
		})
	}
}

// The stream has no call of others to join: its own deadline counts.
func TestStreamDeadlineBeforeTurn(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		server := &clocked{}
		c := emptied(t, server)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		for _, err := range c.AllSoftware(ctx, SoftwareQuery{}) {
			if e := errorOf(t, err, ErrThrottled); e.RetryAfter != 2*time.Second {
				t.Errorf("RetryAfter = %v, want 2s", e.RetryAfter)
			}
		}
		if n := len(server.calls()); n != 20 {
			t.Errorf("%d calls, want 20", n)
		}
	})
}

func TestNoLimit(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newTestClient(t, func(o *Options) { o.Transport = &clocked{} })
		start := time.Now()
		for i := range 2000 {
			if _, err := c.MissingKBs(t.Context(), strconv.Itoa(i)); err != nil {
				t.Fatal(err)
			}
		}
		if d := time.Since(start); d != 0 {
			t.Errorf("2,000 calls took %v without a limit", d)
		}
	})
}
