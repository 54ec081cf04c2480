// Package blocks draws a [view.Page] as Block Kit. All of Slack's limits live here, in limits.go: no page whatever
// renders to a message that Slack refuses for its size, and what does not fit is counted on the page and reachable by a
// button.
//
// Text of a page is of foreign origin. It is only ever put where Slack reads no markup: plain_text objects, raw_text
// cells and rich_text elements. The mrkdwn this package writes holds nothing but its own words, numbers and user ids
// it has checked.
//
// It is also the one place that knows which blocks a workspace takes: a [Ladder] draws a page as richly as the workspace
// takes it, and in a simpler form when Slack refuses it.
//
// The package knows Block Kit, slack-go's types for it and Slack's error codes. It sends nothing itself, and knows nothing of
// what a page is about.
package blocks

import (
	"fmt"
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/slack-go/slack"
	"github.com/slack-go/slack/slackutilsx"

	"github.com/missingkbs/missingkbs/internal/view"
)

// Message is a page drawn for Slack.
type Message struct {
	Text   string // the whole page for notifications and screen readers, escaped for mrkdwn
	Blocks []slack.Block
	Hidden int // rows of the page's tables that the blocks do not show
}

// Options say how a page is drawn.
type Options struct {
	// Form says which of the newer blocks are used, for workspaces that do not take all of them.
	Form

	// SharedBy is the id of the person who made an answer public. It is named, and nothing that shares is offered again.
	SharedBy string

	// Direct says that the message goes to one person alone, in no channel: nothing is shared from there.
	Direct bool

	surface surface // where it is drawn; a message unless [Home] says otherwise
}

// surface is where blocks are drawn. Slack takes other blocks on each.
type surface int

const (
	message surface = iota
	homeTab
)

// shares reports whether a page that is drawn so may offer to be shared.
func (o Options) shares() bool { return o.SharedBy == "" && !o.Direct && o.surface == message }

// Render draws a page.
func Render(p view.Page, o Options) Message {
	if o.TextOnly {
		return Message{Text: fallback(p)}
	}
	d := draw(p, o)
	if last := d.smallPrint(p).block(p.AsOf); last != nil {
		d.add(last)
	}
	return Message{Text: fallback(p), Blocks: d.blocks, Hidden: d.hidden}
}

// draw draws the blocks of a page before the small print.
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
		}
	}
	d.buttons(p.Actions)
	return d
}

// reserve is what is kept back for the buttons and the small print that end every page.
const (
	reservedBlocks = 4
	reservedChars  = maxNote + 600
)

// drawing is a message in the making.
type drawing struct {
	options Options
	left    budget
	blocks  []slack.Block
	charts  int           // drawn as data_visualization
	plain   bool          // a table block is drawn: Slack takes one in a message
	nextID  int           // of a button; action ids must differ within a block, and tell apart clicks in the log
	pager   []view.Action // buttons that page and sort the first table
	notes   []string      // what was left out, said in the small print
	hidden  int           // rows of tables that are not drawn
}

func (d *drawing) add(b slack.Block) { d.blocks = append(d.blocks, b) }

// room reports whether another block may stand before the end of the page.
func (d *drawing) room() bool { return len(d.blocks) < maxBlocks-reservedBlocks }

func plain(s string, limit int) *slack.TextBlockObject {
	off := false
	return &slack.TextBlockObject{Type: slack.PlainTextType, Text: clip(s, limit), Emoji: &off}
}

