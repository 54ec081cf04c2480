// Package bot is the Slack edge: it turns Socket Mode envelopes into questions, has them answered, and sends the pages
// back. It decides how an answer travels, and what a user sees while it takes long or when there is too much to do. It
// does not know what can be asked (package commands), how a page looks (blocks), who may ask (access), which question
// is next (admission), or how connections and calls to Slack work (socketmode, slackapi).
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
	"github.com/missingkbs/missingkbs/commands/plain"
	"github.com/missingkbs/missingkbs/internal/span"
	"github.com/missingkbs/missingkbs/internal/view"
)

// Options configure a [Bot]. The zero value of each field stands for its default.
type Options struct {
	Tables      blocks.TableSetting // how tables are drawn; default TablesAuto
	Ladder      *blocks.Ladder      // which blocks the workspace accepts; default: a new one, by Tables
	AckAfter    time.Duration       // how long the acknowledgement may wait for the answer; default 1.5 s, Slack allows 3 s
	Timeout     time.Duration       // for one question; default 30 s
	Grace       time.Duration       // for running questions when the bot stops; default 5 s
	Workers     int                 // questions answered concurrently; default 200
	Queue       int                 // questions that wait for a worker; default 1,000, negative: none
	PersonWaits int                 // questions of one person that wait; default 10
	Suggest     suggester           // finds software for a select, such as a [commands.Suggester]; default: finds nothing
	Sockets     int                 // connections to Slack; default 2, so that a refresh leaves no gap
	Health      *socketmode.Health  // records the state of the connections; default: a new one
	Observe     Observer            // called for each question; default: none
	Counts      *Counts             // counts what happens; default: new counts
	Trace       span.Tracer         // traces questions; default: no traces
	Liveness    *Liveness           // reports whether the event loop makes progress; default: none
	Gate        *access.Gate        // who may do what; default: members of the workspace may do everything but administer
	Log         *slog.Logger        // default: discarded
}

// withDefaults fills in the defaults.
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
	// Intent returns what a request is about to do, and which right that needs.
	Intent(req commands.Request) commands.Intent
	// Commands lists the commands, whose names are recognised in plain words.
	Commands() []commands.Command
	// Shared reports whether the answer to a request may be posted for everyone in a channel.
	Shared(req commands.Request) bool
}

// acker acknowledges envelopes; *socketmode.Connections does.
type acker interface {
	AckCtx(ctx context.Context, envelopeID string, payload any) error
}

// Bot answers the questions of one workspace. [Run] makes one. It is safe for concurrent use.
//
// A question passes through these files, from top to bottom: [Bot.Serve] reads an event and never blocks (serve.go). The event
// becomes a question (question.go; said.go for what is written to the bot), which waits for a worker or is refused (admit.go,
// refuse.go). A worker checks and answers it (answer.go; suggest.go for a select). The page travels in the acknowledgement if
// it is ready in time, small enough and free of newer blocks (ack.go), otherwise to the response_url, the Home tab or a direct
// message (reply.go). A click on CSV or XLSX sends the tables of the page as a file (file.go); the answer says where it is.
type Bot struct {
	options Options
	gate    *access.Gate
	answers answerer
	reader  plain.Reader
	acks    acker
	webhook *slackapi.Webhook
	screens screens
	files   fileSender
	log     *slog.Logger

	drawings         *drawings
	ackBuffers       ackBuffers
	questions        *admission.Queue
	acknowledgements *admission.Queue // acknowledgements that no worker waits for
	notices          *admission.Queue // refusals, and messages that say what a question waits for
	seen             *recent
	stats            *Counts
	fileSlots        chan struct{} // bounds the files being made and sent
}

// newBot returns a bot. It takes interfaces, so that tests can replace connections.
func newBot(answers answerer, acks acker, hook *slackapi.Webhook, o Options) *Bot {
	o = o.withDefaults()
	b := &Bot{
		options:  o,
		gate:     o.Gate,
		answers:  answers,
		reader:   plain.NewReader(answers.Commands()),
		acks:     acks,
		webhook:  hook,
		log:      o.Log,
		drawings: newDrawings(),
		seen:     newRecent(10_000),
		stats:    o.Counts,

		fileSlots: make(chan struct{}, filesAtOnce),
	}
	b.options.Observe = b.guardedObserver(o.Observe)
	onPanic := func(recovered any) { b.countPanic(panicError(recovered)) }
	b.questions = newQuestionQueue(o, onPanic)
	b.acknowledgements, b.notices = newNoticeQueue(16, onPanic), newNoticeQueue(4, onPanic)
	load := b.Load
	b.stats.load.Store(&load)
	return b
}

// screens shows pages outside of channels; *slackapi.Client does.
type screens interface {
	PublishViewContext(ctx context.Context, req slack.PublishViewContextRequest) (*slack.ViewResponse, error)
	OpenViewContext(ctx context.Context, triggerID string, view slack.ModalViewRequest) (*slack.ViewResponse, error)
	PostMessageContext(ctx context.Context, channel string, options ...slack.MsgOption) (string, string, error)
	PostEphemeralContext(ctx context.Context, channel, user string, options ...slack.MsgOption) (string, error)
	messageUpdater
}

// suggester finds software while a user types; *commands.Suggester does.
type suggester interface {
	Suggest(ctx context.Context, person, typed string, limit int) ([]commands.Suggestion, error)
}

const (
	personRuns  = 3  // questions of one person answered concurrently
	personWaits = 10 // questions of one person that wait; the default of [Options]

	// maxNotices bounds the queued acknowledgements and notices. Slack sends fewer envelopes even in a very bad minute.
	maxNotices = 20_000

	// slowAfter is when a question counts as slow. It then waits for Defender or Slack: an answer from memory takes a
	// fraction of that.
	slowAfter = 250 * time.Millisecond
)

// newQuestionQueue returns the queue of questions. It keeps a quarter of the workers for quick questions, so that
// cached answers do not depend on Defender. At most a quarter works on the same software.
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

// newNoticeQueue returns a queue of small messages that the event loop must not wait for: acknowledgements and refusals.
func newNoticeQueue(perPerson int, onPanic func(any)) *admission.Queue {
	const atOnce = 16
	return admission.New(admission.Options{
		Limits: admission.Limits{
			Running: atOnce, Waiting: maxNotices, PersonRunning: perPerson, PersonWaiting: maxNotices, KeyRunning: atOnce,
		},
		OnPanic: onPanic,
	})
}

// countPanic counts and logs a panic outside of a question, such as in an acknowledgement or a refusal.
func (b *Bot) countPanic(err error) {
	b.stats.dropped.Add(1)
	b.log.Error("panic while sending an acknowledgement or a notice", "error", err)
}

// guardedObserver returns an observer that logs a panic of observe's.
func (b *Bot) guardedObserver(observe Observer) Observer {
	return func(ctx context.Context, o Observation) {
		if err := guarded(func() { observe(ctx, o) }); err != nil {
			b.log.Error("panic while recording a question", "request", o.ID, "error", err)
		}
	}
}

// Stats returns the counts so far.
func (b *Bot) Stats() Stats { return b.stats.Stats() }

// Load returns the current load.
func (b *Bot) Load() Load {
	now := b.questions.Load()
	return Load{
		Running: now.Running, Slow: now.Slow, Waiting: now.Waiting, Workers: b.options.Workers, Queue: max(0, b.options.Queue),
		Unsent: b.acknowledgements.Load().Waiting + b.notices.Load().Waiting,
	}
}
