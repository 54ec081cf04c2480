package metrics

func (m *Metrics) auditMetrics() {
	m.audits = m.counter("audits_total", "Audit entries, by whether they could be written.", "outcome")
	for _, outcome := range []string{written, lost} {
		m.audits.WithLabelValues(outcome)
	}
}

const (
	written = "written"
	lost    = "lost"
)

// AuditsWritten counts audit entries that were written.
func (m *Metrics) AuditsWritten(n int) { m.audits.WithLabelValues(written).Add(float64(n)) }

// AuditsLost counts audit entries that could not be written.
func (m *Metrics) AuditsLost(n int) { m.audits.WithLabelValues(lost).Add(float64(n)) }
