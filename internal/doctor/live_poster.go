package doctor

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"slices"
	"time"

	"github.com/slack-go/slack"
	"golang.org/x/time/rate"

	"github.com/missingkbs/missingkbs/bot/blocks"
	"github.com/missingkbs/missingkbs/bot/post"
	"github.com/missingkbs/missingkbs/bot/slackapi"
	"github.com/missingkbs/missingkbs/internal/view"
	"github.com/missingkbs/missingkbs/internal/wait"
)

// livePoster sends messages that the bot can send and deletes them. Unlike the bot it uses no simpler form after a refusal, and
// retries no call. It is not safe for concurrent use.
type livePoster struct {
	options livePosterOptions
	config  slackapi.Config
	http    *http.Client
	slack   *slack.Client
	finder  *post.Poster // finds messages by their metadata
	limit   *rate.Limiter
	began   time.Time

	posted        []liveMessageID // not yet deleted, the oldest first
	unknown       bool            // a response was lost, so Slack may have posted other messages
	homePublished bool
}

// livePosterOptions say where a [livePoster] posts.
type livePosterOptions struct {
	workspace slackapi.Workspace
	channel   string
	user      string        // for direct and ephemeral messages and the Home tab
	mark      string        // in the title of every page, and in no other message of the channel
	interval  time.Duration // between two messages; default 1.1 s, because Slack allows one a second; negative means none
}

type liveMessageID struct{ channel, ts, thread string }

// callResult is the result of one call of Slack's Web API.
type callResult struct {
	call    string // the method
	sent    []slack.Block
	message string         // its ts; empty if there is none
	verdict blocks.Verdict // on the blocks; empty unless Slack refused them
	err     error
}

const defaultInterval = 1100 * time.Millisecond

// newLivePoster returns a poster with the current tokens.
func newLivePoster(c slackapi.Config, o livePosterOptions) *livePoster {
	limit := rate.NewLimiter(rate.Every(cmp.Or(o.interval, defaultInterval)), 1)
	if o.interval < 0 {
		limit = rate.NewLimiter(rate.Inf, 1)
	}
	c = c.WithDefaults()
	return &livePoster{
		options: o, config: c, http: c.HTTPClient(), slack: c.ClientWithoutRetry().Current(), finder: post.New(c, o.workspace, nil, post.Options{}),
		limit: limit, began: time.Now(),
	}
}

// post posts a page into the channel. Thread and key are optional: a message to reply to, and the key of a digest.
func (p *livePoster) post(ctx context.Context, page view.Page, f blocks.Form, thread, key string) callResult {
	var more []slack.MsgOption
	if thread != "" {
		more = append(more, slack.MsgOptionTS(thread))
	}
	if key != "" {
		more = append(more, post.KeyMetadata(key))
	}
	return p.postTo(ctx, p.options.channel, thread, page, f, more...)
}

// direct posts a page into the bot's conversation with the user.
func (p *livePoster) direct(ctx context.Context, page view.Page, f blocks.Form) callResult {
	return p.postTo(ctx, p.options.user, "", page, f)
}

func (p *livePoster) postTo(ctx context.Context, to, thread string, page view.Page, f blocks.Form, more ...slack.MsgOption) callResult {
	r := callResult{call: "chat.postMessage"}
	if r.err = p.limit.Wait(ctx); r.err != nil {
		return r
	}
	m := blocks.Render(page, blocks.Options{Form: f})
	var channel string
	channel, r.message, r.err = p.slack.PostMessageContext(ctx, to, append(post.MessageOptions(m), more...)...)
	p.unknown = p.unknown || mayHaveSucceeded(r.err)
	if r.err == nil {
		p.posted = append(p.posted, liveMessageID{channel, r.message, thread})
	}
	return r.judged(m.Blocks)
}

