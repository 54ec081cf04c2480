package bot

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/slack-go/slack"

	"github.com/missingkbs/missingkbs/bot/blocks"
	"github.com/missingkbs/missingkbs/commands"
	"github.com/missingkbs/missingkbs/internal/access"
	"github.com/missingkbs/missingkbs/internal/view"
)

// Beside channels there are other places where a person meets the bot: the Home tab, which is a page of the person's
// own; the modal that the shortcut opens, whose answer comes as a direct message, because a modal takes no tables; and
// the select in both, which finds software while one types. What is asked there is the same command line and goes the
// same way as any other question.

// screens shows things outside of channels; *webAPI does.
type screens interface {
	PublishViewContext(ctx context.Context, req slack.PublishViewContextRequest) (*slack.ViewResponse, error)
	OpenViewContext(ctx context.Context, triggerID string, view slack.ModalViewRequest) (*slack.ViewResponse, error)
	PostMessageContext(ctx context.Context, channel string, options ...slack.MsgOption) (string, string, error)
}

// suggester offers software to somebody who types; *commands.Suggester does.
type suggester interface {
	Suggest(ctx context.Context, typed string, limit int) ([]string, error)
}

// publish shows a page on the person's Home tab.
func (b *Bot) publish(ctx context.Context, q question, page view.Page) error {
	first := commands.HomeName
	if q.line == commands.HomeName {
		first = ""
	}
	err := b.options.Ladder.deliver(ctx, delivery{page: page, on: onHome, tries: callTries, send: func(f blocks.Form) ([]slack.Block, error) {
		home := blocks.Home(page, blocks.Options{Form: f}, first)
		return home.Blocks.BlockSet, twice(ctx, true, func() error {
			_, err := b.screens.PublishViewContext(ctx, slack.PublishViewContextRequest{UserID: q.user, View: *home})
			return err
		})
	}})
	if err != nil {
		return fmt.Errorf("publish the Home tab of %s: %w", q.user, withoutURL(err))
	}
	return nil
}

// tell sends a page to the person as a direct message.
func (b *Bot) tell(ctx context.Context, q question, page view.Page) error {
	err := b.options.Ladder.deliver(ctx, delivery{page: page, tries: callTries, send: func(f blocks.Form) ([]slack.Block, error) {
		m := blocks.Render(page, blocks.Options{Form: f, Direct: true})
		return m.Blocks, b.tellOnce(ctx, q, m)
	}})
	if err != nil {
		return fmt.Errorf("tell %s: %w", q.user, withoutURL(err))
	}
	return nil
}

func (b *Bot) tellOnce(ctx context.Context, q question, m blocks.Message) error {
	return twice(ctx, false, func() error {
		_, _, err := b.screens.PostMessageContext(ctx, q.user,
			slack.MsgOptionText(m.Text, false), // escaped already
			slack.MsgOptionBlocks(m.Blocks...),
			slack.MsgOptionDisableLinkUnfurl(),
			slack.MsgOptionDisableMediaUnfurl(),
			slack.MsgOptionDisableMarkdown(),
		)
		return err
	})
}

// triggerLife is how long a modal can be opened after the click that asks for it: Slack gives three seconds, and within
// these the person learns what became of it.
const triggerLife = 2800 * time.Millisecond

// open shows the modal that asks which software.
func (b *Bot) open(ctx context.Context, q question) error {
	if _, err := b.screens.OpenViewContext(ctx, q.trigger, blocks.AskModal()); err != nil {
		return fmt.Errorf("open the modal: %w", &commands.Error{
			Title:   "The dialog could not be opened",
			Message: "Slack did not open it in time. Use the shortcut again, or type the name of the command and what you look for.",
			Err:     withoutURL(err),
		})
	}
	return nil
}

