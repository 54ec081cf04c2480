package api

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

// gate is a transport in a bubble that answers when it is opened.
type gate struct {
	open chan struct{}
	clocked
}

func newGate() *gate { return &gate{open: make(chan struct{})} }

func (g *gate) Do(r *http.Request) (*http.Response, error) {
	resp, err := g.clocked.Do(r)
	select {
	case <-g.open:
		return resp, err
	case <-r.Context().Done():
		return nil, r.Context().Err()
	}
}

func TestOneCallForAll(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := newGate()
		c := newTestClient(t, func(o *Options) { o.Transport = g })
		var wg sync.WaitGroup
		answers := make([]Answer[[]MissingKB], 200)
		for i := range answers {
			wg.Go(func() {
				var err error
				if answers[i], err = c.MissingKBs(t.Context(), "a", MaxAge(time.Duration(i%2)*time.Minute)); err != nil {
					t.Error(err)
				}
			})
		}
		synctest.Wait()
		close(g.open)
		wg.Wait()
		if n := len(g.calls()); n != 1 {
			t.Errorf("%d calls for 200 questions, want 1", n)
		}
		answers[0].Value[0].ProductsNames[0] = "changed"
		answers[0].Value[0].Name = "changed"
		if diff := cmp.Diff([]MissingKB{edgeKB()}, answers[1].Value); diff != "" {
			t.Errorf("callers share what they were given (-want +got):\n%s", diff)
		}
		if answers[1].Cached {
			t.Error("an answer from a joined call says that it is from memory")
		}
	})
}

func TestDifferentQuestionsDifferentCalls(t *testing.T) {
	t.Parallel()
	s := serve(t, respond(`{"@odata.context":"c","id":"x","value":[]}`))
	c := s.client(t)
	ctx := t.Context()
	_, err1 := c.MissingKBs(ctx, "a")
	_, err2 := c.MachineMissingKBs(ctx, "a")
	_, err3 := c.SoftwareByID(ctx, "a")
	_, err4 := c.MachineByID(ctx, "a")
	_, err5 := c.MachinesByName(ctx, "a")
	_, err6 := c.Catalog(ctx)
	if err := errors.Join(err1, err2, err3, err4, err5, err6); err != nil {
		t.Fatal(err)
	}
	if n := len(s.asked()); n != 6 {
		t.Errorf("%d calls for 6 questions", n)
	}
}

// Neither the first caller nor any other ends the call for those who stay.
func TestLeavingCaller(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := newGate()
		c := newTestClient(t, func(o *Options) { o.Transport = g })
		leaving, leave := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		wg.Go(func() {
			_, err := c.MissingKBs(leaving, "a")
			wantKind(t, err, nil)
			if !errors.Is(err, context.Canceled) {
				t.Errorf("error = %v, want Canceled", err)
			}
		})
		synctest.Wait()
		wg.Go(func() {
			got, err := c.MissingKBs(t.Context(), "a")
			if err != nil || len(got.Value) != 1 {
				t.Errorf("the one who stayed got %v, %v", got, err)
			}
		})
		synctest.Wait()
		leave()
		synctest.Wait()
		close(g.open)
		wg.Wait()
		if n := len(g.calls()); n != 1 {
			t.Errorf("%d calls, want 1", n)
		}
	})
}

// The answer of a call that everybody left is kept all the same.
func TestAbandonedCallIsKept(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := newGate()
		c := newTestClient(t, func(o *Options) { o.Transport = g })
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := c.MissingKBs(ctx, "a"); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("error = %v, want DeadlineExceeded", err)
		}
		close(g.open)
		synctest.Wait()
		if got, err := c.MissingKBs(t.Context(), "a"); err != nil || !got.Cached {
			t.Errorf("later: cached %v, %v", got.Cached, err)
		}
	})
}

func TestErrorsAreSharedAsCopies(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newTestClient(t, func(o *Options) {
			o.Transport = inMemory(func(r *http.Request) (*http.Response, error) {
				time.Sleep(time.Second)
				return reply(r, 404, refusal("ResourceNotFound", "no")), nil
			})
		})
		var errs [2]error
		var wg sync.WaitGroup
		for i := range errs {
			wg.Go(func() { _, errs[i] = c.MissingKBs(t.Context(), "a") })
		}
		wg.Wait()
		errorOf(t, errs[0], ErrNotFound).Message = "changed"
		if e := errorOf(t, errs[1], ErrNotFound); e.Message != "no" {
			t.Errorf("message = %q: the callers share one error", e.Message)
		}
	})
}

// A panic in what we were given is an error for those who wait, not the end of
// the process.
func TestPanicIsAnError(t *testing.T) {
	t.Parallel()
	c := newTestClient(t, func(o *Options) {
		o.Transport = inMemory(func(*http.Request) (*http.Response, error) { panic("transport broke") })
	})
	for range 2 { // the key is free again
		_, err := c.MissingKBs(t.Context(), "a")
		if e := errorOf(t, err, ErrBadResponse); !strings.Contains(e.Error(), "transport broke") || e.Call == "" {
			t.Errorf("error = %v", err)
		}
	}
}

func TestClose(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := newGate()
		c := newTestClient(t, func(o *Options) { o.Transport = g })
		var wg sync.WaitGroup
		wg.Go(func() {
			if _, err := c.MissingKBs(t.Context(), "a"); err == nil {
				t.Error("a call that was ended has no error")
			}
		})
		synctest.Wait()
		c.Close()
		wg.Wait()
		_, err := c.MissingKBs(t.Context(), "b")
		if e := errorOf(t, err, nil); !errors.Is(e, errClosed) {
			t.Errorf("error after Close = %v", err)
		}
		c.Close() // twice is fine
	})
}