// ephemeral shows a page in the channel to the user alone.
func (p *livePoster) ephemeral(ctx context.Context, page view.Page, f blocks.Form) callResult {
	r := callResult{call: "chat.postEphemeral"}
	if r.err = p.limit.Wait(ctx); r.err != nil {
		return r
	}
	m := blocks.Render(page, blocks.Options{Form: f})
	r.message, r.err = p.slack.PostEphemeralContext(ctx, p.options.channel, p.options.user, post.MessageOptions(m)...)
	return r.judged(m.Blocks)
}

// home publishes a page as the user's Home tab.
func (p *livePoster) home(ctx context.Context, page view.Page, f blocks.Form) callResult {
	v := blocks.Home(page, blocks.Options{Form: f}, "")
	r := callResult{call: "views.publish"}
	_, r.err = p.slack.PublishViewContext(ctx, slack.PublishViewContextRequest{UserID: p.options.user, View: *v})
	p.homePublished = p.homePublished || r.err == nil || mayHaveSucceeded(r.err)
	return r.judged(v.Blocks.BlockSet)
}

// find finds the message with a digest's key, as a retried digest does.
func (p *livePoster) find(ctx context.Context, key string) (message string, r callResult) {
	r = callResult{call: "conversations.history"}
	// post.Poster.Find reports a channel that it cannot read as one without the message. The report needs the reason.
	if _, r.err = p.marked(ctx, "conversations.history", ""); r.err != nil {
		return "", r
	}
	message, _, r.err = p.finder.Find(ctx, p.options.channel, key, p.began)
	return message, r
}

// judged adds the verdict on the blocks.
func (r callResult) judged(sent []slack.Block) callResult {
	r.sent = sent
	r.verdict, _ = blocks.Judge(r.err, sent)
	r.err = slackapi.WithoutURL(r.err)
	return r
}

// mayHaveSucceeded returns true if Slack may have carried out a call that failed.
func mayHaveSucceeded(err error) bool {
	_, answered := errors.AsType[slack.SlackErrorResponse](err)
	_, limited := errors.AsType[*slack.RateLimitedError](err)
	return err != nil && !answered && !limited
}

// cleanUp deletes the messages, and publishes a Home tab that says how to get the usual one. It returns the number of deleted
// messages, and the errors of the others. Ephemeral messages cannot be deleted; they disappear when the user reloads Slack. It
// may be called with a new context after an interruption.
func (p *livePoster) cleanUp(ctx context.Context) (deleted int, left []error) {
	if p.unknown {
		if err := p.findLost(ctx); err != nil {
			left = append(left, err)
		}
	}
	for _, m := range slices.Backward(p.posted) { // replies before their parents
		if err := p.remove(ctx, m); err != nil {
			left = append(left, err)
			continue
		}
		deleted++
	}
	p.posted = nil
	if p.homePublished {
		v := blocks.Home(view.Page{Title: "Missing KBs", Lead: "Leave this tab and open it again."}, blocks.Options{Form: blocks.Classic()}, "")
		if _, err := p.slack.PublishViewContext(ctx, slack.PublishViewContextRequest{UserID: p.options.user, View: *v}); err != nil {
			left = append(left, slackapi.WithoutURL(err))
		}
	}
	return deleted, left
}

const (
	removeTries    = 3
	maxRemovePause = 10 * time.Second // the longest pause that it waits for
)

// remove deletes a message, with retries after the pauses that Slack asks for. A missing message is no error.
func (p *livePoster) remove(ctx context.Context, m liveMessageID) error {
	for try := 1; ; try++ {
		_, _, err := p.slack.DeleteMessageContext(ctx, m.channel, m.ts)
		if slackErr, ok := errors.AsType[slack.SlackErrorResponse](err); ok && slackErr.Err == "message_not_found" {
			return nil
		}
		pause := time.Second
		limited, ok := errors.AsType[*slack.RateLimitedError](err)
		if ok {
			pause = limited.RetryAfter
		}
		if err == nil || try == removeTries || pause > maxRemovePause || !ok && !mayHaveSucceeded(err) || !wait.For(ctx, pause) {
			return slackapi.WithoutURL(err)
		}
	}
}
