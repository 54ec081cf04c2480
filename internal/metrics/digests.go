package metrics

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Digest describes one attempt at a due digest.
type Digest struct {
	Outcome string        // "sent", "silent", "failed", …
	Lag     time.Duration // since its due time
	Late    bool          // so late that the digest says so
	Over    bool          // no further attempt follows
}

func (m *Metrics) digestMetrics() {
	m.due = prometheus.NewCounter(prometheus.CounterOpts{Namespace: namespace, Name: "digests_due_total", Help: "Digests that became due; each is counted by only one of the replicas."})
	m.digests = m.counter("digests_total", "Attempts to post digests, by outcome: failed attempts are retried, given-up ones are not; completed and incomplete refer to threads that were posted late or not at all.", "outcome")
	m.late = prometheus.NewCounter(prometheus.CounterOpts{Namespace: namespace, Name: "digests_late_total", Help: "Digests posted so late that they say so."})
	m.lag = prometheus.NewHistogram(prometheus.HistogramOpts{
		Namespace: namespace, Name: "digest_lag_seconds", Help: "Time from when a digest was due until it was finished.",
		Buckets: []float64{1, 5, 15, 60, 300, 900, 3600, 4 * 3600, 24 * 3600},
	})
	m.looked = prometheus.NewGauge(prometheus.GaugeOpts{
		Namespace: namespace, Name: "digests_last_look_timestamp_seconds", Help: "When this process last looked for due digests successfully, in Unix time.",
	})
	m.registry.MustRegister(m.due, m.late, m.lag, m.looked)
	for _, outcome := range []string{"sent", "silent", "failed", "refused", "paused", "completed", "incomplete", givenUp} {
		m.digests.WithLabelValues(outcome)
	}
}

// DigestDue counts a digest that became due.
func (m *Metrics) DigestDue() { m.due.Inc() }

// DigestsLooked records a successful check for due digests.
func (m *Metrics) DigestsLooked(at time.Time) { m.looked.Set(float64(at.UnixMilli()) / 1000) }

// givenUp is the outcome of a digest whose attempts are used up.
const givenUp = "given_up"

// DigestGivenUp counts a digest whose attempts are used up.
func (m *Metrics) DigestGivenUp() { m.digests.WithLabelValues(givenUp).Inc() }

// Digest counts an attempt at a digest.
func (m *Metrics) Digest(d Digest) {
	m.digests.WithLabelValues(m.bound.of("digest", d.Outcome)).Inc()
	if !d.Over {
		return
	}
	m.lag.Observe(max(d.Lag, 0).Seconds())
	if d.Late {
		m.late.Inc()
	}
}
