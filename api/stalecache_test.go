package api

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/google/go-cmp/cmp"
)

func staleForADay(o *Options) { o.StaleFor = 24 * time.Hour }

// switchable is a transport whose answer can be changed.
type switchable struct {
	clocked
	answer func(*http.Request) (*http.Response, error)
}

func (s *switchable) Do(r *http.Request) (*http.Response, error) {
	resp, err := s.clocked.Do(r)
	s.mu.Lock()
	answer := s.answer
	s.mu.Unlock()
	if answer != nil {
		return answer(r)
	}
	return resp, err
}

// turn changes the answer; nil is the honest one.
func (s *switchable) turn(answer func(*http.Request) (*http.Response, error)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.answer = answer
}

// asked makes a client that has asked for "a" two hours ago, and what answers it.
func askedLongAgo(t *testing.T, change ...func(*Options)) (*Client, *switchable) {
	t.Helper()
	server := &switchable{}
	c := newTestClient(t, append([]func(*Options){staleForADay, func(o *Options) { o.Transport = server }}, change...)...)
	if _, err := c.MissingKBs(t.Context(), "a"); err != nil {
		t.Fatal(err)
	}
	time.Sleep(2 * time.Hour)
	return c, server
}

func wantStale(t *testing.T, got Answer[[]MissingKB], err, kind error) *Error {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]MissingKB{edgeKB()}, got.Value); diff != "" {
		t.Errorf("answer (-want +got):\n%s", diff)
	}
	if got.Age < 2*time.Hour || got.Age > 2*time.Hour+2*time.Minute || !got.Cached {
		t.Errorf("age %v, cached %v", got.Age, got.Cached)
	}
	return errorOf(t, got.Stale, kind)
}

// When Defender cannot be asked, an old answer is handed out with the reason; but
// not to those who want none, and not for other failures.
func TestStale(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		answer func(*http.Request) (*http.Response, error)
		opts   []CallOption
		kind   error // of the reason, or of the failure
		stale  bool
	}{
		"throttled":            {status(429, refusal("429", "again in 600 seconds")), nil, ErrThrottled, true},
		"down":                 {status(503, ""), nil, ErrUnavailable, true},
		"no connection":        {func(*http.Request) (*http.Response, error) { return nil, errors.New("refused") }, nil, ErrUnavailable, true},
		"asked anew":           {status(503, ""), []CallOption{MaxAge(10 * time.Second)}, ErrUnavailable, true},
		"fresh":                {status(429, refusal("429", "again in 600 seconds")), []CallOption{Fresh()}, ErrThrottled, false},
		"background":           {status(503, ""), []CallOption{Background()}, ErrUnavailable, false},
		"no permission":        {status(403, ""), nil, ErrPermission, false},
		"credential":           {status(401, ""), nil, ErrCredential, false},
		"not found":            {notFound(), nil, ErrNotFound, false},
		"another's 404":        {status(404, `{"statusCode":404,"message":"Resource not found"}`), nil, ErrNotDefender, true},
		"a firewall's 403":     {status(403, "<html>Blocked</html>"), nil, ErrNotDefender, true},
		"an answer of nothing": {status(200, "<html>"), nil, ErrBadResponse, false},
	} {
		synctest.Test(t, func(t *testing.T) {
			c, server := askedLongAgo(t)
			server.turn(tc.answer)
			got, err := c.MissingKBs(t.Context(), "a", tc.opts...)
			if !tc.stale {
				wantKind(t, err, tc.kind)
				return
			}
			if e := wantStale(t, got, err, tc.kind); e.Call == "" {
				t.Errorf("%s: the reason names no call", name)
			}
			if n := c.Stats().Stale; n != 1 {
				t.Errorf("%s: counted %d stale answers", name, n)
			}
		})
	}
}

func TestStaleIsOff(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c, server := askedLongAgo(t, func(o *Options) { o.StaleFor = 0 })
		server.turn(status(503, ""))
		_, err := c.MissingKBs(t.Context(), "a")
		wantKind(t, err, ErrUnavailable)
	})
}

