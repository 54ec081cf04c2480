package bot

import (
	"context"
	"errors"
	"time"

	"github.com/missingkbs/missingkbs/bot/admission"
	"github.com/missingkbs/missingkbs/internal/view"
)

// admit queues a question, or refuses it if too many wait.
func (b *Bot) admit(ctx context.Context, q question) {
	job, err := b.questions.Submit(ctx, admission.Task{
		Person: q.user,
		Key:    q.key(),
		Do:     func(ctx context.Context) { b.work(ctx, q) },
		// A modal only waits for Slack, and not for long. Interrupting it would show "busy" beside the modal.
		Interruptible: q.entry != EntryShortcut,
		Rejected:      func() { b.refuse(q, Restarting, "", restartingPage()) },
	})
	full, isFull := errors.AsType[*admission.FullError](err)
	switch {
	case err == nil:
		b.whileWaiting(ctx, q, job)
	case isFull && full.Person:
		b.refuse(q, Busy, busyPerson, personFullPage(full.Limit, full.Wait))
	case isFull:
		b.refuse(q, Busy, busyFull, queueFullPage(full.Wait))
	default:
		b.refuse(q, Restarting, "", restartingPage())
	}
}

// whileWaiting schedules what happens to a question while it waits for a worker: it is acknowledged in time, the user
// learns what it waits for, and in the end it is refused.
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
		if q.entry == EntryTypeahead { // only the acknowledgement can carry its answer
			giveUp(busyFull, view.Page{})
			return
		}
		b.ackSoon(ctx, q) // otherwise Slack shows an error
	})
	job.AfterWaiting(waitAfter-since, func() { b.sayQueued(ctx, q, job) })
	job.AfterWaiting(maxWait-since, func() { giveUp(busyWaited, waitedPage()) })
}

// work answers a question in a worker of the queue.
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
