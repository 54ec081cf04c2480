package post

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"time"

	"github.com/slack-go/slack"

	"github.com/missingkbs/missingkbs/bot/blocks"
	"github.com/missingkbs/missingkbs/bot/slackapi"
	"github.com/missingkbs/missingkbs/internal/digest"
	"github.com/missingkbs/missingkbs/internal/view"
	"github.com/missingkbs/missingkbs/internal/wait"
)

const (
	// maxReplies bounds the messages with the details of a digest; a button opens the rest.
	maxReplies = 3
	// threadPatience is the longest pause before a retry within the worker, and threadTries the number of attempts.
	// Longer pauses must not hold a worker.
	threadPatience = 2 * time.Second
	threadTries    = 3
)

// partEvent is the event type of the metadata that identifies a message as part of a thread: a process that died may
// have posted some parts.
const partEvent = "missingkbs_thread"

// threadPart is the payload of that metadata.
type threadPart struct {
	Digest string `json:"digest"` // key of the digest
	Part   int    `json:"part"`   // from 1
	Rows   int    `json:"rows"`   // rows of the table, including this part
	Last   bool   `json:"last"`
}

func (t threadPart) metadata() slack.MsgOption {
	return slack.MsgOptionMetadata(slack.SlackMetadata{EventType: partEvent, EventPayload: map[string]any{
		"digest": t.Digest, "part": t.Part, "rows": t.Rows, "last": t.Last,
	}})
}

// Reply posts the parts that are missing in a digest's thread. The digest's own buttons lead to what has no room in it.
func (p *Poster) Reply(ctx context.Context, r digest.Reply, posted func(messages int) error) error {
	at := threadPart{Digest: r.Key}
	if r.Look {
		err := p.mayDeliver(ctx, r.Channel)
		if err == nil {
			at, err = p.reached(ctx, r)
		}
		if err != nil {
			return fmt.Errorf("look at the thread of a digest in %s: %w", r.Channel, err)
		}
	}
	pages := p.owed(r, &at)
	for i, page := range pages {
		if err := p.replyPage(ctx, r, page, &at, i == len(pages)-1, posted); err != nil {
			return fmt.Errorf("post message %d into the thread of a digest in %s: %w", at.Part+1, r.Channel, err)
		}
	}
	return nil
}

// owed returns the pages still missing in a thread, and advances at to the last part that is there. If the thread could
// not be read, the recorded parts count.
func (p *Poster) owed(r digest.Reply, at *threadPart) []view.Page {
	form := p.ladder.Form(blocks.ToMessage)
	_, table, tabled := withoutTable(r.Details)
	switch {
	case at.Last || at.Part > 0 && (!tabled || at.Rows >= table.Len()):
		return nil
	case at.Part >= r.Posted && at.Part > 0: // the form may have changed, so split the rest again
		rest := r.Details
		rest.Lead, rest.Context, rest.Parts = "", "", []view.Part{table.Cut(at.Rows, table.Len())}
		return replies(rest, form, max(1, maxReplies-at.Part))
	}
	pages := replies(r.Details, form, maxReplies)
	there := min(r.Posted, len(pages))
	for _, page := range pages[:there] {
		at.Rows += rowsOf(page)
	}
	at.Part = there
	return pages[there:]
}

// replyPage posts one page into a thread, with further messages for rows that have no room in the first.
func (p *Poster) replyPage(ctx context.Context, r digest.Reply, page view.Page, at *threadPart, last bool, posted func(messages int) error) error {
	for {
		if err := p.Enter(ctx, r.Channel, r.Key); err != nil {
			return err
		}
		next := *at
		left, err := p.deliverPatiently(ctx, r.Channel, page, func(hidden int) []slack.MsgOption {
			next.Part, next.Rows, next.Last = at.Part+1, at.Rows+rowsOf(page)-hidden, last && hidden == 0
			return []slack.MsgOption{slack.MsgOptionTS(r.Message), next.metadata()}
		})
		if err != nil {
			return err
		}
		if *at = next; at.Last {
			return nil
		}
		if err := posted(at.Part); err != nil {
			return err
		}
		if left == 0 {
			return nil
		}
		var ok bool
		if page, ok = rowsLeft(page, left); !ok {
			return nil // no row fits; the message says how many there are
		}
	}
}

