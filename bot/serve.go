package bot

import (
	"cmp"
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/slack-go/slack/socketmode"

	"github.com/missingkbs/missingkbs/bot/blocks"
	"github.com/missingkbs/missingkbs/commands/cmdline"
)

// Serve answers the questions among events until ctx ends. Then it takes no new questions, gives those that run the
// grace of [Options], and returns.
//
// The goroutine that calls Serve never waits for anything but events: a reader that stalls would make the connection
// look dead.
func (b *Bot) Serve(ctx context.Context, events <-chan socketmode.Event) {
	work, abandon := context.WithCancel(context.WithoutCancel(ctx))
	defer abandon()
	asked, end := b.options.Liveness.begin()
	defer end()
	for {
		select {
		case <-asked:
		case <-ctx.Done():
			b.drain(events, asked, abandon)
			return
		case e := <-events:
			b.handle(work, e)
		}
	}
}

// drain waits for the questions that run. Those that arrive meanwhile are told that the bot restarts. When the grace is
// over, what still runs is cancelled, which makes it answer that too.
func (b *Bot) drain(events <-chan socketmode.Event, asked <-chan struct{}, abandon func()) {
	b.questions.Close()
	defer b.flush(events, asked)
	done := b.questions.Idle()
	grace := time.NewTimer(b.options.Grace)
	defer grace.Stop()
	for last := false; done != nil; {
		b.refuseArrived(events)
		select {
		case <-asked:
		case <-done:
			return
		case e := <-events:
			b.refuseLate(e)
		case <-grace.C:
			if last {
				b.log.Warn("questions cut off at the end")
				return
			}
			abandon()
			last = true
			grace.Reset(flushTimeout)
		}
	}
}

// flushTimeout is how long what was cut off has for saying so.
const flushTimeout = time.Second

// flush waits a moment for what is still on its way to people: answers that took another way, and that the bot
// restarts. The connections live meanwhile, so whoever asks now is told, too.
func (b *Bot) flush(events <-chan socketmode.Event, asked <-chan struct{}) {
	end := time.NewTimer(flushTimeout)
	defer end.Stop()
	for over := false; !over; {
		b.refuseArrived(events)
		out := cmp.Or(b.acknowledgements.Idle(), b.notices.Idle())
		if out == nil {
			break
		}
		select {
		case <-asked:
		case <-out:
		case e := <-events:
			b.refuseLate(e)
		case <-end.C:
			over = true
		}
	}
	if left := b.acknowledgements.Close() + b.notices.Close(); left > 0 {
		b.stats.dropped.Add(int64(left))
		b.log.Error("people could not be told that the bot restarts", "dropped", left)
	}
}

// refuseArrived handles the events that have arrived: they are told before the bot goes on to stop.
func (b *Bot) refuseArrived(events <-chan socketmode.Event) {
	for {
		select {
		case e := <-events:
			b.refuseLate(e)
		default:
			return
		}
	}
}

// refuseLate handles an event that arrives while the bot stops.
func (b *Bot) refuseLate(e socketmode.Event) {
	if e.Type == socketmode.EventTypeErrorWriteFailed {
		b.lostAck(e)
	} else if q, ok := b.question(e); ok {
		b.refuse(q, Restarting, "", restartingPage())
	}
}

// handle handles one handle of the connections.
func (b *Bot) handle(ctx context.Context, e socketmode.Event) {
	if e.Type == socketmode.EventTypeErrorWriteFailed {
		b.lostAck(e)
	} else if q, ok := b.question(e); ok {
		b.admit(ctx, q)
	}
}

// question reads the question of an event. An envelope that holds none is acknowledged here, so that Slack neither
// repeats it nor shows an error: that goes for duplicates, clicks on links, and what cannot be decoded.
func (b *Bot) question(e socketmode.Event) (question, bool) {
	q, err := readQuestion(e)
	q.ack = &ackOnce{}
	switch {
	case q.envelope == "":
		return question{}, false
	case err != nil:
		b.stats.undecodable.Add(1)
		b.log.Warn("acknowledged an envelope that could not be read", "error", err)
	case b.seen.add(q.envelope, q.trigger):
		b.stats.duplicates.Add(1)
	case q.kind == blocks.Open, b.homeJustMade(q, time.Now()):
	default:
		q.id, q.came, q.notice = newID(), time.Now(), newWaitingNotice()
		if len(q.line) > cmdline.MaxOffered { // it is refused for its length, and need not be kept whole until then
			q.line = strings.Clone(q.line[:cmdline.MaxOffered+1])
		}
		return q, true
	}
	b.ackSoon(context.Background(), q)
	return question{}, false
}

// homeInterval is how often the Home tab is made anew for somebody who opens it again and again.
const homeInterval = 10 * time.Second

// homeJustMade reports whether the Home tab was just made for the person.
func (b *Bot) homeJustMade(q question, now time.Time) bool {
	return q.opened && b.seen.add(fmt.Sprintf("home %s %d", q.user, now.UnixNano()/int64(homeInterval)))
}
