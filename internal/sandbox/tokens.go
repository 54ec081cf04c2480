package sandbox

import (
	"slices"
	"strings"
	"sync"
)

// ConfigToken returns the app configuration token, which reads the manifest of the app; it is new at each start.
func (w *Workspace) ConfigToken() string { return w.configToken }

// RefuseToken makes Slack answer every call with one of the workspace's tokens by an error of its own, such as
// "token_revoked" or "account_inactive"; "" makes the token a good one again.
func (w *Workspace) RefuseToken(token, code string) {
	w.refused.mu.Lock()
	defer w.refused.mu.Unlock()
	if w.refused.codes == nil {
		w.refused.codes = map[string]string{}
	}
	w.refused.codes[token] = code
}

// refusedTokens are tokens that once were good.
type refusedTokens struct {
	mu    sync.Mutex
	codes map[string]string // what Slack says, by token
}

func (r *refusedTokens) code(token string) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.codes[token]
}

// authorize says why a call may not be made with a token.
func (w *Workspace) authorize(m method, token string) error {
	kinds := map[tokenKind]string{botToken: w.botToken, appToken: w.appToken, configToken: w.configToken}
	known := slices.Contains([]string{w.botToken, w.appToken, w.configToken}, token)
	switch {
	case m.token == noToken:
		return nil
	case token == "":
		return refuse("not_authed")
	case w.refused.code(token) != "":
		return refuse(w.refused.code(token))
	case known && token != kinds[m.token]:
		return refuse("not_allowed_token_type")
	case !known:
		return refuse("invalid_auth")
	case m.scope != "" && !slices.Contains(w.scopes(), m.scope):
		return apiError{"missing_scope", object{"needed": m.scope, "provided": strings.Join(w.scopes(), ",")}}
	}
	return nil
}

// scopesOf is what Slack tells, with each answer, of the token that it was given; nothing of one that it refuses.
func (w *Workspace) scopesOf(token string) (scopes string, ok bool) {
	switch {
	case token == "" || w.refused.code(token) != "":
		return "", false
	case token == w.botToken:
		return strings.Join(w.scopes(), ","), true
	case token == w.appToken:
		return "connections:write", true
	}
	return "", false
}
