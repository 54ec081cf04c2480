package api

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/google/go-cmp/cmp"
)

// hanging is a Defender that takes its first calls and never answers them.
type hanging struct {
	silent int
	then   func(*http.Request) (*http.Response, error)

	mu sync.Mutex
	at []time.Duration // of each call
	t0 time.Time
}

func newHanging(silent int) *hanging {
	return &hanging{silent: silent, then: status(200, edge), t0: time.Now()}
}

func (h *hanging) Do(r *http.Request) (*http.Response, error) {
	h.mu.Lock()
	h.at = append(h.at, time.Since(h.t0).Round(time.Second))
	hangs := len(h.at) <= h.silent
	h.mu.Unlock()
	if hangs {
		<-r.Context().Done()
		return nil, r.Context().Err()
	}
	return h.then(r)
}

func (h *hanging) client(t *testing.T, change ...func(*Options)) *Client {
	t.Helper()
	return newTestClient(t, append([]func(*Options){func(o *Options) { o.Transport, o.Timeout = h, 30*time.Second }}, change...)...)
}

// asks are the ways to ask: in front of a screen, and for a digest.
func asks() map[string][]CallOption {
	return map[string][]CallOption{"question": nil, "background": {Background()}}
}

// A call that hangs is tried once more, and fails within the time of a question.
func TestHungCallIsTriedOnceMore(t *testing.T) {
	t.Parallel()
	for name, opts := range asks() {
		first, last := 10, 19 // seconds
		if len(opts) > 0 {    // a digest has more time
			first, last = 25, 4
		}
		for silent, want := range map[int]struct {
			calls []time.Duration
			ends  time.Duration
			kind  error
		}{
			0: {seconds(0), 0, nil},
			1: {seconds(0, first), time.Duration(first) * time.Second, nil},
			2: {seconds(0, first), 29 * time.Second, ErrUnavailable},
		} {
			synctest.Test(t, func(t *testing.T) {
				h := newHanging(silent)
				ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
				defer cancel()
				_, err := h.client(t, func(o *Options) { o.Timeout = time.Minute }).MissingKBs(ctx, "a", opts...)
				if want.kind == nil && err != nil {
					t.Fatalf("%s, %d silent: %v", name, silent, err)
				}
				if want.kind != nil {
					if e := errorOf(t, err, want.kind); !strings.Contains(e.Message, fmt.Sprintf("within %ds, nor on a fresh connection within %ds", first, last)) {
						t.Errorf("%s: %v", name, e)
					}
				}
				if took := time.Since(h.t0).Round(time.Second); took != want.ends {
					t.Errorf("%s, %d silent: took %v, want %v", name, silent, took, want.ends)
				}
				if diff := cmp.Diff(want.calls, h.at); diff != "" {
					t.Errorf("%s, %d silent: calls (-want +got):\n%s", name, silent, diff)
				}
			})
		}
	}
}

// The last try is as long as somebody waits, or has the rest of the call where nobody does.
func TestLastTryLastsAsLongAsItsCallers(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct{ wait, comes, ends time.Duration }{
		"a question":               {30 * time.Second, 25 * time.Second, 25 * time.Second},
		"a patient question":       {50 * time.Second, 45 * time.Second, 45 * time.Second},
		"one that has left by now": {5 * time.Second, 45 * time.Second, 5 * time.Second},
	} {
		synctest.Test(t, func(t *testing.T) {
			h := newHanging(1)
			h.then = func(r *http.Request) (*http.Response, error) { // slow, but there
				select {
				case <-time.After(tc.comes - time.Since(h.t0)):
					return reply(r, 200, edge), nil
				case <-r.Context().Done():
					return nil, r.Context().Err()
				}
			}
			c := h.client(t, func(o *Options) { o.Timeout = time.Minute })
			ctx, cancel := context.WithTimeout(t.Context(), tc.wait)
			defer cancel()
			_, err := c.MissingKBs(ctx, "a")
			if took := time.Since(h.t0); took.Round(time.Second) != tc.ends || (err == nil) != (tc.ends == tc.comes) {
				t.Errorf("%s: %v after %v", name, err, took)
			}
			time.Sleep(tc.comes - time.Since(h.t0) + time.Second)
			if _, err := c.MissingKBs(t.Context(), "a"); err != nil || len(h.at) != 2 {
				t.Errorf("%s: later: %v with %d calls", name, err, len(h.at))
			}
		})
	}
}

