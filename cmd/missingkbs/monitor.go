package main

import (
	"context"
	"slices"
	"sync/atomic"
	"time"

	"github.com/missingkbs/missingkbs/bot"
	"github.com/missingkbs/missingkbs/commands"
	"github.com/missingkbs/missingkbs/internal/audit"
	"github.com/missingkbs/missingkbs/internal/digest"
	"github.com/missingkbs/missingkbs/internal/metrics"
	"github.com/missingkbs/missingkbs/internal/probe"
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
	signIn  atomic.Pointer[lastSignIn] // the last one
	line    line
}

// The parts that readiness is made of, by the names that /readyz gives them.
const (
	partSlack    = "slack"
	partDatabase = "database"
	partDefender = "defender"
	partQueue    = "queue"
)

func newMonitor() *monitor {
	m := &monitor{metrics: metrics.New(buildVersion()), pulse: bot.NewPulse(), close: func() {}}
	m.parts.Starting(partSlack, partDatabase, partDefender, partQueue)
	m.metrics.Expect(texts(bot.Outcomes()), commands.Reasons(), bot.Unseen())
	m.metrics.Watch(metrics.Sources{Ready: m.parts.Ready})
	return m
}

// texts are words as plain text.
func texts[T ~string](words []T) []string {
	all := make([]string, len(words))
	for i, word := range words {
		all[i] = string(word)
	}
	return all
}

// alive reports whether the event loop still comes round. Nothing else makes a process worth to be killed.
func (m *monitor) alive(ctx context.Context) (reason string, err error) {
	if err := m.pulse.Beat(ctx); err != nil {
		return "the loop that reads Slack's events does not move", err
	}
	return "", nil
}

// slack looks at the connections to Slack.
func (m *monitor) slack(health *bot.Health) {
	m.parts.Set(partSlack, func(context.Context) (string, error) {
		if err := health.Ready(); err != nil {
			return err.Error(), nil
		}
		return "", nil
	})
}

// connections are the figures of the connections to Slack.
func connections(health *bot.Health, counts *bot.Counts) func() metrics.Slack {
	return func() metrics.Slack {
		c := counts.Stats()
		f := metrics.Slack{
			Reconnects:  map[string]int64{},
			AckFailures: c.Unacknowledged, Duplicates: c.Duplicates, Undecodable: c.Undecodable, Dropped: c.Dropped,
		}
		for _, reason := range texts(bot.Reasons()) {
			f.Reconnects[reason] = 0 // there before the first
		}
		for _, s := range health.Sockets() {
			f.Wanted++
			if !s.Connected.IsZero() {
				f.Connections++
			}
			f.Opened += s.Opened
			f.Failures += s.Failed
			for reason, n := range s.Ended {
				f.Reconnects[string(reason)] += n
			}
		}
		return f
	}
}

// question counts a question that is over.
func (m *monitor) question(_ context.Context, o bot.Observation) {
	if o.Outcome != bot.Busy && o.Outcome != bot.Restarting { // what was not looked at, or given up, does not move the line
		m.line.step()
	}
	m.metrics.Question(metrics.Question{
		Typing: o.Entry == bot.EntryTypeahead, Unseen: o.Outcome == bot.Refused && slices.Contains(bot.Unseen(), o.Reason),
		Entry: string(o.Entry), Command: o.Command, Outcome: string(o.Outcome), Reason: o.Reason,
		Queued: o.Queued, Working: o.Working, Reply: o.Reply,
	})
}

// digest counts attempts at digests.
func (m *monitor) digest(now func() time.Time) func(context.Context, digest.Observation) {
	return func(_ context.Context, o digest.Observation) {
		m.metrics.Digest(metrics.Digest{
			Outcome: string(o.Outcome), Lag: now().Sub(o.Job.Due), Late: o.Late,
			Over: o.Outcome == digest.OutcomeSent || o.Outcome == digest.OutcomeSilent,
		})
	}
}

// countedTimetable counts what becomes due. Of several replicas the one that moves the next run counts.
type countedTimetable struct {
	digest.Timetable
	metrics *metrics.Metrics
}

// Due is part of [digest.Timetable].
func (t countedTimetable) Due(ctx context.Context, now time.Time, limit int) ([]digest.Subscription, error) {
	due, err := t.Timetable.Due(ctx, now, limit)
	if err == nil {
		t.metrics.DigestsLooked(time.Now())
	}
	return due, err
}

// Advance is part of [digest.Timetable].
func (t countedTimetable) Advance(ctx context.Context, id string, from, to time.Time) (bool, error) {
	moved, err := t.Timetable.Advance(ctx, id, from, to)
	if moved {
		t.metrics.DigestDue()
	}
	return moved, err
}

// countedAudits counts what is written of the audit.
type countedAudits struct {
	audit.Writer
	metrics *metrics.Metrics
}

// AddAudits is part of [audit.Writer].
func (c countedAudits) AddAudits(ctx context.Context, list []digest.Audit) error {
	err := c.Writer.AddAudits(ctx, list)
	if err == nil {
		c.metrics.AuditsWritten(len(list))
	}
	return err
}
