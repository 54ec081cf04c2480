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

// Serve answers the questions among events until ctx is done. Then it refuses new questions, gives running ones the
// grace period of [Options], and returns. Its goroutine blocks on nothing but events: a stalled reader would make the
// connection look dead.
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

// drain waits for running questions, and refuses those that arrive meanwhile. After the grace period it cancels the running
// ones, whose answers then say that the bot restarts.
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
				b.log.Warn("stopped while questions were still running")
				return
			}
			abandon()
			last = true
			grace.Reset(flushTimeout)
		}
	}
}

// flushTimeout is how long messages have to be sent before the bot stops.
const flushTimeout = time.Second

// flush waits briefly until acknowledgements and refusals are sent. The connections are still open, so it refuses
// questions that arrive.
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
		b.log.Error("could not deliver refusals before stopping", "dropped", left)
	}
}

// refuseArrived refuses the questions that have arrived before shutdown continues.
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

// refuseLate handles an event that arrives during shutdown.
func (b *Bot) refuseLate(e socketmode.Event) {
	if e.Type == socketmode.EventTypeErrorWriteFailed {
		b.lostAck(e)
	} else if q, ok := b.question(e); ok {
		b.refuse(q, Restarting, "", restartingPage())
	}
}

// handle handles one event.
func (b *Bot) handle(ctx context.Context, e socketmode.Event) {
	if e.Type == socketmode.EventTypeErrorWriteFailed {
		b.lostAck(e)
	} else if q, ok := b.question(e); ok {
		b.admit(ctx, q)
	}
}

// question returns the question of an event, if it contains a new one. It acknowledges all other envelopes, so that
// Slack neither repeats them nor shows an error: duplicates, clicks on links, and what cannot be decoded.
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
		if q.spoken {
			q.line, q.said = b.reader.Read(q.said), ""
		}
		if len(q.line) > cmdline.MaxOffered { // rejected for its length anyway, so do not keep it whole
			q.line = strings.Clone(q.line[:cmdline.MaxOffered+1])
		}
		return q, true
	}
	b.ackSoon(context.Background(), q)
	return question{}, false
}

// homeInterval is how often the Home tab is drawn for a user who opens it repeatedly.
const homeInterval = 10 * time.Second

// homeJustMade reports whether the question would draw the user's Home tab twice within [homeInterval].
func (b *Bot) homeJustMade(q question, now time.Time) bool {
	return q.opened && b.seen.add(fmt.Sprintf("home %s %d", q.user, now.UnixNano()/int64(homeInterval)))
}
