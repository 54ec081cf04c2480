package app

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/missingkbs/missingkbs/api"
	"github.com/missingkbs/missingkbs/api/apitest"
	"github.com/missingkbs/missingkbs/bot/access"
	"github.com/missingkbs/missingkbs/bot/blocks"
	"github.com/missingkbs/missingkbs/bot/slackapi"
	"github.com/missingkbs/missingkbs/commands"
	"github.com/missingkbs/missingkbs/commands/cmdline"
	"github.com/missingkbs/missingkbs/commands/riskcmd"
	"github.com/missingkbs/missingkbs/internal/audit"
	"github.com/missingkbs/missingkbs/internal/digest"
	"github.com/missingkbs/missingkbs/internal/digest/schedule"
	"github.com/missingkbs/missingkbs/internal/sandbox"
	"github.com/missingkbs/missingkbs/internal/sandbox/blockkit"
	"github.com/missingkbs/missingkbs/internal/store"
	"github.com/missingkbs/missingkbs/internal/ticket"
	"github.com/missingkbs/missingkbs/internal/view"
)

// household is all that serve answers with, between a Slack and a Defender of this machine: the router with every command,
// and the database. Its clock is that of the tenant.
type household struct {
	tenant   *apitest.Server
	slack    *sandbox.Workspace
	database *store.Store
	router   *commands.Router
	stop     func()
}

func newHousehold(t *testing.T) *household {
	t.Helper()
	tenant, err := apitest.Start(apitest.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(tenant.Close)
	slack, err := sandbox.Start(sandbox.Options{Command: "/missingkbs", Defender: tenant.Tenant})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = slack.Close() })
	database, err := store.Open(t.Context(), "sqlite://"+filepath.ToSlash(filepath.Join(t.TempDir(), "db")), store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = database.Close() })
	h := &household{tenant: tenant, slack: slack, database: database, stop: func() {}}
	t.Cleanup(func() { h.stop() })
	h.restart(t)
	return h
}

// restart makes everything anew but for the database, as a restart of the process does.
func (h *household) restart(t *testing.T) {
	t.Helper()
	h.stop()
	cred, _, err := api.NewCredential(api.CredentialOptions{
		TenantID: apitest.TenantID, ClientID: apitest.ClientID, ClientSecret: apitest.ClientSecret, Authority: h.tenant.URL, Transport: h.tenant.Client(),
	})
	if err != nil {
		t.Fatal(err)
	}
	client, err := api.NewClient(cred, &api.Options{
		Cloud: api.Cloud{Name: "test", Endpoint: h.tenant.URL, Scope: h.tenant.Scope(), Authority: h.tenant.URL}, Transport: h.tenant.Client(),
		Now: h.tenant.Now, PerMinute: -1, PerHour: -1,
	})
	if err != nil {
		t.Fatal(err)
	}
	a := New(Options{
		Slack:    slackapi.Config{Tokens: slackapi.NewTokens(h.slack.AppToken(), h.slack.BotToken()), APIURL: h.slack.APIURL()},
		Access:   access.Policy{AdminUsers: []string{sandbox.Alice}},
		Defender: client, Store: h.database, Now: h.tenant.Now, Log: slog.New(slog.DiscardHandler),
	})
	ctx, cancel := context.WithCancel(t.Context())
	slack, digests, questions := h.assemble(ctx, t, a)
	_ = slack
	h.router = questions.router
	h.stop = func() {
		cancel()
		digests.stop(context.Background())
		client.Close()
	}
}

// assemble joins the parts as [App.run] does, and starts the queue.
func (h *household) assemble(ctx context.Context, t *testing.T, a *App) (*slackSide, *digests, *questions) {
	t.Helper()
	if err := a.prepareDatabase(ctx); err != nil {
		t.Fatal(err)
	}
	slack, err := a.connectSlack(ctx)
	if err != nil {
		t.Fatal(err)
	}
	alerts := newAlerts(alertOptions{log: a.Log})
	digests, err := a.newDigests(slack.poster, alerts)
	if err != nil {
		t.Fatal(err)
	}
	questions, err := a.newQuestions(slack, digests, a.newAuditor(slack.workspace.TeamID, alerts), alerts, a.newFinding(newAuthState(a.Defender, a.Store, a.Log)))
	if err != nil {
		t.Fatal(err)
	}
	if err := digests.queue.Start(ctx); err != nil {
		t.Fatal(err)
	}
	return slack, digests, questions
}

