package metrics

import "time"

// Question describes one finished question.
type Question struct {
	Entry   string // how it arrived, such as "typed"
	Command string // name of the command; "" for none
	Outcome string // such as "answered"
	Reason  string // why it failed or was refused, from a fixed set; "" for none

	Typing bool // not a question yet: a user types into a select
	Unseen bool // refused because Slack did not say who asks

	Queued  time.Duration // until a worker started
	Working time.Duration // until there was an answer; zero if no worker started
	Reply   time.Duration // until the answer was sent
}

// The outcomes that count as failures.
const (
	questionFailed = "failed"
	questionLost   = "lost"
)

func (m *Metrics) questionMetrics() {
	m.questions = m.counter("questions_total", "Finished questions.", "entry", "command", "outcome", "reason")
	// Alerts use these two, see Expect: the many series of the metric above only begin with their first question.
	m.outcomes = m.counter("question_outcomes_total", "Finished questions by outcome only; series for all outcomes exist from the start.", "outcome")
	m.failures = m.counter("question_failures_total", "Questions that failed or whose answer was lost, by reason only; series for all reasons exist from the start.", "reason")
	m.unseen = m.counter("question_unseen_total", "Questions refused because Slack did not identify the person, by reason; series for all reasons exist from the start.", "reason")
	// Slack waits three seconds for an acknowledgement; an answer travels in it within one and a half.
	m.stages = m.histogram("question_duration_seconds",
		"Duration of questions by stage: queued until a worker started, working until there was an answer, reply until it was delivered to Slack.",
		[]float64{.001, .005, .025, .1, .25, .5, 1, 1.5, 3, 5, 10, 30}, "stage")
	for _, stage := range []string{"queued", "working", "reply"} {
		m.stages.WithLabelValues(stage)
	}
}

// Expect creates the series of outcomes and failures before the first question. Prometheus cannot tell a series that
// appears from one that has always had its value, so a first failure would raise no alert.
func (m *Metrics) Expect(outcomes, reasons, unseen []string) {
	for _, outcome := range outcomes {
		m.outcomes.WithLabelValues(m.bound.of("outcome", outcome))
	}
	for _, reason := range unseen {
		m.unseen.WithLabelValues(m.bound.of("reason", reason))
	}
	for _, reason := range append([]string{questionLost}, reasons...) {
		m.failures.WithLabelValues(m.bound.of("reason", reason))
	}
}

// Question counts a finished question.
func (m *Metrics) Question(q Question) {
	m.questions.WithLabelValues(
		m.bound.of("entry", q.Entry), m.bound.of("command", q.Command), m.bound.of("outcome", q.Outcome), m.bound.of("reason", q.Reason),
	).Inc()
	if q.Unseen {
		m.unseen.WithLabelValues(m.bound.of("reason", q.Reason)).Inc()
	}
	if q.Typing { // a call for each letter would hide the other questions
		return
	}
	m.outcomes.WithLabelValues(m.bound.of("outcome", q.Outcome)).Inc()
	switch q.Outcome {
	case questionFailed:
		m.failures.WithLabelValues(m.bound.of("reason", q.Reason)).Inc()
	case questionLost:
		m.failures.WithLabelValues(m.bound.of("reason", questionLost)).Inc()
	}
	m.stages.WithLabelValues("queued").Observe(q.Queued.Seconds())
	if q.Working > 0 {
		m.stages.WithLabelValues("working").Observe(q.Working.Seconds())
	}
	m.stages.WithLabelValues("reply").Observe(q.Reply.Seconds())
}
