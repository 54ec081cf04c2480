package bot

import (
	"context"
	"fmt"

	"github.com/slack-go/slack"

	"github.com/missingkbs/missingkbs/commands"
)

// mayShare reports, as an error for the person, why an answer may not be posted into a channel: people of another
// organisation would read where this one is weak, or whether they would cannot be seen.
func (b *Bot) mayShare(ctx context.Context, channel string) error {
	info, err := b.channels.GetConversationInfoContext(ctx, &slack.GetConversationInfoInput{ChannelID: channel})
	if err != nil {
		return &commands.Error{
			Title:   "Not shared",
			Message: "I cannot see who reads this conversation, so I do not post here. Invite me into the channel and try again, or share from another one.",
			Err:     fmt.Errorf("look up channel %s: %w", channel, err),
		}
	}
	if info.IsExtShared || info.IsPendingExtShared {
		return &commands.Error{
			Title:   "Not shared",
			Message: "This channel is shared with another organisation. What your software lacks is not for them to read; share it in a channel of your own.",
		}
	}
	return nil
}
