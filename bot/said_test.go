package bot

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"
	"github.com/slack-go/slack"
	"github.com/slack-go/slack/socketmode"

	"github.com/missingkbs/missingkbs/bot/slacktest"
	ownsocket "github.com/missingkbs/missingkbs/bot/socketmode"
	"github.com/missingkbs/missingkbs/commands"
	"github.com/missingkbs/missingkbs/internal/sandbox"
	"github.com/missingkbs/missingkbs/internal/view"
)

// asked notes the lines that reach the router.
type asked struct {
	mu    sync.Mutex
	lines []string
}

func (a *asked) run(ctx context.Context, req commands.Request) (view.Page, error) {
	a.mu.Lock()
	a.lines = append(a.lines, strings.Join(req.Words, " "))
	a.mu.Unlock()
	return echo(ctx, req)
}

func (a *asked) all() []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Clone(a.lines)
}

// said is the event of a message; with changes what is in it.
func said(n int, kind string, with map[string]any) socketmode.Event {
	inner := map[string]any{"type": kind, "user": "U1", "team": "T1", "channel": "C1", "text": "<@USELF> which updates is edge missing?", "ts": "1.1", "client_msg_id": "x"}
	if kind == "message" {
		inner["channel"], inner["channel_type"], inner["text"] = "D1", "im", "which updates is edge missing?"
	}
	maps.Copy(inner, with)
	raw, err := json.Marshal(map[string]any{
		"type": "event_callback", "team_id": "T1", "event_id": fmt.Sprint("Ev", n), "event_time": 1, "event": inner,
		"authorizations": []any{map[string]any{"user_id": "USELF", "is_bot": true, "team_id": "T1"}},
	})
	if err != nil {
		panic(err)
	}
	return event(n, string(raw))
}

// A mention is answered for the person alone: in the thread where it stands, otherwise in the channel. A direct message is
// answered where it was written. If the channel takes no answer, a direct message has it.
func TestMentionsAreAnsweredPrivately(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		event socketmode.Event
		errs  []error
		want  []string
	}{
		"a mention":                    {said(1, "app_mention", nil), nil, []string{"only U1 in C1"}},
		"a mention in a thread":        {said(1, "app_mention", map[string]any{"thread_ts": "1.0"}), nil, []string{"only U1 in C1 thread 1.0"}},
		"a direct message":             {said(1, "message", nil), nil, []string{"message U1"}},
		"a direct message in a thread": {said(1, "message", map[string]any{"thread_ts": "1.0"}), nil, []string{"message U1 thread 1.0"}},
		"the bot has left":             {said(1, "app_mention", nil), []error{slack.SlackErrorResponse{Err: "not_in_channel"}}, []string{"only U1 in C1", "message U1"}},
		"the person has left":          {said(1, "app_mention", nil), []error{slack.SlackErrorResponse{Err: "user_not_in_channel"}}, []string{"only U1 in C1", "message U1"}},
		"the channel is archived":      {said(1, "app_mention", map[string]any{"thread_ts": "1.0"}), []error{slack.SlackErrorResponse{Err: "is_archived"}}, []string{"only U1 in C1 thread 1.0", "message U1"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				a := &asked{}
				b := start(t, a.run, Options{})
				f := &fakeScreens{errs: c.errs}
				b.bot.screens = f
				b.events <- c.event
				synctest.Wait()
				if diff := cmp.Diff(c.want, f.shown()); diff != "" {
					t.Errorf("shown (-want +got):\n%s", diff)
				}
				if diff := cmp.Diff([]string{"edge"}, a.all()); diff != "" {
					t.Errorf("asked (-want +got):\n%s", diff)
				}
				if sent := b.titles(); !slices.Equal(sent, []string{"0s ack e1"}) {
					t.Errorf("sent %q, want one empty acknowledgement at once", sent)
				}
			})
		})
	}
}

