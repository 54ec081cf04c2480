// Package blocks draws a [view.Page] as Block Kit. It keeps all of Slack's limits (limits.go): no page is drawn to a
// message that Slack refuses for its size, and what does not fit is counted on the page and reachable by a button. The
// text of a page is foreign, so it is only placed where Slack parses no markup: plain_text objects, raw_text cells and
// rich_text elements; mrkdwn only contains words of this package, numbers and validated user ids. It is also the only
// place that knows which blocks a workspace accepts: a [Ladder] draws a page as richly as possible, and in a simpler
// form when Slack refuses it. The package knows Block Kit, slack-go's types for it and Slack's error codes. It sends
// nothing itself, and knows nothing of what a page is about.
package blocks

import (
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/slack-go/slack"

	"github.com/missingkbs/missingkbs/internal/view"
)

// Message is a page drawn for Slack.
type Message struct {
	Text   string // the whole page for notifications and screen readers, escaped for mrkdwn
	Blocks []slack.Block
	Hidden int // table rows that the blocks do not show
}

// Options control how a page is drawn.
type Options struct {
	// Form selects the newer blocks to use, for workspaces that do not accept all of them.
	Form

	// SharedBy is the user ID of the person who made an answer public. The page names them and offers no further
	// sharing.
	SharedBy string

	// Direct means that the message goes to one person and into no channel: nothing can be shared from there.
	Direct bool

	surface surface // where it is drawn; a message, unless [Home] is used
}

// surface is where blocks are shown. Slack accepts different blocks on each.
type surface int

const (
	message surface = iota
	homeTab
)

// shares reports whether the page may offer to be shared.
func (o Options) shares() bool { return o.SharedBy == "" && !o.Direct && o.surface == message }

// Render draws a page.
func Render(p view.Page, o Options) Message {
	if o.TextOnly {
		return Message{Text: fallback(p)}
	}
	d := draw(p, o)
	if last := d.smallPrint(p).block(ageText(p.AsOf), !p.AsOf.Time.IsZero()); last != nil {
		d.add(last)
	}
	return Message{Text: fallback(p), Blocks: d.blocks, Hidden: d.hidden}
}

// draw draws the blocks of a page up to the small print.
func draw(p view.Page, o Options) *drawing {
	d := &drawing{options: o, left: maxMessage}
	d.header(p.Title)
	d.stale(p.AsOf)
	d.text(p.Lead, maxLead)
	d.context(p.Context)
	for _, part := range p.Parts {
		switch part := part.(type) {
		case view.Facts:
			d.facts(part)
		case view.List:
			d.list(part)
		case view.Table:
			d.table(part.Visible())
		case view.Chart:
			d.chart(part)
		case view.Code:
			d.code(part)
		}
	}
	d.buttons(p.Actions)
	return d
}

// Space reserved for the buttons and the small print at the end of every page.
const (
	reservedBlocks = 4
	reservedChars  = maxNote + 600
)

// drawing is a message being drawn.
type drawing struct {
	options Options
	left    budget
	blocks  []slack.Block
	charts  int           // drawn as data_visualization
	plain   bool          // a table block was drawn: Slack accepts one per message
	nextID  int           // of a button; action ids must differ within a block, and identify clicks in the log
	pager   []view.Action // buttons that page and sort the first table
	notes   []string      // what was left out, for the small print
	hidden  int           // rows of tables that are not drawn
}

func (d *drawing) add(b slack.Block) { d.blocks = append(d.blocks, b) }

// room reports whether another block fits before the end of the page.
func (d *drawing) room() bool { return len(d.blocks) < maxBlocks-reservedBlocks }

func plain(s string, limit int) *slack.TextBlockObject {
	off := false
	return &slack.TextBlockObject{Type: slack.PlainTextType, Text: clip(s, limit), Emoji: &off}
}

func (d *drawing) header(title string) {
	text := plain(view.OneLine(title), maxHeader)
	d.left.take(text.Text)
	// Slack charges a header about a hundred characters beyond its text (see maxMessage).
	d.left -= 100
	d.add(slack.NewHeaderBlock(text))
}

func (d *drawing) text(s string, limit int) {
	if strings.TrimSpace(s) == "" {
		return
	}
	text := plain(s, limit)
	d.left.take(text.Text)
	d.add(slack.NewSectionBlock(text, nil, nil))
}

