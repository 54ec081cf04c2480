package blocks

import (
	"regexp"
	"strings"

	"github.com/slack-go/slack"

	"github.com/missingkbs/missingkbs/internal/view"
)

// userID matches Slack's user ids; see https://docs.slack.dev/reference/objects/user-object.
var userID = regexp.MustCompile(`^[UW][A-Z0-9]{2,20}$`)

// smallPrint is the block at the end of a page: the age of the data, the software id, who shared it, what was left out,
// and the note.
type smallPrint struct {
	sharedBy string                 // empty for none
	id       *slack.TextBlockObject // software id of the page; nil for none
	note     *slack.TextBlockObject // nil for none
}

// smallPrint collects what a page ends with. A malformed user ID is dropped, because it would be parsed as markup.
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

// ageText is what the small print says of the age of the data.
func ageText(at view.AsOf) string {
	return at.Describe(moment(at.Time, "{time}, {date_short}")) + "."
}

// block is the small print with a text about the age of the data, if that has one; nil for none.
func (s smallPrint) block(age string, aged bool) slack.Block {
	var elements []slack.MixedElement
	if aged {
		elements = append(elements, slack.NewTextBlockObject(slack.MarkdownType, age, false, true))
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
