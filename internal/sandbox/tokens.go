package sandbox

import (
	"slices"
	"strings"
	"sync"

	"github.com/missingkbs/missingkbs/internal/sandbox/protocol"
)

// ConfigToken returns the app configuration token, which reads the manifest of the app; it is new at each start.
func (w *Workspace) ConfigToken() string { return w.configToken }

// RefuseToken makes Slack answer every call with one of the workspace's tokens by an error, such as "token_revoked" or
// "account_inactive"; "" makes the token valid again.
func (w *Workspace) RefuseToken(token, code string) {
	w.tokens.mu.Lock()
	defer w.tokens.mu.Unlock()
	if w.tokens.codes == nil {
		w.tokens.codes = map[string]string{}
	}
	w.tokens.codes[token] = code
}

// NewAppToken makes one more app-level token. The others stay good until
// [Workspace.RefuseToken] takes them back.
func (w *Workspace) NewAppToken() string {
	return w.tokens.add(appToken, "xapp-1-"+AppID+"-"+protocol.RandomDigits(13)+"-"+protocol.RandomHex(32))
}

// NewBotToken makes one more bot token.
func (w *Workspace) NewBotToken() string {
	return w.tokens.add(botToken, "xoxb-"+protocol.RandomDigits(12)+"-"+protocol.RandomDigits(13)+"-"+protocol.RandomHex(12))
}

// kindOf returns the kind of a token of the workspace.
func (w *Workspace) kindOf(token string) (kind tokenKind, known bool) {
	switch token {
	case w.botToken:
		return botToken, true
	case w.appToken:
		return appToken, true
	case w.configToken:
		return configToken, true
	}
	w.tokens.mu.Lock()
	defer w.tokens.mu.Unlock()
	kind, known = w.tokens.more[token]
	return kind, known
}

// tokens holds tokens that were valid once, and tokens created later.
type tokens struct {
	mu    sync.Mutex
	codes map[string]string // what Slack says, by token
	more  map[string]tokenKind
}

func (r *tokens) add(kind tokenKind, token string) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.more == nil {
		r.more = map[string]tokenKind{}
	}
	r.more[token] = kind
	return token
}

func (r *tokens) code(token string) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.codes[token]
}

// authorize returns why a call must not be made with a token, nil if it may.
func (w *Workspace) authorize(m method, token string, a protocol.Args) error {
	kind, known := w.kindOf(token)
	scope := w.scopeFor(m, a)
	switch {
	case m.token == noToken:
		return nil
	case token == "":
		return protocol.Refuse("not_authed")
	case w.tokens.code(token) != "":
		return protocol.Refuse(w.tokens.code(token))
	case known && kind != m.token:
		return protocol.Refuse("not_allowed_token_type")
	case !known:
		return protocol.Refuse("invalid_auth")
	case scope != "" && !slices.Contains(w.scopes(), scope):
		return protocol.RefuseWith("missing_scope", object{"needed": scope, "provided": strings.Join(w.scopes(), ",")})
	}
	return nil
}

// scopeFor is what a call takes: the methods of conversations take another scope for each kind of conversation.
func (w *Workspace) scopeFor(m method, a protocol.Args) string {
	right, ofKind := strings.CutPrefix(m.scope, "channels:")
	if !ofKind || right == "join" || a["channel"] == "" {
		return m.scope
	}
	c, err := w.room(a["channel"])
	switch {
	case err != nil: // what the app cannot see is not found, rather than out of its scopes
		return m.scope
	case c.IM:
		return "im:" + right
	case c.Private:
		return "groups:" + right
	}
	return m.scope
}

// scopesOf returns the scopes that Slack sends with each answer to a valid token.
func (w *Workspace) scopesOf(token string) (scopes string, ok bool) {
	kind, known := w.kindOf(token)
	switch {
	case !known || w.tokens.code(token) != "":
		return "", false
	case kind == botToken:
		return strings.Join(w.scopes(), ","), true
	case kind == appToken:
		return "connections:write", true
	}
	return "", false
}

// Secrets returns the secrets that the app was given: its tokens, and the newest trigger
// ids, response URLs (their paths) and socket tickets.
func (w *Workspace) Secrets() []string {
	all := []string{w.appToken, w.botToken, w.configToken, w.verification}
	w.tokens.mu.Lock()
	for token := range w.tokens.more {
		all = append(all, token)
	}
	w.tokens.mu.Unlock()
	return append(all, w.issued.All()...)
}
