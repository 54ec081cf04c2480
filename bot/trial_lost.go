package bot

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/missingkbs/missingkbs/bot/slackapi"
	"github.com/slack-go/slack"
)

// LookError says that messages whose fate is unknown cannot be looked for.
type LookError struct{ Err error }

// Error implements error.
func (e LookError) Error() string { return "look for lost messages: " + e.Err.Error() }

// Unwrap returns the reason.
func (e LookError) Unwrap() error { return e.Err }

// findLost adds the messages that Slack has posted although its answer was lost: those of the bot with the mark.
func (t *Trial) findLost(ctx context.Context) error {
	found, err := t.marked(ctx, "conversations.history", "")
	if err != nil {
		return LookError{err}
	}
	for _, head := range slices.Clone(found) {
		replies, err := t.marked(ctx, "conversations.replies", head.ts)
		if err != nil {
			return LookError{err}
		}
		found = append(found, replies...)
	}
	for _, m := range found {
		if !slices.ContainsFunc(t.posted, func(o trialMessage) bool { return o.ts == m.ts && o.channel == m.channel }) {
			t.posted = append(t.posted, m)
		}
	}
	// Replies go first, whenever they were found: of a head with replies Slack leaves a stump.
	slices.SortStableFunc(t.posted, func(a, b trialMessage) int { return strings.Compare(a.thread, b.thread) })
	return nil
}

// trialPage is a page of messages; see [pastMessage] for why slack-go does not decode it.
type trialPage struct {
	OK       bool   `json:"ok"`
	Error    string `json:"error"`
	Needed   string `json:"needed"`
	Messages []struct {
		TS     string `json:"ts"`
		User   string `json:"user"`
		Text   string `json:"text"`
		Thread string `json:"thread_ts"`
	} `json:"messages"`
}

// marked lists the bot's own messages with the mark, among those since the trial began: of the channel, or of a thread.
func (t *Trial) marked(ctx context.Context, method, thread string) ([]trialMessage, error) {
	form := url.Values{
		"channel": {t.options.Channel}, "limit": {strconv.Itoa(findSize)},
		"oldest": {fmt.Sprintf("%d.000000", t.began.Add(-findMargin).Unix())},
	}
	if thread != "" {
		form.Set("ts", thread)
	}
	var p trialPage
	if err := t.call(ctx, method, form, &p); err != nil {
		return nil, err
	}
	if !p.OK {
		return nil, slack.SlackErrorResponse{Err: p.Error, Needed: p.Needed}
	}
	var found []trialMessage
	for _, m := range p.Messages {
		if m.User != t.options.Workspace.UserID || !strings.Contains(m.Text, t.options.Mark) || m.TS == thread {
			continue
		}
		one := trialMessage{channel: t.options.Channel, ts: m.TS}
		if m.Thread != m.TS {
			one.thread = m.Thread
		}
		found = append(found, one)
	}
	return found, nil
}

func (t *Trial) call(ctx context.Context, method string, form url.Values, into any) error {
	c := t.poster.config
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.APIURL+method, strings.NewReader(form.Encode()))
	if err != nil {
		return slackapi.WithoutURL(err)
	}
	_, token := c.Tokens.Current()
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Authorization", "Bearer "+token)
	resp, err := t.poster.http.Do(req)
	if err != nil {
		return slackapi.WithoutURL(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return slack.StatusCodeError{Code: resp.StatusCode, Status: resp.Status}
	}
	return json.NewDecoder(io.LimitReader(resp.Body, maxHistory)).Decode(into)
}
