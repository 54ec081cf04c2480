// Package httpclient has the rules that all outgoing HTTP calls keep: no redirect is followed, an answer that is too long
// is an error, and an error does not repeat the address of the call. It does not know who is called, which tokens are
// sent, or when a call is tried again.
package httpclient

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
)

// NoRedirects returns a copy of a client that does not follow redirects: it returns them as answers. The services called
// send none, and following one would take a token, or a message, to another host or port.
func NoRedirects(c *http.Client) *http.Client {
	own := *c
	own.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &own
}

// LimitBody returns a body that fails with tooLarge after limit bytes, where [io.LimitReader] would pretend that the body
// ends there. A body of exactly limit bytes is read whole.
func LimitBody(body io.ReadCloser, limit int64, tooLarge error) io.ReadCloser {
	return limitedBody{http.MaxBytesReader(nil, body, limit), tooLarge}
}

type limitedBody struct {
	io.ReadCloser
	tooLarge error
}

func (b limitedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		err = b.tooLarge
	}
	return n, err
}

// WithoutURL takes the address off an error of an HTTP client. Addresses are long, and may be secrets, hold tokens, or
// repeat what a user typed.
func WithoutURL(err error) error {
	if u, ok := errors.AsType[*url.Error](err); ok {
		return u.Err
	}
	return err
}

// PostForm posts a form, with a bearer token unless that is empty. Its errors do not repeat the address. The caller closes
// the body.
func PostForm(ctx context.Context, c *http.Client, address, bearer string, form url.Values) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, address, strings.NewReader(form.Encode()))
	if err != nil {
		return nil, WithoutURL(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if bearer != "" {
		req.Header.Set("Authorization", "Bearer "+bearer)
	}
	resp, err := c.Do(req)
	return resp, WithoutURL(err)
}
