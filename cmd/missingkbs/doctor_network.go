package main

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/slack-go/slack"
	"golang.org/x/net/http/httpproxy"

	"github.com/missingkbs/missingkbs/internal/config"
	"github.com/missingkbs/missingkbs/internal/doctor"
)

// visit is what came of one request to a host, on a connection of its own and without a secret.
type visit struct {
	status int
	took   time.Duration
	skew   time.Duration // how far the host's clock is ahead of ours; only with dated
	dated  bool
	tls    string // version and who vouches; empty for plain HTTP
}

// visitor is a client that opens a connection for each request, and follows nobody.
func visitor() *http.Client {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.DisableKeepAlives = true
	return &http.Client{Transport: t, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

// maxVisit bounds what is read of an answer.
const maxVisit = 64 << 10

// call visits an address. Whatever is answered is an answer: only none is an error.
func call(ctx context.Context, client *http.Client, address string) (visit, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, address, http.NoBody)
	if err != nil {
		return visit{}, err
	}
	began := time.Now()
	resp, err := client.Do(r)
	took := time.Since(began)
	if err != nil {
		if u, ok := errors.AsType[*url.Error](err); ok {
			err = u.Err
		}
		return visit{}, err
	}
	defer resp.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, maxVisit))
	v := visit{status: resp.StatusCode, took: took}
	if date, err := http.ParseTime(resp.Header.Get("Date")); err == nil {
		// The header has whole seconds: half a second later is the best guess, as is the middle of the call.
		v.dated, v.skew = true, date.Add(500*time.Millisecond).Sub(began.Add(took/2))
	}
	if s := resp.TLS; s != nil && len(s.PeerCertificates) > 0 {
		issuer := s.PeerCertificates[0].Issuer
		v.tls = tls.VersionName(s.Version) + ", certificate by " + cmp.Or(strings.Join(issuer.Organization, " "), issuer.CommonName)
	}
	return v, nil
}

// String says how it went.
func (v visit) String() string {
	text := "answers in " + millis(v.took)
	if v.tls != "" {
		text += ", " + v.tls
	}
	return text
}

func millis(d time.Duration) string { return fmt.Sprintf("%d ms", max(1, d.Milliseconds())) }

// networkCure is what to do where no answer comes.
func networkCure(err error) string {
	const proxy = "check HTTPS_PROXY and NO_PROXY"
	_, noAuthority := errors.AsType[x509.UnknownAuthorityError](err)
	_, noVerify := errors.AsType[*tls.CertificateVerificationError](err)
	_, noName := errors.AsType[*net.DNSError](err)
	netErr, isNet := errors.AsType[net.Error](err)
	switch {
	case noAuthority, noVerify:
		return "nobody that this machine trusts vouches for its certificate; behind a proxy that opens TLS, put that proxy's root certificate into the file of SSL_CERT_FILE"
	case noName:
		return "this machine cannot resolve the name: check its DNS; behind a proxy " + proxy
	case errors.Is(err, syscall.ECONNREFUSED):
		return "nothing listens there, or a firewall refuses: check the address, and " + proxy
	case errors.Is(err, context.DeadlineExceeded), isNet && netErr.Timeout():
		return "a firewall may swallow the packets: allow this machine to reach it on port 443, or " + proxy
	}
	return "check that this machine may reach it on port 443; behind a proxy " + proxy
}

// reached visits a host and keeps what came of it.
func reached(ctx context.Context, address string, keep interface{ Store(*visit) }) []doctor.Finding {
	u, err := url.Parse(address)
	if err != nil {
		return unchecked("its address cannot be read")
	}
	v, err := call(ctx, visitor(), address)
	if err != nil {
		return unwell(u.Host+" cannot be reached: "+err.Error(), networkCure(err))
	}
	keep.Store(&v)
	return well(u.Host + " " + v.String())
}

// slackAddress is the base of Slack's Web API.
func (e *exam) slackAddress() string { return cmp.Or(e.slack.APIURL, slack.APIURL) }

func (e *exam) slackReached(ctx context.Context) []doctor.Finding {
	if e.wrong("SLACK_API_URL") {
		return unchecked("SLACK_API_URL needs mending")
	}
	return reached(ctx, e.slackAddress()+"api.test", &e.slackVisit)
}

func (e *exam) entraReached(ctx context.Context) []doctor.Finding {
	if e.wrong("AZURE_AUTHORITY_HOST", "DEFENDER_CLOUD") {
		return unchecked("AZURE_AUTHORITY_HOST or DEFENDER_CLOUD needs mending")
	}
	if e.credential.Managed {
		return unchecked("a managed identity gets its token from the machine it runs on")
	}
	tenant := url.PathEscape(cmp.Or(e.credential.TenantID, "organizations"))
	return reached(ctx, strings.TrimSuffix(e.defender.Cloud.Authority, "/")+"/"+tenant+"/v2.0/.well-known/openid-configuration", &e.entraVisit)
}

// Clocks that differ by more than these are told, or make tokens and digests go wrong.
const (
	skewTold = time.Minute
	skewBad  = 5 * time.Minute
)

