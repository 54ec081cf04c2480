package sandbox

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/slack-go/slack"
	"github.com/slack-go/slack/socketmode"
)

// app is a bot made of the real Go client.
type app struct {
	*slack.Client
	socket *socketmode.Client
}

// client is the real Go client of a workspace. It keeps no idle connections, which
// would look like leaked goroutines.
func client(w *Workspace) *slack.Client {
	plain := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	return slack.New(w.BotToken(), slack.OptionAPIURL(w.APIURL()), slack.OptionAppLevelToken(w.AppToken()), slack.OptionHTTPClient(plain))
}

// connect starts a bot that handles each event with on, and waits for its hello.
func connect(t *testing.T, w *Workspace, on func(app, socketmode.Event)) app {
	t.Helper()
	before := w.Connections()
	api := client(w)
	a := app{api, socketmode.New(api)}
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	wg.Go(func() { _ = a.socket.RunContext(ctx) })
	wg.Go(func() {
		for {
			select {
			case e := <-a.socket.Events:
				on(a, e)
			case <-ctx.Done():
				return
			}
		}
	})
	t.Cleanup(func() { cancel(); wg.Wait() })
	if err := w.WaitConnected(soon(t), before+1); err != nil {
		t.Fatal(err)
	}
	return a
}

func TestSlackGoSlashCommandRoundTrip(t *testing.T) {
	t.Parallel()
	w := workspace(t, Options{})
	connect(t, w, func(a app, e socketmode.Event) {
		if e.Type != socketmode.EventTypeSlashCommand {
			return
		}
		cmd := e.Data.(slack.SlashCommand)
		_ = a.socket.Ack(*e.Request, map[string]any{"text": "you said " + cmd.Text})
		_, _, _ = a.PostMessageContext(t.Context(), "", slack.MsgOptionResponseURL(cmd.ResponseURL, "in_channel"), slack.MsgOptionText("to all", false))
	})
	d, err := w.Command(soon(t), Alice, General, "/missingkbs microsoft-_-edge --sort kb")
	if err != nil {
		t.Fatal(err)
	}
	if !d.Acked || d.Err != "" {
		t.Errorf("delivery = %+v, want an acknowledged one", d)
	}
	own, err := w.WaitMessage(soon(t), General, Alice, func(m Message) bool { return m.Text == "you said microsoft-_-edge --sort kb" })
	if err != nil {
		t.Fatal(err)
	}
	if own.EphemeralFor != Alice {
		t.Errorf("the acknowledgement's message is for %q, want only %q", own.EphemeralFor, Alice)
	}
	if _, err := w.WaitMessage(soon(t), General, Bob, func(m Message) bool { return m.Text == "to all" }); err != nil {
		t.Fatal(err)
	}
	for _, m := range w.Messages(General, Bob) {
		if m.EphemeralFor != "" {
			t.Errorf("Bob sees %+v, which is not for him", m)
		}
	}
}

