package sandbox

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/missingkbs/missingkbs/api/apitest"
	"github.com/missingkbs/missingkbs/internal/sandbox/faults"
	"github.com/missingkbs/missingkbs/internal/sandbox/trace"
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
	traced(t, w, trace.Defender, "KB4540673"[2:])
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

// Each newer block can be refused alone, wherever blocks are taken, with Slack's words and the place.
func TestBlocksAreRefusedOneByOne(t *testing.T) {
	t.Parallel()
	const (
		button = `{"type":"action_cell","element":{"type":"button","action_id":"a","text":{"type":"plain_text","text":"x"}}}`
		data   = `{"type":"data_table","caption":"c","rows":[[{"type":"raw_text","text":"KB"}],[` + button + `]]}`
		plain  = `{"type":"table","rows":[[{"type":"raw_text","text":"KB"}]]}`
		chart  = `{"type":"data_visualization","title":"t","chart":{"type":"pie","segments":[{"label":"a","value":1}]}}`
	)
	all := `[{"type":"divider"},` + data + `,` + plain + `,` + chart + `]`
	home := `{"type":"home","blocks":[{"type":"divider"},` + data + `,` + plain + `]}`
	for name, c := range map[string]struct{ message, home string }{
		"action_cell":        {"unsupported type: action_cell [json-pointer:/blocks/1/rows/1/0/type]", "unsupported type: action_cell [json-pointer:/view/blocks/1/rows/1/0/type]"},
		"data_table":         {"unsupported type: data_table [json-pointer:/blocks/1/type]", "unsupported type: data_table [json-pointer:/view/blocks/1/type]"},
		"table":              {"unsupported type: table [json-pointer:/blocks/2/type]", "unsupported type: table [json-pointer:/view/blocks/2/type]"},
		"data_visualization": {"unsupported type: data_visualization [json-pointer:/blocks/3/type]", ""},
		"mutely":             {},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := workspace(t, Options{})
			send(t, w, "/ui/faults", object{"slack_refuse_" + name: true})
			for method, args := range map[string]url.Values{
				"chat.postMessage": {"channel": {General}, "blocks": {all}},
				"blocks.validate":  {"blocks": {all}},
				"views.publish":    {"user_id": {Alice}, "view": {home}},
			} {
				want := c.message
				if method == "views.publish" {
					want = c.home
				}
				got := form(t, w, method, w.BotToken(), args)
				switch said := fmt.Sprint(got["errors"], got["response_metadata"]); {
				case want == "" && got["ok"] != true:
					t.Errorf("%s: %v, want ok", method, got)
				case method == "blocks.validate" && want != "":
					if got["error"] != "invalid_blocks" {
						t.Errorf("%s: %v, want a refusal", method, got)
					}
				case !strings.Contains(said, want):
					t.Errorf("%s: %v, want %s", method, got, want)
				}
			}
		})
	}
}

// Where Slack gives no reason there is the code alone, whatever is wrong.
func TestMuteRefusals(t *testing.T) {
	t.Parallel()
	w := workspace(t, Options{})
	w.SetFaults(faults.Switches{Refused: faults.RefusedBlocks{Table: true, Mutely: true}})
	for _, blocks := range []string{`[{"type":"table","rows":[[{"type":"raw_text","text":"KB"}]]}]`, `[{"type":"header"}]`} {
		got := form(t, w, "chat.postMessage", w.BotToken(), url.Values{"channel": {General}, "blocks": {blocks}})
		if diff := cmp.Diff(map[string]any{"ok": false, "error": "invalid_blocks"}, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", blocks, diff)
		}
	}
}

// A judge may refuse whatever a test needs refused.
func TestJudge(t *testing.T) {
	t.Parallel()
	w := workspace(t, Options{})
	w.SetJudge(func(surface string, blocks json.RawMessage) []BlockError {
		if surface == "message" && strings.Contains(string(blocks), "divider") {
			return []BlockError{{Pointer: "/blocks/0", Message: "must not divide"}}
		}
		return nil
	})
	divider := url.Values{"channel": {General}, "blocks": {`[{"type":"divider"}]`}}
	if got := form(t, w, "chat.postMessage", w.BotToken(), divider); !strings.Contains(fmt.Sprint(got["errors"]), "must not divide [json-pointer:/blocks/0]") {
		t.Errorf("got %v, want the judge's words", got)
	}
	w.SetJudge(nil)
	if got := form(t, w, "chat.postMessage", w.BotToken(), divider); got["ok"] != true {
		t.Errorf("without a judge: %v, want ok", got)
	}
}

func TestSlackFaultsFromThePage(t *testing.T) {
	t.Parallel()
	w := workspace(t, Options{})
	a := greeted(t, w)
	send(t, w, "/ui/faults", object{"slack_latency_ms": 5, "slack_web_api_error": "fatal_error"})
	if got, want := w.Faults(), (faults.Switches{Latency: 5 * time.Millisecond, WebAPIError: "fatal_error"}); got != want {
		t.Errorf("faults = %+v, want %+v", got, want)
	}
	send(t, w, "/ui/faults", object{"slack_disconnect": true})
	if r := a.read(); r.Reason != "refresh_requested" {
		t.Errorf("got %+v, want a refresh", r)
	}
}
