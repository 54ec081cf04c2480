package bot

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/missingkbs/missingkbs/bot/blocks"
	"github.com/missingkbs/missingkbs/internal/view"
)

const (
	personRuns  = 3  // questions of one person that are worked on at once
	personWaits = 10 // questions of one person that wait, unless [Options] say otherwise

	// slowAfter is from when on a question counts as slow: it waits for Defender or for Slack. What is in memory is
	// answered in a fraction of that.
	slowAfter = 250 * time.Millisecond
	// maxWait is how long a question waits for its turn. Whoever asked has turned to something else by then, and the
	// answer would come out of nowhere; a response_url would work for half an hour.
	maxWait = time.Minute
)

// The reasons why questions are not looked at, for those who count.
const (
	busyFull   = "full"   // as many questions wait as may
	busyPerson = "person" // as many of this person wait as may
	busyWaited = "waited" // it waited for too long
	busySlow   = "slow"   // too many others wait for Defender
)

// deskBounds are the bounds that options ask for. A quarter of the workers is kept from what is
// slow, so that what is in memory is answered whatever Defender does, and a quarter at most works for the same software.
func deskBounds(o Options) bounds {
	return bounds{
		runs: o.Workers, slow: max(1, o.Workers*3/4), waits: max(0, o.Queue),
		personRuns: personRuns, personWaits: o.PersonWaits, keyRuns: max(1, o.Workers/4),
	}
}

// desk takes questions, and has them worked on when it is their turn. Each is acknowledged in time even while it waits.
type desk struct {
	mu     sync.Mutex
	turns  *turns[*ticket]
	excess []*ticket // slow ones beyond the bound, which are given up when others need their workers
	closed bool
	pace   time.Duration // that questions took of late
}

// ticket is a question that waits or is worked on. Its fields are guarded by the desk.
type ticket struct {
	q       question
	ctx     context.Context
	timers  []*time.Timer
	waiting bool
	slow    bool // it takes one of the places for what is slow
	over    bool
	abandon context.CancelCauseFunc
}

func (t *ticket) turn() turn[*ticket] {
	return turn[*ticket]{person: t.q.user, key: t.q.key(), item: t}
}

// key tells questions apart that wait for different things. Those that begin with the same word, such as the id of a
// software, wait for the same answer of Defender's.
func (q question) key() string {
	if q.entry == EntryTypeahead {
		return string(EntryTypeahead)
	}
	word, _, _ := strings.Cut(strings.TrimSpace(q.line), " ")
	return strings.ToLower(word)
}

// carries reports whether the acknowledgement of a question may carry its answer; that of others is due at once.
func (q question) carries() bool { return q.typed || q.entry == EntryTypeahead }

// start has a question worked on, now or when it is its turn.
func (b *Bot) start(ctx context.Context, q question) {
	t := &ticket{q: q, ctx: ctx, waiting: true}
	d := &b.desk
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		b.refuse(t.q, Restarting, "", restarting())
		return
	}
	switch d.turns.join(t.turn()) {
	case personFull:
		b.refuse(t.q, Busy, busyPerson, manyOfYours(d.turns.personWaits, d.wait(d.turns.personWaits, personRuns)))
		return
	case roomFull:
		b.refuse(t.q, Busy, busyFull, overfull(d.wait(d.turns.waits, d.turns.bounds.runs)))
		return
	}
	b.handOut()
	d.relieve()
	if t.waiting {
		if !q.carries() {
			b.ackSoon(q)
			t.q.acked = true
		}
		t.timers = []*time.Timer{
			time.AfterFunc(b.options.AckAfter-time.Since(q.came), func() { b.ackWaiting(t) }),
			time.AfterFunc(waitAfter-time.Since(q.came), func() { b.sayQueued(t) }),
			time.AfterFunc(maxWait-time.Since(q.came), func() { b.giveUp(t, busyWaited, waited()) }),
		}
	}
}

// handOut has the questions worked on whose turn it is. The desk is locked.
func (b *Bot) handOut() {
	for {
		next, ok := b.desk.turns.next()
		if !ok {
			return
		}
		t := next.item
		t.waiting = false
		for _, timer := range t.timers {
			timer.Stop()
		}
		b.running.Go(func() { b.work(t) })
	}
}

