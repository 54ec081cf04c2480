package bot

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/slack-go/slack"

	"github.com/missingkbs/missingkbs/bot/blocks"
	"github.com/missingkbs/missingkbs/internal/digest"
	"github.com/missingkbs/missingkbs/internal/view"
)

const (
	// maxReplies is how many messages the details of a digest become; the rest is reachable by a button.
	maxReplies = 3
	// threadPatience is the longest pause before one of them is tried again, and threadTries how often it is tried. A
	// digest's job has a minute.
	threadPatience = 30 * time.Second
	threadTries    = 3
	// threadReserve is kept of that minute for recording the digest: one that is not recorded may come twice.
	threadReserve = 15 * time.Second
)

// thread posts the details of a digest below it.
func (p *Poster) thread(ctx context.Context, channel, message string, details view.Page) error {
	if len(details.Parts) == 0 {
		return nil
	}
	if end, ok := ctx.Deadline(); ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithDeadline(ctx, end.Add(-threadReserve))
		defer cancel()
	}
	for i, page := range replies(details, p.ladder.form(onMessage)) {
		if err := p.sendPatiently(ctx, channel, page, slack.MsgOptionTS(message)); err != nil {
			return fmt.Errorf("post reply %d: %w", i+1, err)
		}
	}
	return nil
}

// sendPatiently sends a page, and again after pauses that Slack asks for, or our own limits.
func (p *Poster) sendPatiently(ctx context.Context, channel string, page view.Page, more ...slack.MsgOption) error {
	for try := 1; ; try++ {
		_, err := p.send(ctx, channel, page, more...)
		later, ok := errors.AsType[digest.RetryLater](err)
		if !ok || later.After > threadPatience || try == threadTries {
			return err
		}
		if !sleep(ctx, later.After) {
			return errors.Join(err, ctx.Err())
		}
	}
}

// sleep reports whether the whole time passed.
func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}

// replies are the messages that a page of details becomes: one where it fits, else one of all that is no table, and
// then the table page by page.
func replies(details view.Page, f blocks.Form) []view.Page {
	rest, table, ok := withoutTable(details)
	if !ok || !hasMore(details, table, f) {
		return []view.Page{unpaged(details)}
	}
	var out []view.Page
	if len(rest.Parts) > 0 {
		out = append(out, rest)
	}
	for number := 1; ; number++ {
		table.Page = number
		page := details
		page.Parts = []view.Part{table}
		if !hasMore(page, table, f) {
			return append(out, unpaged(page))
		}
		if len(out) == maxReplies-1 {
			page = unpaged(page)
			page.Actions = append([]view.Action{{Label: "All rows", Command: table.Command}}, page.Actions...)
			return append(out, page)
		}
		page = unpaged(page)
		page.Actions = nil
		out = append(out, page)
	}
}

// withoutTable takes the first table out of a page.
func withoutTable(p view.Page) (rest view.Page, table view.Table, ok bool) {
	rest = p
	rest.Parts, rest.Actions = nil, nil
	for _, part := range p.Parts {
		if t, is := part.(view.Table); is && !ok {
			table, ok = t, true
			continue
		}
		rest.Parts = append(rest.Parts, part)
	}
	return rest, table, ok
}

// hasMore reports whether a page, drawn, leaves rows of its table to a next page: then it has a button for it.
func hasMore(p view.Page, table view.Table, f blocks.Form) bool {
	next := fmt.Sprintf("%s --page %d", table.Command, max(table.Page, 1)+1)
	for _, b := range blocks.Render(p, blocks.Options{Form: f}).Blocks {
		actions, ok := b.(*slack.ActionBlock)
		if !ok {
			continue
		}
		for _, e := range actions.Elements.ElementSet {
			if button, ok := e.(*slack.ButtonBlockElement); ok && button.Value == next {
				return true
			}
		}
	}
	return false
}

// unpaged is a page whose tables offer no other pages: in a thread those are the next messages.
func unpaged(p view.Page) view.Page {
	parts := make([]view.Part, len(p.Parts))
	for i, part := range p.Parts {
		if t, ok := part.(view.Table); ok {
			t.Command, t.Sorts = "", nil
			part = t
		}
		parts[i] = part
	}
	p.Parts = parts
	return p
}
