package bot

import (
	"context"
	"fmt"

	"golang.org/x/sync/errgroup"

	"github.com/missingkbs/missingkbs/bot/slackapi"
	"github.com/missingkbs/missingkbs/commands"
)

// Run connects to the workspace of [slackapi.SignIn] and answers until ctx ends; then it finishes what runs and returns nil. It
// returns an error when Slack refuses the bot for good, with the cure in its message.
func Run(ctx context.Context, c slackapi.Config, workspace slackapi.Workspace, answers *commands.Router, o Options) error {
	o = o.withDefaults()
	c = c.WithDefaults()
	sockets := newSockets(c, o, slackTiming())
	web := c.Client()
	if o.Gate == nil {
		o.Gate = NewGate(newDirectory(web), workspace, GateOptions{Log: o.Log})
	}
	b := newBot(answers, sockets, slackapi.NewWebhook(c.HTTPClient(), c.APIURL), o)
	b.screens = web
	err := run(ctx, b, sockets)
	o.Log.Info("stopped", "counts", fmt.Sprintf("%+v", b.Stats()))
	return err
}

// run serves what comes on the sockets, while Slack takes both tokens. The sockets outlive ctx, so that the answers of the
// last questions still have a way.
func run(ctx context.Context, b *Bot, s *sockets) error {
	connected, disconnect := context.WithCancel(context.WithoutCancel(ctx))
	defer disconnect()
	serving, stop := context.WithCancel(ctx)
	defer stop()
	var g errgroup.Group
	g.Go(func() error {
		defer stop()
		return s.run(connected)
	})
	g.Go(func() error {
		defer stop()
		return slackapi.NewTokenChecker(s.config, s.log).Run(serving)
	})
	g.Go(func() error {
		defer disconnect()
		b.Serve(serving, s.events)
		s.untended()
		return nil
	})
	err := g.Wait()
	s.close()
	return err
}
