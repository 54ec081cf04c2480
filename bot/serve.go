package bot

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/slack-go/slack"
	"github.com/slack-go/slack/socketmode"

	"github.com/missingkbs/missingkbs/bot/blocks"
	"github.com/missingkbs/missingkbs/internal/view"
)

// Serve answers the questions among events until ctx ends. Then it takes no new questions, gives those that run the
// grace of [Options], and returns.
//
// The goroutine that calls Serve never waits for anything but events: a reader that stalls would make the connection
// look dead.
func (b *Bot) Serve(ctx context.Context, events <-chan socketmode.Event) {
	work, abandon := context.WithCancel(context.WithoutCancel(ctx))
	defer abandon()
	asked, end := b.options.Pulse.begin()
	defer end()
	for {
		select {
		case <-asked:
		case <-ctx.Done():
			b.drain(events, asked, abandon)
			return
		case e := <-events:
			b.event(work, e)
		}
	}
}

// drain waits for the questions that run. Those that arrive meanwhile are told that the bot restarts. When the grace is
// over, what still runs is cancelled, which makes it answer that too.
func (b *Bot) drain(events <-chan socketmode.Event, asked <-chan struct{}, abandon func()) {
	done := ended(&b.running)
	defer func() {
		select {
		case <-ended(&b.asides):
		case <-time.After(lastWords):
		}
	}()
	grace := time.NewTimer(b.options.Grace)
	defer grace.Stop()
	for last := false; ; {
		select {
		case e := <-events:
			b.late(e)
			continue // what has arrived is told before this returns
		default:
		}
		select {
		case <-asked:
		case <-done:
			return
		case e := <-events:
			b.late(e)
		case <-grace.C:
			if last {
				b.log.Warn("questions cut off at the end")
				return
			}
			abandon()
			last = true
			grace.Reset(lastWords)
		}
	}
}

// lastWords is how long what was cut off has for saying so.
const lastWords = time.Second

// late handles an event that arrives while the bot stops.
func (b *Bot) late(e socketmode.Event) {
	if e.Type == socketmode.EventTypeErrorWriteFailed {
		b.lostAck(e)
	} else if q, ok := b.question(e); ok {
		b.refuse(q, Restarting)
	}
}

// ended returns a channel that closes when a group is done. Nothing may be added to it any more.
func ended(g *sync.WaitGroup) <-chan struct{} {
	done := make(chan struct{})
	go func() {
		g.Wait()
		close(done)
	}()
	return done
}

// event handles one event of the connections.
func (b *Bot) event(ctx context.Context, e socketmode.Event) {
	if e.Type == socketmode.EventTypeErrorWriteFailed {
		b.lostAck(e)
	} else if q, ok := b.question(e); ok {
		b.start(ctx, q)
	}
}

// question reads the question of an event. An envelope that holds none is acknowledged here, so that Slack neither
// repeats it nor shows an error: that goes for duplicates, clicks on links, and what cannot be decoded.
func (b *Bot) question(e socketmode.Event) (question, bool) {
	q, err := readQuestion(e)
	switch {
	case q.envelope == "":
		return question{}, false
	case err != nil:
		b.stats.undecodable.Add(1)
		b.log.Warn("acknowledged an envelope that could not be read", "error", err)
	case b.seen.add(q.envelope, q.trigger):
		b.stats.duplicates.Add(1)
	case q.kind == blocks.Open, b.again(q, time.Now()):
	default:
		q.id, q.came = newID(), time.Now()
		return q, true
	}
	b.aside(q.envelope, func(ctx context.Context) { b.ack(ctx, q.envelope, nil) })
	return question{}, false
}

// readQuestion reads the question of an event. Without an envelope there is nothing to answer.
func readQuestion(e socketmode.Event) (question, error) {
	if e.Request == nil || e.Request.EnvelopeID == "" {
		return question{}, nil
	}
	envelope := e.Request.EnvelopeID
	switch e.Type {
	case socketmode.EventTypeSlashCommand:
		if cmd, ok := e.Data.(slack.SlashCommand); ok {
			return typedQuestion(envelope, cmd), nil
		}
	case socketmode.EventTypeEventsAPI:
		return openedQuestion(envelope, e.Request.Payload)
	case socketmode.EventTypeInteractive:
		q, err := clickedQuestion(envelope, e.Request.Payload)
		q.envelope = envelope
		return q, err
	}
	return question{envelope: envelope}, fmt.Errorf("%w: %s", errUnreadable, e.Type)
}

// start answers a question in a goroutine of its own, if there is room for one more.
func (b *Bot) start(ctx context.Context, q question) {
	select {
	case b.slots <- struct{}{}:
		b.running.Go(func() {
			defer func() { <-b.slots }()
			if q.entry == EntryTypeahead {
				b.suggest(ctx, q)
			} else {
				b.answer(ctx, q)
			}
		})
	default:
		b.stats.busy.Add(1)
		b.refuse(q, Busy)
	}
}

// unlooked is what people are told at once when there is no room for their question.
var unlooked = map[Outcome]view.Page{
	Busy: {
		Title: "Busy",
		Lead:  "Too many questions are being answered right now. Yours was not looked at; try again in about 10 seconds.",
	},
	Restarting: {
		Title: "The bot is restarting",
		Lead:  "Your question was not looked at. Ask again in a moment.",
	},
}

// refuse answers a question without looking at it.
func (b *Bot) refuse(q question, why Outcome) {
	b.aside(q.envelope, func(ctx context.Context) {
		seen := q.observed()
		seen.Outcome = why
		b.send(ctx, q, unlooked[why])
		seen.Reply = time.Since(q.came)
		b.options.Observe(ctx, seen)
	})
}

// aside does what cannot wait for a slot and must not stall the reader. There is a bound on these too; beyond it the
// envelope is dropped, and Slack tells the person that the app did not respond.
func (b *Bot) aside(envelope string, do func(context.Context)) {
	select {
	case b.refused <- struct{}{}:
		b.asides.Go(func() {
			defer func() { <-b.refused }()
			ctx, cancel := context.WithTimeout(context.Background(), ackTimeout)
			defer cancel()
			do(ctx)
		})
	default:
		b.stats.dropped.Add(1)
		b.log.Error("dropped an envelope: too many questions at once", "envelope", envelope)
	}
}

// lostAck sends an answer again that went down with the connection that was to carry it.
func (b *Bot) lostAck(e socketmode.Event) {
	failed, ok := e.Data.(*socketmode.ErrorWriteFailed)
	if !ok || failed.Response == nil {
		return
	}
	b.stats.unacknowledged.Add(1)
	lost, ok := failed.Response.Payload.(*carried)
	if !ok {
		return
	}
	b.log.Warn("an acknowledgement was lost with its connection; answering by response_url")
	b.aside(failed.Response.EnvelopeID, func(context.Context) {
		ctx, cancel := context.WithTimeout(context.Background(), replyTimeout)
		defer cancel()
		if err := b.webhook.Reply(ctx, lost.to.responseURL, lost.reply); err != nil {
			b.log.Error("answer lost", "error", err)
		}
	})
}
