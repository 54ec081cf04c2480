package slackapi

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/slack-go/slack"

	"github.com/missingkbs/missingkbs/internal/wait"
)

// File is a file for a user.
type File struct {
	Name  string
	Title string
	Body  []byte // not empty: Slack accepts no empty file
}

// errUploadURL is returned if the address for an upload is not Slack's. The address is a secret.
var errUploadURL = errors.New("the address for an upload is not one of Slack's")

// SendFile shares a file with one user, in the user's direct messages with the app. If the connection broke so that Slack may
// or may not have shared it, the error is an [ErrDeliveryUnknown]. No error contains the address of the upload.
func (c *Client) SendFile(ctx context.Context, user string, f File) error {
	to, err := c.directMessages(ctx, user)
	if err != nil {
		return fmt.Errorf("open the direct messages: %w", err)
	}
	var id string
	err = retryRepeatable(ctx, func() error { // nothing is shared yet, and a new address replaces the first
		at, err := c.Current().GetUploadURLExternalContext(ctx, slack.GetUploadURLExternalParameters{FileName: f.Name, FileSize: len(f.Body)})
		if err != nil {
			return err
		}
		id = at.FileID
		return c.upload(ctx, at.UploadURL, f.Body)
	})
	if err != nil {
		return fmt.Errorf("upload a file: %w", WithoutURL(err))
	}
	err = RetryOnce(ctx, false, func() error {
		_, err := c.Current().CompleteUploadExternalContext(ctx, slack.CompleteUploadExternalParameters{
			Files: []slack.FileSummary{{ID: id, Title: f.Title}}, Channel: to,
		})
		return err
	})
	if err != nil {
		return fmt.Errorf("share a file: %w", WithoutURL(err))
	}
	return nil
}

// directMessages returns the channel of a user's direct messages with the app. Files cannot be shared with a user's ID.
func (c *Client) directMessages(ctx context.Context, user string) (channel string, err error) {
	err = retryRepeatable(ctx, func() error {
		opened, _, _, err := c.Current().OpenConversationContext(ctx, &slack.OpenConversationParameters{Users: []string{user}})
		if err == nil {
			channel = opened.ID
		}
		return err
	})
	return channel, WithoutURL(err)
}

// retryRepeatable calls do, and after a pause once more unless Slack refused it. Unlike [RetryOnce] it leaves no doubt:
// what failed twice has shared nothing.
func retryRepeatable(ctx context.Context, do func() error) error {
	err := do()
	if err != nil && deliveryOf(err) != refusedBySlack && wait.For(ctx, retryPause) {
		err = do()
	}
	return err
}

// upload posts the bytes of a file to the address that Slack returned for it. The address authorises the upload: no
// token is sent along, as slack-go would do.
func (c *Client) upload(ctx context.Context, address string, body []byte) error {
	u, err := url.Parse(address)
	if err != nil || !c.mayUpload(u) {
		return errUploadURL
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, u.String(), bytes.NewReader(body))
	if err != nil {
		return errUploadURL
	}
	req.Header.Set("Content-Type", "application/octet-stream")
	resp, err := c.uploads.Do(req)
	if err != nil {
		return WithoutURL(err)
	}
	defer resp.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, maxHookAnswer)) // so that the connection is used again
	switch {
	case resp.StatusCode == http.StatusTooManyRequests:
		return &slack.RateLimitedError{RetryAfter: pauseOf(resp.Header)}
	case resp.StatusCode != http.StatusOK:
		return slack.StatusCodeError{Code: resp.StatusCode, Status: resp.Status}
	}
	return nil
}

// uploadHosts returns which addresses files are uploaded to: those of Slack, and the host of apiURL if the Web API is not
// Slack's own.
func uploadHosts(apiURL string) func(*url.URL) bool {
	known := slackHosts(apiURL)
	return func(u *url.URL) bool {
		host := strings.ToLower(u.Host)
		return known(u) || u.Scheme == "https" && (strings.HasSuffix(host, ".slack.com") || strings.HasSuffix(host, ".slack-gov.com"))
	}
}