// press answers the line of a button as an administrator's, in #general.
func (h *household) press(t *testing.T, line string) (view.Page, error) {
	t.Helper()
	req, err := commands.ParseOffered(line)
	if err != nil {
		return view.Page{}, err
	}
	req.User, req.Channel = sandbox.Alice, sandbox.General
	return h.router.Run(t.Context(), req)
}

// digest makes a digest of Windows 11 and posts it, so that there are pages about one.
func (h *household) digest(t *testing.T) {
	t.Helper()
	now := h.tenant.Now()
	err := h.database.AddSubscription(t.Context(), digest.Subscription{
		ID: "4711", Tenant: digest.DefaultTenant, Channel: sandbox.General, Owner: sandbox.Alice, Watch: []string{"microsoft-_-windows_11", "microsoft-_-edge"},
		Schedule: schedule.Schedule{Words: "mon 09:00", Zone: "UTC"}, Quiet: digest.Silent, Origin: digest.FromChat, Created: now, NextRun: now.AddDate(0, 0, 7),
	}, audit.Entry{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := h.press(t, "digest run 4711"); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if _, err := h.slack.WaitMessage(ctx, sandbox.General, sandbox.Alice, func(m sandbox.Message) bool { return len(m.Metadata) > 0 }); err != nil {
		t.Fatal("no digest was posted: ", err)
	}
}

// lines are the command lines that a page offers: of a table, those of its first rows and of the last.
func lines(p view.Page) []string {
	var all []string
	add := func(a *view.Action) {
		if a != nil && a.Command != "" {
			all = append(all, a.Command)
		}
	}
	for _, a := range p.Actions {
		add(&a)
	}
	for _, part := range p.Parts {
		t, ok := part.(view.Table)
		if !ok {
			continue
		}
		for _, a := range t.Sorts {
			add(&a)
		}
		if t.Command != "" {
			all = append(all, t.Command+" --page 1", t.Command+" --page 2")
		}
		for i := range t.Len() {
			if i < 2 || i == t.Len()-1 {
				for _, c := range t.Row(i) {
					add(c.Action)
				}
			}
		}
	}
	return all
}

// posted are the command lines on the buttons of the messages in #general.
func (h *household) posted(t *testing.T) []string {
	t.Helper()
	var all []string
	var read func(any)
	read = func(v any) {
		switch v := v.(type) {
		case []any:
			for _, e := range v {
				read(e)
			}
		case map[string]any:
			if value, ok := v["value"].(string); ok && v["type"] == "button" {
				all = append(all, value)
			}
			for _, e := range v {
				read(e)
			}
		}
	}
	for _, m := range h.slack.Messages(sandbox.General, sandbox.Alice) {
		var blocks any
		if err := json.Unmarshal(m.Blocks, &blocks); err != nil && len(m.Blocks) > 0 {
			t.Fatal(err)
		}
		read(blocks)
	}
	return all
}

// kindOf is a line without what it is about: two of one kind lead to pages of one kind.
func kindOf(line string) string {
	var kind []string
	for i, w := range cmdline.Split(line) {
		switch {
		case strings.HasPrefix(w, "--"), i == 0 && !strings.Contains(w, cmdline.IDSeparator), i == 1 && slices.Contains([]string{commands.DigestName, riskcmd.Name, "admin"}, kind[0]):
			kind = append(kind, w)
		case i == 0:
			kind = append(kind, "<id>")
		}
	}
	return strings.Join(kind, " ")
}

// changes are the lines that change something, and are not pressed by a walk: what they offer next depends on their order.
func changes(line string) bool {
	words := append(cmdline.Split(line), "", "")
	return words[0] == commands.DigestName && slices.Contains([]string{"remove", "pause", "resume", "run", "add", "edit"}, words[1]) && !slices.Contains(words, "--help") ||
		words[0] == "admin" && words[1] != "" || words[0] == riskcmd.Name && !slices.Contains([]string{"list", "show", "--help", ""}, words[1])
}

// walk presses every button of every page that can be reached from lines, up to a few of each kind, and returns the lines.
func (h *household) walk(t *testing.T, from ...string) []string {
	t.Helper()
	const ofAKind = 4
	by, kinds := map[string]string{}, map[string]int{}
	queue := slices.Clone(from)
	var pressed []string
	for len(queue) > 0 {
		line := queue[0]
		queue = queue[1:]
		if kinds[kindOf(line)]++; kinds[kindOf(line)] > ofAKind {
			continue
		}
		if req, err := commands.ParseOffered(line); err != nil || changes(line) {
			if err != nil || len(req.Words) == 0 {
				t.Errorf("%q, a button of %q, is no line: %v", line, by[line], err)
			}
			continue
		}
		page, err := h.press(t, line)
		if err != nil {
			t.Errorf("%q, a button of %q: %v", line, by[line], err)
			continue
		}
		if page.Title == "" || page.Lead == "" && len(page.Parts) == 0 {
			t.Errorf("%q, a button of %q, answers nothing: %+v", line, by[line], page)
		}
		hasAllButtons(t, line, page)
		pressed = append(pressed, line)
		for _, next := range lines(page) {
			if _, known := by[next]; !known {
				by[next] = line
				queue = append(queue, next)
			}
		}
	}
	return pressed
}

// hasAllButtons checks that Slack takes a page in every form, with all of its buttons.
func hasAllButtons(t *testing.T, line string, page view.Page) {
	t.Helper()
	for _, tables := range []blocks.Tables{blocks.ButtonTables, blocks.LinkTables, blocks.PlainTables, blocks.SectionTables} {
		m := blocks.Render(page, blocks.Options{Form: blocks.Form{Tables: tables}})
		raw, err := json.Marshal(m.Blocks)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range blockkit.Check(blockkit.Message, raw) {
			t.Errorf("%q: Slack refuses %s: %s", line, f.Pointer, f.Message)
		}
		for _, a := range page.Actions {
			if label, err := json.Marshal(a.Label); err != nil || !bytes.Contains(raw, append([]byte(`"text":`), label...)) {
				t.Errorf("%q: the button %q is not drawn, %v", line, a.Label, err)
			}
		}
	}
	home, err := json.Marshal(blocks.Home(page, blocks.Options{}, commands.HomeName))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range blockkit.CheckView(home) {
		t.Errorf("%q on the Home tab: Slack refuses %s: %s", line, f.Pointer, f.Message)
	}
	for _, a := range page.Actions {
		if a.Effect == view.PlainText {
			isWholeAsText(t, line, page)
		}
	}
}

// isWholeAsText checks that a list as text is drawn whole: what does not fit is counted in the text itself.
func isWholeAsText(t *testing.T, line string, page view.Page) {
	t.Helper()
	text := ticket.Page(page, line)
	hasAllButtons(t, "as text: "+line, text)
	code, ok := text.Parts[0].(view.Code)
	raw, err := json.Marshal(blocks.Render(text, blocks.Options{}).Blocks)
	if err != nil || !ok || code.Text == "" || bytes.Contains(raw, []byte("not shown")) {
		t.Errorf("%q as text: %v, drawn %s", line, err, raw)
	}
}

// wrong are lines that fail. The pages that say so offer buttons, too.
var wrong = []string{
	"no-_-such", "nothing like it", "microsoft-_-edge --srot cves", "hlep", "kb 1", "kb", "cve CVE-1999-0001", "machine nosuchmachine", "devices no-_-such",
	"digest show 999", "digest frobnicate", "digest 4711", "help frobnicate", "search ---", "plan windows", "report nosuchthing",
}

// Every button of every page parses to a command that answers: on the pages of all commands, on messages of digests, and on
// pages about failures. So it is for the buttons of old messages after a restart and a week later, when some of what they
// name is gone: the page about that offers a way on, which answers.
func TestEveryButtonOfEveryPage(t *testing.T) {
	t.Parallel()
	h := newHousehold(t)
	h.digest(t)
	if _, err := h.press(t, `accept KB5074216 --until 30d --reason "the line is frozen"`); err != nil {
		t.Fatal(err)
	}
	seeds := slices.Concat([]string{"home", "help", "search", "windows", "microsoft-_-windows_11", "plan", "report", "accept list", "admin", "digest", "digest list", "digest add windows 11 --help", "lookup KB5074202 KB5074216", "lookup nothing", "talk hello", "talk thanks", "talk unclear"}, h.posted(t))
	for _, c := range h.router.Commands() {
		if c.Name != "" {
			seeds = append(seeds, "help "+c.Name, c.Name+" --help")
		}
	}
	for _, line := range wrong {
		if _, err := h.press(t, line); err == nil {
			t.Errorf("%q is answered", line)
		} else {
			seeds = append(seeds, h.leadsOn(t, line, err)...)
		}
	}
	pressed := h.walk(t, seeds...)
	words := map[string]int{}
	for _, line := range pressed {
		words[kindOf(line)]++
	}
	for _, want := range []string{"home", "help", "search", "kb", "kb --devices", "kb --cves", "cve", "cve --devices", "machine", "devices", "<id>", "digest show", "digest preview", "digest details", "plan", "plan --install", "report", "accept list", "accept show", "browse", "digest watch"} {
		if words[want] == 0 {
			t.Errorf("no page of %q was seen: %v", want, words)
		}
	}
	for _, later := range []struct {
		name string
		do   func()
	}{
		{"after a restart", func() { h.restart(t) }},
		{"a week later", func() { h.tenant.Advance(7 * 24 * time.Hour) }},
		{"a week later, after a restart", func() { h.restart(t) }},
		{"half a year later", func() { h.tenant.Advance(180 * 24 * time.Hour) }},
	} {
		later.do()
		gone := 0
		for _, line := range pressed {
			if _, err := h.press(t, line); err != nil {
				h.expired(t, later.name, line, err)
				gone++
			}
		}
		t.Logf("%s %d of %d lines name what is gone", later.name, gone, len(pressed))
	}
}

// leadsOn checks that the page about a failure says what is gone, and offers buttons that answer. It returns their lines. To
// ask again may fail again.
func (h *household) leadsOn(t *testing.T, name string, err error) (answered []string) {
	t.Helper()
	own, ok := errors.AsType[*commands.Error](err)
	page := commands.Explain(err)
	for _, next := range lines(page) {
		if _, err := h.press(t, next); err == nil {
			answered = append(answered, next)
		} else if _, explained := errors.AsType[*commands.Error](err); !explained || !strings.Contains(next, "--fresh") {
			t.Errorf("%s: its button %q: %v", name, next, err)
		}
	}
	if !ok || page.Lead == "" || len(lines(page)) == 0 {
		t.Errorf("%s: %v (%T), a page without a way on: %+v", name, err, own, page)
	}
	return answered
}

// expired checks the page of a button that was pressed too late: it leads on, and what Defender may know again can be asked
// again. A decision that is over stays over.
func (h *household) expired(t *testing.T, when, line string, err error) {
	t.Helper()
	h.leadsOn(t, when+": "+line, err)
	page := commands.Explain(err)
	again := slices.ContainsFunc(page.Actions, func(a view.Action) bool { return a.Label == "Ask again" })
	if !again && !strings.HasPrefix(line, riskcmd.Name+" ") {
		t.Errorf("%s: %s: no button to ask again: %s, %s", when, line, page.Title, page.Lead)
	}
}

// Whatever of the three permissions the bot has: no page fails but those of the one permission that it cannot do without, and
// each missing one is named once at the most, and only where it is missing.
func TestEveryPageWithEachSetOfPermissions(t *testing.T) {
	t.Parallel()
	const needed = "Software.Read.All"
	roles := []string{needed, "Machine.Read.All", "Vulnerability.Read.All"}
	whole := newHousehold(t)
	whole.digest(t)
	pressed := whole.walk(t, "home", "help", "microsoft-_-windows_11", "digest list")
	for set := range 1 << len(roles) {
		has := []string{"Score.Read.All"} // an app without any permission gets no token
		for i, r := range roles {
			if set&(1<<i) != 0 {
				has = append(has, r)
			}
		}
		t.Run(fmt.Sprint(has[1:]), func(t *testing.T) {
			t.Parallel()
			h := newHousehold(t)
			h.digest(t)
			h.tenant.SetRoles(has...)
			h.restart(t)
			for _, line := range pressed {
				h.wantHints(t, line, has, roles)
			}
		})
	}
}

// wantHints checks the page of a line for what it says of permissions.
func (h *household) wantHints(t *testing.T, line string, has, roles []string) {
	t.Helper()
	page, err := h.press(t, line)
	if err != nil {
		if slices.Contains(has, roles[0]) || !errors.Is(err, api.ErrPermission) {
			t.Errorf("%q: %v", line, err)
			return
		}
		page = commands.Explain(err)
	}
	var text strings.Builder
	if err := view.WriteText(&text, page); err != nil {
		t.Fatal(err)
	}
	if strings.HasPrefix(line, "help") || strings.HasSuffix(line, "--help") {
		return // tells all of them
	}
	for _, r := range roles {
		n := strings.Count(text.String(), r)
		if n > 1 || n == 1 && slices.Contains(has, r) {
			t.Errorf("%q names %s %d times: %s", line, r, n, text.String())
		}
	}
	if err != nil && !strings.Contains(text.String(), roles[0]) {
		t.Errorf("%q does not say which permission is missing: %s", line, text.String())
	}
}
