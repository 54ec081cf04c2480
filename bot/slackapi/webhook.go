package slackapi

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/slack-go/slack"

	"github.com/missingkbs/missingkbs/internal/httpclient"
	"github.com/missingkbs/missingkbs/internal/wait"
)

// WebhookTries is how often [Webhook.Reply] posts one message at most. [ResponseURL] counts the posts in all.
const WebhookTries = 2

// Webhook posts answers to a response_url. slack-go's own sender cannot keep links from unfurling and drops Slack's
// reason for a refusal. It is safe for concurrent use.
type Webhook struct {
	client  *http.Client
	timeout time.Duration // of one post; 0 for none
	allowed func(*url.URL) bool
}

// NewWebhook returns a webhook that posts to Slack's hosts, and to the host of apiURL if the Web API is not Slack's own.
// It follows no redirects.
func NewWebhook(client *http.Client, apiURL string) *Webhook {
	own := httpclient.NoRedirects(client)
	w := &Webhook{client: own, timeout: own.Timeout, allowed: slackHosts(apiURL)}
	own.Timeout = 0 // the context bounds a post: for a transport that is not its own, the client would start two goroutines
	return w
}

// Reply posts a message and retries once; see [Webhook.Send].
func (w *Webhook) Reply(ctx context.Context, to *ResponseURL, message json.Marshaler) error {
	return w.Send(ctx, to, message, WebhookTries)
}

// Send posts a message. It retries after a 429, for as long as Slack asks and the context allows, after a 5xx, and when
// it could not connect. Only after a 5xx may the message have been accepted anyway; an answer that arrives twice is
// better than none. If the connection breaks before Slack answers, the error is an [ErrDeliveryUnknown]. The address is
// a secret, and no error contains it.
func (w *Webhook) Send(ctx context.Context, to *ResponseURL, message json.Marshaler, tries int) error {
	if to == nil {
		return errRefusedURL
	}
	u, err := url.Parse(to.address)
	if err != nil || !w.allowed(u) {
		return errRefusedURL
	}
	body, err := message.MarshalJSON()
	if err != nil {
		return fmt.Errorf("write answer: %w", err)
	}
	for try := 1; ; try++ {
		if over := to.take(); over != nil {
			return errors.Join(err, over)
		}
		var pause time.Duration
		if pause, err = w.post(ctx, u.String(), body); isDial(err) {
			to.refund()
		}
		if err == nil || pause < 0 || try >= tries {
			return err
		}
		if waited := wait.Unless(ctx, pause, nil); waited != nil {
			return errors.Join(err, waited)
		}
	}
}

// post posts once. wait is the pause before a retry; if it is negative, a retry cannot help.
func (w *Webhook) post(ctx context.Context, address string, body []byte) (pause time.Duration, err error) {
	if w.timeout > 0 {
		limited, cancel := context.WithTimeout(ctx, w.timeout)
		defer cancel()
		ctx = limited
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(body))
	if err != nil {
		return -1, errRefusedURL
	}
	req.Header.Set("Content-Type", "application/json; charset=utf-8")
	resp, err := w.client.Do(req)
	if err != nil {
		err = WithoutURL(err)
		if isDial(err) {
			return time.Second, fmt.Errorf("post answer: %w", err)
		}
		return -1, fmt.Errorf("post answer: %w: %w", ErrDeliveryUnknown, err)
	}
	defer resp.Body.Close()
	answer, _ := io.ReadAll(io.LimitReader(resp.Body, maxHookAnswer))
	reason := refusal(answer)
	if resp.StatusCode == http.StatusOK && reason == "" {
		return 0, nil
	}
	refused, blocks := refusedAtHook(answer, reason)
	switch {
	case blocks:
		return -1, fmt.Errorf("post answer: %w", refused)
	case resp.StatusCode == http.StatusTooManyRequests:
		return pauseOf(resp.Header), errors.New("post answer: Slack asks for a pause")
	case resp.StatusCode >= 500:
		return time.Second, fmt.Errorf("post answer: status %d", resp.StatusCode)
	}
	return -1, fmt.Errorf("post answer: status %d: %s", resp.StatusCode, loggable(reason))
}

// maxHookAnswer is how many bytes of an answer are read.
const maxHookAnswer = 64 << 10

// refusedAtHook parses the refusal of a message's blocks into an error of the Web API. Usually Slack returns only the
// code. ok is false if the blocks were not refused.
func refusedAtHook(body []byte, reason string) (refused slack.SlackErrorResponse, ok bool) {
	for code := range blockCodes {
		if strings.Contains(reason, code) && len(code) > len(refused.Err) { // one code is the beginning of another
			refused.Err = code
		}
	}
	var detailed slack.SlackResponse
	if refused.Err != "" && json.Unmarshal(body, &detailed) == nil {
		refused.Errors, refused.ResponseMetadata = detailed.Errors, detailed.ResponseMetadata
	}
	return refused, refused.Err != ""
}

// refusal returns Slack's reason for refusing a message, or "". Slack answers "ok", {"ok":true}, a code such as "used_url",
// or {"ok":false,"error":"invalid_blocks"}.
func refusal(body []byte) string {
	text := strings.TrimSpace(string(body))
	var object struct {
		OK    bool   `json:"ok"`
		Error string `json:"error"`
	}
	switch {
	case text == "" || text == "ok":
		return ""
	case json.Unmarshal(body, &object) == nil:
		if object.OK {
			return ""
		}
		return object.Error
	default:
		return text
	}
}

// isDial reports whether a request failed before it reached the other side.
func isDial(err error) bool {
	op, ok := errors.AsType[*net.OpError](err)
	return ok && op.Op == "dial"
}

// WithoutURL removes the address from an error of the HTTP client, and what Slack repeats of a call. Addresses for
// answers and sockets are secrets.
func WithoutURL(err error) error {
	return withoutEcho(httpclient.WithoutURL(err))
}

// errRefusedURL is returned for a response_url that does not lead to Slack.
var errRefusedURL = errors.New("response_url does not lead to Slack")

// slackHosts returns a function that reports whether a response_url may lead to a host: one of Slack's, or the host of the
// configured Web API if that is not Slack's.
func slackHosts(apiURL string) func(*url.URL) bool {
	own, err := url.Parse(apiURL)
	if err != nil {
		own = &url.URL{}
	}
	return func(u *url.URL) bool {
		if u.Scheme == "https" && (u.Host == "hooks.slack.com" || u.Host == "hooks.slack-gov.com") {
			return true
		}
		return own.Host != "" && u.Scheme == own.Scheme && u.Host == own.Host
	}
}
