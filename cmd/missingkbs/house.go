package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"runtime/debug"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/missingkbs/missingkbs/api"
	"github.com/missingkbs/missingkbs/bot"
	"github.com/missingkbs/missingkbs/bot/access"
	"github.com/missingkbs/missingkbs/bot/blocks"
	"github.com/missingkbs/missingkbs/bot/post"
	"github.com/missingkbs/missingkbs/bot/slackapi"
	"github.com/missingkbs/missingkbs/bot/socketmode"
	"github.com/missingkbs/missingkbs/commands"
	"github.com/missingkbs/missingkbs/internal/app/monitor"
	"github.com/missingkbs/missingkbs/internal/config"
	"github.com/missingkbs/missingkbs/internal/digest"
	gapsource "github.com/missingkbs/missingkbs/internal/digest/source"
	"github.com/missingkbs/missingkbs/internal/metrics"
	"github.com/missingkbs/missingkbs/internal/store"
)

// house is everything that runs: the bot that answers, and the schedule, queue and worker of the digests. serve runs it
// for Slack and Defender, sandbox for the ones on this machine; it is the same house.
type house struct {
	slack      slackapi.Config
	bot        bot.Options
	access     access.Policy
	defender   *api.Client
	store      *store.Store
	digests    *config.DigestFile        // nil for none
	now        func() time.Time          // the clock of digests
	tick       time.Duration             // between two looks at what is due; 0 for the default
	stale      time.Duration             // how old an answer may be that is shown when there is none that is fresh; 0 for none
	monitor    *monitor.Monitor          // sees what happens; nil for nobody
	opsChannel string                    // hears what a person should know; empty for none
	opsTick    time.Duration             // between two looks at that; 0 for the default
	probeTick  time.Duration             // between two probes of the database; 0 for the default
	expiry     func() (time.Time, error) // of the certificate for Defender; nil for none
	asked      bool                      // write down questions, not only refusals, shares and changes
	log        *slog.Logger

	started func(queue *store.Queue) // is told of the queue of digests once it works; nil for nobody
}

// runWait is how long the answer to a digest that a person runs waits for what comes of it. It is shorter than the time
// after which people are told what an answer waits for.
const runWait = 2 * time.Second

// stopTime is how long digests that are being made may take when the program stops; those that need longer are made
// again at the next start.
const stopTime = 4 * time.Second

// run runs the house until ctx ends, which is no failure however far it got.
func (h house) run(ctx context.Context) error {
	err := h.open(ctx)
	switch {
	case ctx.Err() != nil && errors.Is(err, context.Canceled):
		return nil
	case slackapi.Cure(err) != "":
		return refusedError{err}
	}
	return err
}

// signIn asks Slack who the bot is. A Slack that cannot be reached yet is waited for.
func (h house) signIn(ctx context.Context) (workspace slackapi.Workspace, err error) {
	w := waiting{
		part: monitor.Slack, reason: "Slack cannot be reached yet", parts: &h.monitor.Parts, log: h.log,
		passes: func(err error) bool { return slackapi.Cure(err) == "" },
	}
	err = w.until(ctx, func(ctx context.Context) (err error) {
		workspace, err = slackapi.SignIn(ctx, h.slack)
		return err
	})
	return workspace, err
}

// ladder remembers for answers and digests alike what the workspace takes.
func (h house) ladder(watch *operators) *blocks.Ladder {
	return blocks.NewLadder(blocks.LadderOptions{
		Tables: h.bot.Tables, Refused: watch.tablesRefused, Taken: watch.tablesTaken, Log: h.log,
		Observe: func(r blocks.Refusal) {
			h.monitor.Metrics.BlocksRefused(metrics.BlocksRefused{Cause: string(r.Cause), Type: string(r.Feature)})
			watch.blocksRefused(r)
		},
	})
}