// A caller that comes while a call hangs gets a call of its own, which those who come then join; the old one goes on.
func TestHungCallIsNotJoined(t *testing.T) {
	t.Parallel()
	for name, opts := range asks() {
		for old, oldOpts := range map[string][]CallOption{"question": nil} { // of digests see the next test
			synctest.Test(t, func(t *testing.T) {
				h := newHanging(2)
				c := h.client(t)
				var wg sync.WaitGroup
				wg.Go(func() {
					_, err := c.MissingKBs(t.Context(), "a", oldOpts...)
					wantKind(t, err, ErrUnavailable)
					if took := time.Since(h.t0).Round(time.Second); took != 29*time.Second {
						t.Errorf("%s then %s: the old call took %v", old, name, took)
					}
				})
				wg.Go(func() { // the second try is young
					time.Sleep(12 * time.Second)
					_, err := c.MissingKBs(t.Context(), "a", oldOpts...)
					wantKind(t, err, ErrUnavailable)
				})
				time.Sleep(21 * time.Second) // and now it is old
				free := make(chan struct{})
				h.mu.Lock()
				h.then = func(r *http.Request) (*http.Response, error) { <-free; return reply(r, 200, edge), nil }
				h.mu.Unlock()
				for range 3 {
					wg.Go(func() {
						got, err := c.MissingKBs(t.Context(), "a", opts...)
						if err != nil || len(got.Value) != 1 || time.Since(h.t0).Round(time.Second) != 23*time.Second {
							t.Errorf("%s then %s: %v, %v after %v", old, name, got.Value, err, time.Since(h.t0))
						}
					})
				}
				time.Sleep(2 * time.Second)
				close(free)
				wg.Wait()
				if diff := cmp.Diff(seconds(0, 10, 21), h.at); diff != "" {
					t.Errorf("%s then %s: calls (-want +got):\n%s", old, name, diff)
				}
				if n := len(c.inflight.positions); n != 0 {
					t.Errorf("%d calls are still listed", n)
				}
			})
		}
	}
}

// A Defender that takes twenty seconds for each answer is not asked everything twice by digests, however many come for the
// same. A question gets a call of its own, or the other's next try, as soon as it would of another question's.
func TestDigestsHaveMoreTime(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		comes time.Duration
		opts  []CallOption
		calls []time.Duration
	}{
		"another digest":             {15 * time.Second, []CallOption{Background()}, seconds(0)},
		"a question, late":           {12 * time.Second, nil, seconds(0, 12, 22)},
		"a question in the first 10": {5 * time.Second, nil, seconds(0, 10)},
	} {
		synctest.Test(t, func(t *testing.T) {
			h := newHanging(0)
			h.then = func(r *http.Request) (*http.Response, error) {
				select {
				case <-time.After(20 * time.Second):
					return reply(r, 200, edge), nil
				case <-r.Context().Done():
					return nil, r.Context().Err()
				}
			}
			c := h.client(t, func(o *Options) { o.Timeout = time.Minute })
			var wg sync.WaitGroup
			ask := func(opts ...CallOption) {
				if got, err := c.MissingKBs(t.Context(), "a", opts...); err != nil || len(got.Value) != 1 {
					t.Errorf("%s: %v, %v", name, got.Value, err)
				}
			}
			wg.Go(func() { ask(Background()) })
			wg.Go(func() {
				time.Sleep(tc.comes)
				ask(tc.opts...)
			})
			wg.Wait()
			if diff := cmp.Diff(tc.calls, h.at); diff != "" {
				t.Errorf("%s: calls (-want +got):\n%s", name, diff)
			}
		})
	}
}

