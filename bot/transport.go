package bot

import (
	"errors"
	"io"
	"net/http"
)

// maxWebAnswer bounds an answer of the Web API, decompressed: a page of a thousand members has a fraction of it.
const maxWebAnswer = 32 << 20

var errWebAnswer = errors.New("the answer is larger than any of Slack's")

// limited is a transport whose answers end in an error where they are too long.
type limited struct{ next http.RoundTripper }

// RoundTrip implements [http.RoundTripper].
func (t limited) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := t.next.RoundTrip(r)
	if err == nil {
		resp.Body = &limitedBody{ReadCloser: resp.Body, left: maxWebAnswer}
	}
	return resp, err
}

// limitedBody fails where [io.LimitReader] would pretend that the body ends.
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
