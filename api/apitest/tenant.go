// Package apitest is a Microsoft Defender tenant in memory: the part of Defender's REST API that is about software, missing
// KBs, machines and vulnerabilities, and the part of Entra that hands out tokens for it. [Start] puts it behind TLS on
// loopback, for tests and for trying things out. The data are invented and depend only on the seed and on the tenant's own
// clock, which stands still until [Tenant.Advance] moves it. The shapes are Defender's, its looseness included: an OS build is
// a number, a string, null or absent. What the service does wrong on a bad day it does here on request, see [Tenant.Inject].
// The package knows nothing of the client it is asked by, and it is no security boundary: anyone who reads this file can get a
// token.
package apitest

import (
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// The one app registration that the tenant knows.
const (
	TenantID     = "11111111-2222-4333-8444-555555555555"
	ClientID     = "aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee"
	ClientSecret = "apitest~not-a-real-secret"
)

// DefaultRoles are the application permissions of the app, unless set.
func DefaultRoles() []string {
	return []string{"Software.Read.All", "Machine.Read.All", "Vulnerability.Read.All"}
}

// Options say how a tenant is made. The zero value is a good one.
type Options struct {
	Start    time.Time // the tenant's clock at first; default 2026-11-23 09:00 UTC
	Seed     uint64    // same seed, same data; default 1
	Roles    []string  // application permissions; default DefaultRoles
	Addr     string    // where Start listens; default 127.0.0.1:0
	Empty    bool      // no built-in data
	PageSize int       // rows a list has at most before it is continued; default and maximum 10,000
}

func (o Options) withDefaults() Options {
	if o.Start.IsZero() {
		o.Start = time.Date(2026, time.November, 23, 9, 0, 0, 0, time.UTC)
	}
	if o.Seed == 0 {
		o.Seed = 1
	}
	if o.Roles == nil {
		o.Roles = DefaultRoles()
	}
	if o.Addr == "" {
		o.Addr = "127.0.0.1:0"
	}
	if o.PageSize <= 0 || o.PageSize > maxTop {
		o.PageSize = maxTop
	}
	o.Start = o.Start.UTC()
	return o
}

// Tenant is the data and, as an [http.Handler], the service. All methods may
// be called at any time, also while requests are served.
type Tenant struct {
	builtIn  *builtIn // nil if there are no built-in data
	pageSize int
	data     atomic.Pointer[snapshot]

	changing sync.Mutex // held while data is replaced; guards put and now
	put      fixtures
	now      time.Time

	app    app
	faults faultList
	quota  quota
	skew   atomic.Int64 // nanoseconds by which answers are misdated
	calls  callLog
}

// NewTenant makes a tenant. It needs no closing.
func NewTenant(o Options) *Tenant {
	o = o.withDefaults()
	t := &Tenant{now: o.Start, pageSize: o.PageSize}
	if !o.Empty {
		t.builtIn = newBuiltIn(o.Seed, o.Start)
	}
	t.app.init(o.Roles)
	t.data.Store(newSnapshot(t.builtIn, t.put, t.now))
	return t
}

// Now is the time of the tenant's clock.
func (t *Tenant) Now() time.Time {
	return t.data.Load().now
}

// SoftwareIDs returns the ids of all software, without a call.
func (t *Tenant) SoftwareIDs() []string {
	var ids []string
	for _, s := range t.data.Load().software {
		ids = append(ids, s.ID)
	}
	slices.Sort(ids)
	return ids
}

// Advance moves the tenant's clock on, and the data with it: devices take
// their updates, Patch Tuesdays bring new ones. Tokens and quotas live by the
// real clock and do not notice. A negative d does nothing.
func (t *Tenant) Advance(d time.Duration) {
	if d <= 0 {
		return
	}
	t.change(func() { t.now = t.now.Add(d) })
}

// change replaces the data by those that follow from the change.
func (t *Tenant) change(apply func()) {
	t.changing.Lock()
	defer t.changing.Unlock()
	apply()
	t.data.Store(newSnapshot(t.builtIn, t.put, t.now))
}

// SetRoles replaces the app's permissions, at once and also for tokens handed
// out before, as if their hour were over. Delegated tokens have the same
// permissions without ".All".
func (t *Tenant) SetRoles(roles ...string) {
	t.app.mu.Lock()
	defer t.app.mu.Unlock()
	t.app.roles = slices.Clone(roles)
}

// SetSecret replaces the app's secret. Tokens handed out stay good, see
// [Tenant.RevokeTokens].
func (t *Tenant) SetSecret(secret string) {
	t.app.mu.Lock()
	defer t.app.mu.Unlock()
	t.app.secret = secret
}

// RevokeTokens makes every token handed out so far a bad one: the next call
// with it is answered with 401.
func (t *Tenant) RevokeTokens() {
	t.app.mu.Lock()
	defer t.app.mu.Unlock()
	t.app.signingKey = newSigningKey()
}

// Token is an access token of the app for the Defender API, for tests that
// make their requests by hand.
func (t *Tenant) Token() string {
	return t.app.appToken(Resource)
}

// isDefender tells the paths of the API from those of Entra.
func isDefender(path string) bool {
	p := strings.ToLower(path)
	return p == "/api" || strings.HasPrefix(p, "/api/")
}
