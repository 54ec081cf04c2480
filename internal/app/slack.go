package app

import (
	"context"
	"fmt"
	"sync/atomic"

	"github.com/missingkbs/missingkbs/bot"
	"github.com/missingkbs/missingkbs/bot/access"
	"github.com/missingkbs/missingkbs/bot/blocks"
	"github.com/missingkbs/missingkbs/bot/post"
	"github.com/missingkbs/missingkbs/bot/slackapi"
	"github.com/missingkbs/missingkbs/internal/app/monitor"
	"github.com/missingkbs/missingkbs/internal/config"
	"github.com/missingkbs/missingkbs/internal/metrics"
)

// slackSide holds the app's objects for Slack, once it is signed in.
type slackSide struct {
	workspace  slackapi.Workspace
	gate       *access.Gate
	ladder     *blocks.Ladder
	poster     *post.Poster
	rejections *blockRejections
	finished   bot.Observer // counts finished questions
}

// connectSlack signs in to Slack and creates what reads and posts there.
func (a *App) connectSlack(ctx context.Context) (*slackSide, error) {
	workspace, err := a.signIn(ctx)
	if err != nil {
		return nil, err
	}
	a.Log.Info("signed in to Slack", "team", workspace.TeamID, "user", workspace.UserID)
	a.Monitor.AddSlack(a.health)
	s := &slackSide{workspace: workspace, rejections: &blockRejections{}, finished: a.Monitor.AddQueue(a.counts.Load)}
	s.ladder = a.newLadder(s.rejections)
	s.gate = access.NewGate(access.NewDirectory(a.Slack.ClientWithoutRetry()), workspace, access.Options{Policy: a.Access, Allowed: a.Store, Log: a.Log})
	if err := s.gate.Prepare(ctx); err != nil {
		return nil, config.UsageError{Err: fmt.Errorf("MISSINGKBS_ASK_GROUPS, MISSINGKBS_DIGEST_GROUPS, MISSINGKBS_ACCEPT_GROUPS, MISSINGKBS_ADMIN_GROUPS: %w", err)}
	}
	s.poster = post.New(a.Slack, workspace, s.gate, post.Options{Ladder: s.ladder, Lanes: a.Store, Log: a.Log})
	return s, nil
}

// signIn asks Slack who the bot is. It waits for a Slack that cannot be reached yet.
func (a *App) signIn(ctx context.Context) (workspace slackapi.Workspace, err error) {
	r := startupRetry{
		part: monitor.Slack, reason: "Slack cannot be reached yet", parts: &a.Monitor.Parts, log: a.Log,
		temporary: func(err error) bool { return slackapi.Cure(err) == "" },
	}
	err = r.run(ctx, func(ctx context.Context) (err error) {
		workspace, err = slackapi.SignIn(ctx, a.Slack)
		return err
	})
	return workspace, err
}

// newLadder returns the record of which blocks the workspace accepts. Answers and digests share it.
func (a *App) newLadder(rejections *blockRejections) *blocks.Ladder {
	return blocks.NewLadder(blocks.LadderOptions{
		Tables: a.Bot.Tables, Log: a.Log,
		Refused: func() { rejections.tables.Store(true) },
		Taken:   func() { rejections.tables.Store(false) },
		Observe: func(r blocks.Refusal) {
			a.Monitor.Metrics.BlocksRefused(metrics.BlocksRefused{Cause: string(r.Cause), Type: string(r.Feature)})
			rejections.observe(r)
		},
	})
}

// blockRejections counts what Slack refused since alerts last checked.
type blockRejections struct {
	tables    atomic.Bool  // the workspace refuses tables or charts
	malformed atomic.Int64 // messages that Slack refused as malformed
}

func (b *blockRejections) observe(r blocks.Refusal) {
	if r.Cause == blocks.OurFault {
		b.malformed.Add(1)
	}
}
