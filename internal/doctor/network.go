package doctor

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"syscall"
	"time"

	"github.com/slack-go/slack"
)

// response describes the response to one request without secrets, on a connection of its own.
type response struct {
	latency time.Duration
	skew    time.Duration // how far the host's clock is ahead of ours; only with hasDate
	hasDate bool
	tls     string // its version and the issuer of the certificate; empty for plain HTTP
}

// newHTTPClient returns a client that opens a connection for each request and follows no redirects.
func newHTTPClient() *http.Client {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.DisableKeepAlives = true
	return &http.Client{Transport: t, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

// maxBody bounds how much of a body is read.
const maxBody = 64 << 10

// get requests an address. Every HTTP status counts as a response; only a missing response is an error.
func get(ctx context.Context, client *http.Client, address string) (response, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, address, http.NoBody)
	if err != nil {
		return response{}, err
	}
	began := time.Now()
	resp, err := client.Do(r)
	latency := time.Since(began)
	if err != nil {
		if u, ok := errors.AsType[*url.Error](err); ok {
			err = u.Err
		}
		return response{}, err
	}
	defer resp.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, maxBody))
	v := response{latency: latency}
	if date, err := http.ParseTime(resp.Header.Get("Date")); err == nil {
		// The header has whole seconds, so add half a second. The host wrote it about halfway through the request.
		v.hasDate, v.skew = true, date.Add(500*time.Millisecond).Sub(began.Add(latency/2))
	}
	if s := resp.TLS; s != nil && len(s.PeerCertificates) > 0 {
		issuer := s.PeerCertificates[0].Issuer
		v.tls = tls.VersionName(s.Version) + ", certificate by " + cmp.Or(strings.Join(issuer.Organization, " "), issuer.CommonName)
	}
	return v, nil
}

// String describes the response for people.
func (v response) String() string {
	text := "answers in " + millis(v.latency)
	if v.tls != "" {
		text += ", " + v.tls
	}
	return text
}

func millis(d time.Duration) string { return fmt.Sprintf("%d ms", max(1, d.Milliseconds())) }

// networkCure says what to do when no response arrives.
func networkCure(err error) string {
	const proxy = "check HTTPS_PROXY and NO_PROXY"
	_, noAuthority := errors.AsType[x509.UnknownAuthorityError](err)
	_, noVerify := errors.AsType[*tls.CertificateVerificationError](err)
	_, noName := errors.AsType[*net.DNSError](err)
	netErr, isNet := errors.AsType[net.Error](err)
	switch {
	case noAuthority, noVerify:
		return "this machine does not trust the issuer of its certificate; behind a proxy that opens TLS, put that proxy's root certificate into the file of SSL_CERT_FILE"
	case noName:
		return "this machine cannot resolve the name: check its DNS; behind a proxy " + proxy
	case errors.Is(err, syscall.ECONNREFUSED):
		return "nothing listens there, or a firewall refuses: check the address, and " + proxy
	case errors.Is(err, context.DeadlineExceeded), isNet && netErr.Timeout():
		return "a firewall may swallow the packets: allow this machine to reach it on port 443, or " + proxy
	}
	return "check that this machine may reach it on port 443; behind a proxy " + proxy
}

// reach requests an address and keeps the response.
func reach(ctx context.Context, address string, keep interface{ Store(*response) }) []Finding {
	u, err := url.Parse(address)
	if err != nil {
		return skip("its address cannot be read")
	}
	v, err := get(ctx, newHTTPClient(), address)
	if err != nil {
		return fail(u.Host+" cannot be reached: "+err.Error(), networkCure(err))
	}
	keep.Store(&v)
	return pass(u.Host + " " + v.String())
}

// slackAddress returns the base of Slack's Web API.
func (c *Checker) slackAddress() string { return cmp.Or(c.values.Slack.APIURL, slack.APIURL) }

// slackReached requests a method of Slack that needs no token.
func (c *Checker) slackReached(ctx context.Context) []Finding {
	if c.hasError("SLACK_API_URL") {
		return skip("SLACK_API_URL is wrong")
	}
	return reach(ctx, c.slackAddress()+"api.test", &c.slackHost)
}

// entraReached requests Entra's public metadata. With a managed identity the bot does not connect to Entra.
func (c *Checker) entraReached(ctx context.Context) []Finding {
	if c.hasError("AZURE_AUTHORITY_HOST", "DEFENDER_CLOUD") {
		return skip("AZURE_AUTHORITY_HOST or DEFENDER_CLOUD is wrong")
	}
	if c.values.Credential.Managed {
		return skip("a managed identity gets its token from the machine it runs on")
	}
	tenant := url.PathEscape(cmp.Or(c.values.Credential.TenantID, "organizations"))
	return reach(ctx, strings.TrimSuffix(c.values.Defender.Cloud.Authority, "/")+"/"+tenant+"/v2.0/.well-known/openid-configuration", &c.entraHost)
}

// Clock differences that lead to a warning and to a failure. With the larger one services refuse tokens.
const (
	skewWarn = time.Minute
	skewFail = 5 * time.Minute
)

// clock compares this machine's clock with those of Slack and Entra, and checks that time zones are installed.
func (c *Checker) clock(context.Context) []Finding {
	if _, err := time.LoadLocation("Europe/Stockholm"); err != nil {
		return fail("no time zones are installed, so digests cannot be scheduled", "install tzdata")
	}
	var compared []string
	worst := time.Duration(0)
	for _, host := range []struct {
		name     string
		response *response
	}{{"Slack", c.slackHost.Load()}, {"Entra", c.entraHost.Load()}} {
		if host.response == nil || !host.response.hasDate {
			continue
		}
		compared = append(compared, host.name+"'s")
		if host.response.skew.Abs() > worst.Abs() {
			worst = host.response.skew
		}
	}
	if len(compared) == 0 {
		return skip("neither Slack nor Entra sent the time")
	}
	way := "behind"
	if worst < 0 {
		way = "ahead of"
	}
	text := fmt.Sprintf("this machine's clock is %v %s %s", worst.Abs().Round(time.Second), way, strings.Join(compared, " and "))
	const cure = "set the clock: switch on time synchronisation (NTP) on this machine"
	switch {
	case worst.Abs() > skewFail:
		return fail(text+": tokens are refused, and digests come at the wrong time", cure)
	case worst.Abs() > skewWarn:
		return warn(text, cure)
	}
	return pass("agrees with " + strings.Join(compared, " and ") + "; time zones are installed")
}
