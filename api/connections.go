package api

import (
	"context"
	"errors"
	"net/http"
	"sync"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
)

// connections is an HTTP client whose connections can be abandoned: over HTTP/2 a cancelled call leaves its connection
// to the next ones, even if nothing arrives on it any more.
type connections struct {
	mu    sync.Mutex
	now   *http.Client
	given []*http.Client // up; what is under way on them goes on
}

// maxGivenUp is how many sets of connections are remembered, to be closed with the client. Those that are idle are
// closed long before that.
const maxGivenUp = 8

// switching returns t with redirects off and connections that can be abandoned, or nil connections if t is not an HTTP
// client.
func switching(t policy.Transporter) (policy.Transporter, *connections) {
	client, ok := withoutRedirects(t).(*http.Client)
	if !ok {
		return t, nil
	}
	c := &connections{now: client}
	return c, c
}

// Do implements [policy.Transporter].
func (c *connections) Do(req *http.Request) (*http.Response, error) {
	c.mu.Lock()
	client := c.now
	c.mu.Unlock()
	ctx := req.Context()
	callStateOf(ctx).conns = client
	resp, err := client.Do(req)
	if err != nil && errors.Is(ctx.Err(), context.DeadlineExceeded) { // as for an attempt to get a token
		c.renew(client)
	}
	return resp, err
}

// renew makes later calls use fresh connections, unless that has happened since used was current.
func (c *connections) renew(used *http.Client) {
	c.mu.Lock()
	defer c.mu.Unlock()
	transport, ok := c.now.Transport.(*http.Transport)
	if !ok || used != c.now {
		return
	}
	fresh := *c.now
	fresh.Transport = transport.Clone()
	c.now = &fresh
	used.CloseIdleConnections()
	c.given = append(c.given, used)
	if len(c.given) > maxGivenUp {
		c.given[0].CloseIdleConnections()
		c.given = c.given[1:]
	}
}

// close closes the idle connections that are not those of the client it was made of.
func (c *connections) close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for i, client := range append(c.given, c.now) {
		if i > 0 {
			client.CloseIdleConnections()
		}
	}
}
