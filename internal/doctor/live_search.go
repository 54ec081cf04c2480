package doctor

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
	"time"

	"github.com/slack-go/slack"

	"github.com/missingkbs/missingkbs/internal/httpclient"
)

const (
	searchSize   = 200             // messages in one page
	searchMargin = 5 * time.Minute // by which Slack's clock may differ from ours
	maxHistory   = 16 << 20        // bytes in one page
)

// searchError says that the search for lost messages failed.
type searchError struct{ Err error }

// Error implements error.
func (e searchError) Error() string { return "look for lost messages: " + e.Err.Error() }

// Unwrap returns the reason.
func (e searchError) Unwrap() error { return e.Err }

// findLost adds the messages that Slack posted although its response was lost: those of the bot with the mark.
func (p *livePoster) findLost(ctx context.Context) error {
	found, err := p.marked(ctx, "conversations.history", "")
	if err != nil {
		return searchError{err}
	}
	for _, head := range slices.Clone(found) {
		replies, err := p.marked(ctx, "conversations.replies", head.ts)
		if err != nil {
			return searchError{err}
		}
		found = append(found, replies...)
	}
	for _, m := range found {
		if !slices.ContainsFunc(p.posted, func(o liveMessageID) bool { return o.ts == m.ts && o.channel == m.channel }) {
			p.posted = append(p.posted, m)
		}
	}
	// Delete replies first. If a parent with replies is deleted, Slack keeps a placeholder.
	slices.SortStableFunc(p.posted, func(a, b liveMessageID) int { return strings.Compare(a.thread, b.thread) })
	return nil
}

// historyPage is a page of messages. slack-go does not decode messages with blocks that it does not know.
type historyPage struct {
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

// marked lists the bot's messages with the mark since the start, in the channel or in a thread.
func (p *livePoster) marked(ctx context.Context, method, thread string) ([]liveMessageID, error) {
	form := url.Values{
		"channel": {p.options.channel}, "limit": {strconv.Itoa(searchSize)},
		"oldest": {fmt.Sprintf("%d.000000", p.began.Add(-searchMargin).Unix())},
	}
	if thread != "" {
		form.Set("ts", thread)
	}
	var page historyPage
	if err := p.call(ctx, method, form, &page); err != nil {
		return nil, err
	}
	if !page.OK {
		return nil, slack.SlackErrorResponse{Err: page.Error, Needed: page.Needed}
	}
	var found []liveMessageID
	for _, m := range page.Messages {
		if m.User != p.options.workspace.UserID || !strings.Contains(m.Text, p.options.mark) || m.TS == thread {
			continue
		}
		one := liveMessageID{channel: p.options.channel, ts: m.TS}
		if m.Thread != m.TS {
			one.thread = m.Thread
		}
		found = append(found, one)
	}
	return found, nil
}

func (p *livePoster) call(ctx context.Context, method string, form url.Values, into any) error {
	c := p.config
	_, token := c.Tokens.Current()
	resp, err := httpclient.PostForm(ctx, p.http, c.APIURL+method, token, form)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return slack.StatusCodeError{Code: resp.StatusCode, Status: resp.Status}
	}
	return json.NewDecoder(io.LimitReader(resp.Body, maxHistory)).Decode(into)
}
