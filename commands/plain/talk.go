package plain

import (
	"context"
	"strings"

	"github.com/missingkbs/missingkbs/commands"
	"github.com/missingkbs/missingkbs/commands/cmdline"
	"github.com/missingkbs/missingkbs/internal/view"
)

// TalkName is the name of the command [Talk].
const TalkName = "talk"

// The topics of [Talk].
const (
	Hello   = "hello"
	Thanks  = "thanks"
	Unclear = "unclear"
)

// TalkLine returns the line that answers a topic.
func TalkLine(topic string) string { return cmdline.Join(TalkName, topic) }

// Talk returns the command that answers greetings, thanks and unknown words. Help does not list it, because no one
// types its name.
func Talk() commands.Command {
	return commands.Command{
		Name:     TalkName,
		Unlisted: true,
		Summary:  "answers greetings, thanks and words that were not understood",
		Run: func(_ context.Context, req commands.Request) (view.Page, error) {
			return talk(strings.Join(req.Words, " ")), nil
		},
	}
}

// talk returns the page of a topic. Every page says what to ask.
func talk(topic string) view.Page {
	page := view.Page{
		Title: "I did not understand that",
		Lead:  "Name a software, such as win11, server 2022 or edge; an update, such as KB5074202; or a CVE, such as CVE-2025-12345.",
		Actions: []view.Action{
			{Label: "What is missing", Command: commands.HomeName},
			{Label: "All software", Command: commands.SearchName},
			{Label: "Help", Command: commands.HelpName},
		},
	}
	switch topic {
	case Hello:
		page.Title = "Hello"
		page.Lead = "Ask me which security updates a software lacks, such as: which updates is Windows 11 missing? " + page.Lead
	case Thanks:
		page = view.Page{Title: "You are welcome", Lead: "Ask again whenever you like."}
	}
	return page
}
