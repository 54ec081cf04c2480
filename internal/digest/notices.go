package digest

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/missingkbs/missingkbs/internal/view"
)

// Heartbeat returns the one-line page that nothing has changed.
func (r Report) Heartbeat() view.Page {
	s := r.Subscription
	title := string(NoChange) + ": " + s.Name()
	if r.Advice.known() {
		title = r.title()
	} else if r.late() {
		title += " (late)"
	}
	page := view.Page{
		Title: title,
		Lead:  fmt.Sprintf("%s since %s. %s", r.unchanged(), s.FormatTime(r.Since), view.JoinSentences(gapWords(r.After, r.gap()), r.foldWords())),
		AsOf:  r.asOf(),

		Software:   s.software(),
		Unreadable: r.After.UnreadableRows(),
	}
	if unread := unreadFacts(r.After); len(unread) > 0 {
		if !r.Advice.known() {
			page.Title = strings.Replace(title, string(NoChange), string(CouldNotTell), 1)
		}
		page.Lead = fmt.Sprintf("Nothing has changed since %s in what could be read.", s.FormatTime(r.Since))
		page.Parts = []view.Part{unread}
	}
	page.Lead = view.JoinSentences(page.Lead, r.attackWords())
	return page
}

// Failure returns the page to post instead of a digest if nothing could be read.
func (r Report) Failure() view.Page {
	s := r.Subscription
	facts := view.Facts{{Name: "Due", Value: s.FormatTime(r.Due)}}
	if !r.Since.IsZero() {
		facts = append(facts, view.Fact{Name: "Last digest", Value: s.FormatTime(r.Since)})
	}
	lead := "Nothing could be read from Defender, so nothing is known: updates may be missing or not. " +
		"The digest follows as soon as Defender answers; this notice is not repeated."
	if r.Waits {
		lead = "This digest is delayed: it needs more Defender calls than the limit allows now. Updates may " +
			"be missing or not. The digest follows as soon as enough is read; this notice is not repeated."
	}
	return view.Page{
		Title: string(CouldNotTell) + ": " + s.Name(),
		Lead:  lead,
		Parts: []view.Part{append(facts, unreadFacts(r.After)...)},
		Actions: []view.Action{
			{Label: "Pause", Command: "digest pause " + s.ID},
			{Label: "Settings", Command: "digest show " + s.ID},
		},
	}
}

// refusalNotice is sent to the owner if the channel does not accept a digest.
func refusalNotice(s Subscription, due time.Time) view.Page {
	page := view.Page{
		Title: "A digest could not be posted",
		Lead: fmt.Sprintf("The digest %s (%s), due %s, could not be posted into its channel: I am not a member of it, it was archived or deleted, or it is shared with another organisation. Invite me, or remove the digest.",
			s.ID, s.Name(), s.FormatTime(due)),
		Parts: []view.Part{view.Facts{{Name: "Channel", Value: s.Channel}, {Name: "Refused in a row", Value: strconv.Itoa(s.Failures)}}},
		Actions: []view.Action{
			{Label: "Settings", Command: "digest show " + s.ID},
			{Label: "Remove", Command: "digest remove " + s.ID},
		},
	}
	if s.Paused {
		page.Title = "A digest is paused"
		page.Lead += " It is paused now."
		page.Actions = append([]view.Action{{Label: "Resume", Command: "digest resume " + s.ID}}, page.Actions...)
	}
	return page
}

// incompleteNotice is sent to the owner if a digest's thread cannot be completed.
func incompleteNotice(s Subscription, d Delivery, end Thread) view.Page {
	why := "Slack refused it again and again"
	if end == ThreadClosed {
		why = "I can no longer post in its channel"
	}
	return view.Page{
		Title: "The thread of a digest is incomplete",
		Lead: fmt.Sprintf("The digest %s (%s), due %s, is in its channel, but not all of its rows are in its thread: %s. Details shows all rows of the last digest.",
			s.ID, s.Name(), s.FormatTime(d.Due), why),
		Actions: []view.Action{
			{Label: "Details", Command: "digest details " + s.ID},
			{Label: "Settings", Command: "digest show " + s.ID},
		},
	}
}
