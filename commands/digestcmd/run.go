package digestcmd

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/missingkbs/missingkbs/commands"

	"github.com/missingkbs/missingkbs/commands/cmdline"
	"github.com/missingkbs/missingkbs/internal/audit"
	"github.com/missingkbs/missingkbs/internal/digest"
	"github.com/missingkbs/missingkbs/internal/view"
)

// runNow enqueues a digest and waits up to RunWait for the result. It enqueues nothing if the digest ran within this
// minute or is running.
func (d command) runNow(ctx context.Context, req commands.Request, s digest.Subscription) (view.Page, error) {
	if err := noWords("digest run N", req.Words); err != nil {
		return view.Page{}, err
	}
	if err := d.mayChange(ctx, req, s.Channel); err != nil {
		return view.Page{}, err
	}
	if s.Paused {
		return view.Page{}, &commands.Error{
			Title: fmt.Sprintf("Digest %s is paused", s.ID), Message: "A paused digest is not posted. Resume it first, or preview it.",
			Actions: []view.Action{d.action("Resume", "resume", s), d.action("Preview", "preview", s)},
		}
	}
	if d.Queue == nil {
		return view.Page{}, &commands.Error{Title: "Digests are switched off", Message: "This bot posts no digests now. Ask its operator."}
	}
	due := digest.DueByHand(d.Now())
	page, detail, err := d.alreadyRun(ctx, s, due)
	if err != nil {
		return view.Page{}, err
	}
	if detail == "" {
		if err := d.Queue.Enqueue(ctx, digest.Job{Subscription: s.ID, Due: due}); err != nil {
			return view.Page{}, fmt.Errorf("run a digest: %w", err)
		}
	}
	if err := d.store.AddAudit(ctx, d.audit(req, s, audit.ActionDigestRun, detail)); err != nil {
		return view.Page{}, fmt.Errorf("record the run of a digest: %w", err)
	}
	if detail != "" {
		return page, nil
	}
	return d.awaitRun(ctx, s, due)
}

// alreadyRun returns the page to show if a digest need not run again: it ran within this minute or is running. detail
// says which, for the audit; it is empty if the digest has to run.
func (d command) alreadyRun(ctx context.Context, s digest.Subscription, due time.Time) (page view.Page, detail string, err error) {
	made, found, err := d.madeFor(ctx, s, due)
	switch {
	case err != nil:
		return page, "", err
	case found:
		page = d.outcome(s, made)
		page.Title = fmt.Sprintf("Digest %s has run within this minute", s.ID)
		return page, "it had run within the minute", nil
	}
	run, found, err := d.store.Run(ctx, s.ID)
	if err != nil {
		return page, "", fmt.Errorf("read whether a digest is being made: %w", err)
	}
	if !found || !run.Goes(time.Now()) {
		return page, "", nil
	}
	page = d.onItsWay(s)
	page.Title = fmt.Sprintf("Digest %s is already being made", s.ID)
	page.Lead = view.UpperFirst(runWords(run, time.Now())) + ". It is not run a second time. " + runPromise
	return page, "it was being made", nil
}

// madeFor returns the recorded delivery for a due time.
func (d command) madeFor(ctx context.Context, s digest.Subscription, due time.Time) (made digest.Delivery, found bool, err error) {
	sent, err := d.store.Deliveries(ctx, s.ID, shownDeliveries)
	if err != nil {
		return made, false, fmt.Errorf("read the deliveries of a digest: %w", err)
	}
	i := slices.IndexFunc(sent, func(one digest.Delivery) bool { return one.Due.Equal(due) })
	if i < 0 {
		return made, false, nil
	}
	return sent[i], true, nil
}

// runPoll is the interval at which awaitRun reads the result.
const runPoll = 100 * time.Millisecond