// Who could have an old answer gets it at once, instead of a wait for the end of a
// pause or for a far turn under our own limit; the call that was begun is made all
// the same.
func TestStaleAtOnce(t *testing.T) {
	t.Parallel()
	for name, use := range map[string]func(*testing.T, *Client, *switchable){
		"Defender's pause": func(t *testing.T, c *Client, server *switchable) {
			t.Helper()
			server.turn(status(429, refusal("429", "again in 20 seconds")))
			_, err := c.MissingKBs(t.Context(), "b", Background())
			wantKind(t, err, ErrThrottled)
			server.turn(nil)
		},
		"our own limit": func(t *testing.T, c *Client, _ *switchable) {
			t.Helper()
			for i := range 30 {
				go c.MissingKBs(t.Context(), strconv.Itoa(i)) //nolint:errcheck // of no interest
			}
			synctest.Wait()
		},
	} {
		synctest.Test(t, func(t *testing.T) {
			c, server := askedLongAgo(t, func(o *Options) { o.PerMinute, o.Retry.MaxRetries = 50, -1 })
			use(t, c, server)
			start := time.Now()
			got, err := c.MissingKBs(t.Context(), "a")
			e := wantStale(t, got, err, ErrThrottled)
			if d := time.Since(start); d > 0 {
				t.Errorf("%s: an old answer took %v", name, d)
			}
			if e.RetryAfter < 19*time.Second || e.RetryAfter > 23*time.Second {
				t.Errorf("%s: again in %v", name, e.RetryAfter)
			}
			time.Sleep(e.RetryAfter + time.Second)
			if got, err := c.MissingKBs(t.Context(), "a"); err != nil || got.Stale != nil || got.Age > 30*time.Second {
				t.Errorf("%s: later: age %v, stale %v, %v", name, got.Age, got.Stale, err)
			}
		})
	}
}

// One who runs out of time gets the old answer, one who leaves does not.
func TestStaleAfterDeadline(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c, server := askedLongAgo(t)
		server.turn(func(r *http.Request) (*http.Response, error) {
			<-r.Context().Done()
			return nil, r.Context().Err()
		})
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		got, err := c.MissingKBs(ctx, "a")
		if e := wantStale(t, got, err, nil); !errors.Is(e, context.DeadlineExceeded) {
			t.Errorf("stale because of %v", e)
		}
		ctx, cancel = context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		if _, err := c.MissingKBs(ctx, "a"); !errors.Is(err, context.Canceled) {
			t.Errorf("error = %v", err)
		}
	})
}

// Old answers end: by age, by what came after them, and by their number and size.
func TestOldAnswers(t *testing.T) {
	t.Parallel()
	start := time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)
	a := newStaleCache(time.Hour, 3)
	a.bytes = 10_000
	has := func(at time.Time, keys ...string) {
		t.Helper()
		for _, key := range []string{"a", "b", "c", "d", "big", "bigger"} {
			_, got := a.get(key, at)
			want := false
			for _, k := range keys {
				want = want || k == key
			}
			if got != want {
				t.Errorf("%s is kept: %v, want %v", key, got, want)
			}
		}
	}
	a.put("a", outcome{at: start, size: 10})
	has(start.Add(time.Hour), "a")
	has(start.Add(time.Hour+1), "")
	for _, key := range []string{"a", "b", "c"} {
		a.put(key, outcome{at: start, size: 10})
	}
	a.get("a", start) // used last
	a.put("d", outcome{at: start, size: 10})
	has(start, "a", "c", "d")
	a.put("c", outcome{at: start, err: &Error{Kind: ErrUnavailable}})
	has(start, "a", "c", "d")
	a.put("c", outcome{at: start, err: &Error{Kind: ErrNotFound}})
	has(start, "a", "d")
	a.put("big", outcome{at: start, size: 9_990})
	has(start, "d", "big")
	a.put("bigger", outcome{at: start, size: 10_001})
	has(start, "d", "big")
	if a.held != 10_000 {
		t.Errorf("%d bytes are held", a.held)
	}
}

// What callers do to an old answer stays theirs.
func TestStaleIsTheCallers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c, server := askedLongAgo(t)
		server.turn(status(503, ""))
		for range 2 {
			got, err := c.MissingKBs(t.Context(), "a")
			_ = wantStale(t, got, err, ErrUnavailable)
			got.Value[0].Name = "changed"
		}
	})
}

