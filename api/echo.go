package api

import (
	"io"
	"net/http"
	"net/url"
	"strings"
)

// hidden replaces a secret.
const hidden = "(hidden)"

// withoutEchoes returns a function that makes foreign text safe to show: on one line, short, and without the secrets that the
// request carried, which some servers repeat. It knows where a request carries secrets, not how secrets look. Text that only
// looks like a secret must be hidden by the caller.
func withoutEchoes(resp *http.Response) func(string) string {
	var secrets []string
	if resp.Request != nil {
		secrets = carried(resp.Request)
	}
	return func(s string) string {
		for _, secret := range secrets {
			s = strings.ReplaceAll(s, secret, hidden)
			s = strings.ReplaceAll(s, url.QueryEscape(secret), hidden)
		}
		return oneLine(s)
	}
}

// shortestSecret keeps an empty or tiny value from taking ordinary words apart.
const shortestSecret = 4

// carried returns the secrets of a request: in the headers that hold tokens, and in the form that asks Entra for one.
func carried(req *http.Request) (secrets []string) {
	add := func(values ...string) {
		for _, v := range values {
			if len(v) >= shortestSecret {
				secrets = append(secrets, v)
			}
		}
	}
	_, token, _ := strings.Cut(req.Header.Get("Authorization"), " ")
	add(token, req.Header.Get("X-Identity-Header"), req.Header.Get("Secret")) // the last two for managed identities
	form := formOf(req)
	for _, name := range []string{"client_secret", "client_assertion", "assertion", "refresh_token", "code", "device_code", "code_verifier", "password"} {
		add(form[name]...)
	}
	return secrets
}

// formOf reads the form that a request sent; empty if it sent none.
func formOf(req *http.Request) url.Values {
	if req.GetBody == nil || !strings.HasPrefix(req.Header.Get("Content-Type"), "application/x-www-form-urlencoded") {
		return nil
	}
	body, err := req.GetBody()
	if err != nil {
		return nil
	}
	defer body.Close()
	raw, err := io.ReadAll(io.LimitReader(body, errorBody))
	if err != nil {
		return nil
	}
	form, _ := url.ParseQuery(string(raw)) // whatever of it can be read
	return form
}
