package apitest

import (
	"fmt"
	"net/http"
	"sync"
	"time"
)

// quota counts calls in windows of a minute, by the real clock.
type quota struct {
	mu    sync.Mutex
	limit int // 0: none
	since time.Time
	used  int
}

// SetQuota lets at most so many calls of the Defender API through in a minute
// that begins with the first of them; the others get 429. 0 lifts the limit.
func (t *Tenant) SetQuota(perMinute int) {
	t.quota.mu.Lock()
	defer t.quota.mu.Unlock()
	t.quota.limit, t.quota.used, t.quota.since = perMinute, 0, time.Time{}
}

// take counts a call; a wait above 0 says that it is one too many.
func (q *quota) take(now time.Time) (wait time.Duration, limit int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.limit <= 0 {
		return 0, 0
	}
	if now.Sub(q.since) >= time.Minute {
		q.since, q.used = now, 0
	}
	if q.used < q.limit {
		q.used++
		return 0, q.limit
	}
	return q.since.Add(time.Minute).Sub(now), q.limit
}

// overQuota is the answer as people have seen it live: the code is the number.
func overQuota(wait time.Duration, limit int) reply {
	r := failure(http.StatusTooManyRequests, "429", fmt.Sprintf(
		"API calls quota exceeded! Maximum allowed %d per 00:01:00 for the key Destination+TenantID+AppID. You can send requests again in %d seconds.",
		limit, wholeSeconds(wait)))
	b := r.body.(errorBody)
	b.Error.Target = TenantID
	r.body = b
	r.retryAfter = time.Duration(wholeSeconds(wait)) * time.Second
	return r
}
