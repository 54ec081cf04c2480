package apitest

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// EntraPath is the Fault.Path of calls that ask Entra for a token.
const EntraPath = "/entra"

// Fault is something the service does wrong, or a limit it enforces. A fault
// with only a Delay lets the call through to the next fault, or to an honest
// answer; faults with Cut or NextLink alone spoil the honest answer; the
// others answer themselves.
type Fault struct {
	Name string // for people, and for Call.Fault
	// Path is the beginning of the paths it applies to, decoded, without a
	// version and in any case of letters: "/api/Software". "" is every call of
	// the Defender API, EntraPath those for a token.
	Path  string
	Times int           // how many calls it spoils; 0: all until it is removed
	Delay time.Duration // before anything else; ends early when the client leaves

	Status                int    // of the answer; 0: 200 if there is a Body, else honest
	Code, Message, Target string // of the error, if Status is set and Body is not
	RetryAfter            time.Duration

	Cut         int    // close the connection after so many bytes of a longer body; 0: do not
	Body        string // to send in place of the honest one
	ContentType string // of Body; default application/json
	NextLink    string // adds an @odata.nextLink to a list; Self makes a circle
}

// Self is the NextLink that leads to the same page again.
const Self = "self"

// Slow delays every call of the Defender API.
func Slow(d time.Duration) Fault { return Fault{Name: "slow", Delay: d} }

// Throttled answers 429, as a used-up quota does. The wait is in the text and
// in Retry-After.
func Throttled(wait time.Duration) Fault {
	r := overQuota(wait, 100)
	b := r.body.(errorBody)
	return Fault{Name: "throttled", Status: r.status, Code: b.Error.Code, Message: b.Error.Message, Target: TenantID, RetryAfter: wait}
}

// Failing answers 503.
func Failing() Fault {
	return Fault{Name: "failing", Status: http.StatusServiceUnavailable, Code: "ServiceUnavailable", Message: "The service is temporarily unavailable."}
}

// Unlicensed answers 401, as a tenant without vulnerability management does.
func Unlicensed() Fault {
	return Fault{Name: "unlicensed", Status: http.StatusUnauthorized, Code: "Unauthorized", Message: "Unauthorized request - reason of failure: No Tvm license"}
}

// Lying answers 200 with a web page, as a proxy on the way would.
func Lying() Fault {
	return Fault{Name: "lying", ContentType: "text/html; charset=utf-8", Body: "<!DOCTYPE html><html><head><title>Sign in</title></head><body>Please sign in to the network.</body></html>"}
}

// CutShort breaks every answer off after 20 bytes.
func CutShort() Fault { return Fault{Name: "cut", Cut: 20} }

// Inject adds a fault, after those that are there. The returned function
// removes it and may be called more than once.
func (t *Tenant) Inject(f Fault) (remove func()) {
	return t.faults.add(&activeFault{Fault: f, left: f.Times})
}

// Heal removes all faults. Quota, roles and secret stay as they are set.
func (t *Tenant) Heal() {
	t.faults.mu.Lock()
	defer t.faults.mu.Unlock()
	t.faults.active = nil
}

type activeFault struct {
	Fault
	left int
}

// faultList is the faults in the order they were injected.
type faultList struct {
	mu     sync.Mutex
	active []*activeFault
}

func (l *faultList) add(f *activeFault) (remove func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.active = append(l.active, f)
	return func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.active = slices.DeleteFunc(l.active, func(o *activeFault) bool { return o == f })
	}
}

// trouble is what the faults hold for one call: the delays of all that fit,
// up to the first that does more than delay.
type trouble struct {
	delay time.Duration
	fault Fault
}

// take finds the call's trouble and counts it against the faults.
func (l *faultList) take(path string) trouble {
	l.mu.Lock()
	defer l.mu.Unlock()
	var out trouble
	for _, f := range slices.Clone(l.active) {
		if !f.fits(path) {
			continue
		}
		if f.Times > 0 {
			f.left--
		}
		out.delay += f.Delay
		out.fault = f.Fault
		if f.spoils() {
			break
		}
	}
	l.active = slices.DeleteFunc(l.active, func(f *activeFault) bool { return f.Times > 0 && f.left <= 0 })
	return out
}

func (f Fault) fits(path string) bool {
	if path == EntraPath || f.Path == EntraPath {
		return f.Path == path
	}
	return strings.HasPrefix(strings.ToLower(path), strings.ToLower(f.Path))
}

// spoils tells whether the fault does more than delay.
func (f Fault) spoils() bool {
	return f.Status != 0 || f.Body != "" || f.Cut > 0 || f.NextLink != ""
}

// wait sits the delay out; false says that the client has left meanwhile.
func (t trouble) wait(ctx context.Context) bool {
	if t.delay <= 0 {
		return true
	}
	timer := time.NewTimer(t.delay)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}

// decides tells whether the fault answers itself.
func (t trouble) decides() bool { return t.fault.Status != 0 || t.fault.Body != "" }

func (t trouble) name() string { return t.fault.Name }

func (t trouble) cut() int { return t.fault.Cut }

func (t trouble) reply() reply {
	f := t.fault
	status := f.Status
	if status == 0 {
		status = http.StatusOK
	}
	if f.Body != "" {
		return reply{status: status, raw: []byte(f.Body), mediaType: f.ContentType, retryAfter: f.RetryAfter}
	}
	r := failure(status, f.Code, f.Message)
	b := r.body.(errorBody)
	b.Error.Target = f.Target
	r.body, r.retryAfter = b, f.RetryAfter
	return r
}

// link adds the fault's nextLink to a list.
func (t trouble) link(r reply, q *request) reply {
	p, isList := r.body.(page)
	if t.fault.NextLink == "" || !isList {
		return r
	}
	p.NextLink = t.fault.NextLink
	if p.NextLink == Self {
		p.NextLink = q.base() + q.URL.RequestURI()
	}
	r.body = p
	return r
}