// suggest answers what somebody types into a select. There is no place for a reason: whoever may not ask is offered
// nothing, and so is everybody while Defender cannot be asked.
func (b *Bot) suggest(ctx context.Context, q question) {
	began := time.Now()
	ctx, traced := b.traced(commands.WithTyped(commands.WithID(ctx, q.id), q.line), q)
	seen := q.observed()
	seen.Needs, seen.Command, seen.Queued, seen.InAck = access.Ask, "suggest", began.Sub(q.came), true
	quickly, cancel := context.WithDeadline(ctx, q.came.Add(b.options.AckAfter))
	defer cancel()
	offer, err := b.offer(quickly, q)
	seen.Working = time.Since(began)
	switch {
	case err == nil:
		seen.Outcome = Answered
	case errors.Is(err, errRefused):
		seen.Outcome, seen.Reason = Refused, commands.Reason(err)
	default:
		seen.Outcome, seen.Reason = Failed, commands.Reason(err)
		b.log.WarnContext(ctx, "no suggestions", "error", commands.Logged(err))
	}
	if !b.sendAck(ctx, q.envelope, offer) {
		seen.Outcome = Lost
		b.log.WarnContext(ctx, "an offer did not get to its select") // there is no other way to it
		b.sendAck(ctx, q.envelope, blocks.Suggestions(nil))          // rather than an error in the select
	}
	seen.Reply = time.Since(began) - seen.Working
	traced(seen)
	b.options.Observe(context.WithoutCancel(ctx), seen)
}

// errRefused marks the refusal of a person among the errors of an offer.
var errRefused = errors.New("refused")

// offer is what a select is to show; it is an empty list, and never nothing, beside an error.
func (b *Bot) offer(ctx context.Context, q question) (o blocks.Offer, err error) {
	defer func() {
		if crash := recover(); crash != nil {
			err = fmt.Errorf("%w: %v", commands.ErrPanic, crash)
		}
	}()
	o = blocks.Suggestions(nil)
	if refusal := b.mayAsk(ctx, q, access.Ask, false); refusal != nil {
		return o, fmt.Errorf("%w: %w", errRefused, refusal)
	}
	found, err := b.options.Suggest.Suggest(ctx, q.line, blocks.MaxSuggestions)
	if err != nil {
		return o, fmt.Errorf("suggest software: %w", err)
	}
	all := make([]blocks.Suggestion, len(found))
	for i, id := range found {
		all[i] = blocks.Suggestion{Label: id, Value: commands.Line(id)}
	}
	return fitting(all), nil
}

// fitting offers the first of many, as far as an acknowledgement carries them.
func fitting(all []blocks.Suggestion) blocks.Offer {
	for {
		o := blocks.Suggestions(all)
		raw, err := json.Marshal(o)
		if err != nil || len(raw) <= maxAck {
			return o
		}
		all = all[:len(all)*maxAck/len(raw)]
	}
}

// homeOpened is the part of an app_home_opened event that a question is made of.
// See https://docs.slack.dev/reference/events/app_home_opened.
type homeOpened struct {
	TeamID  string `json:"team_id"`
	EventID string `json:"event_id"`
	Event   struct {
		Type string `json:"type"`
		User string `json:"user"`
		Tab  string `json:"tab"`
	} `json:"event"`
}

// openedQuestion reads the event that somebody opened the Home tab. Other events hold no question.
func openedQuestion(envelope string, payload json.RawMessage) (question, error) {
	var o homeOpened
	if err := json.Unmarshal(payload, &o); err != nil {
		return question{envelope: envelope}, fmt.Errorf("read event: %w", err)
	}
	if o.Event.Type != "app_home_opened" || o.Event.User == "" {
		return question{envelope: envelope}, fmt.Errorf("%w: event %q", errUnreadable, o.Event.Type)
	}
	q := question{
		entry: EntryHome, opened: true, envelope: envelope, kind: blocks.Run, line: commands.HomeName,
		user: o.Event.User, team: o.TeamID, trigger: o.EventID, to: replyTo{home: true},
	}
	if o.Event.Tab != "home" {
		q.kind = blocks.Open // the Messages tab needs nothing
	}
	return q, nil
}

// homeEvery is how often the Home tab is made anew for somebody who opens it again and again.
const homeEvery = 10 * time.Second

// again reports whether the Home tab was just made for the person.
func (b *Bot) again(q question, now time.Time) bool {
	return q.opened && b.seen.add(fmt.Sprintf("home %s %d", q.user, now.UnixNano()/int64(homeEvery)))
}