func (h house) open(ctx context.Context) error {
	if h.monitor == nil {
		h.monitor = monitor.New(buildVersion(), nil)
	}
	h.bot.Liveness, h.bot.Trace = h.monitor.Liveness, h.monitor.Tracer()
	h.bot.Health, h.bot.Counts = socketmode.NewHealth(), &bot.Counts{}
	if err := h.store.Migrate(ctx); err != nil {
		return readError(h.store, err)
	}
	h.monitor.WatchDatabase(h.store)
	if err := h.applyFile(ctx); err != nil {
		return err
	}
	workspace, err := h.signIn(ctx)
	if err != nil {
		return err
	}
	h.log.Info("signed in to Slack", "team", workspace.TeamID, "user", workspace.UserID)
	h.monitor.WatchSlack(h.bot.Health)
	counted := h.monitor.WatchQueue(h.bot.Counts.Load)
	watch := h.operators()
	recorder := h.recorder(workspace, watch)
	h.bot.Observe = observers(counted, recorder.question, watch.question)
	h.bot.Ladder = h.ladder(watch)

	gate := access.NewGate(access.NewDirectory(h.slack.ClientWithoutRetry()), workspace, access.Options{Policy: h.access, Allowed: h.store, Log: h.log})
	if err := gate.Prepare(ctx); err != nil {
		return config.UsageError{Err: fmt.Errorf("MISSINGKBS_ASK_GROUPS, MISSINGKBS_DIGEST_GROUPS, MISSINGKBS_ADMIN_GROUPS: %w", err)}
	}
	h.bot.Gate = gate
	poster := post.New(h.slack, workspace, gate, post.Options{Ladder: h.bot.Ladder, Lanes: h.store, Log: h.log})
	watch.open(h, poster)
	word := &standing{defender: h.defender, keeper: h.store, log: h.log}
	probes := monitor.NewDatabaseProber(h.store, h.probeTick, h.log)
	defer background(recorder.trail.Run, watch.run, word.run, probes.Run)() // what is left is written and told when all else has ended
	readings := gapsource.New(h.defender, h.now)
	worker := &digest.Worker{
		Store:  h.store,
		Source: h.monitor.TraceSource(readings),
		Poster: h.monitor.TracePoster(poster),
		Now:    h.now,
		Log:    h.log,

		Observe: digestObservers(h.monitor.DigestObserver(h.now), watch.digest),
	}
	preview := *worker
	preview.Source = h.monitor.TraceSource(readings.ForPreview())
	queue, err := h.store.Queue(h.monitor.TraceWork(worker.Work), store.QueueOptions{
		MaxAttempts: max(10, digest.MinAttempts), GivenUp: func(ctx context.Context, job digest.Job, _ error) {
			if err := h.store.EndRun(ctx, job); err != nil {
				h.log.Warn("a digest that was given up still counts as being made; the next one of its subscription waits for hours", "subscription", job.Subscription, "error", err)
			}
			h.monitor.Metrics.DigestGivenUp()
			watch.givenUp(job)
		},
	})
	if err != nil {
		return err
	}
	h.monitor.Collect(monitor.Sources{Health: h.bot.Health, Counts: h.bot.Counts, Client: h.defender, Store: h.store, Queue: queue, Now: h.now})
	index := &commands.Index{}
	audited := auditedStore{h.store, recorder.changes}
	people := h.remembering(word)
	router, err := newRouter(people, index, commands.Digest(audited, commands.DigestOptions{
		Defender: people, Index: index, People: gate, Queue: queue, Preview: &preview, RunWait: runWait, File: h.digests != nil, Now: h.now,
	}), commands.Home(people, index, commands.HomeOptions{Digests: h.store, Quota: h.defender}), commands.Admin(audited, gate, h.defender, h.now))
	if err != nil {
		return err
	}
	if err := queue.Start(ctx); err != nil {
		return err
	}
	if h.started != nil {
		h.started(queue)
	}
	scheduler := &digest.Scheduler{Store: h.monitor.CountTimetable(h.store), Queue: queue, Every: h.tick, Now: h.now, Log: h.log, Paused: watch.undue}
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { giveBack(); return nil })
	g.Go(func() error { return scheduler.Run(ctx) })
	g.Go(func() error {
		h.monitor.KeepSignedIn(ctx, h.defender, h.log)
		return nil
	})
	g.Go(func() error {
		<-ctx.Done()
		stopping, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTime)
		defer cancel()
		if err := queue.Stop(stopping); err != nil {
			h.log.Warn("digests were cut off and will be made again", "error", err)
		}
		return nil
	})
	g.Go(func() error {
		h.bot.Suggest = commands.NewSuggester(people, index)
		if err := bot.Run(ctx, h.slack, workspace, router, h.bot); err != nil {
			return err
		}
		return errStopped // also the rest is to stop, whatever the reason
	})
	if err := g.Wait(); !errors.Is(err, errStopped) {
		if err != nil {
			watch.stopped()
		}
		return err
	}
	return nil
}

// remembering is Defender for people, who may see what digests have read before when it cannot be asked.
func (h house) remembering(word *standing) commands.Defender {
	if h.stale <= 0 {
		return h.defender
	}
	return commands.Remember(h.defender, commands.RememberOptions{Readings: h.store, Life: h.stale, Now: h.now, Refused: word.refused})
}

// giveBack returns to the system what only starting has taken. The libraries that read migrations keep 20 MiB for the next
// one until the second collection from then on, and so put the first one off until the heap has twice that size.
func giveBack() {
	runtime.GC()
	debug.FreeOSMemory()
}

var errStopped = errors.New("stopped")

// background runs something until the function that it returns is called, which waits for its end.
func background(list ...func(ctx context.Context)) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	for _, run := range list {
		running.Go(func() { run(ctx) })
	}
	return func() { cancel(); running.Wait() }
}

// applyFile makes the store hold what the file of subscriptions says.
func (h house) applyFile(ctx context.Context) error {
	if h.digests == nil {
		return nil
	}
	done, err := digest.Apply(ctx, h.store, h.digests.Subscriptions, h.now())
	if _, wrong := errors.AsType[*digest.Mistake](err); wrong {
		return config.UsageError{Err: fmt.Errorf("MISSINGKBS_DIGESTS: %s: %w", h.digests.Path, err)}
	}
	if err != nil {
		return fmt.Errorf("MISSINGKBS_DIGESTS: %w", err)
	}
	h.log.Info("applied the file of digests", "added", len(done.Added), "changed", len(done.Changed), "removed", len(done.Removed))
	return nil
}