// clock compares this machine's with those of Slack and Entra, and looks for time zones.
func (e *exam) clock(context.Context) []doctor.Finding {
	if _, err := time.LoadLocation("Europe/Stockholm"); err != nil {
		return unwell("there are no time zones here, so that digests cannot be planned", "install tzdata")
	}
	var compared []string
	worst := time.Duration(0)
	for _, host := range []struct {
		name string
		seen *visit
	}{{"Slack", e.slackVisit.Load()}, {"Entra", e.entraVisit.Load()}} {
		if host.seen == nil || !host.seen.dated {
			continue
		}
		compared = append(compared, host.name+"'s")
		if host.seen.skew.Abs() > worst.Abs() {
			worst = host.seen.skew
		}
	}
	if len(compared) == 0 {
		return unchecked("neither Slack nor Entra told the time")
	}
	way := "behind"
	if worst < 0 {
		way = "ahead of"
	}
	text := fmt.Sprintf("this machine's clock is %v %s %s", worst.Abs().Round(time.Second), way, strings.Join(compared, " and "))
	const cure = "set the clock: switch on time synchronisation (NTP) on this machine"
	switch {
	case worst.Abs() > skewBad:
		return unwell(text+": tokens are refused, and digests come at the wrong time", cure)
	case worst.Abs() > skewTold:
		return doubtful(text, cure)
	}
	return well("agrees with " + strings.Join(compared, " and ") + "; time zones are there")
}

// proxies tells which way the three hosts are reached, and whether further root certificates can be read.
func (e *exam) proxies(context.Context) []doctor.Finding {
	if names := config.UnreadableProxies(e.env); len(names) > 0 {
		return doubtful(strings.Join(names, ", ")+" cannot be read, so that no proxy is used", config.ProxyCure)
	}
	get := func(name string) string {
		_, value := config.ProxySetting(e.env, name)
		return value
	}
	way := (&httpproxy.Config{HTTPProxy: get("HTTP_PROXY"), HTTPSProxy: get("HTTPS_PROXY"), NoProxy: get("NO_PROXY")}).ProxyFunc()
	var direct, via []string
	var wrong []doctor.Finding
	for _, address := range []string{e.slackAddress(), e.defender.Cloud.Authority, e.defender.Cloud.Endpoint} {
		u, err := url.Parse(address)
		if err != nil || u.Host == "" {
			continue // told with the settings
		}
		proxy, err := way(u)
		switch {
		case err != nil:
			wrong = unwell("the proxy variable for "+u.Host+" holds no address", "HTTPS_PROXY takes an address such as http://proxy.example:3128")
		case proxy == nil:
			direct = append(direct, u.Host)
		default:
			via = append(via, fmt.Sprintf("%s via %s://%s", u.Host, proxy.Scheme, proxy.Host)) // without its password
		}
	}
	if len(wrong) > 0 {
		return wrong
	}
	text := "no proxy"
	if len(via) > 0 {
		text = strings.Join(slices.Compact(via), ", ")
		if len(direct) > 0 {
			text += "; directly: " + strings.Join(slices.Compact(direct), ", ")
		}
	}
	path, _ := e.env("SSL_CERT_FILE")
	if path == "" {
		return well(text)
	}
	pem, err := os.ReadFile(path)
	if err != nil {
		return unwell("SSL_CERT_FILE names a file that cannot be read: "+err.Error(), "name a readable file of root certificates (PEM), or take the variable away")
	}
	if !x509.NewCertPool().AppendCertsFromPEM(pem) {
		return unwell("SSL_CERT_FILE names "+path+", in which no certificate is found", "it takes root certificates as PEM (-----BEGIN CERTIFICATE-----)")
	}
	return well(text + "; root certificates of " + path)
}

// operator looks at the address of probes and metrics: free, or served already, and then how ready.
func (e *exam) operator(ctx context.Context) []doctor.Finding {
	switch {
	case e.wrong("HTTP_ADDR"):
		return unchecked("HTTP_ADDR needs mending")
	case e.lookout.Addr == "":
		return well("HTTP_ADDR is empty: probes and metrics are switched off")
	}
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", e.lookout.Addr)
	if err == nil {
		_ = l.Close()
		return well(e.lookout.Addr + " is free; no bot serves probes there now")
	}
	host, port, _ := net.SplitHostPort(e.lookout.Addr)
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	ready, reasons, answer := askReady(ctx, "http://"+net.JoinHostPort(host, port)+"/readyz")
	switch {
	case answer != nil && errors.Is(err, syscall.EADDRINUSE):
		return unwell(e.lookout.Addr+" is taken by a program that is no missingkbs", "choose another port in HTTP_ADDR, or leave it empty to serve nothing")
	case answer != nil:
		return unwell(e.lookout.Addr+" cannot be served: "+listenReason(err), "HTTP_ADDR takes an address of this machine and a port that is allowed, such as 127.0.0.1:8080")
	case !ready:
		return doubtful("the bot that runs at "+e.lookout.Addr+" is not ready: "+reasons, "see its log; the other findings here may say why")
	}
	return well("a bot runs at " + e.lookout.Addr + " and is ready")
}

func listenReason(err error) string {
	if op, ok := errors.AsType[*net.OpError](err); ok {
		return op.Err.Error()
	}
	return err.Error()
}

// askReady asks a bot that runs whether it is ready. The error means that none answers there.
func askReady(ctx context.Context, address string) (ready bool, reasons string, err error) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, address, http.NoBody)
	if err != nil {
		return false, "", err
	}
	resp, err := visitor().Do(r)
	if err != nil {
		return false, "", err
	}
	defer resp.Body.Close()
	var said struct {
		Ready *bool `json:"ready"`
		Parts map[string]struct {
			Ready  bool   `json:"ready"`
			Reason string `json:"reason"`
		} `json:"parts"`
	}
	if err := json.NewDecoder(io.LimitReader(resp.Body, maxVisit)).Decode(&said); err != nil || said.Ready == nil {
		return false, "", errors.New("no answer of ours")
	}
	var why []string
	for name, part := range said.Parts {
		if !part.Ready {
			why = append(why, name+": "+part.Reason)
		}
	}
	slices.Sort(why)
	return *said.Ready, strings.Join(why, "; "), nil
}
