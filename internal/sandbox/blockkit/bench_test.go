package blockkit

import (
	"encoding/json"
	"testing"
)

// BenchmarkCheck checks the largest table that Slack takes.
func BenchmarkCheck(b *testing.B) {
	raw, err := json.Marshal(l{dataTable(rows(maxDataTableRows, maxColumns), nil)})
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		Check(Message, raw)
	}
}

func BenchmarkCheckSmall(b *testing.B) {
	raw := json.RawMessage(`[{"type":"section","text":{"type":"mrkdwn","text":"hello"}}]`)
	for b.Loop() {
		Check(Message, raw)
	}
}
