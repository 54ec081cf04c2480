package api

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/tracing"
)

// Options configure a [Client]. The zero value of each field stands for its default.
type Options struct {
	Cloud         Cloud               // where Defender is; what is empty in it comes from [PublicCloud]
	PerMinute     int                 // Defender calls in any minute, retries counted; 50, negative for no limit. It is per process; see Budget
	PerHour       int                 // the same for any hour; 1,500
	Budget        Budget              // what this process and others may call together, beside its own limits; nil for a process that is alone
	CacheTTL      time.Duration       // how long answers are kept; 5 minutes, negative to keep none
	CacheEntries  int                 // how many answers are kept; 2,000
	StaleFor      time.Duration       // how long an answer is kept to be handed out, with [Answer.Stale] set, when Defender cannot be asked; 0 for not at all
	MaxBody       int64               // bytes of an answer, decompressed, that are read; 32 MiB
	TryTimeout    time.Duration       // how long Defender may be silent before it is asked once more, on a fresh connection; 10 s, or a third of Timeout
	Timeout       time.Duration       // one call with its retries and its wait for the rate limit, each page being a call; 60 s
	Transport     policy.Transporter  // sends HTTP requests; default: a client of our own that uses the proxy variables. Redirects of an *http.Client are not followed
	Retry         policy.RetryOptions // azcore's: three retries unless set
	Logger        *slog.Logger        // gets a debug line per HTTP call, and warnings about the shared budget and unreadable rows; nil for none
	Tracing       tracing.Provider    // azcore's hook for spans
	Now           func() time.Time    // the clock that dates answers and judges their age; time.Now. Waiting always goes by the real one
	ApplicationID string              // goes in front of the User-Agent, up to 24 characters; "missingkbs"

	// Observe is called after each HTTP call. It must be quick and safe for concurrent use.
	Observe func(context.Context, CallObservation)
	// SignedIn is called after each request for a token, with the reason if it failed.
	SignedIn func(error)
	// Joined is called for each question that joins a call begun by another: with the context of the question, and that
	// of the question which began the call.
	Joined func(question, beganBy context.Context)
}

const (
	defaultPerMinute    = 50
	defaultPerHour      = 1500
	defaultCacheTTL     = 5 * time.Minute
	defaultCacheEntries = 2000
	defaultMaxBody      = 32 << 20
	defaultTimeout      = time.Minute
	defaultTryTimeout   = 10 * time.Second
	defaultApplication  = "missingkbs"
)

func (o *Options) withDefaults() Options {
	var d Options
	if o != nil {
		d = *o
	}
	d.Cloud = d.Cloud.orPublic()
	orDefault(&d.PerMinute, defaultPerMinute)
	orDefault(&d.PerHour, defaultPerHour)
	orDefault(&d.CacheTTL, defaultCacheTTL)
	orDefault(&d.CacheEntries, defaultCacheEntries)
	orDefault(&d.MaxBody, defaultMaxBody)
	orDefault(&d.Timeout, defaultTimeout)
	orDefault(&d.TryTimeout, min(defaultTryTimeout, d.Timeout/3))
	orDefault(&d.ApplicationID, defaultApplication)
	if d.Now == nil {
		d.Now = time.Now
	}
	if d.Observe == nil {
		d.Observe = func(context.Context, CallObservation) {}
	}
	if d.SignedIn == nil {
		d.SignedIn = func(error) {}
	}
	if d.Joined == nil {
		d.Joined = func(_, _ context.Context) {}
	}
	if d.Logger == nil {
		d.Logger = slog.New(slog.DiscardHandler)
	}
	return d
}

func orDefault[T comparable](v *T, d T) {
	var zero T
	if *v == zero {
		*v = d
	}
}

// Client asks Defender. It is safe for concurrent use and cheap to keep. Use one per tenant and process, because it
// owns the rate limit and the cache.
type Client struct {
	endpoint string // base URL without a slash at the end
	base     string // its path, most often empty
	host     string
	timeout  time.Duration
	now      func() time.Time
	azure    *azcore.Client
	answers  *answers
	stale    *staleCache
	inflight *inflight
	limiter  *limiter
	counts   *counts
	joined   func(question, beganBy context.Context)
	cred     azcore.TokenCredential
	scope    string
	log      *slog.Logger
	idle     func() // closes the idle connections of our own transport
}

