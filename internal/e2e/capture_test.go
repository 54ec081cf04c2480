package e2e

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/missingkbs/missingkbs/api/apitest"
	"github.com/missingkbs/missingkbs/internal/demo"
	"github.com/missingkbs/missingkbs/internal/sandbox"
	"github.com/missingkbs/missingkbs/internal/sandbox/faults"
	"github.com/missingkbs/missingkbs/internal/sandbox/trace"
)

// capture is where TestCapture leaves what it saw, for .ci/slacktypes.
var capture = flag.String("capture", "", "write all that the bot says to Slack into this folder")

// TestCapture has people use everything that the bot has, and keeps what it sends: messages, views and
// acknowledgements, on every way there is. It runs once for each way in which tables and charts are drawn.
func TestCapture(t *testing.T) {
	t.Parallel()
	for name, of := range map[string]struct {
		faults faults.Switches
		shown  string // what tables and charts become
	}{
		"newest":   {faults.Switches{}, "action_cell data_table data_visualization"},
		"links":    {faults.Switches{Refused: faults.RefusedBlocks{ActionCell: true}}, "data_table data_visualization"},
		"tables":   {faults.Switches{Refused: faults.RefusedBlocks{DataTable: true, DataVisualization: true}}, "table"},
		"sections": {faults.Switches{RefuseNewBlocks: true, Refused: faults.RefusedBlocks{Table: true}}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := newClockwork(t)
			m.slack.SetFaults(of.faults)
			m.useEverything(t)
			if shown := m.shown(); shown != of.shown {
				t.Errorf("people see %q, want %q", shown, of.shown)
			}
			sent := m.sent(t)
			ways := map[string]int{}
			for _, one := range sent {
				ways[one.way]++
			}
			for _, way := range []string{"acknowledgement", "response_url", "chat.postMessage", "views.publish", "views.open"} {
				if ways[way] == 0 {
					t.Errorf("nothing was sent by %s: %v", way, ways)
				}
			}
			if *capture != "" {
				writeFiles(t, *capture, name, sent)
			}
		})
	}
}

// form types what opens a form in place of an answer, and closes the form.
func (m *clockwork) form(t *testing.T, channel, line string) {
	t.Helper()
	open := func() int { return len(m.slack.Views(sandbox.Alice)) }
	before := open()
	if d, err := m.slack.Command(patiently(t), sandbox.Alice, channel, line); err != nil || !d.Acked {
		t.Fatalf("delivery %+v, %v", d, err)
	}
	if err := m.slack.Wait(patiently(t), func() bool { return open() > before }); err != nil {
		t.Fatalf("%q: no form is open: %v", line, err)
	}
	var form struct{ ID string }
	if err := json.Unmarshal(m.slack.Views(sandbox.Alice)[before], &form); err != nil {
		t.Fatal(err)
	}
	if _, err := m.slack.CloseView(patiently(t), sandbox.Alice, form.ID); err != nil {
		t.Fatal(err)
	}
}

// useEverything is a morning of Alice's and Bob's.
func (m *clockwork) useEverything(t *testing.T) {
	t.Helper()
	m.software(manyKBs(60)...)
	for _, words := range []string{
		"help", "help digest", "nonsense words", "search edge", suite, suite + " --page 2 --sort kb", "microsoft-_-edge --min-devices 1000000",
		"--wrong", "microsoft-_-nothing", "digest", "digest list", "digest show 4711", "digest preview " + suite, "admin", "admin list",
	} {
		m.tell(t, sandbox.General, words)
	}

	m.form(t, sandbox.General, "/missingkbs")

	page := m.tell(t, sandbox.General, "microsoft-_-edge")
	m.click(t, sandbox.Alice, page, "Refresh")
	m.click(t, sandbox.Alice, page, "Share")
	m.answer(t, sandbox.General, func(a sandbox.Message) bool { return a.Kind == sandbox.KindApp && a.EphemeralFor == "" })
	m.useHome(t)
	m.useDigests(t)
	m.defender.Inject(apitest.Fault{Status: 403, Code: "Forbidden", Message: "Missing application roles. API required roles: Software.Read.All, application roles: ."})
	m.tell(t, sandbox.General, "microsoft-_-windows_11")
}

// useHome goes through the Home tab and the shortcut.
func (m *clockwork) useHome(t *testing.T) {
	t.Helper()
	if d, err := m.slack.OpenHome(patiently(t), sandbox.Alice); err != nil || !d.Acked {
		t.Fatalf("delivery %+v, %v", d, err)
	}
	id, _ := m.home(t, "Find software")
	choose := sandbox.Target{ViewID: id, ActionID: "choose:1"}
	if d, err := m.slack.Suggest(patiently(t), sandbox.Alice, choose, "edg"); err != nil || d.Err != "" {
		t.Fatalf("delivery %+v, %v", d, err)
	}
	m.act(t, sandbox.Alice, choose, sandbox.Input{Fields: map[string]any{"selected_option": map[string]any{"value": suite}}})
	m.home(t, "Missing updates: "+called(suite))
	if d, err := m.slack.Shortcut(patiently(t), sandbox.Alice, demo.Shortcut().CallbackID); err != nil || !d.Acked {
		t.Fatalf("delivery %+v, %v", d, err)
	}
	if err := m.slack.Wait(patiently(t), func() bool { return len(m.slack.Views(sandbox.Alice)) == 1 }); err != nil {
		t.Fatalf("no modal: %v", err)
	}
	var modal struct{ ID string }
	if err := json.Unmarshal(m.slack.Views(sandbox.Alice)[0], &modal); err != nil {
		t.Fatal(err)
	}
	chosen := map[string]any{"words": map[string]any{"pick:1": map[string]any{"type": "external_select", "selected_option": map[string]any{"value": suite}}}}
	if d, err := m.slack.SubmitView(patiently(t), sandbox.Alice, modal.ID, chosen); err != nil || d.Err != "" {
		t.Fatalf("delivery %+v, %v", d, err)
	}
	m.answer(t, sandbox.AliceDM, func(a sandbox.Message) bool { return a.Kind == sandbox.KindApp })
}

