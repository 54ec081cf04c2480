package slackapi

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

// maxRefusal is how many bytes of an answer are searched for a refusal.
const maxRefusal = 512

// staleTokens are Slack's errors that another token may cure.
var staleTokens = []string{"invalid_auth", "not_authed", "token_revoked", "token_expired", "account_inactive"}

// lostTokens returns the errors of a bot token that only an administrator can cure. Slack answers every call with them.
func lostTokens() []string {
	return append([]string{"not_allowed_token_type", "team_access_not_granted", "org_login_required", "team_disabled", "user_removed_from_team", "forbidden_team"}, staleTokens...)
}

// tokenRenewer is a transport that asks for new tokens when Slack rejects one, before the caller gets the error. If
// there are new ones, it repeats the call with them: Slack has not processed the first. If the bot token is rejected
// again, it becomes a suspect.
type tokenRenewer struct {
	next    http.RoundTripper
	tokens  *Tokens
	refused func(context.Context) // see [Config]; may be nil
}

// RoundTrip implements [http.RoundTripper].
func (t *tokenRenewer) RoundTrip(r *http.Request) (*http.Response, error) {
	old := t.tokens.pair()
	resp, err := t.next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	code := refusalCode(resp)
	if t.refused != nil && slices.Contains(staleTokens, code) {
		t.refused(r.Context())
		now := t.tokens.pair()
		if retry, ok := withTokens(r, old, now); ok {
			_ = resp.Body.Close()
			if resp, err = t.next.RoundTrip(retry); err != nil {
				return nil, err
			}
			r, old, code = retry, now, refusalCode(resp)
		}
	}
	if slices.Contains(lostTokens(), code) && holds(r, old.bot) {
		t.tokens.suspect(old.bot)
	}
	return resp, nil
}

// refusalCode returns the code with which the Web API rejects a call, or "". It peeks at the beginning of the answer
// and leaves the body readable from its start.
func refusalCode(resp *http.Response) string {
	if resp.Body == nil || resp.StatusCode != http.StatusOK || !strings.HasPrefix(resp.Header.Get("Content-Type"), "application/json") {
		return ""
	}
	ahead := bufio.NewReaderSize(resp.Body, maxRefusal)
	begin, _ := ahead.Peek(maxRefusal) // the caller gets the error when it reads the body
	resp.Body = struct {
		io.Reader
		io.Closer
	}{ahead, resp.Body}
	var answer struct {
		OK    bool   `json:"ok"`
		Error string `json:"error"`
	}
	if json.Unmarshal(begin, &answer) != nil || answer.OK {
		return ""
	}
	return answer.Error
}

// holds reports whether a request carries a token, in its header or its form.
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

// withTokens returns a request with new tokens instead of the old ones, in its header or its form. ok is false if the
// request carries no token that was replaced.
func withTokens(r *http.Request, old, now tokenPair) (retry *http.Request, ok bool) {
	if r.Body != nil && r.GetBody == nil {
		return nil, false
	}
	retry = r.Clone(r.Context())
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
			retry.Header.Set("Authorization", bearer(token[1]))
			ok = true
		}
		if bytes.Contains(body, field(token[0])) {
			body = bytes.ReplaceAll(body, field(token[0]), field(token[1]))
			ok = true
		}
	}
	if r.GetBody != nil {
		retry.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(body)), nil }
		retry.Body, retry.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	}
	return retry, ok
}
