// Package webhook reports the changes in a digest to ticket systems: one signed HTTPS request per digest with changes,
// in the format of Standard Webhooks (https://www.standardwebhooks.com), which has libraries to verify it in most
// languages. It encodes the body, signs it and sends it once. It knows nothing of when to send; after a failure it only
// says whether a retry makes sense, and an outbox does the rest.
package webhook

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"time"

	"code.dny.dev/ssrf"
	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
)

const (
	timeout = 15 * time.Second
	// minSecret is how many bytes a secret must have, as the standard demands.
	minSecret = 24
	maxSecret = 64
	maxReply  = 64 << 10 // bytes of a reply that are read, so that the connection can be used again
)

// The failures that no retry can change, for [errors.Is].
var (
	// ErrGone: the receiver says that it wants no more (410).
	ErrGone = errors.New("the receiver takes no more events")
	// ErrForbiddenAddress: the receiver's name resolves to an address that is not public.
	ErrForbiddenAddress = errors.New("the address is not a public one")
)

// Options configure a [Sender].
type Options struct {
	URL    string // https
	Secret string // "whsec_" and base64 of 24 to 64 random bytes, or the base64 alone
	// AllowPrivate allows receivers at private and loopback addresses. Link-local addresses, such as those of cloud
	// metadata services, are never allowed.
	AllowPrivate bool
	Version      string       // of the program, for the User-Agent
	Client       *http.Client // its transport must be an *http.Transport; for the TLS settings and the proxy
}

// Sender sends signed events to one address. It is safe for concurrent use.
type Sender struct {
	url    string
	signer *standardwebhooks.Webhook
	client *http.Client
	agent  string
}

// New returns a sender, or an error for an invalid setting. The error contains no secret.
func New(o Options) (*Sender, error) {
	u, err := parseURL(o.URL)
	if err != nil {
		return nil, err
	}
	signer, err := newSigner(o.Secret)
	if err != nil {
		return nil, err
	}
	transport := http.DefaultTransport.(*http.Transport).Clone() //nolint:forcetypeassert // its type is documented
	if o.Client != nil {
		if t, ok := o.Client.Transport.(*http.Transport); ok {
			transport = t.Clone()
		}
	}
	dialer := &net.Dialer{Timeout: timeout, Control: guard(o.AllowPrivate)}
	if proxied(transport, u) { // the connection goes to the proxy, which decides which requests to allow
		dialer.Control = nil
	}
	transport.DialContext = dialer.DialContext
	transport.MaxIdleConnsPerHost = 1
	return &Sender{
		url: u.String(), signer: signer, agent: "missingkbs/" + o.Version,
		client: &http.Client{Transport: transport, Timeout: timeout, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }},
	}, nil
}

// CheckURL returns what is wrong with an address. The error does not contain the address.
func CheckURL(address string) error {
	_, err := parseURL(address)
	return err
}

// CheckSecret returns what is wrong with a secret. The error does not contain the secret.
func CheckSecret(secret string) error {
	_, err := newSigner(secret)
	return err
}

func parseURL(address string) (*url.URL, error) {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "https" || u.Hostname() == "" || u.User != nil || u.Fragment != "" {
		return nil, errors.New("the address must begin with https:// and have a host and no password")
	}
	return u, nil
}

// ID returns the ID of the event with a key. It is always the same for a key.
func ID(key string) string {
	sum := sha256.Sum256([]byte(key))
	return "msg_" + hex.EncodeToString(sum[:16])
}

// proxied reports whether requests to an address pass a proxy.
func proxied(t *http.Transport, u *url.URL) bool {
	if t.Proxy == nil {
		return false
	}
	proxy, err := t.Proxy(&http.Request{URL: u})
	return err == nil && proxy != nil
}

func newSigner(secret string) (*standardwebhooks.Webhook, error) {
	key, err := decodeSecret(secret)
	switch {
	case err != nil:
		return nil, errors.New("the secret is not base64: make one with: echo whsec_$(openssl rand -base64 32)")
	case len(key) < minSecret || len(key) > maxSecret:
		return nil, fmt.Errorf("the secret has %d bytes, which must be %d to %d: make one with: echo whsec_$(openssl rand -base64 32)", len(key), minSecret, maxSecret)
	}
	return standardwebhooks.NewWebhookRaw(key)
}