// work answers a question, and makes room for the next one.
func (b *Bot) work(t *ticket) {
	ctx, abandon := context.WithCancelCause(t.ctx)
	defer abandon(nil)
	began := time.Now()
	t.abandon = abandon
	// A modal waits for nobody but Slack, and not for long; to give it up would say "busy" beside the modal.
	slow := func() {}
	if t.q.entry != EntryShortcut {
		slow = func() { b.desk.noteSlow(t) }
	}
	timer := time.AfterFunc(slowAfter, slow)
	defer func() {
		timer.Stop()
		b.desk.mu.Lock()
		defer b.desk.mu.Unlock()
		t.over = true
		b.desk.excess = slices.DeleteFunc(b.desk.excess, func(x *ticket) bool { return x == t })
		b.desk.turns.leave(t.turn(), t.slow)
		b.desk.note(time.Since(began))
		b.handOut()
	}()
	err := guarded(func() {
		if t.q.entry == EntryTypeahead {
			b.suggest(ctx, t.q)
		} else {
			b.answer(ctx, t.q)
		}
	})
	if err != nil {
		b.rescue(t.q, err)
	}
}

// errCrowded ends a question that is slow while too many others are.
var errCrowded = errors.New("too many questions wait for Defender")

// noteSlow takes a place for a question that is slow. Where there is none it goes on for as long as nobody needs its
// worker.
func (d *desk) noteSlow(t *ticket) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if t.over {
		return
	}
	if t.slow = d.turns.slow(); !t.slow {
		d.excess = append(d.excess, t)
		d.relieve()
	}
}

// relieve gives up a slow question beyond the bound when another waits for nothing but a worker. The desk is locked.
func (d *desk) relieve() {
	if len(d.excess) > 0 && d.turns.pressing() {
		d.excess[0].abandon(errCrowded)
		d.excess = d.excess[1:]
	}
}

// ackWaiting acknowledges a question that still waits: Slack would call it failed. Its answer takes the other way; to
// who types into a select there is none.
func (b *Bot) ackWaiting(t *ticket) {
	if t.q.entry == EntryTypeahead {
		b.giveUp(t, busyFull, view.Page{})
		return
	}
	b.desk.mu.Lock()
	defer b.desk.mu.Unlock()
	if t.waiting && !t.q.acked {
		b.ackSoon(t.q)
		t.q.acked = true
	}
}

// giveUp ends the waiting of a question.
func (b *Bot) giveUp(t *ticket, reason string, page view.Page) {
	b.desk.mu.Lock()
	defer b.desk.mu.Unlock()
	if t.waiting && b.desk.turns.remove(t.turn()) {
		t.waiting = false
		b.refuse(t.q, Busy, reason, page)
	}
}

// closeDesk has no further questions worked on; those that wait are told that the bot restarts.
func (b *Bot) closeDesk() {
	b.desk.mu.Lock()
	defer b.desk.mu.Unlock()
	b.desk.closed = true
	for _, w := range b.desk.turns.clear() {
		w.item.waiting = false
		for _, timer := range w.item.timers {
			timer.Stop()
		}
		b.refuse(w.item.q, Restarting, "", restarting())
	}
}

// note takes into account how long a question took.
func (d *desk) note(took time.Duration) {
	if d.pace == 0 {
		d.pace = took
	}
	d.pace += (took - d.pace) / 10
}

// wait is how long so many questions take that so many are worked on at once.
func (d *desk) wait(questions, atOnce int) time.Duration {
	return d.pace * time.Duration(questions+1) / time.Duration(max(1, atOnce))
}

// slowWait is how long it takes until there is a place for a question that is slow.
func (b *Bot) slowWait() time.Duration {
	b.desk.mu.Lock()
	defer b.desk.mu.Unlock()
	return b.desk.wait(0, 1)
}

// Load is what a bot has to do at a moment.
type Load struct {
	Running, Slow, Waiting int // questions worked on, those of them that wait for something, and those that wait for a turn
	Workers, Queue         int // the bounds
	Errands                int // acknowledgements and refusals that wait to be sent
}

