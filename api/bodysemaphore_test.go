package api

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

// slowBody is a long answer whose second half comes when it is let go.
type slowBody struct {
	io.Reader
	rest string
	free <-chan struct{}
}

func slowly(body string, free <-chan struct{}) io.ReadCloser {
	half := len(body) / 2
	return io.NopCloser(&slowBody{strings.NewReader(body[:half]), body[half:], free})
}

func (s *slowBody) Read(p []byte) (int, error) {
	n, err := s.Reader.Read(p)
	if errors.Is(err, io.EOF) && s.rest != "" {
		<-s.free
		s.Reader, s.rest = strings.NewReader(s.rest), ""
		return s.Reader.Read(p)
	}
	return n, err
}

// crowdedClient is a client of a Defender with long answers: those about "held" come when they are let go, others at once.
// Two of a MiB, or of unknown length, are all that it reads at a time.
func crowdedClient(t *testing.T, change ...func(*Options)) (c *Client, free chan struct{}) {
	t.Helper()
	free = make(chan struct{})
	long := oneKB(strings.Repeat("5", 2*freeBody))
	return newTestClient(t, append([]func(*Options){func(o *Options) {
		o.MaxBody = 3 * freeBody
		o.Retry.MaxRetries = -1
		o.Transport = inMemory(func(r *http.Request) (*http.Response, error) {
			resp := reply(r, 200, long)
			switch path := r.URL.Path; {
			case strings.Contains(path, "known"):
				return resp, nil
			case strings.Contains(path, "held"):
				resp.Body = slowly(long, free)
			case strings.Contains(path, "small"):
				return reply(r, 200, edge), nil
			case strings.Contains(path, "broken"):
				resp.Body = io.NopCloser(strings.NewReader(strings.Replace(long, "]", "", 1)))
			case strings.Contains(path, "cut"):
				resp.Body = io.NopCloser(io.MultiReader(strings.NewReader(long[:len(long)-9]), broken{}))
			case strings.Contains(path, "endless"):
				resp.Body = io.NopCloser(strings.NewReader(strings.Repeat(" ", 4*freeBody)))
			}
			resp.ContentLength = -1
			return resp, nil
		})
	}}, change...)...), free
}

type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

// occupy asks for as many long answers as are read at a time, which then wait for the rest of them. The test does not
// end before these have come.
func occupy(t *testing.T, c *Client) (came *sync.WaitGroup) {
	t.Helper()
	came = &sync.WaitGroup{}
	for i := range largestAtOnce {
		came.Go(func() {
			if _, err := c.MissingKBs(t.Context(), fmt.Sprint("held-_-", i)); err != nil {
				t.Error(err)
			}
		})
	}
	synctest.Wait()
	return came
}

func TestLongAnswersWaitForEachOther(t *testing.T) {
	t.Parallel()
	for _, id := range []string{"long", "long known"} {
		synctest.Test(t, func(t *testing.T) {
			seen := make(chan CallObservation, 10)
			c, free := crowdedClient(t, func(o *Options) {
				o.Observe = func(_ context.Context, call CallObservation) { seen <- call }
			})
			held := occupy(t, c)
			came := make(chan error)
			go func() {
				_, err := c.MissingKBs(t.Context(), id)
				came <- err
			}()
			synctest.Wait()
			if _, err := c.MissingKBs(t.Context(), "small"); err != nil {
				t.Fatal("a small answer beside long ones:", err)
			}
			select {
			case err := <-came:
				t.Fatalf("%s: a third long answer was read: %v", id, err)
			case <-time.After(10 * time.Second):
			}
			close(free)
			if err := <-came; err != nil {
				t.Fatal(err)
			}
			held.Wait()
			var took []time.Duration
			for range largestAtOnce + 2 {
				took = append(took, (<-seen).Duration)
			}
			slices.Sort(took)
			if diff := cmp.Diff([]time.Duration{0, 0, 10 * time.Second, 10 * time.Second}, took); diff != "" {
				t.Errorf("the wait for other answers counts as Defender's time (-want +got):\n%s", diff)
			}
		})
	}
}