func (d *drawing) header(title string) {
	text := plain(view.OneLine(title), maxHeader)
	d.left.take(text.Text)
	// A header is charged about a hundred characters beyond its text (the measurement behind maxMessage).
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

// stale says that the data is old, before anything else. Its words are the view's own.
func (d *drawing) stale(at view.AsOf) {
	notice := at.DescribeStale(moment(at.Time, "{time}, {date_short}"), moment(at.Again, "{time}"))
	if notice == "" {
		return
	}
	d.left.take(notice)
	d.add(slack.NewSectionBlock(slack.NewTextBlockObject(slack.MarkdownType, notice, false, true), nil, nil))
}

// moment is a time that Slack writes in the reader's own zone; what follows the bar is for clients that cannot.
func moment(t time.Time, format string) string {
	return fmt.Sprintf("<!date^%d^%s|%s>", t.Unix(), format, t.UTC().Format("2006-01-02 15:04 UTC"))
}

// context draws the line below the lead, small.
func (d *drawing) context(s string) {
	if strings.TrimSpace(s) == "" {
		return
	}
	text := plain(view.OneLine(s), maxNote)
	d.left.take(text.Text)
	d.add(slack.NewContextBlock("", text))
}

// list draws a few lines under their name. rich_text reads no markup in its text.
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

// facts draws a list of named values. rich_text reads no markup in its text.
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

// openable reports whether Slack takes an address for a button; only https is worth a person's trust.
func openable(address string) bool {
	u, err := url.Parse(address)
	return err == nil && u.Scheme == "https" && u.Hostname() != "" && u.String() == address && length(address) <= maxURL
}

// userID is what Slack's user ids look like; see https://docs.slack.dev/reference/objects/user-object.
var userID = regexp.MustCompile(`^[UW][A-Z0-9]{2,20}$`)

// smallPrint is the block that ends a page: the age of the data, the id of the software, who shared, what was left out,
// the note.
type smallPrint struct {
	sharedBy string                 // empty for none
	id       *slack.TextBlockObject // of the software that the page is about; nil for none
	note     *slack.TextBlockObject // nil for none
}

func (d *drawing) smallPrint(p view.Page) smallPrint {
	var s smallPrint
	if userID.MatchString(d.options.SharedBy) {
		s.sharedBy = d.options.SharedBy
	}
	if id := p.ID(); id != "" {
		s.id = plain(id, maxFact)
	}
	if note := strings.TrimSpace(strings.Join(append(d.notes, p.Note), " ")); note != "" {
		s.note = plain(note, maxNote)
	}
	return s
}

// block is the small print at an age of the data; nil for none.
func (s smallPrint) block(at view.AsOf) slack.Block {
	var elements []slack.MixedElement
	if !at.Time.IsZero() {
		elements = append(elements, slack.NewTextBlockObject(slack.MarkdownType, at.Describe(moment(at.Time, "{time}, {date_short}"))+".", false, true))
	}
	if s.sharedBy != "" {
		elements = append(elements, slack.NewTextBlockObject(slack.MarkdownType, "Shared by <@"+s.sharedBy+">.", false, true))
	}
	for _, text := range []*slack.TextBlockObject{s.id, s.note} {
		if text != nil {
			elements = append(elements, text)
		}
	}
	if len(elements) == 0 {
		return nil
	}
	return slack.NewContextBlock("", elements...)
}

// fallback is the page as text for notifications and screen readers: all of it that fits, and a count of the rest. It
// stands where Slack reads control sequences, so it is escaped.
func fallback(p view.Page) string { return words(p) + p.AsOf.String() }

// words is the [fallback] of a page without the age of its data.
func words(p view.Page) string {
	var b strings.Builder
	left := maxFallback - 100 // for the closing line
	omitted := 0
	line := func(s string) {
		s = slackutilsx.EscapeMessage(view.OneLine(s))
		if left -= length(s) + 1; left < 0 {
			omitted++
			return
		}
		b.WriteString(s + "\n")
	}
	line(clip(p.Title, maxHeader))
	if notice := p.AsOf.Notice(); notice != "" {
		line(notice)
	}
	line(clip(p.Lead, maxLead))
	if p.Context != "" {
		line(clip(p.Context, maxNote))
	}
	for _, part := range p.Parts {
		switch part := part.(type) {
		case view.Facts:
			for _, f := range part {
				line(clip(f.Name+": "+f.Value, maxFact))
			}
		case view.List:
			for _, l := range part.Lines() {
				line(clip(part.Name+": "+l, maxFact))
			}
		case view.Table:
			part = part.Visible()
			for i := range part.Len() {
				if left < 0 {
					omitted += part.Len() - i
					break
				}
				line(rowText(part.Columns, part.Row(i)))
			}
		case view.Chart:
			for _, l := range chartLines(part) {
				line(l)
			}
		}
	}
	if omitted > 0 {
		fmt.Fprintf(&b, "%s not read out here.\n", view.Count(omitted, "more line"))
	}
	if p.Note != "" && left > maxNote {
		line(clip(p.Note, maxNote))
	}
	if id := p.ID(); id != "" {
		line(clip(id, maxFact))
	}
	return b.String()
}

// rowText is a row of a table in words: the first cell names it, the others follow their headings.
func rowText(columns []view.Column, row []view.Cell) string {
	var words []string
	for i, c := range row {
		switch {
		case columns[i].Kind == view.Number:
			words = append(words, columns[i].Title+" "+view.Thousands(c.Number))
		case columns[i].Kind == view.Button && c.Action != nil && c.Action.URL != "":
			words = append(words, c.Action.URL)
		case (columns[i].Kind == view.Text || columns[i].Kind == view.Words) && c.Text != "":
			words = append(words, clip(c.Text, maxCell))
		}
	}
	return strings.Join(words, ", ")
}
