package monitor

import (
	"context"

	"github.com/missingkbs/missingkbs/bot"
	"github.com/missingkbs/missingkbs/bot/socketmode"
	"github.com/missingkbs/missingkbs/internal/metrics"
)

// AddSlack makes readiness depend on the connections to Slack.
func (m *Monitor) AddSlack(health *socketmode.Health) {
	m.Parts.Set(Slack, func(context.Context) (string, error) {
		if err := health.Ready(); err != nil {
			return err.Error(), nil
		}
		return "", nil
	})
}

// slackFigures reads the figures of the connections to Slack.
func slackFigures(health *socketmode.Health, counts *bot.Counts) metrics.Slack {
	c := counts.Stats()
	f := metrics.Slack{
		Reconnects:  map[string]int64{},
		AckFailures: c.Unacknowledged, Duplicates: c.Duplicates, Undecodable: c.Undecodable, Dropped: c.Dropped,
	}
	for _, reason := range texts(socketmode.Reasons()) {
		f.Reconnects[reason] = 0 // so that the series exists before the first
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

// loadFigures reads how many questions wait and run.
func loadFigures(counts *bot.Counts) metrics.Load {
	l := counts.Load()
	return metrics.Load{Waiting: l.Waiting, Capacity: l.Queue, Running: l.Running, Workers: l.Workers}
}
