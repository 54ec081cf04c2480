package bot

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/missingkbs/missingkbs/bot/admission"
	"github.com/missingkbs/missingkbs/bot/blocks"
	"github.com/missingkbs/missingkbs/internal/view"
)

const (
	personRuns  = 3  // questions of one person that are worked on at once
	personWaits = 10 // questions of one person that wait, unless [Options] say otherwise

	// maxNotices bounds each of the acknowledgements and the notices that wait: Slack sends fewer envelopes in a very
	// bad minute.
	maxNotices = 20_000

	// slowAfter is when a question counts as slow: it waits for Defender or for Slack. An answer from memory takes a
	// fraction of that.
	slowAfter = 250 * time.Millisecond
	// maxWait is how long a question waits for its turn. People have turned to something else by then, and the answer
	// would come unexpected. A response_url would work for half an hour.
	maxWait = time.Minute
)

// The reasons why questions are refused as busy, for metrics.
const (
	busyFull   = "full"   // as many questions wait as may
	busyPerson = "person" // as many of this person wait as may
	busyWaited = "waited" // it waited for too long
	busySlow   = "slow"   // too many others wait for Defender
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

// key tells apart questions that wait for different things. Questions with the same first word, such as the id of a
// software, wait for the same answer of Defender's.
func (q question) key() string {
	if q.entry == EntryTypeahead {
		return string(EntryTypeahead)
	}
	word, _, _ := strings.Cut(strings.TrimSpace(q.line), " ")
	return strings.ToLower(word)
}

// carries reports whether the acknowledgement of a question may carry its answer. All others are acknowledged at once.
func (q question) carries() bool { return q.typed || q.entry == EntryTypeahead }

// admit has a question worked on, now or when its turn comes. If too many wait, it is refused.
func (b *Bot) admit(ctx context.Context, q question) {
	job, err := b.questions.Submit(ctx, admission.Task{
		Person: q.user,
		Key:    q.key(),
		Do:     func(ctx context.Context) { b.work(ctx, q) },
		// A modal waits only for Slack, and not for long. To interrupt it would say "busy" beside the modal.
		Interruptible: q.entry != EntryShortcut,
		Rejected:      func() { b.refuse(q, Restarting, "", restarting()) },
	})
	full, isFull := errors.AsType[*admission.FullError](err)
	switch {
	case err == nil:
		b.whileWaiting(ctx, q, job)
	case isFull && full.Person:
		b.refuse(q, Busy, busyPerson, manyOfYours(full.Limit, full.Wait))
	case isFull:
		b.refuse(q, Busy, busyFull, overfull(full.Wait))
	default:
		b.refuse(q, Restarting, "", restarting())
	}
}

// whileWaiting says what happens to a question that waits for its turn: it is acknowledged in time, the person is told
// what it waits for, and in the end it is given up.
func (b *Bot) whileWaiting(ctx context.Context, q question, job *admission.Job) {
	if !job.Waiting() {
		return
	}
	if !q.carries() {
		b.ackSoon(ctx, q)
	}
	giveUp := func(reason string, page view.Page) {
		if job.Withdraw() {
			b.refuse(q, Busy, reason, page)
		}
	}
	since := time.Since(q.came)
	job.AfterWaiting(b.options.AckAfter-since, func() {
		if q.entry == EntryTypeahead { // its answer has no other way
			giveUp(busyFull, view.Page{})
			return
		}
		b.ackSoon(ctx, q) // Slack would call the question failed
	})
	job.AfterWaiting(waitAfter-since, func() { b.sayQueued(ctx, q, job) })
	job.AfterWaiting(maxWait-since, func() { giveUp(busyWaited, waited()) })
}

// work answers a question whose turn it is.
func (b *Bot) work(ctx context.Context, q question) {
	err := guarded(func() {
		if q.entry == EntryTypeahead {
			b.suggest(ctx, q)
		} else {
			b.answer(ctx, q)
		}
	})
	if err != nil {
		b.rescue(q, err)
	}
}

// Load is what a bot has to do at a moment.
type Load struct {
	Running, Slow, Waiting int // questions worked on, those of them that wait for something, and those that wait for a turn
	Workers, Queue         int // the bounds
	Errands                int // acknowledgements and refusals that wait to be sent
}

// Load tells what there is to do now.
func (b *Bot) Load() Load {
	now := b.questions.Load()
	return Load{
		Running: now.Running, Slow: now.Slow, Waiting: now.Waiting, Workers: b.options.Workers, Queue: max(0, b.options.Queue),
		Errands: b.acknowledgements.Load().Waiting + b.notices.Load().Waiting,
	}
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

// refuse tells the person that a question is not worked on, and why. The words need no drawing. They travel in the
// acknowledgement if that may carry them and was not sent yet.
func (b *Bot) refuse(q question, why Outcome, reason string, page view.Page) {
	if why == Busy {
		b.stats.busy.Add(1)
	}
	queue := b.notices
	if q.carries() && !q.ack.isDone() {
		queue = b.acknowledgements
	}
	q = q.private()
	if queue == b.notices {
		b.ackSoon(context.Background(), q)
	}
	b.soon(queue, q, func() {
		seen := q.observed()
		seen.Outcome, seen.Reason, seen.Queued = why, reason, time.Since(q.came)
		var told bool
		if told, seen.InAck = b.decline(q, page); !told {
			b.log.Error("somebody could not be told why a question is not looked at", "request", q.id)
		}
		seen.Reply = time.Since(q.came) - seen.Queued
		b.options.Observe(context.Background(), seen)
	})
}

// decline sends a page that was not asked for: in the acknowledgement, or by the way of answers. It reports whether it
// could, and by which.
func (b *Bot) decline(q question, page view.Page) (told, inAck bool) {
	ctx := context.Background()
	q.notice.end()
	if q.entry == EntryTypeahead {
		told = b.sendAck(ctx, q.envelope, blocks.Suggestions(nil))
		return told, told
	}
	var words any
	if q.carries() {
		words = &carried{reply: inWords(page), to: q.to}
	}
	if b.acknowledge(ctx, q, words) {
		return true, true
	}
	return b.reply(ctx, q, page), false
}

// inWords is a page as a reply that needs no drawing.
func inWords(page view.Page) reply {
	return reply{ResponseType: "ephemeral", Text: page.Title + "\n" + page.Lead}
}

// ackSoon acknowledges a question without waiting for that.
func (b *Bot) ackSoon(ctx context.Context, q question) {
	if !q.ack.isDone() {
		b.soon(b.acknowledgements, q, func() { b.acknowledge(ctx, q, nil) })
	}
}

// soon has something done for a question without waiting for that. An envelope for which there is no room is counted.
func (b *Bot) soon(queue *admission.Queue, q question, do func()) {
	_, err := queue.Submit(context.Background(), admission.Task{Person: q.user, Do: func(context.Context) { do() }})
	if err == nil {
		return
	}
	if n := b.stats.dropped.Add(1); n&(n-1) == 0 { // a flood does not flood the log too
		b.log.Error("dropped an envelope: nothing more can be sent", "request", q.id, "dropped", n)
	}
}
