package main

import (
	"context"

	"github.com/missingkbs/missingkbs/bot"
	"github.com/missingkbs/missingkbs/internal/metrics"
	"github.com/missingkbs/missingkbs/internal/probe"
	"github.com/missingkbs/missingkbs/internal/store"
	"github.com/missingkbs/missingkbs/internal/tracing"
)

// monitor is what is seen of a running house from outside: it joins the parts, which know nothing of metrics and probes,
// to those.
type monitor struct {
	metrics *metrics.Metrics
	parts   probe.Parts
	pulse   *bot.Pulse
	traces  *tracing.Tracing // nil records none
	close   func()
}

// The parts that readiness is made of, by the names that /readyz gives them.
const (
	partSlack    = "slack"
	partDatabase = "database"
)

func newMonitor() *monitor {
	m := &monitor{metrics: metrics.New(buildVersion()), pulse: bot.NewPulse(), close: func() {}}
	m.parts.Starting(partSlack, partDatabase)
	return m
}

// alive reports whether the event loop still comes round. Nothing else makes a process worth to be killed.
func (m *monitor) alive(ctx context.Context) (reason string, err error) {
	if err := m.pulse.Beat(ctx); err != nil {
		return "the loop that reads Slack's events does not move", err
	}
	return "", nil
}

// database looks at the database.
func (m *monitor) database(s *store.Store) {
	m.parts.Set(partDatabase, func(ctx context.Context) (string, error) {
		if err := s.Ping(ctx); err != nil {
			return "the database does not answer", err
		}
		return "", nil
	})
}

// slack looks at the connection to Slack.
func (m *monitor) slack() {
	m.parts.Set(partSlack, func(context.Context) (string, error) { return "", nil })
}

// question counts a question that is over.
func (m *monitor) question(_ context.Context, o bot.Observation) {
	m.metrics.Question(metrics.Question{
		Entry: string(o.Entry), Command: o.Command, Outcome: string(o.Outcome), Reason: o.Reason,
		Queued: o.Queued, Working: o.Working, Reply: o.Reply,
	})
}
