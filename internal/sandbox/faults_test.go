package sandbox

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/missingkbs/missingkbs/api/apitest"
)

func TestUIFaultsAndClockDriveDefender(t *testing.T) {
	t.Parallel()
	server, err := apitest.Start(apitest.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Close)
	w := workspace(t, Options{Defender: server.Tenant})
	before := server.Now()
	send(t, w, "/ui/clock", object{"advance": "168h"})
	if got := server.Now().Sub(before); got != 7*24*time.Hour || !w.Now().Equal(server.Now()) {
		t.Errorf("the tenant's clock moved by %v, want a week; the workspace says %v", got, w.Now())
	}
	ask := func() int {
		t.Helper()
		req, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL+"/api/Software/microsoft-_-edge/getmissingkbs", nil)
		req.Header.Set("Authorization", "Bearer "+server.Token())
		resp, err := server.Client().Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		return resp.StatusCode
	}
	if got := ask(); got != http.StatusOK {
		t.Fatalf("in good health: %d", got)
	}
	traced(t, w, TraceDefender, "KB4540673"[2:])
	for name, want := range map[string]int{
		"defender_failing": http.StatusServiceUnavailable, "defender_throttled": http.StatusTooManyRequests, "defender_forbidden": http.StatusForbidden,
	} {
		if _, body := send(t, w, "/ui/faults", object{name: true}); !strings.Contains(string(body), `"`+name+`":true`) {
			t.Errorf("switch on: %s", body)
		}
		if got := ask(); got != want {
			t.Errorf("%s: %d, want %d", name, got, want)
		}
		send(t, w, "/ui/faults", object{name: false})
		if got := ask(); got != http.StatusOK {
			t.Errorf("%s switched off: %d", name, got)
		}
	}
	for _, f := range stateOf(t, w).FaultList {
		if f.Kind != "bool" {
			continue
		}
		for _, on := range []bool{true, true, false, false} { // twice is as good as once
			if err := w.SetFault(f.Name, on); err != nil {
				t.Errorf("%s: %v", f.Name, err)
			}
			if got := stateOf(t, w).Faults[f.Name]; got != on {
				t.Errorf("%s = %v, want %v", f.Name, got, on)
			}
		}
	}
}

func TestSlackFaultsFromThePage(t *testing.T) {
	t.Parallel()
	w := workspace(t, Options{})
	a := greeted(t, w)
	send(t, w, "/ui/faults", object{"slack_latency_ms": 5, "slack_web_api_error": "fatal_error"})
	if got, want := w.Faults(), (Faults{Latency: 5 * time.Millisecond, WebAPIError: "fatal_error"}); got != want {
		t.Errorf("faults = %+v, want %+v", got, want)
	}
	send(t, w, "/ui/faults", object{"slack_disconnect": true})
	if r := a.read(); r.Reason != "refresh_requested" {
		t.Errorf("got %+v, want a refresh", r)
	}
}
