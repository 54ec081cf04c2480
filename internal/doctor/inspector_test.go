package doctor

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/missingkbs/missingkbs/bot/blocks"
	"github.com/missingkbs/missingkbs/bot/slackapi"
	"github.com/missingkbs/missingkbs/internal/sandbox"
	"github.com/missingkbs/missingkbs/internal/sandbox/faults"
	"github.com/missingkbs/missingkbs/internal/view"
)

func inspected(t *testing.T, o sandbox.Options) (*sandbox.Workspace, slackapi.Config) {
	t.Helper()
	w, err := sandbox.Start(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.Close(); err != nil {
			t.Error(err)
		}
	})
	plain := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	return w, slackapi.Config{Tokens: slackapi.NewTokens(w.AppToken(), w.BotToken()), APIURL: w.APIURL(), HTTP: plain}
}

func TestInspectInstallation(t *testing.T) {
	t.Parallel()
	w, c := inspected(t, sandbox.Options{Scopes: []string{"users:read", "commands"}, BotApp: "A0ANOTHER"})
	i := newInspector(c)
	got, err := i.installation(t.Context())
	want := installation{
		Team: sandbox.TeamName, TeamID: sandbox.TeamID, User: sandbox.BotName, UserID: sandbox.BotUser, BotID: sandbox.BotID, URL: w.URL() + "/", Scopes: []string{"commands", "users:read"},
	}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("installation (-want +got), %v:\n%s", err, diff)
	}
	if app, err := i.appOfBot(t.Context(), got); app != "A0ANOTHER" || err != nil {
		t.Errorf("the bot is of app %q, %v", app, err)
	}
	if app := i.appOfToken(); app != sandbox.AppID {
		t.Errorf("the app-level token is of app %q", app)
	}
	for _, token := range []string{"", "xapp-1", "xapp-1-B0-2-3", "nonsense"} {
		if app := newInspector(slackapi.Config{Tokens: slackapi.NewTokens(token, "")}).appOfToken(); app != "" {
			t.Errorf("%q is of app %q", token, app)
		}
	}
}

// Trying to open a connection leaves none open, from which Slack would expect answers.
func TestInspectOpensNoConnection(t *testing.T) {
	t.Parallel()
	w, c := inspected(t, sandbox.Options{})
	if err := newInspector(c).requestSocket(t.Context()); err != nil || w.Connections() != 0 {
		t.Errorf("%v, %d connections", err, w.Connections())
	}
	w.RefuseToken(w.AppToken(), "token_revoked")
	if err := newInspector(c).requestSocket(t.Context()); err == nil || slackapi.Cure(err) == "" {
		t.Errorf("revoked: %v, cure %q", err, slackapi.Cure(err))
	}
}

func TestInspectChannel(t *testing.T) {
	t.Parallel()
	w, c := inspected(t, sandbox.Options{})
	w.Archive(sandbox.Patching)
	for id, want := range map[string]channelState{
		sandbox.General:       {Name: "general", Member: true},
		sandbox.Patching:      {Name: "patching", Member: true, Archived: true},
		sandbox.SharedChannel: {Name: "vendor-bridge", Member: true, Shared: true, Teams: []string{sandbox.ExternalTeamID}},
		sandbox.AliceDM:       {Direct: true},
	} {
		got, err := newInspector(c).channel(t.Context(), id, installation{TeamID: sandbox.TeamID})
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("%s (-want +got), %v:\n%s", id, err, diff)
		}
	}
	if _, err := newInspector(c).channel(t.Context(), "C0NOWHERE", installation{}); err == nil {
		t.Error("looked up a channel that is not there")
	}
}

func TestInspectGroups(t *testing.T) {
	t.Parallel()
	w, c := inspected(t, sandbox.Options{})
	w.SetGroup("S0PATCHERS", "patchers", sandbox.Alice)
	got, err := newInspector(c).unknownGroups(t.Context(), installation{}, []string{"S0NOTHERE", "S0PATCHERS"})
	if diff := cmp.Diff([]string{"S0NOTHERE"}, got); diff != "" || err != nil {
		t.Errorf("unknown groups (-want +got), %v:\n%s", err, diff)
	}
}

// In a whole organisation a user group of any workspace counts, and the bot belongs to the organisation.
func TestInspectOrganisation(t *testing.T) {
	t.Parallel()
	w, c := inspected(t, sandbox.Options{OrgWide: true})
	const second = "S0SECOND01"
	w.SetGroupOf(sandbox.SecondTeamID, second, "second")
	i := newInspector(c)
	me, err := i.installation(t.Context())
	if err != nil || !me.OrgWide || me.Team != sandbox.OrgName || me.Enterprise != sandbox.OrgID {
		t.Errorf("installation %+v, %v", me, err)
	}
	if got, err := i.unknownGroups(t.Context(), me, []string{second, sandbox.Patchers, "S0NOTHERE"}); err != nil || !slices.Equal(got, []string{"S0NOTHERE"}) {
		t.Errorf("unknown groups %v, %v", got, err)
	}
	if app, err := i.appOfBot(t.Context(), me); app != sandbox.AppID || err != nil {
		t.Errorf("the bot is of app %q, %v", app, err)
	}
}

