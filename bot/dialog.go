package bot

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/missingkbs/missingkbs/bot/blocks"
	"github.com/missingkbs/missingkbs/bot/slackapi"
	"github.com/missingkbs/missingkbs/commands"
	"github.com/missingkbs/missingkbs/internal/view"
)

// triggerLife is how long a modal can be opened after the click on its shortcut. Slack allows three seconds, within which
// the user is also told if it fails.
const triggerLife = 2800 * time.Millisecond

// openDialog opens the dialog of a page as a modal, and reports whether the user sees it. Otherwise the page itself says what
// to type. A shortcut was used in no channel where a page would be seen at once, so it fails instead.
func (b *Bot) openDialog(ctx context.Context, q question, d view.Dialog) (open bool, err error) {
	ctx, cancel := context.WithDeadline(ctx, q.came.Add(triggerLife))
	defer cancel()
	modal, err := blocks.Dialog(d, q.channel)
	if err == nil {
		_, err = b.screens.OpenViewContext(ctx, q.trigger, modal)
	}
	switch {
	case err == nil:
		return true, nil
	case q.entry == EntryShortcut:
		return false, fmt.Errorf("open the modal: %w", &commands.Error{
			Title:   "The dialog could not be opened",
			Message: "Slack did not open it in time. Use the shortcut again, or type the name of the command and what you look for.",
			Err:     slackapi.WithoutURL(err),
		})
	}
	b.log.WarnContext(ctx, "could not open a modal; sending its page instead", "request", q.id, "error", slackapi.WithoutURL(err))
	return false, nil
}

// shareNeedsChannel refuses a dialog whose answer is for everyone in no channel.
func (q question) shareNeedsChannel() error {
	if q.filled == nil || !q.filled.Share || q.to.public {
		return nil
	}
	return &commands.Error{Usage: true, Field: view.AudienceName, Message: "Choose the channel in which everyone should see the answer."}
}

// fieldErrors returns the acknowledgement that says in the modal what is wrong with the dialog, or nil: failures that the
// user cannot mend there are answered with a page.
func fieldErrors(q question, err error) any {
	own, ok := errors.AsType[*commands.Error](err)
	if q.filled == nil || !ok {
		return nil
	}
	return q.filled.Refuse(own.Field, own.Message)
}
