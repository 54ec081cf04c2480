package sandbox

import (
	"encoding/json"
	"net/http"
	"time"

	"github.com/missingkbs/missingkbs/api/apitest"
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
		if json.Valid(c.Body) && len(c.Body) < traceBody/2 {
			body["response"] = json.RawMessage(c.Body)
		} else {
			body["response_bytes"] = len(c.Body)
		}
		w.trace.add(TraceDefender, c.Method+" "+c.Path, c.Duration, body)
	})
}

// defenderFault is a switch of the tenant: on makes it so, the result undoes it.
type defenderFault struct {
	name, label, help string
	on                func(*apitest.Tenant) (undo func())
}

func defenderFaults() []defenderFault {
	return []defenderFault{
		{"defender_slow", "Slow", "every call takes 4 seconds", injected(apitest.Slow(4 * time.Second))},
		{"defender_throttled", "Throttled", "429: over the quota", injected(apitest.Throttled(10 * time.Second))},
		{"defender_failing", "Failing", "503: service unavailable", injected(apitest.Failing())},
		{"defender_forbidden", "Without permission", "403: an application role is missing", injected(withoutRole())},
		{"defender_bad_secret", "Wrong secret", "Entra refuses the app's secret", rotateSecret},
		{"defender_lying", "Lying", "200 with a web page, as a proxy on the way does", injected(apitest.Lying())},
		{"defender_cut", "Cut short", "answers break off", injected(apitest.CutShort())},
	}
}

func injected(f apitest.Fault) func(*apitest.Tenant) func() {
	return func(t *apitest.Tenant) func() { return t.Inject(f) }
}

func withoutRole() apitest.Fault {
	return apitest.Fault{
		Name: "without permission", Status: http.StatusForbidden, Code: "Forbidden",
		Message: "Missing application roles. API required roles: Software.Read.All, application roles: .",
	}
}

// rotateSecret makes the app's secret a wrong one, and its tokens too: else the app
// would notice an hour later.
func rotateSecret(t *apitest.Tenant) func() {
	t.SetSecret("rotated-meanwhile")
	t.RevokeTokens()
	return func() { t.SetSecret(apitest.ClientSecret) }
}
