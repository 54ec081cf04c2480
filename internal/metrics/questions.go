package metrics

import "time"

// Question is what became of one question.
type Question struct {
	Entry   string // the way it came, such as "typed"
	Command string // that took it; empty when none did
	Outcome string // such as "answered"
	Reason  string // why it failed or was refused, in one of few words; empty for none

	Queued  time.Duration // until somebody worked on it
	Working time.Duration // until there was an answer
	Reply   time.Duration // until the answer was handed over
}

func (m *Metrics) questionMetrics() {
	m.questions = m.counter("questions_total", "Questions that are over, by what became of them.", "entry", "command", "outcome", "reason")
	// Slack waits three seconds for an acknowledgement; an answer travels in it within one and a half.
	m.stages = m.histogram("question_duration_seconds",
		"How long questions took: queued until somebody worked on them, working until there was an answer, reply until it was handed to Slack.",
		[]float64{.001, .005, .025, .1, .25, .5, 1, 1.5, 3, 5, 10, 30}, "stage")
	for _, stage := range []string{"queued", "working", "reply"} {
		m.stages.WithLabelValues(stage)
	}
}

// Question counts a question that is over.
func (m *Metrics) Question(q Question) {
	m.questions.WithLabelValues(
		m.bound.of("entry", q.Entry), m.bound.of("command", q.Command), m.bound.of("outcome", q.Outcome), m.bound.of("reason", q.Reason),
	).Inc()
	m.stages.WithLabelValues("queued").Observe(q.Queued.Seconds())
	m.stages.WithLabelValues("working").Observe(q.Working.Seconds())
	m.stages.WithLabelValues("reply").Observe(q.Reply.Seconds())
}
