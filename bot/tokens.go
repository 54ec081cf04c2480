package bot

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"log/slog"
	"sync"

	"github.com/slack-go/slack"
)

// Tokens are the two tokens of Slack, which can be replaced while the bot runs. Whoever calls Slack asks for those that
// are current at that moment. They are safe for concurrent use, and print as a word that says nothing of them.
type Tokens struct {
	refused chan string // a bot token that Slack did not take, until somebody looks into it

	mu  sync.Mutex
	now *tokenPair
}

// tokenPair is what is current until changed is closed.
type tokenPair struct {
	app, bot string
	changed  chan struct{}
}

// NewTokens returns an app-level token (xapp-…, with the scope connections:write) and a bot token (xoxb-…).
func NewTokens(app, bot string) *Tokens {
	return &Tokens{refused: make(chan string, 1), now: &tokenPair{app, bot, make(chan struct{})}}
}

// Current returns the tokens that are current now. No tokens at all are empty ones.
func (t *Tokens) Current() (app, bot string) {
	now := t.pair()
	return now.app, now.bot
}

// pair returns the current tokens together with the channel that tells of the next ones.
func (t *Tokens) pair() tokenPair {
	if t == nil {
		return tokenPair{}
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	return *t.now
}

// Rotate puts new tokens in the place of the old ones; an empty one leaves its token as it is. It reports whether
// anything changed. The next calls of the Web API use them, and the connections are replaced one after another.
func (t *Tokens) Rotate(app, bot string) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	old := *t.now
	app, bot = cmp.Or(app, old.app), cmp.Or(bot, old.bot)
	if app == old.app && bot == old.bot {
		return false
	}
	t.now = &tokenPair{app, bot, make(chan struct{})}
	close(old.changed)
	return true
}

// doubt notes that Slack did not take a bot token. One doubt is enough: whoever looks into it asks again.
func (t *Tokens) doubt(bot string) {
	select {
	case t.refused <- bot:
	default:
	}
}

// doubts are the bot tokens that Slack did not take; none of no tokens at all.
func (t *Tokens) doubts() <-chan string {
	if t == nil {
		return nil
	}
	return t.refused
}

const hidden = "(hidden)"

// Format implements [fmt.Formatter], for every verb: a token is in no text.
func (*Tokens) Format(s fmt.State, _ rune) { _, _ = io.WriteString(s, hidden) }

// String implements [fmt.Stringer].
func (*Tokens) String() string { return hidden }

// GoString implements [fmt.GoStringer].
func (*Tokens) GoString() string { return hidden }

// LogValue implements [slog.LogValuer].
func (*Tokens) LogValue() slog.Value { return slog.StringValue(hidden) }

// webAPI is the client of Slack's Web API. slack-go keeps the bot token in its client and sends it as a field of most
// forms, so a client lives as long as its tokens. It is safe for concurrent use.
type webAPI struct {
	tokens *Tokens
	make   func(app, bot string) *slack.Client

	mu       sync.Mutex
	app, bot string // of the client
	made     *slack.Client
}

// client returns the client for the next call; whoever keeps it keeps its tokens.
func (w *webAPI) client() *slack.Client {
	app, bot := w.tokens.Current()
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.made == nil || app != w.app || bot != w.bot {
		w.made, w.app, w.bot = w.make(app, bot), app, bot
	}
	return w.made
}

// GetConversationInfoContext looks a channel up.
func (w *webAPI) GetConversationInfoContext(ctx context.Context, in *slack.GetConversationInfoInput) (*slack.Channel, error) {
	return w.client().GetConversationInfoContext(ctx, in)
}

// PublishViewContext shows a person's Home tab.
func (w *webAPI) PublishViewContext(ctx context.Context, req slack.PublishViewContextRequest) (*slack.ViewResponse, error) {
	return w.client().PublishViewContext(ctx, req)
}

// OpenViewContext opens a modal.
func (w *webAPI) OpenViewContext(ctx context.Context, triggerID string, view slack.ModalViewRequest) (*slack.ViewResponse, error) {
	return w.client().OpenViewContext(ctx, triggerID, view)
}

// PostMessageContext posts a message.
func (w *webAPI) PostMessageContext(ctx context.Context, channel string, options ...slack.MsgOption) (string, string, error) {
	return w.client().PostMessageContext(ctx, channel, options...)
}

// GetUserInfoContext tells who a user is.
func (w *webAPI) GetUserInfoContext(ctx context.Context, user string, options ...slack.GetUserInfoOption) (*slack.User, error) {
	return w.client().GetUserInfoContext(ctx, user, options...)
}

// GetUserGroupMembersContext lists the members of a user group.
func (w *webAPI) GetUserGroupMembersContext(ctx context.Context, group string, options ...slack.GetUserGroupMembersOption) ([]string, error) {
	return w.client().GetUserGroupMembersContext(ctx, group, options...)
}

// GetUsersInConversationContext lists the members of a conversation, page by page.
func (w *webAPI) GetUsersInConversationContext(ctx context.Context, in *slack.GetUsersInConversationParameters) ([]string, string, error) {
	return w.client().GetUsersInConversationContext(ctx, in)
}

// ListTeamsContext lists the workspaces that the app is in.
func (w *webAPI) ListTeamsContext(ctx context.Context, in slack.ListTeamsParameters) ([]slack.Team, string, error) {
	return w.client().ListTeamsContext(ctx, in)
}

// GetUserGroupsContext lists user groups.
func (w *webAPI) GetUserGroupsContext(ctx context.Context, options ...slack.GetUserGroupsOption) ([]slack.UserGroup, error) {
	return w.client().GetUserGroupsContext(ctx, options...)
}