// Tries are calls: the quota counts each, and none is made past it.
func TestHungTriesAreCounted(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := newHanging(100)
		c := h.client(t, func(o *Options) { o.PerMinute = 1 })
		_, err := c.MissingKBs(t.Context(), "a")
		if e := errorOf(t, err, ErrThrottled); e.RetryAfter < 49*time.Second {
			t.Errorf("again in %v", e.RetryAfter)
		}
		if diff := cmp.Diff(seconds(0), h.at); diff != "" {
			t.Errorf("calls (-want +got):\n%s", diff)
		}
		if q := c.Quota(t.Context()); q.Minute.Left != 0 {
			t.Errorf("%d calls are left", q.Minute.Left)
		}
	})
}

// dripping is a body of parts with a pause before each.
type dripping struct {
	ctx   context.Context
	parts []string
	pause time.Duration
	begun bool // a part
}

func (d *dripping) Read(p []byte) (int, error) {
	if len(d.parts) == 0 {
		return 0, io.EOF
	}
	if !d.begun {
		select {
		case <-time.After(d.pause):
		case <-d.ctx.Done():
			return 0, d.ctx.Err()
		}
		d.begun = true
	}
	n := copy(p, d.parts[0])
	if d.parts[0] = d.parts[0][n:]; d.parts[0] == "" {
		d.parts, d.begun = d.parts[1:], false
	}
	return n, nil
}

func (*dripping) Close() error { return nil }

func drip(r *http.Request, status int, pause time.Duration, parts ...string) *http.Response {
	resp := reply(r, status, "")
	resp.Body, resp.ContentLength = &dripping{ctx: r.Context(), parts: parts, pause: pause}, -1
	return resp
}

// An answer that keeps coming is read to its end, however long that takes; one that stops is given up.
func TestStreamingAnswers(t *testing.T) {
	t.Parallel()
	long := oneKB(strings.Repeat("5", 20<<20))
	var parts []string
	for i := 0; i < len(long); i += 1 << 20 {
		parts = append(parts, long[i:min(i+1<<20, len(long))])
	}
	for name, tc := range map[string]struct {
		pause time.Duration
		parts []string
		calls int
		ends  time.Duration
	}{
		"20 MiB in a minute":    {3 * time.Second, parts, 1, 63 * time.Second},
		"a byte in nine":        {9 * time.Second, strings.Split(oneKB("5"), ""), 1, 9 * time.Second * time.Duration(len(oneKB("5")))},
		"a part, then nothing":  {11 * time.Second, parts, 2, 10 * time.Second},
		"nothing but a header":  {time.Hour, []string{" "}, 2, 10 * time.Second},
		"a part that is prompt": {0, parts, 1, 0},
	} {
		synctest.Test(t, func(t *testing.T) {
			h := newHanging(0)
			h.then = func(r *http.Request) (*http.Response, error) {
				if len(h.at) > 1 {
					return reply(r, 200, edge), nil
				}
				return drip(r, 200, tc.pause, append([]string(nil), tc.parts...)...), nil
			}
			c := h.client(t, func(o *Options) { o.Timeout = 20 * time.Minute })
			if _, err := c.MissingKBs(t.Context(), "a"); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if took := time.Since(h.t0).Round(time.Second); len(h.at) != tc.calls || took != tc.ends {
				t.Errorf("%s: %d calls, %v; want %d, %v", name, len(h.at), took, tc.calls, tc.ends)
			}
		})
	}
}

// A refusal whose text does not come is a refusal nevertheless, unless nothing of it comes in time.
func TestHungRefusals(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := newHanging(0)
		h.then = func(r *http.Request) (*http.Response, error) { return drip(r, 503, time.Hour, "x"), nil }
		_, err := h.client(t).MissingKBs(t.Context(), "a")
		wantKind(t, err, ErrUnavailable)
		if took := time.Since(h.t0).Round(time.Second); took != 29*time.Second || len(h.at) != 2 {
			t.Errorf("%d calls in %v", len(h.at), took)
		}
	})
}

// An answer that waits for others to be read is not silent, and its call is joined.
func TestWaitForRoomIsNoSilence(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c, free := crowdedClient(t, func(o *Options) { o.Timeout, o.Retry.MaxRetries = time.Minute, -1 })
		held := occupy(t, c)
		var asking sync.WaitGroup
		for range 2 {
			asking.Go(func() {
				if _, err := c.MissingKBs(t.Context(), "long"); err != nil {
					t.Error(err)
				}
			})
			time.Sleep(15 * time.Second)
		}
		if n := c.Stats().Joined; n != 1 {
			t.Errorf("%d questions joined a call, want 1", n)
		}
		close(free)
		asking.Wait()
		held.Wait()
	})
}