func TestSlackGoWebAPI(t *testing.T) {
	t.Parallel()
	w := workspace(t, Options{})
	api := client(w)
	ctx := soon(t)

	who, err := api.AuthTestContext(ctx)
	if err != nil || who.TeamID != TeamID || who.UserID != BotUser || who.BotID != BotID {
		t.Errorf("auth.test = %+v, %v", who, err)
	}
	header := slack.NewHeaderBlock(slack.NewTextBlockObject("plain_text", "Edge", false, false))
	_, ts, err := api.PostMessageContext(ctx, General, slack.MsgOptionText("fallback", false), slack.MsgOptionBlocks(header),
		slack.MsgOptionMetadata(slack.SlackMetadata{EventType: "digest", EventPayload: map[string]any{"key": "a"}}))
	if err != nil {
		t.Fatal(err)
	}
	if _, _, _, err := api.UpdateMessageContext(ctx, General, ts, slack.MsgOptionText("new", false)); err != nil {
		t.Error(err)
	}
	history, err := api.GetConversationHistoryContext(ctx, &slack.GetConversationHistoryParameters{ChannelID: General, IncludeAllMetadata: true, Limit: 10})
	if err != nil || len(history.Messages) != 1 || history.Messages[0].Metadata.EventPayload["key"] != "a" || len(history.Messages[0].Blocks.BlockSet) != 1 {
		t.Errorf("history = %+v, %v; want the message with its metadata and blocks", history, err)
	}
	if _, err := api.PostEphemeralContext(ctx, General, Alice, slack.MsgOptionText("psst", false)); err != nil {
		t.Error(err)
	}
	link, err := api.GetPermalinkContext(ctx, &slack.PermalinkParameters{Channel: General, Ts: ts})
	if err != nil || !strings.HasPrefix(link, w.URL()) {
		t.Errorf("permalink = %s, %v", link, err)
	}
	if _, _, err := api.DeleteMessageContext(ctx, General, ts); err != nil {
		t.Error(err)
	}
	shared, err := api.GetConversationInfoContext(ctx, &slack.GetConversationInfoInput{ChannelID: SharedChannel})
	if err != nil || !shared.IsExtShared || !shared.IsMember {
		t.Errorf("conversations.info = %+v, %v; want a shared channel with the bot", shared, err)
	}
	channels, _, err := api.GetConversationsContext(ctx, &slack.GetConversationsParameters{Types: []string{"public_channel"}})
	if err != nil || len(channels) != 3 {
		t.Errorf("conversations.list = %v, %v; want three", channels, err)
	}
	members, _, err := api.GetUsersInConversationContext(ctx, &slack.GetUsersInConversationParameters{ChannelID: General})
	if err != nil || len(members) != 4 {
		t.Errorf("conversations.members = %v, %v", members, err)
	}
	dm, _, _, err := api.OpenConversationContext(ctx, &slack.OpenConversationParameters{Users: []string{Alice}})
	if err != nil || dm.ID != AliceDM {
		t.Errorf("conversations.open = %+v, %v", dm, err)
	}
	group, err := api.GetUserGroupMembersContext(ctx, Patchers)
	if err != nil || len(group) != 1 || group[0] != Alice {
		t.Errorf("usergroups.users.list = %v, %v", group, err)
	}
	if groups, err := api.GetUserGroupsContext(ctx); err != nil || len(groups) != 1 {
		t.Errorf("usergroups.list = %v, %v", groups, err)
	}
	if users, err := api.GetUsersContext(ctx); err != nil || len(users) != 5 {
		t.Errorf("users.list = %v, %v", users, err)
	}
	if team, err := api.GetTeamInfoContext(ctx); err != nil || team.ID != TeamID {
		t.Errorf("team.info = %v, %v", team, err)
	}
	if bot, err := api.GetBotInfoContext(ctx, slack.GetBotInfoParameters{Bot: BotID}); err != nil || bot.AppID != AppID {
		t.Errorf("bots.info = %v, %v", bot, err)
	}
}

func TestSlackGoUsers(t *testing.T) {
	t.Parallel()
	w := workspace(t, Options{})
	api := client(w)
	type facts struct {
		TZ                            string
		TZOffset                      int
		Locale, TeamID                string
		IsRestricted, IsBot           bool
		IsUltraRestricted, IsStranger bool
	}
	for id, want := range map[string]facts{
		Alice:    {TZ: "Europe/Stockholm", TZOffset: 3600, Locale: "en-US", TeamID: TeamID},
		Guest:    {TZ: "Europe/London", Locale: "en-GB", TeamID: TeamID, IsRestricted: true},
		External: {TZ: "Europe/Berlin", TZOffset: 3600, TeamID: ExternalTeamID}, // no locale of others
		BotUser:  {TZ: "America/Los_Angeles", TZOffset: -28800, Locale: "en-US", TeamID: TeamID, IsBot: true},
	} {
		u, err := api.GetUserInfoContext(soon(t), id)
		if err != nil {
			t.Fatal(err)
		}
		got := facts{u.TZ, u.TZOffset, u.Locale, u.TeamID, u.IsRestricted, u.IsBot, u.IsUltraRestricted, u.IsStranger}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", id, diff)
		}
	}
}

func TestSlackGoErrors(t *testing.T) {
	t.Parallel()
	w := quick(t, Options{Strict: true}, func(s *timing) { s.message = time.Hour })
	api := client(w)
	header := slack.NewHeaderBlock(slack.NewTextBlockObject("plain_text", strings.Repeat("a", 151), false, false))
	_, _, err := api.PostMessageContext(soon(t), General, slack.MsgOptionBlocks(header))
	refused, ok := errors.AsType[slack.SlackErrorResponse](err)
	if !ok || refused.Err != "invalid_blocks" || len(refused.Errors) != 1 || len(refused.ResponseMetadata.Messages) != 1 {
		t.Errorf("error = %#v, want invalid_blocks with the place", err)
	}
	_, _, err = api.PostMessageContext(soon(t), General, slack.MsgOptionText("hi", false))
	if limit, ok := errors.AsType[*slack.RateLimitedError](err); !ok || limit.RetryAfter != time.Hour {
		t.Errorf("error = %v, want a rate limit of an hour", err)
	}
}

