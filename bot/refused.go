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

// lostTokens are the refusals of a bot token that nothing but the cure mends: with them every call is refused.
func lostTokens() []string {
	return append([]string{"not_allowed_token_type", "team_access_not_granted", "org_login_required", "team_disabled", "user_removed_from_team", "forbidden_team"}, staleTokens...)
}

// renewing is a transport that has new tokens looked for when Slack refuses one, before the caller hears of it. If there
// are new ones, the call is made again, once, with them: Slack has done nothing with the first. A bot token that is
// refused all the same is doubted.
type renewing struct {
	next    http.RoundTripper
	tokens  *Tokens
	refused func(context.Context) // nil where nobody knows of others
}

// RoundTrip implements [http.RoundTripper].
func (t *renewing) RoundTrip(r *http.Request) (*http.Response, error) {
	old := t.tokens.pair()
	resp, err := t.next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	code := refusalCode(resp)
	if t.refused != nil && slices.Contains(staleTokens, code) {
		t.refused(r.Context())
		now := t.tokens.pair()
		if again, ok := withTokens(r, old, now); ok {
			_ = resp.Body.Close()
			if resp, err = t.next.RoundTrip(again); err != nil {
				return nil, err
			}
			r, old, code = again, now, refusalCode(resp)
		}
	}
	if slices.Contains(lostTokens(), code) && holds(r, old.bot) {
		t.tokens.doubt(old.bot)
	}
	return resp, nil
}

// refusalCode is the reason for which the Web API refuses a call, empty where it does not. It reads the beginning of an
// answer; its body can be read as before.
func refusalCode(resp *http.Response) string {
	if resp.Body == nil || resp.StatusCode != http.StatusOK || !strings.HasPrefix(resp.Header.Get("Content-Type"), "application/json") {
		return ""
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
	if json.Unmarshal(begin, &said) != nil || said.OK {
		return ""
	}
	return said.Error
}

// holds reports whether a request was made with a token, in its header or its form.
func holds(r *http.Request, token string) bool {
	if token == "" {
		return false
	}
	if r.Header.Get("Authorization") == bearer(token) {
		return true
	}
	if r.GetBody == nil {
		return false
	}
	body, err := r.GetBody()
	if err != nil {
		return false
	}
	defer body.Close()
	raw, err := io.ReadAll(body)
	return err == nil && bytes.Contains(raw, field(token))
}

func bearer(token string) string { return "Bearer " + token }

func field(token string) []byte { return []byte("token=" + token) }

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
		if r.Header.Get("Authorization") == bearer(token[0]) {
			again.Header.Set("Authorization", bearer(token[1]))
			found = true
		}
		if bytes.Contains(body, field(token[0])) {
			body = bytes.ReplaceAll(body, field(token[0]), field(token[1]))
			found = true
		}
	}
	if r.GetBody != nil {
		again.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(body)), nil }
		again.Body, again.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	}
	return again, found
}
