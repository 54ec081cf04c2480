package bot

import (
	"context"
	"fmt"

	"golang.org/x/sync/errgroup"

	"github.com/missingkbs/missingkbs/bot/access"
	"github.com/missingkbs/missingkbs/bot/slackapi"
	"github.com/missingkbs/missingkbs/bot/socketmode"
	"github.com/missingkbs/missingkbs/commands"
)

// Run connects to the workspace of [slackapi.SignIn] and answers questions until ctx is done; then it finishes what is
// running and returns nil. If Slack rejects the bot permanently, it returns an error that contains the cure.
func Run(ctx context.Context, c slackapi.Config, workspace slackapi.Workspace, answers *commands.Router, o Options) error {
	o = o.withDefaults()
	c = c.WithDefaults()
	conns := socketmode.New(c, socketOptions(o))
	web := c.Client()
	if o.Gate == nil {
		o.Gate = access.NewGate(access.NewDirectory(web), workspace, access.Options{Log: o.Log})
	}
	b := newBot(answers, conns, slackapi.NewWebhook(c.HTTPClient(), c.APIURL), o)
	b.screens, b.files = web, web
	err := run(ctx, b, c, conns)
	o.Log.Info("stopped", "counts", fmt.Sprintf("%+v", b.Stats()))
	return err
}

// socketOptions returns the options of the connections of a bot.
func socketOptions(o Options) socketmode.Options {
	return socketmode.Options{
		Count:     o.Sockets,
		Health:    o.Health,
		Dropped:   func(n int) { o.Counts.dropped.Add(int64(n)) },
		Rejection: textReply(restartingPage()),
		Rejected:  func(n int) { o.Counts.untaken.Add(int64(n)) },
		Log:       o.Log,
	}
}

// run handles the events of the connections while Slack accepts both tokens. The connections outlive ctx, so that the
// last answers can still be sent.
func run(ctx context.Context, b *Bot, c slackapi.Config, conns *socketmode.Connections) error {
	connected, disconnect := context.WithCancel(context.WithoutCancel(ctx))
	defer disconnect()
	serving, stop := context.WithCancel(ctx)
	defer stop()
	var g errgroup.Group
	g.Go(func() error {
		defer stop()
		return conns.Run(connected)
	})
	g.Go(func() error {
		defer stop()
		return slackapi.NewTokenChecker(c, b.log).Run(serving)
	})
	g.Go(func() error {
		defer disconnect()
		b.Serve(serving, conns.Events())
		conns.StopAccepting()
		return nil
	})
	err := g.Wait()
	conns.Close()
	return err
}
