package blocks

import (
	"context"

	"github.com/slack-go/slack"

	"github.com/missingkbs/missingkbs/internal/view"
)

// Delivery is a page, its destination, and how to send it.
type Delivery struct {
	Page  view.Page
	On    Destination
	Tries int        // greatest number of posts
	Left  func() int // returns how many posts Slack still accepts there; nil for no limit
	// Send draws the page in a form and sends it. It returns the blocks that it sent.
	Send func(Form) (Sent, error)
}

// Sent holds the blocks of a message that was sent.
type Sent struct {
	Uses   []Feature
	Blocks func() []slack.Block // draws them again; only needed after a refusal
}

// SentBlocks returns the [Sent] of drawn blocks.
func SentBlocks(all []slack.Block) Sent {
	return Sent{Uses(all), func() []slack.Block { return all }}
}

// Deliver sends a page. Each time Slack refuses its blocks, it sends the page again in a simpler form.
func (l *Ladder) Deliver(ctx context.Context, d Delivery) error {
	form := l.Form(d.On)
	var last []Feature // used by the message that was last refused without a reason
	for left := d.Tries - 1; ; left-- {
		sent, err := d.Send(form)
		if err == nil {
			l.taken(d, sent.Uses, last)
			return nil
		}
		refusal, is := judge(err, sent.Blocks())
		if !is {
			return err
		}
		blamed := refusal.blamed()
		l.report(ctx, d, refusal, blamed)
		last = nil
		if refusal.cause == Unexplained {
			last = refusal.used
		}
		if d.Left != nil {
			left = min(left, d.Left())
		}
		next, ok := simpler(form, blamed, left, d.On)
		if !ok {
			return err
		}
		form = next
	}
}

// simpler returns the form to try after a refusal; ok is false if there is none. The last attempt but one draws
// sections, the last one only the text.
func simpler(f Form, blamed []Feature, left int, on Destination) (next Form, ok bool) {
	last := 1
	if on == ToHome { // it has no text
		last = 0
	}
	switch {
	case f.TextOnly || left <= 0:
		return f, false
	case len(blamed) == 0 || left <= last: // a simpler form of one block does not help
		return Form{Tables: SectionTables, TextCharts: true, TextOnly: true}, on != ToHome
	case left == last+1:
		return Classic(), true
	}
	for _, feature := range blamed {
		f = f.Without(feature)
	}
	return f, true
}
