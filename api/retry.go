package api

import (
	"math"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"

	"github.com/missingkbs/missingkbs/internal/quota"
)

// retryCodes are azcore's own, which it offers under no name.
func retryCodes() []int {
	return []int{
		http.StatusRequestTimeout, http.StatusTooManyRequests, http.StatusInternalServerError,
		http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout,
	}
}

// worthRetrying is azcore's rule of what to retry with two additions. A wait that
// ends after the call's deadline is not begun, so that the caller gets "again in
// 40 s" now and not "deadline exceeded" later; and a wait that is begun is told
// to callers that wait for the call, whose deadlines may be earlier.
func worthRetrying(o policy.RetryOptions) func(*http.Response, error) bool {
	if o.StatusCodes == nil {
		o.StatusCodes = retryCodes()
	}
	return func(resp *http.Response, err error) bool {
		switch {
		case o.ShouldRetry != nil:
			if !o.ShouldRetry(resp, err) {
				return false
			}
		case err == nil && !slices.Contains(o.StatusCodes, resp.StatusCode):
			return false
		}
		return err != nil || worthWaiting(resp)
	}
}

// worthWaiting looks at the wait that an answer asks for.
func worthWaiting(resp *http.Response) bool {
	findRetryAfter(resp)
	wait := retryAfter(resp)
	if wait == 0 || resp.Request == nil {
		return true
	}
	ctx, turn := resp.Request.Context(), time.Now().Add(wait)
	if afterDeadline(ctx, turn) {
		return false
	}
	positionOf(ctx).move(turn, *responseError(resp))
	return true
}

var againIn = regexp.MustCompile(`again in (\d{1,5}) seconds`)

// findRetryAfter sets the header from Defender's sentence ("You can send requests
// again in 8 seconds.") when only the sentence is there: azcore reads the header.
func findRetryAfter(resp *http.Response) {
	if resp.StatusCode != http.StatusTooManyRequests || retryAfter(resp) > 0 {
		return
	}
	body, _ := runtime.Payload(resp)
	if m := againIn.FindSubmatch(body); m != nil {
		resp.Header.Set("Retry-After", string(m[1]))
	}
}

// retryAfter is how long an answer asks to wait, 0 when it does not say. It reads
// the headers that azcore reads. What asks for longer than [quota.MaxPause] would keep the bot away for good.
func retryAfter(resp *http.Response) time.Duration {
	for _, h := range []struct {
		name string
		unit time.Duration
	}{
		{"Retry-After-Ms", time.Millisecond},
		{"X-Ms-Retry-After-Ms", time.Millisecond},
		{"Retry-After", time.Second},
	} {
		if n, err := strconv.Atoi(resp.Header.Get(h.name)); err == nil && n > 0 {
			return min(time.Duration(min(n, math.MaxInt32))*h.unit, quota.MaxPause)
		}
	}
	if t, err := http.ParseTime(resp.Header.Get("Retry-After")); err == nil {
		return min(max(time.Until(t), 0), quota.MaxPause)
	}
	return 0
}