// Nothing but what a person has just written to the bot is a question. The rest is acknowledged, so that it does not come again.
func TestWhatIsNoQuestion(t *testing.T) {
	t.Parallel()
	for name, e := range map[string]socketmode.Event{
		"of the bot itself":         said(1, "message", map[string]any{"user": "USELF"}),
		"of the bot, by its bot_id": said(1, "message", map[string]any{"bot_id": "B1"}),
		"of another bot":            said(1, "app_mention", map[string]any{"bot_id": "B2", "user": "U7"}),
		"of an app":                 said(1, "app_mention", map[string]any{"app_id": "A2"}),
		"of Slack":                  said(1, "message", map[string]any{"user": "USLACKBOT"}),
		"of an old bot":             said(1, "message", map[string]any{"subtype": "bot_message", "user": nil}),
		"a change":                  said(1, "message", map[string]any{"subtype": "message_changed", "hidden": true, "message": map[string]any{"text": "edge"}}),
		"a deletion":                said(1, "message", map[string]any{"subtype": "message_deleted", "hidden": true}),
		"a mention that was edited": said(1, "app_mention", map[string]any{"edited": map[string]any{"user": "U1", "ts": "1.2"}}),
		"a mention by joining":      said(1, "app_mention", map[string]any{"subtype": "channel_join"}),
		"a message of a channel":    said(1, "message", map[string]any{"channel_type": "channel", "channel": "C1"}),
		"a message of a group":      said(1, "message", map[string]any{"channel_type": "mpim", "channel": "G1"}),
		"a file without words":      said(1, "message", map[string]any{"subtype": "file_share", "text": "", "files": []any{map[string]any{"id": "F1", "name": "KB5074202.txt"}}}),
		"by no person":              said(1, "message", map[string]any{"user": nil}),
		"in no channel":             said(1, "app_mention", map[string]any{"channel": nil}),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				a := &asked{}
				b := start(t, a.run, Options{})
				f := &fakeScreens{}
				b.bot.screens = f
				b.events <- e
				synctest.Wait()
				if got := b.titles(); !slices.Equal(got, []string{"0s ack e1"}) {
					t.Errorf("sent %q, want an empty acknowledgement", got)
				}
				if lines, shown := a.all(), f.shown(); len(lines)+len(shown) > 0 {
					t.Errorf("asked %q, shown %q", lines, shown)
				}
				if n := b.bot.Stats().Undecodable; n != 0 {
					t.Errorf("%d envelopes count as undecodable", n)
				}
			})
		})
	}
}

// What Slack sends again is answered once. A process that sees it for the first time answers it, and changes nothing: another may
// have done so.
func TestRepeatedEvents(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ran := 0
		b, f := walker(t, row{access: "default"}, slacktest.Crowd{}, walkedWith(t, func(context.Context, commands.Request) (view.Page, error) {
			ran++
			return view.Page{Title: "done"}, nil
		}), Options{})
		again := func(n int, e socketmode.Event) socketmode.Event {
			e.Request.RetryAttempt, e.Request.RetryReason, e.Request.EnvelopeID = 1, "timeout", fmt.Sprint("e", n)
			return e
		}
		ask := func(e socketmode.Event, want int, what string) {
			t.Helper()
			b.events <- e
			synctest.Wait()
			if ran != want {
				t.Errorf("%s: %d were run, want %d", what, ran, want)
			}
		}
		member := map[string]any{"user": "UMEMBER", "team": slacktest.People["UMEMBER"].Team}
		ask(said(1, "message", member), 1, "a question")
		ask(again(2, said(1, "message", member)), 1, "the same event again")
		ask(again(3, said(3, "message", member)), 2, "a question that comes late")
		member["text"] = "digest add all"
		ask(said(4, "message", member), 3, "a change")
		shown := len(f.shown())
		ask(again(5, said(5, "message", member)), 3, "a change that comes late")
		if got := f.shown()[shown:]; len(got) != 1 {
			t.Errorf("the person is told %q", got)
		}
	})
}

