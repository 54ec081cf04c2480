package api

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
)

// answersOf makes a transport that gives one answer after another, the last one
// for ever, and notes when it was asked. It is for a synctest bubble.
func answersOf(at *[]time.Duration, replies ...func(*http.Request) (*http.Response, error)) inMemory {
	start := time.Now()
	return func(r *http.Request) (*http.Response, error) {
		n := len(*at)
		*at = append(*at, time.Since(start))
		return replies[min(n, len(replies)-1)](r)
	}
}

func status(code int, body string, header ...string) func(*http.Request) (*http.Response, error) {
	return func(r *http.Request) (*http.Response, error) { return reply(r, code, body, header...), nil }
}

const quotaRefusal = "API calls quotaRefusal exceeded! Maximum allowed 30 per 00:01:00 for the key Destination+TenantID+AppID. You can send requests again in 8 seconds."

func TestRetries(t *testing.T) {
	t.Parallel()
	ok := status(200, edge)
	broken := func(*http.Request) (*http.Response, error) { return nil, errors.New("connection reset") }
	for name, tc := range map[string]struct {
		replies []func(*http.Request) (*http.Response, error)
		want    []time.Duration // when the calls are made
		kind    error
		again   time.Duration
	}{
		"429 says when":             {replies: pair(status(429, "", "Retry-After", "7"), ok), want: seconds(0, 7)},
		"503 says when":             {replies: pair(status(503, "", "Retry-After", "3"), ok), want: seconds(0, 3)},
		"429 says it in a sentence": {replies: pair(status(429, refusal("429", quotaRefusal)), ok), want: seconds(0, 8)},
		"503 with a date": {replies: pair(func(r *http.Request) (*http.Response, error) {
			return reply(r, 503, "", "Retry-After", time.Now().Add(5*time.Second).UTC().Format(http.TimeFormat)), nil
		}, ok), want: seconds(0, 5)},
		"connection reset":     {replies: pair(broken, ok), want: seconds(0, 0)},
		"500":                  {replies: pair(status(500, ""), ok), want: seconds(0, 0)},
		"always 503":           {replies: pair(status(503, "", "Retry-After", "2"), status(503, "", "Retry-After", "2")), want: seconds(0, 2, 4, 6), kind: ErrUnavailable, again: 2 * time.Second},
		"always 429":           {replies: pair(status(429, "", "Retry-After", "2"), status(429, "", "Retry-After", "2")), want: seconds(0, 2, 4, 6), kind: ErrThrottled, again: 2 * time.Second},
		"longer than the most": {replies: pair(status(429, "", "Retry-After", "900"), ok), want: seconds(0), kind: ErrThrottled, again: 900 * time.Second},
		"longer than the call": {replies: pair(status(429, "", "Retry-After", "55"), status(429, "", "Retry-After", "6")), want: seconds(0, 55), kind: ErrThrottled, again: 6 * time.Second},
		"404 is final":         {replies: pair(notFound(), ok), want: seconds(0), kind: ErrNotFound},
		"403 is final":         {replies: pair(status(403, ""), ok), want: seconds(0), kind: ErrPermission},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var at []time.Duration
				c := newTestClient(t, func(o *Options) { o.Transport = answersOf(&at, tc.replies...) })
				_, err := c.MissingKBs(t.Context(), "a")
				if tc.kind == nil && err != nil {
					t.Fatal(err)
				}
				if tc.kind != nil {
					if e := errorOf(t, err, tc.kind); e.RetryAfter != tc.again {
						t.Errorf("RetryAfter = %v, want %v", e.RetryAfter, tc.again)
					}
				}
				for i := range at {
					at[i] = at[i].Truncate(time.Second) // without azcore's own short delays
				}
				if !slices.Equal(at, tc.want) {
					t.Errorf("calls at %v, want %v", at, tc.want)
				}
			})
		})
	}
}

func pair[T any](a, b T) []T { return []T{a, b} }

func seconds(n ...int) []time.Duration {
	var ds []time.Duration
	for _, n := range n {
		ds = append(ds, time.Duration(n)*time.Second)
	}
	return ds
}

// A caller who cannot wait as long as Defender asks hears it at once; the call
// goes on and its answer is there for those who come back.
func TestRetryAfterBeyondDeadline(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var at []time.Duration
		c := newTestClient(t, func(o *Options) {
			o.Transport = answersOf(&at, status(429, refusal("429", quotaRefusal)), status(200, edge))
		})
		start := time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		_, err := c.MissingKBs(ctx, "a")
		e := errorOf(t, err, ErrThrottled)
		if e.RetryAfter != 8*time.Second || e.Status != 429 || e.Message != quotaRefusal || e.Call == "" {
			t.Errorf("error = %+v, want all that Defender said", e)
		}
		if d := time.Since(start); d > time.Second {
			t.Errorf("heard it after %v, want at once", d)
		}
		time.Sleep(e.RetryAfter)
		synctest.Wait()
		got, err := c.MissingKBs(t.Context(), "a")
		if err != nil || !got.Cached || len(at) != 2 {
			t.Errorf("after the wait: cached %v, %v, %d calls; want the answer of the call that went on", got.Cached, err, len(at))
		}
	})
}

func TestOwnRetryRules(t *testing.T) {
	t.Parallel()
	never := func(*http.Response, error) bool { return false }
	for name, retry := range map[string]policy.RetryOptions{
		"a rule":   {ShouldRetry: never},
		"no codes": {StatusCodes: []int{}},
		"no tries": {MaxRetries: -1},
	} {
		synctest.Test(t, func(t *testing.T) {
			var at []time.Duration
			c := newTestClient(t, func(o *Options) {
				o.Retry, o.Transport = retry, answersOf(&at, status(500, ""))
			})
			_, err := c.MissingKBs(t.Context(), "a")
			wantKind(t, err, ErrUnavailable)
			if len(at) != 1 {
				t.Errorf("%s: %d calls, want 1", name, len(at))
			}
		})
	}
}

func TestRetryAfterHeaders(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name, value string
		want        time.Duration
	}{
		{"Retry-After", "7", 7 * time.Second},
		{"Retry-After", "-7", 0},
		{"Retry-After", "soon", 0},
		{"Retry-After", "", 0},
		{"Retry-After", "3600", time.Hour},
		{"Retry-After", "86400", time.Hour},
		{"Retry-After", "99999999999999", time.Hour},
		{"Retry-After", "Mon, 02 Jan 2106 15:04:05 GMT", time.Hour},
		{"retry-after-ms", "99999999999999", time.Hour},
		{"Retry-After", "Mon, 02 Jan 2006 15:04:05 GMT", 0},
		{"retry-after-ms", "250", 250 * time.Millisecond},
		{"x-ms-retry-after-ms", "250", 250 * time.Millisecond},
	} {
		if got := retryAfter(reply(nil, 429, "", tc.name, tc.value)); got != tc.want {
			t.Errorf("retryAfter(%s: %s) = %v, want %v", tc.name, tc.value, got, tc.want)
		}
	}
}
