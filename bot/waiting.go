package bot

import (
	"context"
	"fmt"
	"time"

	"github.com/missingkbs/missingkbs/bot/admission"
	"github.com/missingkbs/missingkbs/internal/view"
)

const (
	// waitAfter is when a user is told what the answer waits for. Three seconds are promised; the rest is for posting.
	waitAfter = 2500 * time.Millisecond
	// noticeTimeout bounds the post of that message: the answer waits for it.
	noticeTimeout = 3 * time.Second
)

// sayWaiting tells the user once what the answer waits for. It does not replace the clicked message: if the answer failed,
// that would be lost.
func (b *Bot) sayWaiting(ctx context.Context, q question, words string) {
	if words == "" || q.entry == EntryShortcut || q.entry == EntryTypeahead || !q.notice.begin() {
		return
	}
	defer close(q.notice.posted)
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), noticeTimeout)
	defer cancel()
	if q.to.replace || q.to.update != "" {
		words += " It takes the place of the message above."
	}
	var err error
	if panicked := guarded(func() { err = b.say(ctx, q.private(), words, 1) }); panicked != nil {
		err = panicked
	}
	if err != nil {
		b.log.WarnContext(ctx, "could not tell the user what the answer waits for", "request", q.id, "error", err)
	}
}

// sayIfLong tells the user what the answer waits for if it takes long. The caller calls end before it sends the answer.
func (b *Bot) sayIfLong(ctx context.Context, q question, words func() string) (end func()) {
	timer := time.AfterFunc(waitAfter-time.Since(q.came), func() { b.sayWaiting(ctx, q, words()) })
	return func() {
		timer.Stop()
		q.notice.end()
	}
}

// sayQueued tells the user how long a question waits in the queue. It queues that message too: the bot is busy.
func (b *Bot) sayQueued(ctx context.Context, q question, job *admission.Job) {
	_, _ = b.notices.Submit(context.Background(), admission.Task{Person: q.user, Do: func(context.Context) {
		if p, waits := job.Position(); waits {
			b.sayWaiting(ctx, q, queueWords(p, maxWait-time.Since(q.came)))
		}
	}})
}

// queueWords says how long a question waits for a worker, at most for the time left.
func queueWords(p admission.Position, left time.Duration) string {
	span := "for at most " + seconds(left)
	if p.Wait > 0 && p.Wait < left {
		span = "for about " + seconds(p.Wait) + " and at most " + seconds(left)
	}
	before := "the questions that are being answered"
	switch {
	case p.Ahead > 0:
		before = view.Count(p.Ahead, "question")
	case p.BehindOwn:
		before = "your other questions"
	}
	return fmt.Sprintf("Waiting behind %s, %s; your answer follows.", before, span)
}

// maxWait is how long a question waits for a worker. After that, users have moved on and no longer expect the answer. A
// response_url would work for half an hour.
const maxWait = time.Minute
