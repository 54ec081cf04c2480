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
	m.throttled = m.counter("defender_throttled_total", "Calls held back or refused for the quota: by Defender (429), or by our own limit before they were made.", "by")
	m.answers = m.counter("answers_total", "Answers about Defender's data by where they came from: a call, the cache, a call that somebody else made, or stored data beyond its time.", "from")
	m.signIns = m.counter("defender_sign_ins_total", "Times a token for Defender was asked for, by outcome.", "outcome")
	for _, by := range []string{"defender", "own_limit"} {
		m.throttled.WithLabelValues(by)
	}
	for _, from := range []string{"defender", "cache", "joined", "stale"} {
		m.answers.WithLabelValues(from)
	}
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

// Throttled counts a call that the quota held back: "defender" or "own_limit" did.
func (m *Metrics) Throttled(by string) { m.throttled.WithLabelValues(m.bound.of("by", by)).Inc() }

// Answer counts an answer by where it came from: "defender", "cache", "joined" or "stale".
func (m *Metrics) Answer(from string) { m.answers.WithLabelValues(m.bound.of("from", from)).Inc() }

// SignIn counts an attempt to get a token: "accepted", "refused" or "unreachable".
func (m *Metrics) SignIn(outcome string) {
	m.signIns.WithLabelValues(m.bound.of("sign_in", outcome)).Inc()
}