// awaitRun waits up to RunWait for the result of a run.
func (d command) awaitRun(ctx context.Context, s digest.Subscription, due time.Time) (view.Page, error) {
	timeout := time.NewTimer(d.RunWait)
	defer timeout.Stop()
	tick := time.NewTicker(runPoll)
	defer tick.Stop()
	for {
		made, found, err := d.madeFor(ctx, s, due)
		switch {
		case err != nil:
			return view.Page{}, err
		case found:
			return d.outcome(s, made), nil
		}
		select {
		case <-tick.C:
			continue
		case <-timeout.C:
		case <-ctx.Done():
		}
		return d.onItsWay(s), nil
	}
}

const runPromise = "It is posted into its channel as soon as Defender has answered; if nothing has changed, a silent digest posts nothing."

// onItsWay is shown if the result takes longer than RunWait.
func (d command) onItsWay(s digest.Subscription) view.Page {
	return view.Page{
		Title: fmt.Sprintf("Digest %s is being made", s.ID),
		Lead:  runPromise + " Its schedule stays as it is.",
		Actions: []view.Action{
			d.action("Result", "show", s), d.action("Preview", "preview", s),
		},
	}
}

// outcome shows the result of a run.
func (d command) outcome(s digest.Subscription, made digest.Delivery) view.Page {
	lead := map[digest.Kind]string{
		digest.First: "It is in its channel.", digest.Changed: "It is in its channel, with what has changed.", digest.Same: "Nothing has changed. It is in its channel all the same.",
		digest.Failed: "The bot could read nothing from Defender, and said so in the channel.",
	}[made.Kind]
	switch {
	case made.Message == "" && made.Kind == digest.Failed:
		lead = "Slack accepted no message for its channel. The bot told the person who subscribed."
	case made.Message == "":
		lead = "Nothing has changed, so nothing was posted: this digest is silent then."
	case made.Kind == digest.Same && s.Quiet == digest.Heartbeat:
		lead = "Nothing has changed. One line in its channel says so."
	}
	if words := readingWords(s, made); words != "" {
		lead += " " + view.UpperFirst(words) + "."
	}
	return view.Page{
		Title:   fmt.Sprintf("Digest %s has run", s.ID),
		Lead:    lead + " Its schedule stays as it is.",
		Actions: []view.Action{d.action("Settings", "show", s), {Label: "Details", Command: cmdline.Join(commands.DigestName, "details", s.ID)}},
	}
}

// readingWords says when the data of a delivery was read; "" if nothing was read or the time is unknown.
func readingWords(s digest.Subscription, made digest.Delivery) string {
	switch {
	case made.Read.IsZero() || made.Kind == digest.Failed:
		return ""
	case made.Reused():
		return "the reading of " + s.FormatTime(made.Read) + " was still fresh and was used again"
	}
	return "read from Defender " + s.FormatTime(made.Read)
}

// runWords describes the progress of a run.
func runWords(run digest.Run, now time.Time) string {
	words := "being made"
	if took := now.Sub(run.Began); took >= time.Minute {
		words += " for " + view.Age(took)
	}
	if run.Total > 0 {
		words += fmt.Sprintf(", %s of %s read", view.Thousands(run.Done), view.Count(run.Total, "software id"))
	}
	if !run.Until.After(now) {
		words += ", waiting to go on"
	}
	return words
}

// deliveryWords describes the result of a delivery.
func deliveryWords(s digest.Subscription, sent digest.Delivery) string {
	words := map[digest.Kind]string{
		digest.First: "first digest", digest.Changed: "changes", digest.Same: "nothing changed", digest.Failed: "nothing could be read",
	}[sent.Kind]
	switch {
	case sent.Message != "":
		words += ", posted" + threadWords(sent.Thread)
	case sent.Kind == digest.Failed:
		return "could not be posted"
	default:
		words += ", not posted"
	}
	if sent.Reused() {
		words += "; " + readingWords(s, sent)
	}
	return words
}

// threadWords describes what is missing in a thread.
func threadWords(thread digest.Thread) string {
	switch thread {
	case digest.ThreadOwed:
		return ", its thread not complete yet"
	case digest.ThreadDeleted:
		return ", and deleted or locked before its thread was complete"
	case digest.ThreadClosed, digest.ThreadRefused:
		return ", its thread incomplete"
	}
	return ""
}
