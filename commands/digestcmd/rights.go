package digestcmd

import (
	"context"
	"fmt"

	"github.com/missingkbs/missingkbs/commands"
	"github.com/missingkbs/missingkbs/internal/digest"
	"github.com/missingkbs/missingkbs/internal/view"
)

func onlyInChannel() error {
	return &commands.Error{Title: "Only in a channel", Field: "channel", Message: "Digests belong to channels. Ask in one, or choose one in the form."}
}

// readers restricts a subcommand to users who can read the channel of the subscription.
func (d command) readers(f oneDigest) oneDigest {
	return func(ctx context.Context, req commands.Request, s digest.Subscription) (view.Page, error) {
		if err := d.mayRead(ctx, req, s); err != nil {
			return view.Page{}, err
		}
		return f(ctx, req, s)
	}
}

// mayRead returns an error if the user may not read the channel of a subscription. A request from that channel proves that
// its user may.
func (d command) mayRead(ctx context.Context, req commands.Request, s digest.Subscription) error {
	if onTerminal(req) || s.Channel == req.Channel || d.People == nil { // without People all requests come from a terminal
		return nil
	}
	if err := d.People.MayRead(ctx, req.User, s.Channel); err != nil {
		return fmt.Errorf("check who reads the channel of a digest: %w", err)
	}
	return nil
}

// digestVisible reports whether a request may see that a subscription exists. Subscriptions of other channels are
// private: an owner sees the settings, and the readings if [command.mayRead] allows it.
func digestVisible(s digest.Subscription, req commands.Request) bool {
	return onTerminal(req) || s.Channel == req.Channel || s.OwnedBy(req.User)
}

// onTerminal reports whether a request came from a terminal, whose user can read the database anyway.
func onTerminal(req commands.Request) bool { return req.Terminal }

// mayChange returns an error if the user may not change the digests of a channel.
func (d command) mayChange(ctx context.Context, req commands.Request, channel string) error {
	if onTerminal(req) || req.User == "" || d.People == nil {
		return &commands.Error{
			Title: "Only in Slack", Usage: true,
			Message: "Change digests in Slack, in their own channel: on a terminal the bot knows neither the channel nor who asks. Type the same there after the name of the command.",
		}
	}
	if err := d.People.MayPost(ctx, req.User, channel); err != nil {
		return fmt.Errorf("check who may change digests: %w", err)
	}
	return nil
}