func TestNoRoomInTime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c, free := crowdedClient(t, func(o *Options) { o.Timeout = time.Minute })
		defer occupy(t, c).Wait()
		time.Sleep(time.Second)

		patient, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		_, err := c.MissingKBs(patient, "long")
		e := errorOf(t, err, ErrBusy)
		if !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(e.Error(), "no more than 2 long answers") {
			t.Errorf("a caller who left: %v", err)
		}
		close(free)
		if _, err = c.MissingKBs(t.Context(), "long"); err != nil {
			t.Errorf("the call went on without the caller, and ended with %v", err)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		c, free := crowdedClient(t, func(o *Options) { o.Timeout = 5 * time.Second })
		for i := range largestAtOnce { // the bodies do not heed the end of their calls
			go func() { _, _ = c.MissingKBs(t.Context(), fmt.Sprint("held-_-", i)) }()
		}
		synctest.Wait()
		_, err := c.MissingKBs(t.Context(), "long")
		if e := errorOf(t, err, ErrBusy); e.Call == "" {
			t.Errorf("a call that took too long: %v", err)
		}
		close(free)
	})
}

// A call that is to be tried again holds no room until then.
func TestNoRoomBetweenTries(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c, _ := crowdedClient(t, func(o *Options) { o.Retry.MaxRetries, o.Retry.RetryDelay = 1, 10*time.Second })
		var asking sync.WaitGroup
		defer asking.Wait()
		for i := range largestAtOnce {
			asking.Go(func() {
				_, err := c.MissingKBs(t.Context(), fmt.Sprint("cut-_-", i))
				wantKind(t, err, ErrUnavailable)
			})
		}
		synctest.Wait()
		began := time.Now()
		if _, err := c.MissingKBs(t.Context(), "long"); err != nil || time.Since(began) != 0 {
			t.Errorf("a long answer took %v, %v", time.Since(began), err)
		}
	})
}

// Whatever becomes of an answer, the room that it took is there for the next one.
func TestRoomIsGivenBack(t *testing.T) {
	t.Parallel()
	for id, want := range map[string]error{"long": nil, "known": nil, "broken": ErrBadResponse, "cut": ErrUnavailable, "endless": ErrBadResponse} {
		synctest.Test(t, func(t *testing.T) {
			c, _ := crowdedClient(t, func(o *Options) { o.Retry.MaxRetries, o.CacheTTL = 2, -1 })
			for range 3 * largestAtOnce {
				if _, err := c.MissingKBs(t.Context(), id); want == nil && err != nil || want != nil && !errors.Is(err, want) {
					t.Fatalf("%s: %v, want %v", id, err, want)
				}
			}
			if _, err := c.MissingKBs(t.Context(), "long"); err != nil {
				t.Errorf("after %s: %v", id, err)
			}
		})
	}
}

// Of an answer that waits, little comes to this machine: HTTP/2 tells the other side to hold on.
func TestWaitingAnswersAreHeldUp(t *testing.T) {
	t.Parallel()
	sent := make(chan int, 1)
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(500 * time.Millisecond))
		n := 0
		for chunk := make([]byte, 64<<10); n < 64<<20; n += len(chunk) {
			if _, err := w.Write(chunk); err != nil {
				break
			}
		}
		sent <- n
	}))
	s.EnableHTTP2 = true
	s.StartTLS()
	t.Cleanup(s.Close)
	client := defaultTransport()
	transport := client.Transport.(*http.Transport)
	transport.TLSClientConfig.RootCAs = s.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.URL, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.CloseIdleConnections)
	defer resp.Body.Close()
	if n := <-sent; resp.ProtoMajor != 2 || n > 4*waitingBody {
		t.Errorf("%s: %d KiB were sent to one who reads nothing", resp.Proto, n>>10)
	}
}
