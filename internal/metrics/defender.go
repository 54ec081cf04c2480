package metrics

import "time"

// Call is one HTTP call of Defender; a retry is a call of its own.
type Call struct {
	Call string // which one, such as "getmissingkbs"; never an address with ids
	Code string // the HTTP status, or a word where there was no answer
	Took time.Duration
}

func (m *Metrics) defenderMetrics() {
	m.calls = m.counter("defender_calls_total", "HTTP calls of Defender, retries counted, by call and by status (a word where there was no answer).", "call", "code")
	m.callTimes = m.histogram("defender_call_duration_seconds", "How long HTTP calls of Defender took, each retry by itself.",
		[]float64{.05, .1, .25, .5, 1, 2.5, 5, 10, 30}, "call")
	m.signIns = m.counter("defender_sign_ins_total", "Times a token for Defender was asked for, by outcome.", "outcome")
	for _, outcome := range []string{"accepted", "refused", "unreachable"} {
		m.signIns.WithLabelValues(outcome)
	}
}

// Call counts a call of Defender.
func (m *Metrics) Call(c Call) {
	call := m.bound.of("call", c.Call)
	m.calls.WithLabelValues(call, m.bound.of("code", c.Code)).Inc()
	m.callTimes.WithLabelValues(call).Observe(c.Took.Seconds())
}

// SignIn counts an attempt to get a token: "accepted", "refused" or "unreachable".
func (m *Metrics) SignIn(outcome string) {
	m.signIns.WithLabelValues(m.bound.of("sign_in", outcome)).Inc()
}