func TestSlackGoUpload(t *testing.T) {
	t.Parallel()
	w := workspace(t, Options{})
	api := client(w)
	body := "kb,devices\nKB4540673,240\n"
	file, err := api.UploadFileContext(soon(t), slack.UploadFileParameters{
		Filename: "all \"kbs\".csv", Title: "All", FileSize: len(body), Content: body, Channel: General, InitialComment: "the whole list",
	})
	if err != nil {
		t.Fatal(err)
	}
	m, err := w.WaitMessage(soon(t), General, Bob, func(m Message) bool { return len(m.Files) == 1 })
	if err != nil || m.Text != "the whole list" || m.Files[0].Name != "all \"kbs\".csv" {
		t.Errorf("message = %+v, %v; want the file with the comment", m, err)
	}
	if _, got, ok := w.File(file.ID); !ok || string(got) != body {
		t.Errorf("file = %q, want %q", got, body)
	}
	resp, got := get(t, w, m.Files[0].URL)
	if string(got) != body || !strings.HasPrefix(resp.Header.Get("Content-Disposition"), "attachment") {
		t.Errorf("download = %q as %q, want an attachment", got, resp.Header.Get("Content-Disposition"))
	}
	if resp, _ := get(t, w, "/ui/files/F0"); resp.StatusCode != http.StatusNotFound {
		t.Errorf("unknown file: %d, want 404", resp.StatusCode)
	}
}

func TestSlackGoClickOpensAModal(t *testing.T) {
	t.Parallel()
	w := workspace(t, Options{})
	label := func(s string) *slack.TextBlockObject { return slack.NewTextBlockObject("plain_text", s, false, false) }
	a := connect(t, w, func(a app, e socketmode.Event) {
		if e.Type != socketmode.EventTypeInteractive {
			return
		}
		switch cb := e.Data.(slack.InteractionCallback); cb.Type {
		case slack.InteractionTypeBlockActions:
			_ = a.socket.Ack(*e.Request)
			input := slack.NewInputBlock("words", label("Words"), nil, slack.NewPlainTextInputBlockElement(nil, "typed"))
			_, err := a.OpenViewContext(t.Context(), cb.TriggerID, slack.ModalViewRequest{
				Type: slack.VTModal, Title: label("Ask"), Submit: label("Go"), CallbackID: cb.ActionCallback.BlockActions[0].Value,
				Blocks: slack.Blocks{BlockSet: []slack.Block{input}},
			})
			if err != nil {
				t.Error(err)
			}
		case slack.InteractionTypeViewSubmission:
			_ = a.socket.Ack(*e.Request, slack.NewErrorsViewSubmissionResponse(map[string]string{"words": "not " + cb.View.State.Values["words"]["typed"].Value}))
		}
	})
	table := slack.NewDataTableBlock("KBs").AddRow(slack.NewDataTableRawTextCell("KB")).AddRow(
		slack.NewDataTableActionCell(slack.NewButtonBlockElement("ask", "kb 1", label("Ask"))))
	_, ts, err := a.PostMessageContext(soon(t), General, slack.MsgOptionBlocks(table))
	if err != nil {
		t.Fatal(err)
	}
	if d, err := w.Click(soon(t), Alice, General, ts, "ask"); err != nil || !d.Acked {
		t.Fatalf("click: %+v, %v", d, err)
	}
	if err := w.Wait(soon(t), func() bool { return len(w.Views(Alice)) == 1 }); err != nil {
		t.Fatal(err)
	}
	var view struct {
		ID       string `json:"id"`
		Callback string `json:"callback_id"`
	}
	if err := json.Unmarshal(w.Views(Alice)[0], &view); err != nil || view.Callback != "kb 1" {
		t.Fatalf("view = %+v, %v", view, err)
	}
	d, err := w.SubmitView(soon(t), Alice, view.ID, object{"words": object{"typed": object{"type": "plain_text_input", "value": "this"}}})
	if err != nil || d.Err != "" || !strings.Contains(string(d.AckPayload), "not this") {
		t.Errorf("submit = %+v, %v; want the error beside the input", d, err)
	}
}

func TestSlackGoReconnects(t *testing.T) {
	t.Parallel()
	w := workspace(t, Options{})
	connect(t, w, func(a app, e socketmode.Event) {
		if e.Type == socketmode.EventTypeSlashCommand {
			_ = a.socket.Ack(*e.Request)
		}
	})
	for _, cut := range []func(){func() { w.Disconnect("refresh_requested") }, w.Drop} {
		before := w.sockets.Open()[0]
		cut()
		if err := w.Wait(soon(t), func() bool {
			now := w.sockets.Open()
			return len(now) == 1 && now[0] != before
		}); err != nil {
			t.Fatal(err)
		}
		if d, err := w.Command(soon(t), Alice, General, "/missingkbs x"); err != nil || !d.Acked {
			t.Errorf("after reconnecting: %+v, %v", d, err)
		}
	}
}