// Who may not ask any more is not shown what was answered before, however Defender fails later, until it answers again.
func TestRefusalEndsOldAnswers(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		answer  func(*http.Request) (*http.Response, error)
		ask     func(context.Context, *Client) error
		refused error
		stale   bool // of the software, afterwards
	}{
		"permission": {status(403, ""), askFor("b"), ErrPermission, false},
		"credential": {status(401, ""), askFor("b"), ErrCredential, false},
		"licence":    {status(401, refusal("Unauthorized", "no license")), askFor("b"), ErrLicence, false},
		"other permission": {status(403, ""), func(ctx context.Context, c *Client) error {
			_, err := c.MachineByID(ctx, "m")
			return err
		}, nil, true},
		"not found": {status(404, ""), askFor("b"), nil, true},
		"down":      {status(503, ""), askFor("b"), nil, true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c, server := askedLongAgo(t, func(o *Options) { o.CacheTTL = 24 * time.Hour })
				server.turn(tc.answer)
				if err := tc.ask(t.Context(), c); err == nil {
					t.Fatal("no error")
				}
				if got := refusalOf(c); !errors.Is(got, tc.refused) {
					t.Errorf("refusal = %v, want %v", got, tc.refused)
				}
				server.turn(status(503, ""))
				got, err := c.MissingKBs(t.Context(), "a", MaxAge(time.Hour))
				if (err == nil) != tc.stale {
					t.Errorf("afterwards: %v, %v, want an old answer: %v", got.Value, err, tc.stale)
				}
				if got, err := c.MissingKBs(t.Context(), "a"); (err == nil) != tc.stale {
					t.Errorf("afterwards, from the cache: %v, %v", got.Value, err)
				}
				server.turn(nil)
				if _, err := c.MissingKBs(t.Context(), "a", MaxAge(0)); err != nil || refusalOf(c) != nil {
					t.Errorf("in the end: %v, %v", err, refusalOf(c))
				}
				server.turn(status(503, ""))
				if got, err := c.MissingKBs(t.Context(), "a", MaxAge(0)); err != nil || got.Stale == nil {
					t.Errorf("in the end there is no old answer: %v", err)
				}
			})
		})
	}
}

// refusalOf is the last word as an error.
func refusalOf(c *Client) error {
	if e := c.AuthResult().Refusal; e != nil {
		return e
	}
	return nil
}

func askFor(id string) func(context.Context, *Client) error {
	return func(ctx context.Context, c *Client) error {
		_, err := c.MissingKBs(ctx, id)
		return err
	}
}

// A sign-in that Entra refuses is a refusal; one that came to nothing is none.
func TestRefusedSignInEndsOldAnswers(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		err  error
		want error
	}{
		"refused":     {&Error{Kind: ErrCredential, Status: 401}, ErrCredential},
		"unreachable": {&Error{Kind: ErrUnavailable}, nil},
		"unreadable":  {errors.New("no such file"), nil},
	} {
		c, err := NewClient(&stubCredential{err: tc.err}, nil)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if err := c.SignIn(t.Context()); err == nil || !errors.Is(refusalOf(c), tc.want) {
			t.Errorf("%s: %v, refusal %v, want %v", name, err, refusalOf(c), tc.want)
		}
	}
}

// A login host that hangs cannot be reached, which is no fault of the credential; whoever leaves early says nothing of it.
func TestHangingSignIn(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		patience time.Duration
		told     error
		kind     error
	}{
		"to the end": {2 * time.Minute, ErrUnavailable, ErrUnavailable},
		"left":       {10 * time.Second, nil, nil},
	} {
		for kind, ask := range map[string]func(context.Context, *Client) error{"sign-in": func(ctx context.Context, c *Client) error { return c.SignIn(ctx) }, "call": askFor("a")} {
			synctest.Test(t, func(t *testing.T) {
				var told []error
				c, err := NewClient(muteCredential{}, &Options{SignedIn: func(err error) { told = append(told, err) }})
				if err != nil {
					t.Fatal(err)
				}
				ctx, cancel := context.WithTimeout(t.Context(), tc.patience)
				defer cancel()
				err = ask(ctx, c)
				c.Close()
				wantKind(t, err, tc.kind)
				if tc.told == nil && len(told) > 0 || tc.told != nil && (len(told) != 1 || !errors.Is(told[0], tc.told)) {
					t.Errorf("%s, %s: told %v, want %v", kind, name, told, tc.told)
				}
				if refusalOf(c) != nil {
					t.Errorf("%s, %s: it counts as a refusal: %v", kind, name, refusalOf(c))
				}
			})
		}
	}
}

// muteCredential asks a login host that accepts and says nothing. As azidentity does at times, it does not say why it failed.
type muteCredential struct{}

func (muteCredential) GetToken(ctx context.Context, _ policy.TokenRequestOptions) (azcore.AccessToken, error) {
	<-ctx.Done()
	return azcore.AccessToken{}, errors.New("authentication failed")
}
