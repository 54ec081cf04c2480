package app

import (
	"context"
	"time"

	"github.com/missingkbs/missingkbs/api"
	"github.com/missingkbs/missingkbs/bot"
	"github.com/missingkbs/missingkbs/commands"
	"github.com/missingkbs/missingkbs/commands/digestcmd"
	"github.com/missingkbs/missingkbs/commands/plain"
	"github.com/missingkbs/missingkbs/commands/riskcmd"
	"github.com/missingkbs/missingkbs/commands/search"
	"github.com/missingkbs/missingkbs/internal/store"
)

// runWait is how long the answer to "digest run" waits for the result. It is shorter than the delay after which users
// are told what an answer waits for.
const runWait = 2 * time.Second

// questions are the parts that answer questions.
type questions struct {
	router  *commands.Router
	options bot.Options
}

// newQuestions creates the commands and the bot that runs them.
func (a *App) newQuestions(slack *slackSide, digests *digests, auditor *auditor, alerts *alerts, finding *finding) (*questions, error) {
	index, defender := finding.index, finding.defender
	changes := auditedStore{a.Store, auditor.changes}
	risks := a.risks(changes)
	patching := Patching{Defender: defender, Index: index, Store: a.Store, Advisories: a.Advisories, Deadlines: a.Deadlines, Now: a.Now}
	router, err := NewRouter(defender, index, []commands.Option{commands.WithAdvisories(a.Advisories), commands.WithClock(a.Now), commands.WithAccepted(risks), commands.WithHistory(a.Store), patching.Ages()}, append(patching.Commands(),
		digestcmd.New(changes, digestcmd.Options{
			Defender: defender, Index: index, People: slack.gate, Queue: digests.queue, Preview: digests.preview, RunWait: runWait, File: a.Digests != nil, Now: a.Now,
			Known: patching.DigestKnown(risks),
		}),
		riskcmd.New(risks, riskcmd.Options{Defender: defender, Index: index, Advisories: a.Advisories, TwoPerson: a.TwoPerson, Now: a.Now}),
		commands.Home(defender, index, commands.HomeOptions{Digests: a.Store, Quota: a.Defender}),
		commands.Admin(changes, slack.gate, a.Defender, a.Now),
	)...)
	if err != nil {
		return nil, err
	}
	o := a.Bot
	o.Liveness, o.Trace, o.Health, o.Counts = a.Monitor.Liveness, a.Monitor.Tracer(), a.health, a.counts
	o.Gate, o.Ladder = slack.gate, slack.ladder
	o.Observe = observeQuestions(slack.finished, auditor.question, alerts.question)
	o.Suggest = commands.NewSuggester(index, finding.list)
	return &questions{router, o}, nil
}

// NewRouter registers the commands that only need Defender, with the options known, and more.
func NewRouter(d commands.Defender, index *search.Index, known []commands.Option, more ...commands.Command) (*commands.Router, error) {
	now := commands.ClockOf(known...)
	return commands.NewRouter(append([]commands.Command{
		commands.Software(d, index, known...),
		commands.KB(d, index, known...),
		commands.CVE(d, known...),
		commands.Machine(d, now, known...),
		commands.Devices(d, index, now),
		commands.Search(d, index),
		plain.Lookup(),
		plain.Talk(),
	}, more...)...)
}

// storedAnswers returns a client that falls back to what digests have read, up to an age of maxAge.
func storedAnswers(client *api.Client, database *store.Store, maxAge time.Duration, now func() time.Time, auth *authState) commands.Defender {
	if maxAge <= 0 {
		return client
	}
	return commands.WithStoredAnswers(client, commands.StoredAnswersOptions{Readings: database, Life: maxAge, Now: now, Refused: auth.refused})
}

// observeQuestions combines several observers.
func observeQuestions(list ...bot.Observer) bot.Observer {
	return func(ctx context.Context, o bot.Observation) {
		for _, observe := range list {
			observe(ctx, o)
		}
	}
}
