package metrics

// BlocksRefused describes a message whose blocks Slack refused.
type BlocksRefused struct {
	Cause string // unsupported, content or unknown
	Type  string // the newer block that was replaced by a simpler one; may be empty
}

func (m *Metrics) blockMetrics() {
	m.blocks = m.counter("slack_blocks_refused_total", "Messages that Slack rejected because of their blocks, by cause and by the type of block that was then sent in a simpler form.", "cause", "type")
	for _, cause := range []string{"unsupported", "content", "unknown"} {
		for _, kind := range []string{"", "action_cell", "data_table", "table", "data_visualization"} {
			m.blocks.WithLabelValues(m.bound.of("cause", cause), m.bound.of("type", kind))
		}
	}
}

// BlocksRefused counts a message that Slack refused.
func (m *Metrics) BlocksRefused(r BlocksRefused) {
	m.blocks.WithLabelValues(m.bound.of("cause", r.Cause), m.bound.of("type", r.Type)).Inc()
}
