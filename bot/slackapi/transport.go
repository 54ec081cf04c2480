package slackapi

import (
	"errors"
	"io"
	"net/http"
)

// maxWebAnswer bounds a decompressed answer of the Web API. A page of a thousand members takes a fraction of it.
const maxWebAnswer = 32 << 20

var errWebAnswer = errors.New("the answer is larger than any of Slack's")

// limited is a transport whose answers fail to read when they are too long.
type limited struct{ next http.RoundTripper }

// RoundTrip implements [http.RoundTripper].
func (t limited) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := t.next.RoundTrip(r)
	if err == nil {
		resp.Body = &limitedBody{ReadCloser: resp.Body, left: maxWebAnswer}
	}
	return resp, err
}

// limitedBody returns an error where [io.LimitReader] would pretend that the body ends.
type limitedBody struct {
	io.ReadCloser
	left int64
}

func (b *limitedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if b.left -= int64(n); b.left < 0 {
		return 0, errWebAnswer
	}
	return n, err
}

// noRedirects returns a client that follows no redirect: a response_url must not send the answer elsewhere.
func noRedirects(c *http.Client) *http.Client {
	own := *c
	own.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &own
}