// NewClient returns a client that signs in with cred. It makes no call.
func NewClient(cred azcore.TokenCredential, opts *Options) (*Client, error) {
	if cred == nil {
		return nil, errors.New("api: no credential")
	}
	o := opts.withDefaults()
	if o.Timeout < 0 || o.TryTimeout < 0 || o.MaxBody < 0 || o.CacheEntries < 0 {
		return nil, errors.New("api: Timeout, TryTimeout, MaxBody and CacheEntries must not be negative")
	}
	idle := func() {}
	if o.Transport == nil {
		own := defaultTransport()
		o.Transport, idle = own, own.CloseIdleConnections
	}
	endpoint, err := parseEndpoint(o.Cloud.Endpoint)
	if err != nil {
		return nil, fmt.Errorf("api: %w", err)
	}
	limiter := newLimiter(o)
	named := namedCredential{cred, o.SignedIn}
	azure, conns, err := newPipeline(cred, named, o, limiter)
	if err != nil {
		return nil, fmt.Errorf("api: %w", err)
	}
	if conns != nil {
		closeOwn := idle
		idle = func() { closeOwn(); conns.close() }
	}
	return &Client{
		endpoint: endpoint.String(),
		base:     endpoint.EscapedPath(),
		host:     endpoint.Host,
		timeout:  o.Timeout,
		now:      o.Now,
		azure:    azure,
		answers:  newAnswers(o.CacheTTL, o.CacheEntries, o.Now),
		stale:    newStaleCache(o.StaleFor, o.CacheEntries),
		inflight: newInflight(o.TryTimeout),
		limiter:  limiter,
		counts:   limiter.counts,
		joined:   o.Joined,
		cred:     named,
		scope:    o.Cloud.Scope,
		log:      o.Logger,
		idle:     idle,
	}, nil
}

// SignIn gets a token for Defender, from memory while one is valid. It may ask the login host, but not Defender.
func (c *Client) SignIn(ctx context.Context) error {
	limited, cancel := c.limit(ctx)
	defer cancel()
	// Requested as azcore does; otherwise the token would not be the one that calls use.
	if _, err := c.cred.GetToken(limited, policy.TokenRequestOptions{Scopes: []string{c.scope}, EnableCAE: true}); err != nil {
		failure := c.unanswered(ctx, "", err)
		c.recordAuthResult("", failure)
		return failure
	}
	return nil
}

// limit applies the time limit of a call. The cause distinguishes it from the caller's deadline.
func (c *Client) limit(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeoutCause(ctx, c.timeout, &timedOut{c.timeout})
}

// timedOut reports that a call has used up its own time.
type timedOut struct{ after time.Duration }

func (e *timedOut) Error() string { return fmt.Sprintf("no answer within %s", e.after) }

// AuthResult is a definite answer of Defender or Entra on whether the app has access. "Busy" or "unavailable" is not
// one.
type AuthResult struct {
	At      time.Time // zero if there was none so far
	Refusal *Error    // why access was refused; nil with access
}

// AuthResult returns the last result for software. After a refusal, nothing that was known before may be shown.
func (c *Client) AuthResult() AuthResult { return c.stale.lastAuthResult(softwarePath) }

// Host returns the host that is asked, such as "api.security.microsoft.com".
func (c *Client) Host() string { return c.host }

// Close ends running calls, waits for them, and closes the idle connections of our own transport. Programs and tests
// that must leave nothing behind call it, because calls go on after their callers have left. Later questions fail
// unless the cache has the answer.
func (c *Client) Close() {
	c.inflight.close()
	c.idle()
}

// parseEndpoint accepts an https base URL. Plain http is rejected because every request carries a token.
func parseEndpoint(s string) (*url.URL, error) {
	u, err := url.Parse(s)
	if err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return nil, errors.New("the endpoint must be a URL such as " + PublicCloud().Endpoint)
	}
	if u.Scheme != "https" {
		return nil, fmt.Errorf("the endpoint must be https, not %s", u.Scheme)
	}
	u.Path, u.RawPath = strings.TrimRight(u.Path, "/"), strings.TrimRight(u.RawPath, "/")
	return u, nil
}

// call is how errors and logs name the call for a path: without its query, which
// may hold what a user typed.
func (c *Client) call(path string) string {
	path, _, _ = strings.Cut(path, "?")
	return http.MethodGet + " " + c.base + path
}

// address is where a path is asked for.
func (c *Client) address(path string) (*url.URL, error) {
	at, err := url.Parse(c.endpoint + path)
	if err != nil {
		return nil, badResponse(c.call(path), err)
	}
	return at, nil
}

// get makes one call with its retries, and has the body of a 200 decoded. The body is valid until decode returns.
func (c *Client) get(ctx context.Context, op string, at *url.URL, decode func(body []byte) error) (err error) {
	call := callOf(at)
	if _, ok := ctx.Value(positionKey{}).(*queuePosition); !ok {
		ctx = withPosition(ctx, newQueuePosition(false))
	}
	ctx = withCallState(ctx, op)
	callState := callStateOf(ctx)
	defer callState.leave()
	limited, cancel := c.limit(ctx)
	defer cancel()
	limited, end := runtime.StartSpan(limited, "Client."+op, c.azure.Tracer(), nil)
	defer func() { end(err) }()

	req, err := runtime.NewRequest(limited, http.MethodGet, at.String())
	if err != nil {
		return badResponse(call, err)
	}
	runtime.SkipBodyDownload(req) // the policies do it
	req.Raw().Header.Set("Accept", "application/json")
	resp, err := c.azure.Pipeline().Do(req)
	if err != nil {
		return c.unanswered(ctx, call, err)
	}
	if resp.StatusCode != http.StatusOK {
		e := responseError(resp)
		e.Call = call
		return e
	}
	if err := decode(callState.body); err != nil {
		return badResponse(call, err)
	}
	return nil
}
