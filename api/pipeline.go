package api

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"

	"github.com/missingkbs/missingkbs/internal/httpclient"
)

// newPipeline builds the policies that a request passes: request ID and retry, then for each try the token, the rate
// limit, the log and the limit of silence.
func newPipeline(cred azcore.TokenCredential, named namedCredential, o Options, limit *limiter) (*azcore.Client, *connections, error) {
	transport, conns := switching(o.Transport)
	retry := o.Retry
	retry.ShouldRetry = worthRetrying(o.Retry)
	client, err := azcore.NewClient(modulePath+"/api", moduleVersion(),
		runtime.PipelineOptions{
			PerCall: []policy.Policy{runtime.NewRequestIDPolicy()},
			PerRetry: []policy.Policy{
				secondToken{cred},
				runtime.NewBearerTokenPolicy(named, []string{o.Cloud.Scope}, nil),
				refusedToken{cred},
				limit,
				callLog{o.Logger, o.Observe},
				tryLimit{o.TryTimeout, conns},
				newBodySemaphore(o.MaxBody),
			},
		},
		&policy.ClientOptions{
			Retry:           retry,
			Telemetry:       policy.TelemetryOptions{ApplicationID: o.ApplicationID},
			TracingProvider: o.Tracing,
			Transport:       bodyLimit{transport, o.MaxBody},
		})
	return client, conns, err
}

// callLog writes a debug line for every HTTP call, and tells the observer. It
// knows neither the token nor the body, and leaves out the id and the query, which
// may hold what a user typed.
type callLog struct {
	log     *slog.Logger
	observe func(context.Context, CallObservation)
}

// Do implements [policy.Policy].
func (l callLog) Do(req *policy.Request) (*http.Response, error) {
	start := time.Now()
	resp, err := req.Next()
	ctx := req.Raw().Context()
	took := time.Since(start) - callStateOf(ctx).held
	if err != nil || resp.StatusCode >= http.StatusTooManyRequests {
		positionOf(ctx).fail()
	}
	l.observe(ctx, observationOf(ctx, resp, took))
	if !l.log.Enabled(ctx, slog.LevelDebug) {
		return resp, err
	}
	attrs := []slog.Attr{
		slog.String("call", redactedCall(callOf(req.Raw().URL))),
		slog.Duration("duration", took),
		slog.String("request_id", req.Raw().Header.Get(requestIDHeader)),
	}
	if err == nil {
		attrs = append(attrs, slog.Int("status", resp.StatusCode))
	} else {
		attrs = append(attrs, slog.String("error", oneLine(httpclient.WithoutURL(err).Error())))
	}
	l.log.LogAttrs(ctx, slog.LevelDebug, "defender call", attrs...)
	return resp, err
}

func observationOf(ctx context.Context, resp *http.Response, took time.Duration) CallObservation {
	call := callStateOf(ctx)
	call.tries++
	o := CallObservation{Kind: call.kind, Duration: took, Waited: call.waited, Try: call.tries}
	_, o.Background = positionOf(ctx).background()
	if resp != nil {
		o.Status = resp.StatusCode
	}
	return o
}

// bodyLimit stops reading an answer at a limit, after decompression. What is no answer is cut, since it is a failure
// whatever else it says.
type bodyLimit struct {
	policy.Transporter
	limit int64
}

// Do implements [policy.Transporter].
func (b bodyLimit) Do(req *http.Request) (*http.Response, error) {
	resp, err := b.Transporter.Do(req)
	if err != nil || resp == nil {
		return resp, err
	}
	if resp.StatusCode != http.StatusOK {
		resp.Body = cutBody{io.LimitReader(resp.Body, errorBody), resp.Body}
		return resp, nil
	}
	if resp.ContentLength > b.limit {
		_ = resp.Body.Close()
		return nil, &tooLarge{b.limit}
	}
	resp.Body = httpclient.LimitBody(resp.Body, b.limit, &tooLarge{b.limit})
	return resp, nil
}

// cutBody is the beginning of a body.
type cutBody struct {
	io.Reader
	io.Closer
}

// tooLarge reports that an answer exceeds the limit.
type tooLarge struct{ limit int64 }

func (e *tooLarge) Error() string {
	return fmt.Sprintf("the answer is larger than %d bytes", e.limit)
}

// NonRetriable keeps azcore's retry policy from trying again.
func (*tooLarge) NonRetriable() {}

// withoutRedirects returns t with redirects off, if t is an [*http.Client]. Go would take the token along to another port or
// to plain http of the same host.
func withoutRedirects(t policy.Transporter) policy.Transporter {
	client, ok := t.(*http.Client)
	if !ok {
		return t
	}
	return httpclient.NoRedirects(client)
}

// defaultTransport is an HTTP client for one host that may be far away: it dials
// and shakes hands with patience, and leaves the rest to the call's timeout. An
// answer that waits for memory is held up at the other end: Go would take 4 MiB of
// it, for each of them.
func defaultTransport() *http.Client {
	dialer := &net.Dialer{Timeout: 10 * time.Second, KeepAlive: 30 * time.Second}
	return &http.Client{Transport: &http.Transport{
		Proxy:                 http.ProxyFromEnvironment,
		DialContext:           dialer.DialContext,
		ForceAttemptHTTP2:     true,
		MaxIdleConnsPerHost:   10,
		IdleConnTimeout:       90 * time.Second,
		TLSHandshakeTimeout:   10 * time.Second,
		ExpectContinueTimeout: time.Second,
		TLSClientConfig:       &tls.Config{MinVersion: tls.VersionTLS12},
		HTTP2:                 &http.HTTP2Config{MaxReceiveBufferPerStream: waitingBody},
	}}
}

// namedCredential marks the errors of a credential, to distinguish them from those of the call that needed the token,
// and reports each attempt.
type namedCredential struct {
	azcore.TokenCredential
	told func(error)
}

// GetToken implements [azcore.TokenCredential].
func (c namedCredential) GetToken(ctx context.Context, o policy.TokenRequestOptions) (azcore.AccessToken, error) {
	at := positionOf(ctx)
	at.signIn(true)
	tok, err := c.TokenCredential.GetToken(ctx, o)
	at.signIn(false)
	late, ownTime := errors.AsType[*timedOut](context.Cause(ctx))
	if err != nil && ownTime {
		err = &Error{Kind: ErrUnavailable, Message: fmt.Sprintf("the login host did not answer within %s", late.after)}
	}
	if ctx.Err() == nil || ownTime { // a call that was given up says nothing of the credential
		c.tell(err)
	}
	if err != nil {
		return tok, &signInError{err}
	}
	return tok, nil
}

// tell reports how an attempt ended, in our own words.
func (c namedCredential) tell(err error) {
	if err != nil {
		err = signInFailed(err)
	}
	c.told(err)
}

// signInError is any error of a credential.
type signInError struct{ err error }

func (e *signInError) Error() string { return "sign in: " + e.err.Error() }
func (e *signInError) Unwrap() error { return e.err }
