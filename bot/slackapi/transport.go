package slackapi

import (
	"errors"
	"net/http"

	"github.com/missingkbs/missingkbs/internal/httpclient"
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
		resp.Body = httpclient.LimitBody(resp.Body, maxWebAnswer, errWebAnswer)
	}
	return resp, err
}
