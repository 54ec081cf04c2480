package slackapi

import (
	"cmp"
	"fmt"
	"io"
	"log/slog"
	"sync"
)

// Tokens holds the two tokens of the app. They can be replaced while the bot runs, so each call asks for the current
// ones. Tokens prints as a placeholder. It is safe for concurrent use.
type Tokens struct {
	suspects chan string // a bot token that Slack refused, until [TokenChecker] asks about it

	mu      sync.Mutex
	current *tokenPair
}

// tokenPair is current until changed is closed.
type tokenPair struct {
	app, bot string
	changed  chan struct{}
}

// NewTokens returns an app-level token (xapp-…, with the scope connections:write) and a bot token (xoxb-…).
func NewTokens(app, bot string) *Tokens {
	return &Tokens{suspects: make(chan string, 1), current: &tokenPair{app, bot, make(chan struct{})}}
}

// Current returns both tokens. They are empty if t is nil.
func (t *Tokens) Current() (app, bot string) {
	now := t.pair()
	return now.app, now.bot
}

// App returns the app-level token, and a channel that is closed when either token is replaced.
func (t *Tokens) App() (token string, replaced <-chan struct{}) {
	now := t.pair()
	return now.app, now.changed
}

// pair returns the current tokens and the channel that is closed when they are replaced.
func (t *Tokens) pair() tokenPair {
	if t == nil {
		return tokenPair{}
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	return *t.current
}

// Rotate replaces the tokens; an empty argument keeps the old one. It reports whether anything changed. The next calls
// of the Web API use the new tokens, and the connections are replaced one after another.
func (t *Tokens) Rotate(app, bot string) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	old := *t.current
	app, bot = cmp.Or(app, old.app), cmp.Or(bot, old.bot)
	if app == old.app && bot == old.bot {
		return false
	}
	t.current = &tokenPair{app, bot, make(chan struct{})}
	close(old.changed)
	return true
}

// suspect records that Slack rejected a bot token. One record is enough: the checker asks Slack again.
func (t *Tokens) suspect(bot string) {
	select {
	case t.suspects <- bot:
	default:
	}
}

// suspected returns the bot tokens that Slack refused. It is nil, and so never ready, if t is nil.
func (t *Tokens) suspected() <-chan string {
	if t == nil {
		return nil
	}
	return t.suspects
}

const hidden = "(hidden)"

// Format implements [fmt.Formatter], for every verb: no text contains a token.
func (*Tokens) Format(s fmt.State, _ rune) { _, _ = io.WriteString(s, hidden) }

// String implements [fmt.Stringer].
func (*Tokens) String() string { return hidden }

// GoString implements [fmt.GoStringer].
func (*Tokens) GoString() string { return hidden }

// LogValue implements [slog.LogValuer].
func (*Tokens) LogValue() slog.Value { return slog.StringValue(hidden) }
