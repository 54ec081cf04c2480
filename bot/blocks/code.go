package blocks

import (
	"strings"

	"github.com/slack-go/slack"

	"github.com/missingkbs/missingkbs/internal/view"
)

// code draws preformatted text in a rich_text, which parses no markup. Lines that do not fit are counted.
func (d *drawing) code(c view.Code) {
	room := min(int(d.left)-reservedChars, maxMessage)
	if c.Text == "" {
		return
	}
	var elements []slack.RichTextSectionElement
	var piece strings.Builder
	flush := func() {
		if piece.Len() > 0 {
			elements = append(elements, slack.NewRichTextSectionTextElement(piece.String(), nil))
			piece.Reset()
		}
	}
	lines := strings.Split(view.Lines(c.Text), "\n")
	for i, line := range lines {
		if i > 0 {
			line = "\n" + line
		}
		n := length(line)
		if n > room || n > maxText || !d.room() {
			d.notes = append(d.notes, view.Count(len(lines)-i, "more line")+" not shown.")
			break
		}
		if length(piece.String())+n > maxText {
			flush()
		}
		room -= n
		d.left.take(line)
		piece.WriteString(line)
	}
	flush()
	if len(elements) > 0 {
		d.add(slack.NewRichTextBlock("", &slack.RichTextPreformatted{Type: slack.RTEPreformatted, Elements: elements}))
	}
}
