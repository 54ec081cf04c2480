package faults

import (
	"net/http"
	"time"

	"github.com/missingkbs/missingkbs/api/apitest"
)

// defenderFault is a switch of the tenant. Function on switches it on and returns
// how to switch it off.
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

// rotateSecret makes the app's secret wrong and revokes its tokens: otherwise the app
// would notice only after an hour.
func rotateSecret(t *apitest.Tenant) func() {
	t.SetSecret("rotated-meanwhile")
	t.RevokeTokens()
	return func() { t.SetSecret(apitest.ClientSecret) }
}