// The shortcut of a message asks for the ids in it, wherever in it they stand. The person alone sees the answer.
func TestShortcutOfMessage(t *testing.T) {
	t.Parallel()
	const payload = `{"type":"message_action","callback_id":"missingkbs_message","trigger_id":"t","response_url":"https://hooks.slack.com/r","user":{"id":"U1","team_id":"T1"},
		"channel":{"id":"C1","name":"general"},"message_ts":"1.1","message":%s}`
	for message, want := range map[string]string{
		`{"type":"message","user":"U2","text":"see KB5074202","ts":"1.1"}`: "kb KB5074202",
		`{"type":"message","user":"U2","text":"","ts":"1.1","blocks":[{"type":"rich_text","elements":[{"type":"rich_text_section","elements":[
			{"type":"text","text":"CVE-2025-","style":{"bold":true}},{"type":"text","text":"12345"}]}]}]}`: "cve CVE-2025-12345",
		`{"type":"message","subtype":"bot_message","text":"New","attachments":[{"title":"Advisory","title_link":"https://support.microsoft.com/help/5074202","text":"fixes",
			"fields":[{"title":"CVE","value":"CVE-2025-1111"}],"blocks":[{"type":"section","text":{"type":"mrkdwn","text":"kb 5074203"}}]}]}`: "lookup KB5074202 KB5074203 CVE-2025-1111",
		`{"type":"message","text":"hello","ts":"1.1"}`: "lookup",
		`null`: "lookup",
		`[1]`:  "lookup",
	} {
		synctest.Test(t, func(t *testing.T) {
			a := &asked{}
			b := start(t, a.run, Options{})
			b.events <- interaction(1, fmt.Sprintf(payload, message))
			synctest.Wait()
			if diff := cmp.Diff([]string{want}, a.all()); diff != "" {
				t.Errorf("%s (-want +got):\n%s", message, diff)
			}
			if sent := b.titles(); len(sent) != 2 || sent[0] != "0s ack e1" || sent[1] != "0s /r answer to "+want {
				t.Errorf("%s: sent %q", message, sent)
			}
			if got := b.log[1].Message.Type; got != "ephemeral" {
				t.Errorf("the answer is %s", got)
			}
		})
	}
}

// A shortcut or a click in a thread is answered there, unless the message itself is replaced.
func TestAnswersStayInTheirThread(t *testing.T) {
	t.Parallel()
	const click = `{"type":"block_actions","trigger_id":"t","response_url":"https://hooks.slack.com/r","user":{"id":"U1","team_id":"T1"},"channel":{"id":"C1"},
		"container":{"type":"message","channel_id":"C1","message_ts":"%s","thread_ts":"1.0","is_ephemeral":true},"actions":[{"action_id":"%s:1","value":"edge"}]}`
	for payload, want := range map[string]bool{
		fmt.Sprintf(click, "1.1", "run"):     true,
		fmt.Sprintf(click, "1.1", "share"):   true,
		fmt.Sprintf(click, "1.1", "replace"): false,
		fmt.Sprintf(click, "1.0", "run"):     false, // of a message that has replies itself
		`{"type":"message_action","callback_id":"missingkbs_message","trigger_id":"t","response_url":"https://hooks.slack.com/r","user":{"id":"U1","team_id":"T1"},
			"channel":{"id":"C1"},"message":{"text":"KB5074202","ts":"1.1","thread_ts":"1.0"}}`: true,
	} {
		synctest.Test(t, func(t *testing.T) {
			b := start(t, echo, Options{})
			b.events <- interaction(1, payload)
			synctest.Wait()
			if got := strings.Contains(string(b.raw), `"thread_ts":"1.0"`); got != want {
				t.Errorf("%s\nis answered with %s", payload, b.raw)
			}
		})
	}
}

// The same with a Slack that refuses what Slack refuses.
func TestWordsToTheBot(t *testing.T) {
	t.Parallel()
	c := connect(t, echo, Options{}, ownsocket.Timing{})
	ctx := slacktest.Soon(t)
	answered := func(channel, as string, ok func(sandbox.Message) bool) {
		t.Helper()
		_, err := c.WaitMessage(ctx, channel, as, func(m sandbox.Message) bool {
			return m.Kind == sandbox.KindApp && strings.HasPrefix(m.Text, "answer to edge") && ok(m)
		})
		if err != nil {
			t.Error(err)
		}
	}
	if d, err := c.Mention(ctx, sandbox.Alice, sandbox.General, "show me edge & so"); err != nil || !d.Acked {
		t.Fatal(d, err)
	}
	answered(sandbox.General, sandbox.Alice, func(m sandbox.Message) bool { return m.EphemeralFor == sandbox.Alice })
	if d, err := c.Message(ctx, sandbox.Alice, sandbox.AliceDM, "edge?"); err != nil || !d.Acked {
		t.Fatal(d, err)
	}
	answered(sandbox.AliceDM, sandbox.Alice, func(m sandbox.Message) bool { return m.EphemeralFor == "" })
	for _, m := range c.Messages(sandbox.General, sandbox.Bob) {
		if m.Kind != sandbox.KindPerson {
			t.Errorf("Bob sees %+v", m)
		}
	}
}
