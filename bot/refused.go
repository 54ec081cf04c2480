package bot

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strings"
)

// maxRefusal is how much of an answer is looked at: refusals are short.
const maxRefusal = 512

// staleTokens are Slack's refusals that another token may mend.
var staleTokens = []string{"invalid_auth", "not_authed", "token_revoked", "token_expired", "account_inactive"}

// renewing is a transport that has new tokens looked for when Slack refuses one, before the caller hears of it. If there
// are new ones, the call is made again, once, with them: Slack has done nothing with the first.
type renewing struct {
	next    http.RoundTripper
	tokens  *Tokens
	refused func(context.Context)
}

// RoundTrip implements [http.RoundTripper].
func (t *renewing) RoundTrip(r *http.Request) (*http.Response, error) {
	old := t.tokens.pair()
	resp, err := t.next.RoundTrip(r)
	if err != nil || !refusesToken(resp) {
		return resp, err
	}
	t.refused(r.Context())
	now := t.tokens.pair()
	again, ok := withTokens(r, old, now)
	if !ok {
		return resp, nil
	}
	_ = resp.Body.Close()
	return t.next.RoundTrip(again)
}

// refusesToken reads the beginning of an answer; its body can be read as before.
func refusesToken(resp *http.Response) bool {
	if resp.Body == nil || resp.StatusCode != http.StatusOK || !strings.HasPrefix(resp.Header.Get("Content-Type"), "application/json") {
		return false
	}
	ahead := bufio.NewReaderSize(resp.Body, maxRefusal)
	begin, _ := ahead.Peek(maxRefusal) // what went wrong is found by whoever reads the body
	resp.Body = struct {
		io.Reader
		io.Closer
	}{ahead, resp.Body}
	var said struct {
		OK    bool   `json:"ok"`
		Error string `json:"error"`
	}
	return json.Unmarshal(begin, &said) == nil && !said.OK && slices.Contains(staleTokens, said.Error)
}

// withTokens is a request with new tokens in the place of the old ones, in its header or its form; false where it held
// none that has a successor.
func withTokens(r *http.Request, old, now tokenPair) (*http.Request, bool) {
	if r.Body != nil && r.GetBody == nil {
		return nil, false
	}
	again, found := r.Clone(r.Context()), false
	var body []byte
	if r.GetBody != nil {
		first, err := r.GetBody()
		if err != nil {
			return nil, false
		}
		defer first.Close()
		if body, err = io.ReadAll(first); err != nil {
			return nil, false
		}
	}
	for _, token := range [][2]string{{old.app, now.app}, {old.bot, now.bot}} {
		if token[0] == token[1] || token[0] == "" {
			continue
		}
		if header := r.Header.Get("Authorization"); header == "Bearer "+token[0] {
			again.Header.Set("Authorization", "Bearer "+token[1])
			found = true
		}
		if field := []byte("token=" + token[0]); bytes.Contains(body, field) {
			body = bytes.ReplaceAll(body, field, []byte("token="+token[1]))
			found = true
		}
	}
	if r.GetBody != nil {
		again.Body, again.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
		again.GetBody = nil
	}
	return again, found
}