// hangingServer is a server that hangs every call on its first connections, and counts these.
func hangingServer(t *testing.T, http2 bool, silent int, answer http.HandlerFunc) (*httptest.Server, func() int) {
	t.Helper()
	var mu sync.Mutex
	seen := map[string]int{} // connections, in their order
	end := make(chan struct{})
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		n, known := seen[r.RemoteAddr]
		if !known {
			n = len(seen)
			seen[r.RemoteAddr] = n
		}
		mu.Unlock()
		if n < silent {
			select {
			case <-r.Context().Done():
			case <-end:
			}
			return
		}
		answer(w, r)
	}))
	s.EnableHTTP2 = http2
	s.StartTLS()
	t.Cleanup(func() { close(end); s.Close() })
	return s, func() int {
		mu.Lock()
		defer mu.Unlock()
		return len(seen)
	}
}

// The next try uses a fresh connection: over HTTP/2 a call that is given up leaves its connection in use.
func TestNextTryUsesAFreshConnection(t *testing.T) {
	t.Parallel()
	for name, http2 := range map[string]bool{"HTTP/1.1": false, "HTTP/2": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, connections := hangingServer(t, http2, 1, respond(edge))
			c := newTestClient(t, func(o *Options) {
				o.Cloud.Endpoint, o.Transport, o.TryTimeout, o.Timeout = s.URL, s.Client(), 100*time.Millisecond, time.Minute
			})
			for _, id := range []string{"a", "b"} { // the second one has a good connection from the start
				if _, err := c.MissingKBs(t.Context(), id); err != nil {
					t.Fatal(err)
				}
			}
			if n := connections(); n != 2 {
				t.Errorf("%d connections, want 2", n)
			}
		})
	}
}

// Calls that hang together on one connection give it up once.
func TestConnectionsAreRenewedOnce(t *testing.T) {
	t.Parallel()
	s, connections := hangingServer(t, true, 1, respond(edge))
	c := newTestClient(t, func(o *Options) {
		o.Cloud.Endpoint, o.Transport, o.TryTimeout, o.Timeout = s.URL, s.Client(), 200*time.Millisecond, time.Minute
	})
	var wg sync.WaitGroup
	for _, id := range []string{"a", "b", "c", "d"} {
		wg.Go(func() {
			if _, err := c.MissingKBs(t.Context(), id); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if n := connections(); n > 8 { // as many as are dialled at once, twice
		t.Errorf("%d connections", n)
	}
}

// A login host that hangs is asked once more on a fresh connection, too.
func TestHungTokenIsAskedOnceMore(t *testing.T) {
	t.Parallel()
	e := newEntra(t)
	s, connections := hangingServer(t, true, 1, func(w http.ResponseWriter, r *http.Request) { e.Config.Handler.ServeHTTP(w, r) })
	e.URL = s.URL
	o := e.credential()
	o.ClientSecret, o.Transport, o.Retry.TryTimeout, o.Retry.RetryDelay = testSecret, s.Client(), 100*time.Millisecond, time.Millisecond
	cred, _, err := NewCredential(o)
	if err != nil {
		t.Fatal(err)
	}
	if err := e.asks(t, cred); err != nil {
		t.Fatal(err)
	}
	if n := connections(); n < 2 {
		t.Errorf("%d connections, want a second one", n)
	}
}

// What no try can do is not waited for: a login host that never answers fails before the question does.
func TestTokenTimeIsBounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		_, err := reachable{hangingCredential{}, tokenTime, kindSecret, ""}.GetToken(t.Context(), policy.TokenRequestOptions{})
		e, ok := errors.AsType[*Error](err)
		if !ok || !e.Is(ErrUnavailable) || time.Since(began) != tokenTime {
			t.Errorf("%v after %v", err, time.Since(began))
		}
	})
}