// Load tells what there is to do now.
func (b *Bot) Load() Load {
	b.desk.mu.Lock()
	t := b.desk.turns
	l := Load{Running: t.runs, Slow: t.slows, Waiting: t.waits, Workers: t.bounds.runs, Queue: t.bounds.waits}
	b.desk.mu.Unlock()
	l.Errands = b.acksOut.waiting() + b.tellings.waiting()
	return l
}

// inSeconds is when to try again, in words.
func inSeconds(d time.Duration) string {
	const least, most = 2, 60
	n := int(math.Ceil(d.Seconds()))
	return fmt.Sprintf("Try again in about %d seconds.", min(max(n, least), most))
}

// seconds is a span in whole seconds, rounded up.
func seconds(d time.Duration) string { return fmt.Sprintf("%d s", max(1, int(math.Ceil(d.Seconds())))) }

func overfull(wait time.Duration) view.Page {
	return view.Page{Title: "Busy", Lead: "Too many questions are being answered right now, and yours was not looked at. " + inSeconds(wait)}
}

func manyOfYours(n int, wait time.Duration) view.Page {
	return view.Page{
		Title: "Busy with your questions",
		Lead:  fmt.Sprintf("You have %d questions waiting, and no more are taken until one is answered. This one was not looked at. %s", n, inSeconds(wait)),
	}
}

func waited() view.Page {
	return view.Page{Title: "Busy", Lead: "Your question waited for a minute without its turn coming, so it was not looked at. Ask it again if you still want to know."}
}

func restarting() view.Page {
	return view.Page{Title: "The bot is restarting", Lead: "Your question was not looked at. Ask again in a moment."}
}

// slowDefender is what people are told whose question was given up because too many wait for Defender.
func slowDefender(wait time.Duration) view.Page {
	return view.Page{Title: "Busy", Lead: "Defender is slow, and too many questions wait for it, so yours was given up. " + inSeconds(wait) + " What Defender answers meanwhile is kept."}
}

// refuse answers a question without looking at it. What it says needs no drawing, and travels in the acknowledgement
// where that is still to come.
func (b *Bot) refuse(q question, why Outcome, reason string, page view.Page) {
	if why == Busy {
		b.stats.busy.Add(1)
	}
	send := b.tellings
	if !q.acked && q.carries() {
		send = b.acksOut
	}
	q = q.private()
	if !q.acked && send == b.tellings {
		b.ackSoon(q)
		q.acked = true
	}
	taken := send.add(q.user, func() {
		seen := q.observed()
		seen.Outcome, seen.Reason, seen.Queued = why, reason, time.Since(q.came)
		var told bool
		if told, seen.InAck = b.decline(q, page); !told {
			b.log.Error("somebody could not be told why a question is not looked at", "request", q.id)
		}
		seen.Reply = time.Since(q.came) - seen.Queued
		b.options.Observe(context.Background(), seen)
	})
	if !taken {
		b.drop(q)
	}
}

// decline sends a page that was not asked for: in the acknowledgement, or by the way of answers. It reports whether it
// could, and by which.
func (b *Bot) decline(q question, page view.Page) (told, inAck bool) {
	ctx := context.Background()
	q.notice.end()
	switch {
	case q.acked:
	case q.entry == EntryTypeahead:
		told = b.ack(ctx, q.envelope, blocks.Suggestions(nil))
		return told, told
	case b.ack(ctx, q.envelope, &carried{reply: inWords(page), to: q.to}):
		return true, true
	default:
		b.ack(ctx, q.envelope, nil)
	}
	return b.reply(ctx, q, page), false
}

// inWords is a page as a reply that needs no drawing.
func inWords(page view.Page) reply {
	return reply{ResponseType: "ephemeral", Text: page.Title + "\n" + page.Lead}
}

// ackSoon acknowledges an envelope without waiting for that.
func (b *Bot) ackSoon(q question) {
	if !b.acksOut.add(q.user, func() { b.ack(context.Background(), q.envelope, nil) }) {
		b.drop(q)
	}
}

// drop counts an envelope for which not even a refusal has room.
func (b *Bot) drop(q question) {
	if n := b.stats.dropped.Add(1); n&(n-1) == 0 { // a flood does not flood the log too
		b.log.Error("dropped an envelope: nothing more can be sent", "request", q.id, "dropped", n)
	}
}
