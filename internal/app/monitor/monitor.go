// Package monitor shows a running process to operators: its metrics, readiness, liveness and traces. It connects the
// parts of the program to packages metrics, health and tracing, which do not know each other, and decides when a part
// counts as ready and how each observation is counted. It neither serves anything over HTTP nor changes anything.
package monitor

import (
	"context"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/missingkbs/missingkbs/api"
	"github.com/missingkbs/missingkbs/bot"
	"github.com/missingkbs/missingkbs/bot/access"
	"github.com/missingkbs/missingkbs/bot/socketmode"
	"github.com/missingkbs/missingkbs/commands"
	"github.com/missingkbs/missingkbs/internal/audit"
	"github.com/missingkbs/missingkbs/internal/health"
	"github.com/missingkbs/missingkbs/internal/metrics"
	"github.com/missingkbs/missingkbs/internal/span"
	"github.com/missingkbs/missingkbs/internal/store"
	"github.com/missingkbs/missingkbs/internal/tracing"
)

// The parts of readiness, by their names in /readyz.
const (
	Slack    = "slack"
	Database = "database"
	Defender = "defender"
	Queue    = "queue"
)

// Monitor collects what operators see of one process. It is safe for concurrent use.
type Monitor struct {
	Metrics  *metrics.Metrics
	Parts    health.Parts  // for /readyz
	Liveness *bot.Liveness // of the Slack event loop

	traces     *tracing.Tracing // nil records none
	lastSignIn atomic.Pointer[signInResult]
}

// New returns a monitor whose parts are all starting. traces may be nil.
func New(version string, traces *tracing.Tracing) *Monitor {
	m := &Monitor{Metrics: metrics.New(version), Liveness: bot.NewLiveness(), traces: traces}
	m.Parts.Starting(Slack, Database, Defender, Queue)
	m.Metrics.Expect(texts(bot.Outcomes()), commands.Reasons(), access.IdentityUnavailable())
	m.Metrics.SetSources(metrics.Sources{Ready: m.Parts.Ready})
	return m
}

// Tracer returns the tracer of this process. It records nothing without a collector.
func (m *Monitor) Tracer() span.Tracer { return m.traces.Tracer() }

// Alive reports whether the Slack event loop makes progress. It is the only liveness check: a restart fixes nothing
// else.
func (m *Monitor) Alive(ctx context.Context) (reason string, err error) {
	if err := m.Liveness.Heartbeat(ctx); err != nil {
		return "the Slack event loop is stuck", err
	}
	return "", nil
}

// Sources are what metrics are read from on each scrape.
type Sources struct {
	Health *socketmode.Health
	Counts *bot.Counts
	Client *api.Client
	Store  *store.Store
	Queue  *store.Queue
	Now    func() time.Time // the clock of digests
}

// Collect reads metrics from sources from now on.
func (m *Monitor) Collect(s Sources) {
	stored := &storedFigures{store: s.Store, queue: s.Queue, now: s.Now}
	m.Metrics.SetSources(metrics.Sources{
		Ready:    m.Parts.Ready,
		Load:     func() metrics.Load { return loadFigures(s.Counts) },
		Slack:    func() metrics.Slack { return slackFigures(s.Health, s.Counts) },
		Client:   func() metrics.Client { return clientFigures(s.Client) },
		Quota:    func(ctx context.Context) []metrics.Quota { return quotaFigures(ctx, s.Client) },
		Stored:   stored.read,
		Database: func() metrics.Database { return databaseFigures(s.Store) },
	})
}

// texts returns words as plain strings.
func texts[T ~string](words []T) []string {
	all := make([]string, len(words))
	for i, word := range words {
		all[i] = string(word)
	}
	return all
}

// CountAudits returns a writer that counts the entries written to next.
func (m *Monitor) CountAudits(next audit.Writer) audit.Writer {
	return countedAudits{next, m.Metrics}
}

type countedAudits struct {
	audit.Writer
	metrics *metrics.Metrics
}

// AddAudits implements [audit.Writer].
func (c countedAudits) AddAudits(ctx context.Context, list []audit.Entry) error {
	err := c.Writer.AddAudits(ctx, list)
	if err == nil {
		c.metrics.AuditsWritten(len(list))
	}
	return err
}

// flushTimeout bounds sending the last traces during shutdown.
const flushTimeout = 2 * time.Second

// StartTracing starts to record traces; without options it records none. Questions matter more than traces, so an error
// is only logged. stop sends what is left.
func StartTracing(ctx context.Context, o *tracing.Options, log *slog.Logger) (traces *tracing.Tracing, stop func()) {
	if o == nil {
		return nil, func() {}
	}
	o.Log = log
	traces, err := tracing.Start(ctx, *o)
	if err != nil {
		log.Error("no traces are recorded", "error", err)
		return nil, func() {}
	}
	log.Info("recording traces", "collector", o.Endpoint.Host)
	return traces, func() {
		last, cancel := context.WithTimeout(context.WithoutCancel(ctx), flushTimeout)
		defer cancel()
		if err := traces.Stop(last); err != nil {
			log.Warn("the last traces were lost", "error", err)
		}
	}
}
