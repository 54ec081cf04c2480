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
// then as many rows of the table in each as the form has room for.
func replies(details view.Page, f blocks.Form) []view.Page {
	rest, table, ok := withoutTable(details)
	if !ok || rowsHidden(details, f) == 0 {
		return []view.Page{unpaged(details)}
	}
	var out []view.Page
	if len(rest.Parts) > 0 {
		out = append(out, rest)
	}
	for {
		page := details
		page.Parts = []view.Part{table}
		left := rowsHidden(page, f)
		if left >= table.Len() { // not even one row has room; the page says how many there are
			left = 0
		}
		page.Parts = []view.Part{table.Cut(0, table.Len()-left)}
		page = unpaged(page)
		switch {
		case left == 0:
			return append(out, page)
		case len(out) == maxReplies-1:
			page.Actions = append([]view.Action{{Label: "All rows", Command: table.Command}}, page.Actions...)
			return append(out, page)
		}
		page.Actions = nil
		out = append(out, page)
		table = table.Cut(table.Len()-left, table.Len())
	}
}

// rowsHidden is how many rows of a page have no room in a form.
func rowsHidden(p view.Page, f blocks.Form) int {
	return blocks.Render(p, blocks.Options{Form: f}).Hidden
}

// rowsLeft is a page of the last rows of one whose only table offers no other pages; ok is false where there is none.
func rowsLeft(p view.Page, n int) (rest view.Page, ok bool) {
	others, table, ok := withoutTable(p)
	_, _, second := withoutTable(others)
	if !ok || second || table.Command != "" || n >= table.Len() {
		return view.Page{}, false
	}
	p.Lead, p.Context, p.Actions = "", "", nil
	p.Parts = []view.Part{table.Cut(table.Len()-n, table.Len())}
	return p, true
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
