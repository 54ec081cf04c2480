package metrics

import "time"

// Call is one HTTP call to Defender; each retry is another one.
type Call struct {
	Call string // name of the endpoint, such as "getmissingkbs"; never an address with ids
	Code string // HTTP status, or a word if there was no response
	Took time.Duration
}

func (m *Metrics) defenderMetrics() {
	m.calls = m.counter("defender_calls_total", "HTTP calls to Defender, including retries, by call and by status (a word if there was no response).", "call", "code")
	m.callTimes = m.histogram("defender_call_duration_seconds", "Duration of HTTP calls to Defender; each retry counts separately.",
		[]float64{.05, .1, .25, .5, 1, 2.5, 5, 10, 30}, "call")
	m.signIns = m.counter("defender_sign_ins_total", "Requests for an access token for Defender, by outcome.", "outcome")
	for _, outcome := range []string{"accepted", "refused", "unreachable"} {
		m.signIns.WithLabelValues(outcome)
	}
}

// Call counts a call to Defender.
func (m *Metrics) Call(c Call) {
	call := m.bound.of("call", c.Call)
	m.calls.WithLabelValues(call, m.bound.of("code", c.Code)).Inc()
	m.callTimes.WithLabelValues(call).Observe(c.Took.Seconds())
}

// SignIn counts an attempt to get a token: "accepted", "refused" or "unreachable".
func (m *Metrics) SignIn(outcome string) {
	m.signIns.WithLabelValues(m.bound.of("sign_in", outcome)).Inc()
}