// stale says first of all that the data is old, in the view's own words.
func (d *drawing) stale(at view.AsOf) {
	notice := at.DescribeStale(moment(at.Time, "{time}, {date_short}"), moment(at.Again, "{time}"))
	if notice == "" {
		return
	}
	d.left.take(notice)
	d.add(slack.NewSectionBlock(slack.NewTextBlockObject(slack.MarkdownType, notice, false, true), nil, nil))
}

// moment formats a time that Slack shows in the reader's time zone; the part after the bar is for clients that cannot.
func moment(t time.Time, format string) string {
	return fmt.Sprintf("<!date^%d^%s|%s>", t.Unix(), format, t.UTC().Format("2006-01-02 15:04 UTC"))
}

// context draws the line below the lead in small print.
func (d *drawing) context(s string) {
	if strings.TrimSpace(s) == "" {
		return
	}
	text := plain(view.OneLine(s), maxNote)
	d.left.take(text.Text)
	d.add(slack.NewContextBlock("", text))
}

// list draws a few lines under a heading. rich_text parses no markup in its text.
func (d *drawing) list(l view.List) {
	lines := l.Lines()
	if len(lines) == 0 {
		return
	}
	name := clip(view.OneLine(l.Name), maxFact/3)
	var items []slack.RichTextElement
	for i, line := range lines {
		line = clip(view.OneLine(line), maxFact)
		if int(d.left) < reservedChars+maxFact || !d.room() || !d.left.take(line) {
			d.notes = append(d.notes, view.Count(len(l.Items)-i+l.More, "more line")+" under "+name+" not shown.")
			break
		}
		items = append(items, slack.NewRichTextSection(slack.NewRichTextSectionTextElement(line, nil)))
	}
	if len(items) == 0 {
		return
	}
	d.left.take(name)
	bold := &slack.RichTextSectionTextStyle{Bold: true}
	d.add(slack.NewRichTextBlock("",
		slack.NewRichTextSection(slack.NewRichTextSectionTextElement(name, bold)),
		slack.NewRichTextList(slack.RTEListBullet, 0, items...),
	))
}

// facts draws named values. rich_text parses no markup in its text.
func (d *drawing) facts(facts view.Facts) {
	var items []slack.RichTextElement
	for i, f := range facts {
		name := clip(view.OneLine(f.Name), maxFact/3)
		value := clip(view.OneLine(f.Value), maxFact-length(name))
		if int(d.left) < reservedChars+maxFact || !d.left.take(name, value) {
			d.notes = append(d.notes, view.Count(len(facts)-i, "more line")+" not shown.")
			break
		}
		items = append(items, slack.NewRichTextSection(
			slack.NewRichTextSectionTextElement(name, &slack.RichTextSectionTextStyle{Bold: true}),
			slack.NewRichTextSectionTextElement("  "+value, nil),
		))
	}
	if len(items) > 0 && !d.room() {
		d.notes = append(d.notes, view.Count(len(items), "more line")+" not shown.")
		return
	}
	if len(items) > 0 {
		d.add(slack.NewRichTextBlock("", slack.NewRichTextList(slack.RTEListBullet, 0, items...)))
	}
}

// buttons draws the pager and the page's actions.
func (d *drawing) buttons(actions []view.Action) {
	var elements []slack.BlockElement
	for _, a := range append(d.pager, actions...) {
		if a.Effect == view.Share && !d.options.shares() {
			continue
		}
		b := d.button(a)
		if b != nil && len(elements) < maxButtons && d.left.take(b.Text.Text) {
			elements = append(elements, b)
		}
	}
	if len(elements) > 0 {
		d.add(slack.NewActionBlock("", elements...))
	}
}

// button draws an action, or returns nil for one that Slack would refuse.
func (d *drawing) button(a view.Action) *slack.ButtonBlockElement {
	kind := KindOf(a)
	if kind == Open && !openable(a.URL) {
		return nil
	}
	if kind != Open && (a.Command == "" || length(a.Command) > maxButtonValue) {
		return nil
	}
	d.nextID++
	b := slack.NewButtonBlockElement(kind.actionID(d.nextID), a.Command, plain(view.OneLine(a.Label), maxButtonText))
	b.URL = a.URL
	if kind == Open {
		b.Value = ""
	}
	return b
}

// openable reports whether Slack accepts an address for a button; only https is trustworthy.
func openable(address string) bool {
	u, err := url.Parse(address)
	return err == nil && u.Scheme == "https" && u.Hostname() != "" && u.String() == address && length(address) <= maxURL
}