// rowsOf returns the number of rows in the table of a page.
func rowsOf(p view.Page) int {
	_, table, _ := withoutTable(p)
	return table.Len()
}

// reached returns the last part of a digest that is in a thread. If the bot may not read the channel, it returns none.
func (p *Poster) reached(ctx context.Context, r digest.Reply) (at threadPart, err error) {
	at.Digest = r.Key
	cursor := ""
	for range findPages {
		h, err := p.history(ctx, "conversations.replies", url.Values{"channel": {r.Channel}, "ts": {r.Message}, "cursor": {cursor}})
		if cannotRead(err) {
			p.log.WarnContext(ctx, "cannot read the thread of a digest: a message may come twice in it", "channel", r.Channel, "key", r.Key, "error", err)
			return at, nil
		}
		if err != nil {
			return at, digestError(err)
		}
		for _, m := range h.Messages {
			if m.TS == r.Message && m.Subtype == "tombstone" {
				return at, fmt.Errorf("%w: its first message was deleted", digest.ErrThreadGone)
			}
			if part, ok := m.threadPart(p.self, r.Key); ok && part.Part > at.Part {
				at = part
			}
		}
		if cursor = h.Next.Cursor; cursor == "" {
			break
		}
	}
	return at, nil
}

// threadPart returns which part of a digest's thread a message is. ok is false if the bot did not post it as such.
func (m pastMessage) threadPart(self slackapi.Workspace, key string) (part threadPart, ok bool) {
	payload, err := json.Marshal(m.Metadata.Payload)
	ok = err == nil && json.Unmarshal(payload, &part) == nil
	return part, ok && m.User == self.UserID && m.Metadata.EventType == partEvent && part.Digest == key
}

// deliverPatiently posts one message, and retries after short pauses that Slack asks for. It returns how many rows have
// no room.
func (p *Poster) deliverPatiently(ctx context.Context, channel string, page view.Page, more func(hidden int) []slack.MsgOption) (left int, err error) {
	for try := 1; ; try++ {
		_, left, err = p.deliver(ctx, channel, page, more)
		err = digestError(err)
		later, ok := errors.AsType[digest.RetryLater](err)
		if !ok || later.After > threadPatience || try == threadTries || !wait.For(ctx, later.After) {
			return left, err
		}
	}
}

// replies splits a page of details into at most most messages: a single one if it fits, otherwise one with everything
// but the table, followed by the rows that fit into each.
func replies(details view.Page, f blocks.Form, most int) []view.Page {
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
		if left >= table.Len() { // no row fits; the page says how many there are
			left = 0
		}
		page.Parts = []view.Part{table.Cut(0, table.Len()-left)}
		page = unpaged(page)
		switch {
		case left == 0:
			return append(out, page)
		case len(out) == most-1:
			page.Actions = append([]view.Action{{Label: "All rows", Command: table.Command}}, page.Actions...)
			return append(out, page)
		}
		page.Actions = nil
		out = append(out, page)
		table = table.Cut(table.Len()-left, table.Len())
	}
}

// rowsHidden returns how many rows of a page have no room in a form.
func rowsHidden(p view.Page, f blocks.Form) int {
	return blocks.Render(p, blocks.Options{Form: f}).Hidden
}

// rowsLeft returns a page with the last n rows. ok is false unless the page has exactly one table and offers no other
// pages.
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

// withoutTable separates the first table from a page.
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

// unpaged returns a page whose tables offer no other pages: in a thread, the following messages contain those.
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
