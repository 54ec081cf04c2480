package bot

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/slack-go/slack"

	"github.com/missingkbs/missingkbs/bot/blocks"
	"github.com/missingkbs/missingkbs/bot/slackapi"
	"github.com/missingkbs/missingkbs/internal/view"
)

// Trial sends messages that the bot can send, to learn what a workspace takes, and deletes them again. Unlike a [Poster]
// it draws nothing more simply when Slack refuses, and repeats no call. It is not safe for concurrent use.
type Trial struct {
	options TrialOptions
	slack   *slack.Client
	poster  *Poster // finds messages by their metadata
	limits  *postLimits
	began   time.Time

	posted  []trialMessage // not deleted yet, the oldest first
	unsure  bool           // an answer of Slack's was lost: it may have posted what is not among them
	touched bool           // a Home tab was published
}

// TrialOptions say where a [Trial] takes place.
type TrialOptions struct {
	Workspace slackapi.Workspace
	Channel   string        // where messages are posted
	User      string        // who is sent direct and ephemeral messages and a Home tab
	Mark      string        // stands in the title of every page, and in no other message of the channel
	Pace      time.Duration // between two messages; default 1.1 s, for Slack takes one a second; negative: none
}

type trialMessage struct{ channel, ts, thread string }

// TrialResult is what came of one call of Slack's Web API.
type TrialResult struct {
	Call    string        // the method
	Sent    []slack.Block // what was sent
	Message string        // its ts, where there is one
	Verdict Verdict       // what Slack says to the blocks; empty unless it refused them
	Err     error         // nil when Slack took it
}

// NewTrial returns a trial with the tokens that are current now.
func NewTrial(c slackapi.Config, o TrialOptions) *Trial {
	return &Trial{
		options: o, slack: Inspect(c).slack, poster: NewPoster(c, o.Workspace, nil, PosterOptions{}),
		limits: newPostLimits(o.Pace, -1), began: time.Now(),
	}
}

// Post posts a page into the channel: a reply in a thread, unless that is empty, and with the key of a digest, unless
// that is empty.
func (t *Trial) Post(ctx context.Context, p view.Page, f blocks.Form, thread, key string) TrialResult {
	var more []slack.MsgOption
	if thread != "" {
		more = append(more, slack.MsgOptionTS(thread))
	}
	if key != "" {
		more = append(more, digestKey(key))
	}
	return t.post(ctx, t.options.Channel, thread, p, f, more...)
}

// Direct posts a page into the bot's conversation with the user.
func (t *Trial) Direct(ctx context.Context, p view.Page, f blocks.Form) TrialResult {
	return t.post(ctx, t.options.User, "", p, f)
}

func (t *Trial) post(ctx context.Context, to, thread string, p view.Page, f blocks.Form, more ...slack.MsgOption) TrialResult {
	o := TrialResult{Call: "chat.postMessage"}
	if o.Err = t.limits.wait(ctx, to); o.Err != nil {
		return o
	}
	m := blocks.Render(p, blocks.Options{Form: f})
	var channel string
	channel, o.Message, o.Err = t.slack.PostMessageContext(ctx, to, append(messageOptions(m), more...)...)
	t.unsure = t.unsure || unanswered(o.Err)
	if o.Err == nil {
		t.posted = append(t.posted, trialMessage{channel, o.Message, thread})
	}
	return o.judged(m.Blocks)
}

// Ephemeral shows a page to the user alone, in the channel.
func (t *Trial) Ephemeral(ctx context.Context, p view.Page, f blocks.Form) TrialResult {
	o := TrialResult{Call: "chat.postEphemeral"}
	if o.Err = t.limits.wait(ctx, t.options.Channel); o.Err != nil {
		return o
	}
	m := blocks.Render(p, blocks.Options{Form: f})
	o.Message, o.Err = t.slack.PostEphemeralContext(ctx, t.options.Channel, t.options.User, messageOptions(m)...)
	return o.judged(m.Blocks)
}

// Home publishes a page as the user's Home tab.
func (t *Trial) Home(ctx context.Context, p view.Page, f blocks.Form) TrialResult {
	v := blocks.Home(p, blocks.Options{Form: f}, "")
	o := TrialResult{Call: "views.publish"}
	_, o.Err = t.slack.PublishViewContext(ctx, slack.PublishViewContextRequest{UserID: t.options.User, View: *v})
	t.touched = t.touched || o.Err == nil || unanswered(o.Err)
	return o.judged(v.Blocks.BlockSet)
}

// Find looks for the message with a digest's key, as a digest that is tried again does.
func (t *Trial) Find(ctx context.Context, key string) (message string, o TrialResult) {
	o = TrialResult{Call: "conversations.history"}
	// Poster.Find takes a channel that it may not read for one without the message; a trial wants to know why.
	if _, o.Err = t.marked(ctx, "conversations.history", ""); o.Err != nil {
		return "", o
	}
	message, _, o.Err = t.poster.Find(ctx, t.options.Channel, key, t.began)
	return message, o
}

// judged adds what Slack says to blocks.
func (o TrialResult) judged(sent []slack.Block) TrialResult {
	o.Sent = sent
	o.Verdict, _ = JudgeBlocks(o.Err, sent)
	o.Err = slackapi.WithoutURL(o.Err)
	return o
}

// unanswered reports whether a call may have been carried out although it failed.
func unanswered(err error) bool {
	_, refused := errors.AsType[slack.SlackErrorResponse](err)
	_, limited := errors.AsType[*slack.RateLimitedError](err)
	return err != nil && !refused && !limited
}

// CleanUp deletes what was posted, and makes the Home tab say that it is drawn anew when it is opened. It returns how
// many messages were deleted, and why others were not. Ephemeral messages cannot be deleted: they are gone when the
// user's Slack starts anew. It may be called with a context of its own after the trial was interrupted.
func (t *Trial) CleanUp(ctx context.Context) (deleted int, left []error) {
	if t.unsure {
		if err := t.findLost(ctx); err != nil {
			left = append(left, err)
		}
	}
	for _, m := range slices.Backward(t.posted) { // replies before what they are replies to
		if err := t.remove(ctx, m); err != nil {
			left = append(left, err)
			continue
		}
		deleted++
	}
	t.posted = nil
	if t.touched {
		v := blocks.Home(view.Page{Title: "Missing KBs", Lead: "Leave this tab and open it again."}, blocks.Options{Form: blocks.Classic()}, "")
		if _, err := t.slack.PublishViewContext(ctx, slack.PublishViewContextRequest{UserID: t.options.User, View: *v}); err != nil {
			left = append(left, slackapi.WithoutURL(err))
		}
	}
	return deleted, left
}

const (
	removeTries    = 3
	removePatience = 10 * time.Second // the longest pause that is waited for
)

// remove deletes a message, and again after pauses that Slack asks for. One that is gone is fine.
func (t *Trial) remove(ctx context.Context, m trialMessage) error {
	for try := 1; ; try++ {
		_, _, err := t.slack.DeleteMessageContext(ctx, m.channel, m.ts)
		if refused, ok := errors.AsType[slack.SlackErrorResponse](err); ok && refused.Err == "message_not_found" {
			return nil
		}
		wait := time.Second
		limited, ok := errors.AsType[*slack.RateLimitedError](err)
		if ok {
			wait = limited.RetryAfter
		}
		if err == nil || try == removeTries || wait > removePatience || !ok && !unanswered(err) || !slackapi.Sleep(ctx, wait) {
			return slackapi.WithoutURL(err)
		}
	}
}