func TestInspectManifest(t *testing.T) {
	t.Parallel()
	w, c := inspected(t, sandbox.Options{Command: "/missingkbs"})
	m, err := newInspector(c).manifest(t.Context(), w.ConfigToken(), sandbox.AppID)
	if err != nil || len(m.Features.SlashCommands) != 1 || !m.Settings.SocketModeEnabled {
		t.Errorf("got %+v, %v", m, err)
	}
	if _, err := newInspector(c).manifest(t.Context(), w.BotToken(), sandbox.AppID); err == nil || strings.Contains(err.Error(), w.BotToken()) {
		t.Errorf("with the bot token: %v", err)
	}
	w, c = inspected(t, sandbox.Options{Manifest: json.RawMessage(`{"settings":[]}`)})
	if _, err := newInspector(c).manifest(t.Context(), w.ConfigToken(), sandbox.AppID); err == nil {
		t.Error("read what is no manifest")
	}
}

func tablePage() view.Page {
	return view.Page{
		Title: "A table", Parts: []view.Part{view.Table{
			Caption: "Rows", Columns: []view.Column{{Key: "kb", Title: "KB"}, {Key: "n", Title: "Devices", Kind: view.Number}},
			Rows: [][]view.Cell{{view.TextCell("KB1"), view.NumberCell(2)}},
		}},
	}
}

func TestInspectBlocks(t *testing.T) {
	t.Parallel()
	w, c := inspected(t, sandbox.Options{})
	check := func(f blocks.Form, want ...blocks.Feature) {
		t.Helper()
		got, err := newInspector(c).validateBlocks(t.Context(), tablePage(), f)
		if diff := cmp.Diff(want, got.Unsupported); diff != "" || err != nil || len(got.Faults) > 0 || len(got.Words) != len(want) {
			t.Errorf("%+v: %+v, %v; unsupported (-want +got):\n%s", f, got, err, diff)
		}
	}
	plain := blocks.Form{Tables: blocks.PlainTables}
	check(blocks.Form{})
	check(plain)
	check(blocks.Classic())
	w.SetFaults(faults.Switches{RefuseNewBlocks: true})
	check(blocks.Form{}, blocks.DataTable)
	check(plain)
	check(blocks.Classic())
	w.SetFaults(faults.Switches{Refused: faults.RefusedBlocks{Table: true}})
	check(blocks.Form{})
	check(plain, blocks.Table)
	w.SetJudge(func(string, json.RawMessage) []sandbox.BlockError {
		return []sandbox.BlockError{{Pointer: "/blocks/1/rows/1/1", Message: "missing required field: text"}}
	})
	if got, err := newInspector(c).validateBlocks(t.Context(), tablePage(), blocks.Form{}); err != nil || len(got.Faults) != 1 || !strings.Contains(got.Faults[0], "missing required field: text") {
		t.Errorf("our fault: %+v, %v", got, err)
	}
}

func TestInspectBlocksOfOtherAnswers(t *testing.T) {
	t.Parallel()
	for answer, want := range map[string]string{
		`{"ok":false,"error":"unknown_method"}`:                      errNoValidator.Error(),
		`{"ok":false,"error":"ratelimited"}`:                         "ratelimited",
		`{"ok":false,"error":"invalid_blocks","errors":["a","b"]}`:   "a|b",
		`{"ok":false,"error":"invalid_blocks","errors":[{"x":1},7]}`: "invalid_blocks",
		`{"ok":false,"error":"invalid_blocks"}`:                      "invalid_blocks",
		`<html>`:                                                     "read the answer of blocks.validate (HTTP status 200): no JSON",
	} {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("Authorization") != "" || r.PostFormValue("token") != "" {
				t.Error("a token was sent")
			}
			_, _ = w.Write([]byte(answer))
		}))
		t.Cleanup(s.Close)
		got, err := newInspector(slackapi.Config{Tokens: slackapi.NewTokens("xapp-1", "xoxb-1"), APIURL: s.URL + "/api/", HTTP: s.Client()}).validateBlocks(t.Context(), tablePage(), blocks.Form{})
		text := strings.Join(got.Words, "|")
		if err != nil {
			text = err.Error()
		}
		if text != want {
			t.Errorf("%s: got %q, want %q", answer, text, want)
		}
	}
}