// useDigests makes a digest, lets it come twice, and takes it away.
func (m *clockwork) useDigests(t *testing.T) {
	t.Helper()
	id := m.add(t, sandbox.Patching, suite+" --at mon 09:00 --quiet always")
	for week, day := range []string{"2026-11-30", "2026-12-07"} {
		m.to(t, day+" 09:05")
		head := m.next(t, sandbox.Patching, week)
		if len(head.Metadata) == 0 {
			t.Errorf("the digest of %s has no metadata", day)
		}
		m.records.settle(t, week+1)
		m.software(manyKBs(40)...)
	}
	m.form(t, sandbox.Patching, "/missingkbs digest edit "+id)
	m.tell(t, sandbox.Patching, "digest edit "+id+" --min-devices 1")
	for _, words := range []string{"digest show ", "digest details ", "digest pause ", "digest resume ", "digest remove "} {
		m.tell(t, sandbox.Patching, words+id)
	}
	m.tell(t, sandbox.Patching, "digest remove "+id+" --yes")
}

// shown lists the newer blocks that Alice sees.
func (m *clockwork) shown() string {
	var all []byte
	for _, channel := range []string{sandbox.General, sandbox.Patching, sandbox.AliceDM} {
		for _, a := range m.slack.Messages(channel, sandbox.Alice) {
			all = append(all, a.Blocks...)
		}
	}
	var seen []string
	for _, kind := range []string{"action_cell", "data_table", "data_visualization", "table"} {
		if bytes.Contains(all, []byte(`"type":"`+kind+`"`)) {
			seen = append(seen, kind)
		}
	}
	return strings.Join(seen, " ")
}

// manyKBs are more updates than a page holds.
func manyKBs(n int) []apitest.KB {
	var all []apitest.KB
	for i := range n {
		all = append(all, apitest.KB{ID: strconv.Itoa(5000001 + i), Name: strings.Repeat("Cumulative <update> & co ", 12), MachineMissedOn: 1 + 13*i, CVEAddressed: i % 7})
	}
	return all
}

// said is something that the bot sent.
type said struct {
	way  string
	body json.RawMessage
}

// sent reads from the workspace's trace what the bot has sent, as far as Slack draws it.
func (m *clockwork) sent(t *testing.T) []said {
	t.Helper()
	entries := m.slack.Trace()
	if entries[0].Seq != 1 {
		t.Fatalf("the trace begins with entry %d: what came before is lost", entries[0].Seq)
	}
	var all []said
	for _, e := range entries {
		var body struct {
			Shortened *string
			Request   json.RawMessage
			Payload   json.RawMessage
		}
		if err := json.Unmarshal(e.Body, &body); err != nil && len(e.Body) > 0 {
			continue // a frame that is no object
		}
		one := said{way: e.Name}
		switch e.Kind {
		case trace.SocketIn:
			one.body = body.Payload
		case trace.ResponseURL:
			one.way, one.body = sandbox.WayHook, body.Request
		case trace.WebAPI:
			one.body = drawn(t, e.Name, body.Request)
		default:
			continue
		}
		if body.Shortened != nil {
			t.Errorf("%s is too long for the trace", e.Name)
		}
		if len(one.body) > 0 && !slices.Contains([]string{"null", "{}"}, string(one.body)) {
			all = append(all, one)
		}
	}
	return all
}

// drawn is what of the arguments of a call is a message or view; nothing for calls that show nothing.
func drawn(t *testing.T, method string, request json.RawMessage) json.RawMessage {
	t.Helper()
	var args map[string]json.RawMessage
	if err := json.Unmarshal(request, &args); err != nil && len(request) > 0 {
		t.Fatalf("%s: %v", method, err)
	}
	switch {
	case strings.HasPrefix(method, "views."):
		return args["view"]
	case slices.Contains([]string{"chat.postMessage", "chat.postEphemeral", "chat.update"}, method):
		message := map[string]json.RawMessage{}
		for _, field := range []string{"text", "blocks", "attachments", "metadata", "thread_ts"} {
			if args[field] != nil {
				message[field] = args[field]
			}
		}
		raw, err := json.Marshal(message)
		if err != nil {
			t.Fatal(err)
		}
		return raw
	}
	return nil
}

// writeFiles writes each thing that was sent into a file of its own, and the same thing once.
func writeFiles(t *testing.T, folder, name string, all []said) {
	t.Helper()
	if err := os.MkdirAll(folder, 0o750); err != nil {
		t.Fatal(err)
	}
	known := map[string]bool{}
	for i, one := range all {
		var b bytes.Buffer
		if err := json.Indent(&b, one.body, "", "  "); err != nil {
			t.Fatal(err)
		}
		if known[b.String()] {
			continue
		}
		known[b.String()] = true
		if err := os.WriteFile(filepath.Join(folder, fmt.Sprintf("%s-%03d-%s.json", name, i, one.way)), b.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}
