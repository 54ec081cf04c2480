// Package bot is the Slack edge: it keeps the Socket Mode connection, turns envelopes into requests, has them answered,
// and sends the pages back. Together with package main it is the only code that uses the Slack client.
//
// What can be asked is decided in package commands, how a page looks in package blocks. This package decides who gets
// an answer, by which way it travels, and what happens when there is too much to do.
//
// The connections are the bot's own (package socketmode says why): several, so that there is always one.
//
// The way of a question: [Bot.Serve] reads an event and never blocks; the event becomes a question (question.go), runs
// in a goroutine of its own within a bound (serve.go), and its page is sent in the acknowledgement when it is ready,
// small enough and free of newer blocks, or else to the response_url (answer.go).
//
// Not every workspace takes every newer block, and Slack may refuse a message for a fault of ours. Pages are drawn as
// richly as the workspace takes them, and more simply when Slack refuses them. What is learnt of the workspace, from
// which refusals and for how long, stands in package blocks.
package bot

import (
	"context"
	"log/slog"
	"time"

	"github.com/slack-go/slack"

	"github.com/missingkbs/missingkbs/bot/access"
	"github.com/missingkbs/missingkbs/bot/admission"
	"github.com/missingkbs/missingkbs/bot/blocks"
	"github.com/missingkbs/missingkbs/bot/slackapi"
	"github.com/missingkbs/missingkbs/bot/socketmode"
	"github.com/missingkbs/missingkbs/commands"
	"github.com/missingkbs/missingkbs/internal/span"
	"github.com/missingkbs/missingkbs/internal/view"
)

// Options configure a [Bot]. The zero value of each field stands for its default.
type Options struct {
	Tables      blocks.TableSetting // how tables are drawn; default TablesAuto
	Ladder      *blocks.Ladder      // what the workspace takes; default: one of its own, by Tables
	AckAfter    time.Duration       // how long an answer may take to travel in the acknowledgement; default 1.5 s, Slack allows 3 s
	Timeout     time.Duration       // for one question; default 30 s
	Grace       time.Duration       // for questions that run when the bot is told to stop; default 5 s
	Workers     int                 // questions worked on at once; default 200
	Queue       int                 // questions that wait for their turn; default 1,000, negative: none
	PersonWaits int                 // questions of one person that wait; default 10
	Suggest     suggester           // finds software for who types into a select, such as a [commands.Suggester]; default: nothing is found
	Sockets     int                 // connections to Slack; default 2, so that a refresh of one leaves no gap
	Health      *socketmode.Health  // told of the connections; default: nobody is
	Observe     Observer            // told of each question; default: nobody is
	Counts      *Counts             // where to count; default: nobody reads it before the end
	Trace       span.Tracer         // records what is done for a question; default: nobody does
	Liveness    *Liveness           // reports whether the event loop makes progress; default: none
	Gate        *access.Gate        // who may do what; default: members of the workspace, who may all but administer
	Log         *slog.Logger        // default: nothing is logged
}

