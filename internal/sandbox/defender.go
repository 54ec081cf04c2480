package sandbox

import (
	"encoding/json"

	"github.com/missingkbs/missingkbs/api/apitest"
	"github.com/missingkbs/missingkbs/internal/sandbox/trace"
)

// traceDefender puts the tenant's calls into the trace.
func (w *Workspace) traceDefender() {
	t := w.opts.Defender
	if t == nil {
		return
	}
	t.OnCall(func(c apitest.Call) {
		if w.ctx.Err() != nil {
			return // the tenant outlives the workspace
		}
		body := object{"query": c.Query, "status": c.Status, "request_id": c.RequestID}
		if c.Fault != "" {
			body["fault"] = c.Fault
		}
		if json.Valid(c.Body) && len(c.Body) < trace.MaxBody/2 {
			body["response"] = json.RawMessage(c.Body)
		} else {
			body["response_bytes"] = len(c.Body)
		}
		w.trace.Add(trace.Defender, c.Method+" "+c.Path, c.Duration, body)
	})
}
