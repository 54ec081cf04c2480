package post

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/slack-go/slack"

	"github.com/missingkbs/missingkbs/bot/slackapi"
	"github.com/missingkbs/missingkbs/internal/httpclient"
)

const (
	// findMargin is subtracted from the start of a search, because Slack's clock differs from ours.
	findMargin = 5 * time.Minute
	// findPages and findSize bound the search.
	findPages = 10
	findSize  = 200
	// maxHistory bounds one page of messages.
	maxHistory = 16 << 20
)

// Find looks for the message that Post sent with a key. It needs the scope channels:history, and groups:history for
// private channels. If the bot may not read the channel, it finds nothing.
func (p *Poster) Find(ctx context.Context, channel, key string, since time.Time) (message string, found bool, err error) {
	oldest := since.Add(-findMargin)
	cursor := ""
	for range findPages {
		h, err := p.history(ctx, "conversations.history", url.Values{
			"channel": {channel}, "oldest": {fmt.Sprintf("%d.%06d", oldest.Unix(), oldest.Nanosecond()/1000)}, "cursor": {cursor},
		})
		if cannotRead(err) {
			p.log.WarnContext(ctx, "cannot read the messages of a channel: a digest may come twice", "channel", channel, "error", err)
			return "", false, nil
		}
		if err != nil {
			return "", false, fmt.Errorf("look for a digest in %s: %w", channel, digestError(err))
		}
		i := slices.IndexFunc(h.Messages, func(m pastMessage) bool { return m.isDigest(p.self, key) })
		if i >= 0 {
			return h.Messages[i].TS, true, nil
		}
		if cursor = h.Next.Cursor; cursor == "" {
			return "", false, nil
		}
	}
	p.log.WarnContext(ctx, "too many messages to look for a digest", "channel", channel, "key", key)
	return "", false, nil
}

// cannotRead reports whether Slack refuses to show a channel's messages, so that a retry cannot help.
func cannotRead(err error) bool {
	refused, ok := errors.AsType[slack.SlackErrorResponse](err)
	return ok && slices.Contains([]string{
		"missing_scope", "not_in_channel", "channel_not_found", "no_permission", "not_allowed_token_type", "access_denied", "team_access_not_granted",
	}, refused.Err)
}

// pastMessage is the part of a message that identifies a digest. slack-go does not decode it, since it refuses a whole page of
// messages for one block that it does not know.
type pastMessage struct {
	TS       string `json:"ts"`
	User     string `json:"user"`
	Subtype  string `json:"subtype"`
	Metadata struct {
		EventType string                     `json:"event_type"`
		Payload   map[string]json.RawMessage `json:"event_payload"`
	} `json:"metadata"`
}

// isDigest reports whether the bot itself posted a message with a key: other apps may use the same metadata.
func (m pastMessage) isDigest(self slackapi.Workspace, key string) bool {
	var own string
	return m.User == self.UserID && m.Metadata.EventType == keyEvent && json.Unmarshal(m.Metadata.Payload[keyField], &own) == nil && own == key
}

// history is a page of messages, newest first.
type history struct {
	OK       bool          `json:"ok"`
	Error    string        `json:"error"`
	Messages []pastMessage `json:"messages"`
	Next     struct {
		Cursor string `json:"next_cursor"`
	} `json:"response_metadata"`
}

// history calls https://docs.slack.dev/reference/methods/conversations.history, or conversations.replies. Its errors are
// slack-go's.
func (p *Poster) history(ctx context.Context, method string, form url.Values) (history, error) {
	var h history
	form.Set("limit", strconv.Itoa(findSize))
	form.Set("include_all_metadata", "true")
	if form.Get("cursor") == "" {
		form.Del("cursor")
	}
	_, token := p.config.Tokens.Current()
	resp, err := httpclient.PostForm(ctx, p.http, p.config.APIURL+method, token, form)
	if err != nil {
		return h, fmt.Errorf("read history: %w", err)
	}
	defer resp.Body.Close()
	if resp.StatusCode == http.StatusTooManyRequests {
		seconds, _ := strconv.Atoi(resp.Header.Get("Retry-After"))
		return h, &slack.RateLimitedError{RetryAfter: time.Duration(max(1, seconds)) * time.Second}
	}
	if resp.StatusCode != http.StatusOK {
		return h, slack.StatusCodeError{Code: resp.StatusCode, Status: resp.Status}
	}
	if err := json.NewDecoder(io.LimitReader(resp.Body, maxHistory)).Decode(&h); err != nil {
		return h, fmt.Errorf("read history: %w", err)
	}
	if !h.OK {
		return h, slack.SlackErrorResponse{Err: h.Error}
	}
	return h, nil
}