func (o Options) withDefaults() Options {
	if o.AckAfter == 0 {
		o.AckAfter = 1500 * time.Millisecond
	}
	if o.Timeout == 0 {
		o.Timeout = 30 * time.Second
	}
	if o.Grace == 0 {
		o.Grace = 5 * time.Second
	}
	if o.Workers == 0 {
		o.Workers = 200
	}
	if o.PersonWaits == 0 {
		o.PersonWaits = personWaits
	}
	if o.Queue == 0 {
		o.Queue = 1000
	}
	if o.Suggest == nil {
		o.Suggest = &commands.Suggester{}
	}
	if o.Sockets == 0 {
		o.Sockets = 2
	}
	if o.Health == nil {
		o.Health = socketmode.NewHealth()
	}
	if o.Counts == nil {
		o.Counts = &Counts{}
	}
	if o.Observe == nil {
		o.Observe = func(context.Context, Observation) {}
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Ladder == nil {
		o.Ladder = blocks.NewLadder(blocks.LadderOptions{Tables: o.Tables, Log: o.Log})
	}
	return o
}

// answerer answers requests; *commands.Router does.
type answerer interface {
	Run(ctx context.Context, req commands.Request) (view.Page, error)
	// Intent says what a request is about to do, and what that takes of the person who makes it.
	Intent(req commands.Request) commands.Intent
	// Shared reports whether the answer to a request may be posted for everyone in a channel.
	Shared(req commands.Request) bool
}

// acker acknowledges envelopes; *socketmode.Connections does.
type acker interface {
	AckCtx(ctx context.Context, envelopeID string, payload any) error
}

// Bot answers the questions of one workspace. [Run] makes one; all methods are safe for concurrent use.
type Bot struct {
	options Options
	gate    *access.Gate
	answers answerer
	acks    acker
	webhook *slackapi.Webhook
	screens screens
	log     *slog.Logger

	drawings         *drawings
	questions        *admission.Queue
	acknowledgements *admission.Queue // that no worker waits for
	notices          *admission.Queue // refusals, and what questions in the queue wait for
	seen             *recent
	stats            *Counts
}

// newBot returns a bot. It takes the seams as interfaces, so that tests can stand in for a socket.
func newBot(answers answerer, acks acker, hook *slackapi.Webhook, o Options) *Bot {
	o = o.withDefaults()
	b := &Bot{
		options:  o,
		gate:     o.Gate,
		answers:  answers,
		acks:     acks,
		webhook:  hook,
		log:      o.Log,
		drawings: newDrawings(),
		seen:     newRecent(10_000),
		stats:    o.Counts,
	}
	b.options.Observe = b.guardedObserver(o.Observe)
	onPanic := func(recovered any) { b.countPanic(panicError(recovered)) }
	b.questions = newQuestionQueue(o, onPanic)
	b.acknowledgements, b.notices = newNoticeQueue(16, onPanic), newNoticeQueue(4, onPanic)
	load := b.Load
	b.stats.load.Store(&load)
	return b
}

// screens shows things outside of channels; *slackapi.Client does.
type screens interface {
	PublishViewContext(ctx context.Context, req slack.PublishViewContextRequest) (*slack.ViewResponse, error)
	OpenViewContext(ctx context.Context, triggerID string, view slack.ModalViewRequest) (*slack.ViewResponse, error)
	PostMessageContext(ctx context.Context, channel string, options ...slack.MsgOption) (string, string, error)
}

// suggester offers software to somebody who types; *commands.Suggester does.
type suggester interface {
	Suggest(ctx context.Context, typed string, limit int) ([]string, error)
}

const (
	personRuns  = 3  // questions of one person that are worked on at once
	personWaits = 10 // questions of one person that wait, unless [Options] say otherwise

	// maxNotices bounds each of the acknowledgements and the notices that wait: Slack sends fewer envelopes in a very
	// bad minute.
	maxNotices = 20_000

	// slowAfter is when a question counts as slow: it waits for Defender or for Slack. An answer from memory takes a
	// fraction of that.
	slowAfter = 250 * time.Millisecond
)

// newQuestionQueue returns the queue of questions. A quarter of the workers is kept for quick questions, so that what is
// in memory is answered whatever Defender does. A quarter at most works on the same software.
func newQuestionQueue(o Options, onPanic func(any)) *admission.Queue {
	return admission.New(admission.Options{
		Limits: admission.Limits{
			Running: o.Workers, Slow: max(1, o.Workers*3/4), Waiting: max(0, o.Queue),
			PersonRunning: personRuns, PersonWaiting: o.PersonWaits, KeyRunning: max(1, o.Workers/4),
		},
		SlowAfter: slowAfter,
		OnPanic:   onPanic,
	})
}

// newNoticeQueue returns a queue of small things that the event loop must not wait for: acknowledgements and refusals.
func newNoticeQueue(perPerson int, onPanic func(any)) *admission.Queue {
	const atOnce = 16
	return admission.New(admission.Options{
		Limits: admission.Limits{
			Running: atOnce, Waiting: maxNotices, PersonRunning: perPerson, PersonWaiting: maxNotices, KeyRunning: atOnce,
		},
		OnPanic: onPanic,
	})
}

// countPanic counts a panic outside of a question, such as in an acknowledgement or a refusal.
func (b *Bot) countPanic(err error) {
	b.stats.dropped.Add(1)
	b.log.Error("crashed while acknowledging or refusing", "error", err)
}

// guardedObserver is an observer that may crash.
func (b *Bot) guardedObserver(observe Observer) Observer {
	return func(ctx context.Context, o Observation) {
		if err := guarded(func() { observe(ctx, o) }); err != nil {
			b.log.Error("crashed while counting a question", "request", o.ID, "error", err)
		}
	}
}

// Stats returns the counts so far.
func (b *Bot) Stats() Stats { return b.stats.Stats() }

// Load tells what there is to do now.
func (b *Bot) Load() Load {
	now := b.questions.Load()
	return Load{
		Running: now.Running, Slow: now.Slow, Waiting: now.Waiting, Workers: b.options.Workers, Queue: max(0, b.options.Queue),
		Unsent: b.acknowledgements.Load().Waiting + b.notices.Load().Waiting,
	}
}
