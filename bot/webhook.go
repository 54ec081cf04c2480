package bot

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
	"strconv"
	"strings"
	"time"

	"github.com/slack-go/slack"
)

// webhookTries is how often one message is posted at most. How many posts there are in all a [responseURL] counts.
const webhookTries = 2

// Webhook posts answers to a response_url. slack-go's own sender for it leaves out what keeps links from unfolding and
// drops Slack's reason for a refusal.
type Webhook struct {
	client  *http.Client
	allowed func(*url.URL) bool
}

// NewWebhook returns a webhook that posts to Slack's hosts, and to the host of apiURL where the Web API is not Slack's
// own. Redirects are not followed.
func NewWebhook(client *http.Client, apiURL string) *Webhook {
	return &Webhook{client: noRedirects(client), allowed: slackHosts(apiURL)}
}

// Reply posts a message. It tries again after a 429, for as long as Slack asks and the context allows, after a 5xx and
// when no connection could be made. Of these only a 5xx may be from something that took the message all the same; an
// answer that comes twice is better than none. Where a connection breaks before Slack's answer the error is errUnsure.
// The address is a secret and in no error.
func (w *Webhook) Reply(ctx context.Context, to *responseURL, message json.Marshaler) error {
	return w.reply(ctx, to, message, webhookTries)
}

// Once is [Webhook.Reply] without a second try.
func (w *Webhook) Once(ctx context.Context, to *responseURL, message json.Marshaler) error {
	return w.reply(ctx, to, message, 1)
}

func (w *Webhook) reply(ctx context.Context, to *responseURL, message json.Marshaler, tries int) error {
	if to == nil {
		return ErrRefusedURL
	}
	u, err := url.Parse(to.address)
	if err != nil || !w.allowed(u) {
		return ErrRefusedURL
	}
	body, err := message.MarshalJSON()
	if err != nil {
		return fmt.Errorf("write answer: %w", err)
	}
	for try := 1; ; try++ {
		if over := to.take(); over != nil {
			return errors.Join(err, over)
		}
		var wait time.Duration
		if wait, err = w.post(ctx, u.String(), body); isDial(err) {
			to.giveBack()
		}
		if err == nil || wait < 0 || try >= tries {
			return err
		}
		select {
		case <-ctx.Done():
			return errors.Join(err, ctx.Err())
		case <-time.After(wait):
		}
	}
}

// post posts once. The wait says when to try again; a negative one says never.
func (w *Webhook) post(ctx context.Context, address string, body []byte) (wait time.Duration, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(body))
	if err != nil {
		return -1, ErrRefusedURL
	}
	req.Header.Set("Content-Type", "application/json; charset=utf-8")
	resp, err := w.client.Do(req)
	if err != nil {
		err = withoutURL(err)
		if isDial(err) {
			return time.Second, fmt.Errorf("post answer: %w", err)
		}
		return -1, fmt.Errorf("post answer: %w: %w", errUnsure, err)
	}
	defer resp.Body.Close()
	said, _ := io.ReadAll(io.LimitReader(resp.Body, maxHookAnswer))
	reason := refusal(said)
	refused, blocks := refusedAtHook(said, reason)
	switch {
	case blocks:
		return -1, fmt.Errorf("post answer: %w", refused)
	case resp.StatusCode == http.StatusTooManyRequests:
		seconds, _ := strconv.Atoi(resp.Header.Get("Retry-After"))
		return time.Duration(max(1, seconds)) * time.Second, errors.New("post answer: Slack asks for a pause")
	case resp.StatusCode >= 500:
		return time.Second, fmt.Errorf("post answer: status %d", resp.StatusCode)
	case resp.StatusCode != http.StatusOK || reason != "":
		return -1, fmt.Errorf("post answer: status %d: %s", resp.StatusCode, slackWord(reason))
	}
	return 0, nil
}

// maxHookAnswer is how much of an answer is read.
const maxHookAnswer = 64 << 10

// refusedAtHook reads the refusal of a message's blocks; ok is false where they were not refused. Mostly Slack says no
// more than the code. It is the error of the Web API, which has as much to say.
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

// refusal is Slack's reason for not taking a message, or "": it answers "ok", {"ok":true}, a word such as "used_url",
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

// isDial reports whether a request did not reach the other side at all.
func isDial(err error) bool {
	op, ok := errors.AsType[*net.OpError](err)
	return ok && op.Op == "dial"
}

// withoutURL takes the address out of an error of the HTTP client, and what Slack repeats of a call: addresses of answers and
// sockets are secrets.
func withoutURL(err error) error {
	if u, ok := errors.AsType[*url.Error](err); ok {
		return u.Err
	}
	return withoutEcho(err)
}