// guard rejects addresses when a connection is made, after name resolution: a name that is public now may resolve to
// another address a moment later.
func guard(allowPrivate bool) func(network, address string, _ rawConn) error {
	options := []ssrf.Option{ssrf.WithAnyPort()}
	if allowPrivate {
		options = append(options, ssrf.WithAllowedV4Prefixes(
			netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("172.16.0.0/12"), netip.MustParsePrefix("192.168.0.0/16"),
			netip.MustParsePrefix("100.64.0.0/10"), netip.MustParsePrefix("127.0.0.0/8"),
		), ssrf.WithAllowedV6Prefixes(netip.MustParsePrefix("fc00::/7"), netip.MustParsePrefix("::1/128")))
	}
	safe := ssrf.New(options...)
	return func(network, address string, c rawConn) error {
		if err := safe.Safe(network, address, c); err != nil {
			return fmt.Errorf("%w: %s", ErrForbiddenAddress, address)
		}
		return nil
	}
}

// Send sends an event once. id is the same for each attempt, so that the receiver recognises repeats. An error that is
// not [Permanent] deserves a retry.
func (s *Sender) Send(ctx context.Context, id string, at time.Time, body []byte) error {
	signature, err := s.signer.Sign(id, at, body)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.url, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", s.agent)
	req.Header.Set(standardwebhooks.HeaderWebhookID, id)
	req.Header.Set(standardwebhooks.HeaderWebhookTimestamp, strconv.FormatInt(at.Unix(), 10))
	req.Header.Set(standardwebhooks.HeaderWebhookSignature, signature)
	resp, err := s.client.Do(req)
	if err != nil {
		if e, ok := errors.AsType[*url.Error](err); ok { // its text contains the address, which may hold a secret
			err = e.Err
		}
		return fmt.Errorf("send to the webhook: %w", err)
	}
	defer resp.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, maxReply))
	switch {
	case resp.StatusCode >= 200 && resp.StatusCode < 300:
		return nil
	case resp.StatusCode == http.StatusGone:
		return fmt.Errorf("send to the webhook: %w", ErrGone)
	}
	return fmt.Errorf("send to the webhook: %w", &StatusError{Code: resp.StatusCode})
}

// StatusError is a response other than 2xx and 410.
type StatusError struct{ Code int }

// Error implements error.
func (e *StatusError) Error() string {
	text := strings.TrimSpace(fmt.Sprintf("it answers %d %s", e.Code, http.StatusText(e.Code)))
	if e.Redirect() {
		text += ", and redirects are not followed"
	}
	return text
}

// Redirect reports whether the receiver redirects to another address.
func (e *StatusError) Redirect() bool { return e.Code >= 300 && e.Code < 400 }

// Denied reports whether the receiver rejects the request itself, perhaps because of its signature.
func (e *StatusError) Denied() bool {
	return e.Code == http.StatusBadRequest || e.Code == http.StatusUnauthorized || e.Code == http.StatusForbidden
}

// Permanent reports whether an error of [Sender.Send] will not change by retrying.
func Permanent(err error) bool { return errors.Is(err, ErrGone) || errors.Is(err, ErrForbiddenAddress) }

// Event is the body of a request. Fields are never renamed; new ones may be added.
type Event struct {
	Type      string    `json:"type"` // "digest.changed", or "test" from the doctor
	Timestamp time.Time `json:"timestamp"`
	Data      Data      `json:"data"`
}

// The types of events.
const (
	TypeChanged = "digest.changed"
	TypeTest    = "test"
)

// Data is the result of a digest. Each update is in one of the lists; an empty list is [].
type Data struct {
	Tenant  string    `json:"tenant"`
	Digest  string    `json:"digest"` // its ID, as in "digest show 3"
	Name    string    `json:"name"`
	Channel string    `json:"channel"` // Slack's id
	Due     time.Time `json:"due"`     // due time of the digest
	AsOf    time.Time `json:"as_of"`   // when Defender was read
	Since   time.Time `json:"since,omitzero"`
	New     []Update  `json:"new"`
	Grew    []Update  `json:"grew"`
	Shrank  []Update  `json:"shrank"`
	Closed  []Update  `json:"closed"`
}

// Update is one KB that changed.
type Update struct {
	KB       string   `json:"kb"` // "KB5074202"
	Name     string   `json:"name"`
	Software []string `json:"software"`
	Devices  int      `json:"devices"` // where it is missing now; 0 if closed
	Before   int      `json:"devices_before"`
	CVEs     int      `json:"cves"`
	URL      string   `json:"url"` // its page in the update catalog; may be ""
}

// Encode encodes the body of an event.
func (e Event) Encode() ([]byte, error) {
	for _, list := range []*[]Update{&e.Data.New, &e.Data.Grew, &e.Data.Shrank, &e.Data.Closed} {
		if *list == nil {
			*list = []Update{}
		}
	}
	e.Timestamp = e.Timestamp.UTC().Truncate(time.Second)
	return json.Marshal(e)
}
