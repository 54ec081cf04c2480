package bot

import (
	"context"
	"fmt"
	"time"

	"github.com/missingkbs/missingkbs/bot/admission"
	"github.com/missingkbs/missingkbs/internal/view"
)

const (
	// waitAfter is when a person is told what the answer waits for. Three seconds are promised; the rest is for the post.
	waitAfter = 2500 * time.Millisecond
	// noticeTimeout bounds the post of that line, for which the answer waits.
	noticeTimeout = 3 * time.Second
)

// sayWaiting tells the person what the answer to a question waits for, once. The message that was clicked stays as it is
// until there is an answer to take its place: one that fails would lose it.
func (b *Bot) sayWaiting(ctx context.Context, q question, words string) {
	if words == "" || q.entry == EntryShortcut || q.entry == EntryTypeahead || !q.notice.begin() {
		return
	}
	defer close(q.notice.posted)
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), noticeTimeout)
	defer cancel()
	if q.to.replace {
		words += " It takes the place of the message above."
	}
	var err error
	if crash := guarded(func() { err = b.say(ctx, q.private(), words, 1) }); crash != nil {
		err = crash
	}
	if err != nil {
		b.log.WarnContext(ctx, "could not tell the user what the answer waits for", "request", q.id, "error", err)
	}
}

// sayIfLong has the person told what the answer waits for when it takes long. The returned function is to be called before
// the answer is sent.
func (b *Bot) sayIfLong(ctx context.Context, q question, words func() string) (end func()) {
	timer := time.AfterFunc(waitAfter-time.Since(q.came), func() { b.sayWaiting(ctx, q, words()) })
	return func() {
		timer.Stop()
		q.notice.end()
	}
}

// sayQueued tells what a question waits for whose turn has not come. That is no hurry for the bot: it has enough to do.
func (b *Bot) sayQueued(ctx context.Context, q question, job *admission.Job) {
	_, _ = b.notices.Submit(context.Background(), admission.Task{Person: q.user, Do: func(context.Context) {
		if p, waits := job.Position(); waits {
			b.sayWaiting(ctx, q, queueWords(p, maxWait-time.Since(q.came)))
		}
	}})
}

// queueWords say how long a question waits for its turn, which it does for the time left at most.
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

const (
	// maxWait is how long a question waits for its turn. People have turned to something else by then, and the answer
	// would come unexpected. A response_url would work for half an hour.
	maxWait = time.Minute
)
