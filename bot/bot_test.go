package bot

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/slack-go/slack"
	slacksocket "github.com/slack-go/slack/socketmode"

	"github.com/missingkbs/missingkbs/bot/access"
	"github.com/missingkbs/missingkbs/bot/blocks"
	"github.com/missingkbs/missingkbs/bot/slackapi"
	"github.com/missingkbs/missingkbs/bot/slacktest"
	"github.com/missingkbs/missingkbs/bot/socketmode"
	"github.com/missingkbs/missingkbs/commands"
	"github.com/missingkbs/missingkbs/commands/cmdline"
	rights "github.com/missingkbs/missingkbs/internal/access"
	"github.com/missingkbs/missingkbs/internal/view"
)

// fakeSlack stands for the connection and for the response_url: it takes acknowledgements and answers, with the time
// at which they came.
type fakeSlack struct {
	slacktest.Directory

	began time.Time
	mu    sync.Mutex
	log   []sent
	raw   []byte // of the last message
	// status and body of the answers to posts, in turn; afterwards 200 and "ok".
	posts []hookAnswer
}

type hookAnswer struct {
	status     int
	body       string
	retryAfter string
}

// cutOff is a post after which the connection breaks, whether Slack has taken it or not.
var cutOff = hookAnswer{status: -1}

// sent is something the bot sent.
type sent struct {
	At      time.Duration
	To      string // "ack <envelope>" or the path of the response_url
	Message message
}

// message is what tests look at in an answer; it is zero for an empty acknowledgement.
type message struct {
	Type    string `json:"response_type"`
	Replace bool   `json:"replace_original"`
	Text    string `json:"text"`
	Blocks  []struct {
		Type string `json:"type"`
	} `json:"blocks"`
}

func (f *fakeSlack) AckCtx(_ context.Context, envelope string, payload any) error {
	raw, err := json.Marshal(payload)
	if err != nil {
		return err
	}
	if len(raw) >= 20480 {
		return errors.New("too large")
	}
	f.record("ack "+envelope, raw)
	return nil
}

func (f *fakeSlack) record(to string, raw []byte) {
	var m message
	if len(raw) > 0 {
		if err := json.Unmarshal(raw, &m); err != nil {
			panic(err)
		}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.log = append(f.log, sent{time.Since(f.began), to, m})
	f.raw = raw
}

// RoundTrip is the network of the webhook.
func (f *fakeSlack) RoundTrip(r *http.Request) (*http.Response, error) {
	raw, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	f.record(r.URL.Path, raw)
	f.mu.Lock()
	defer f.mu.Unlock()
	p := hookAnswer{status: 200, body: "ok"}
	if len(f.posts) > 0 {
		p, f.posts = f.posts[0], f.posts[1:]
	}
	if p == cutOff {
		return nil, io.EOF
	}
	return &http.Response{
		StatusCode: p.status, Body: io.NopCloser(strings.NewReader(p.body)), Request: r,
		Header: http.Header{"Retry-After": {p.retryAfter}},
	}, nil
}

// titles are what was sent, in words: time, way, first line of the text.
func (f *fakeSlack) titles() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	var out []string
	for _, s := range f.log {
		title, _, _ := strings.Cut(s.Message.Text, "\n")
		out = append(out, strings.TrimSpace(fmt.Sprintf("%v %s %s", s.At, s.To, title)))
	}
	return out
}

// testGate is the gate of an organisation to whom Slack is a stand-in.
func testGate(d *access.Directory) *access.Gate {
	return access.NewGate(d, slackapi.Workspace{TeamID: "T1", EnterpriseID: "E1"}, access.Options{})
}

// answers is a router of one function.
type answers func(ctx context.Context, req commands.Request) (view.Page, error)

func (a answers) Run(ctx context.Context, req commands.Request) (view.Page, error) {
	return a(ctx, req)
}

func (a answers) Intent(commands.Request) commands.Intent {
	return commands.Intent{Needs: rights.Ask, Command: "software"}
}

func (a answers) Commands() []commands.Command { return nil }

func (a answers) Shared(commands.Request) bool { return true }

// echo answers with what was asked.
func echo(_ context.Context, req commands.Request) (view.Page, error) {
	line := cmdline.Join(req.Words...)
	if line == "" { // what the shortcut asks
		return view.Page{Title: "help", Dialog: &view.Dialog{Title: "Ask", Submit: "Show", Fields: []view.Field{{Name: view.WordsField, Label: "Software", Kind: view.SoftwareField}}}}, nil
	}
	return view.Page{Title: "answer to " + line, Actions: []view.Action{{Label: "Share", Command: line, Effect: view.Share}}}, nil
}

// table answers with a table.
func table(context.Context, commands.Request) (view.Page, error) {
	return view.Page{Title: "table", Parts: []view.Part{view.Table{
		Columns: []view.Column{{Title: "KB"}}, Rows: [][]view.Cell{{view.TextCell("KB1")}},
	}}}, nil
}

// slow answers after d, or when it is told to stop.
func slow(d time.Duration) answers {
	return func(ctx context.Context, req commands.Request) (view.Page, error) {
		select {
		case <-ctx.Done():
			return view.Page{}, ctx.Err()
		case <-time.After(d):
			return echo(ctx, req)
		}
	}
}

// bench runs a bot in a synctest bubble.
type bench struct {
	*fakeSlack
	bot    *Bot
	events chan slacksocket.Event
	stop   context.CancelFunc
	ended  chan struct{}
}

func start(t *testing.T, a answers, o Options, posts ...hookAnswer) *bench {
	t.Helper()
	f := &fakeSlack{began: time.Now(), posts: posts}
	o.Gate = testGate(access.NewDirectory(f))
	return startWith(t, f, a, o)
}

func startWith(t *testing.T, f *fakeSlack, a answerer, o Options) *bench {
	t.Helper()
	hook := slackapi.NewWebhook(&http.Client{Transport: f}, slack.APIURL)
	ctx, stop := context.WithCancel(t.Context())
	b := &bench{
		fakeSlack: f,
		bot:       newBot(a, f, hook, o),
		events:    make(chan slacksocket.Event),
		stop:      stop,
		ended:     make(chan struct{}),
	}
	go func() {
		defer close(b.ended)
		b.bot.Serve(ctx, b.events)
	}()
	t.Cleanup(b.finish)
	return b
}

// finish stops the bot and waits for it.
func (b *bench) finish() {
	b.stop()
	<-b.ended
}

// typed is a slash command by somebody of the bot's own workspace.
func typed(n int, text string) slacksocket.Event {
	return slacksocket.Event{
		Type:    slacksocket.EventTypeSlashCommand,
		Request: &slacksocket.Request{Type: "slash_commands", EnvelopeID: fmt.Sprintf("e%d", n)},
		Data: slack.SlashCommand{
			Text: text, UserID: "U1", TeamID: "T1", ChannelID: "C0OWN", TriggerID: fmt.Sprintf("t%d", n),
			ResponseURL: fmt.Sprintf("https://hooks.slack.com/r%d", n),
		},
	}
}

// clicked is a click on a button; change alters the payload.
func clicked(action, value string, change func(map[string]any)) slacksocket.Event {
	payload := map[string]any{
		"type": "block_actions", "trigger_id": "t1", "response_url": "https://hooks.slack.com/r1",
		"user": map[string]any{"id": "U1", "team_id": "T1"}, "channel": map[string]any{"id": "C0OWN"},
		"container": map[string]any{"type": "message", "is_ephemeral": true, "channel_id": "C0OWN"},
		"actions":   []any{map[string]any{"action_id": action, "value": value}},
	}
	if change != nil {
		change(payload)
	}
	raw, err := json.Marshal(payload)
	if err != nil {
		panic(err)
	}
	return slacksocket.Event{
		Type:    slacksocket.EventTypeInteractive,
		Request: &slacksocket.Request{Type: "interactive", EnvelopeID: "e1", Payload: raw},
	}
}

func expect(t *testing.T, b *bench, want ...string) {
	t.Helper()
	if diff := cmp.Diff(want, b.titles()); diff != "" {
		t.Errorf("sent (-want +got):\n%s", diff)
	}
}

func TestAnswerTravelsInTheAck(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := start(t, slow(time.Second), Options{})
		b.events <- typed(1, "x")
		time.Sleep(10 * time.Second)
		expect(t, b, "1s ack e1 answer to x")
		if m := b.log[0].Message; m.Type != "ephemeral" || m.Replace {
			t.Errorf("got %+v", m)
		}
	})
}

func TestSlowAnswersGoToTheResponseURL(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := start(t, slow(4*time.Second), Options{})
		b.events <- typed(1, "x")
		time.Sleep(10 * time.Second)
		expect(t, b, "1.5s ack e1", "2.5s /r1 Still working on it… Your answer follows within 28 s.", "4s /r1 answer to x")
	})
}

func TestHangingCommandIsCutOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := start(t, slow(time.Hour), Options{Timeout: 20 * time.Second})
		b.events <- typed(1, "x")
		time.Sleep(time.Minute)
		expect(t, b, "1.5s ack e1", "2.5s /r1 Still working on it… Your answer follows within 18 s.", "20s /r1 That took too long")
	})
}

func TestLargeAnswersGoToTheResponseURL(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		long := func(context.Context, commands.Request) (view.Page, error) {
			p := view.Page{Title: "long"}
			for range 20 {
				p.Parts = append(p.Parts, view.Facts{{Name: strings.Repeat("漢", 200), Value: strings.Repeat("漢", 200)}})
			}
			return p, nil
		}
		b := start(t, long, Options{})
		b.events <- typed(1, "x")
		synctest.Wait()
		expect(t, b, "0s ack e1", "0s /r1 long")
	})
}

// Slack drops an acknowledgement it dislikes without a word: tables go where a refusal shows, however often they were
// taken. What every workspace takes travels in the acknowledgement.
func TestTablesDoNotTravelInAcks(t *testing.T) {
	for name, c := range map[string]struct {
		tables blocks.TableSetting
		want   []string
	}{
		"auto":       {blocks.TablesAuto, []string{"0s ack e0", "0s /r0 table", "0s ack e1", "0s /r1 table"}},
		"table":      {blocks.TablesPlain, []string{"0s ack e0", "0s /r0 table", "0s ack e1", "0s /r1 table"}},
		"classic":    {blocks.TablesClassic, []string{"0s ack e0 table", "0s ack e1 table"}},
		"data_table": {blocks.TablesData, []string{"0s ack e0 table", "0s ack e1 table"}}, // the setting vouches for it
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := start(t, table, Options{Tables: c.tables})
				for n := range 2 {
					b.events <- typed(n, "x")
					synctest.Wait()
				}
				expect(t, b, c.want...)
			})
		})
	}
}

// A response_url refuses in several words, mostly without a reason. The answer comes more simply each time.
func TestResponseURLStepsDown(t *testing.T) {
	const named = `{"ok":false,"error":"invalid_blocks","response_metadata":{"messages":["[ERROR] unsupported type: data_table [json-pointer:/blocks/1/type]"]}}`
	refusals := func(bodies ...string) (posts []hookAnswer) {
		for _, b := range bodies {
			posts = append(posts, hookAnswer{http.StatusBadRequest, b, ""})
		}
		return posts
	}
	for name, c := range map[string]struct {
		posts []hookAnswer
		want  []string // the kinds of the blocks of the posts for two questions
	}{
		"one refusal":       {refusals("invalid_blocks"), []string{"header data_table", "header table", "header data_table"}},
		"as for views":      {refusals("invalid_arguments"), []string{"header data_table", "header table", "header data_table"}},
		"as JSON":           {[]hookAnswer{{200, `{"ok":false,"error":"invalid_blocks"}`, ""}}, []string{"header data_table", "header table", "header data_table"}},
		"with the type":     {[]hookAnswer{{200, named, ""}}, []string{"header data_table", "header table", "header table"}},
		"two refusals":      {refusals("invalid_blocks", "invalid_blocks"), []string{"header data_table", "header table", "header section", "header data_table"}},
		"sections as well":  {refusals("invalid_blocks", "invalid_blocks", "invalid_blocks"), []string{"header data_table", "header table", "header section", "", "header data_table"}},
		"nothing is taken":  {refusals("invalid_blocks", "invalid_blocks", "invalid_blocks", "invalid_blocks"), []string{"header data_table", "header table", "header section", "", "header data_table"}},
		"something else":    {refusals("used_url"), []string{"header data_table", "header data_table"}},
		"a pause meanwhile": {[]hookAnswer{{429, "", "1"}, {400, "invalid_blocks", ""}}, []string{"header data_table", "header data_table", "header table", "header data_table"}},
		"broken meanwhile":  {[]hookAnswer{{500, "", ""}, {400, "invalid_blocks", ""}, {400, "invalid_blocks", ""}}, []string{"header data_table", "header data_table", "header table", "header section", "header data_table"}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := start(t, table, Options{}, c.posts...)
				for n := range 2 {
					b.events <- typed(n, "x")
					time.Sleep(10 * time.Second)
				}
				synctest.Wait()
				var got []string
				for _, s := range b.log {
					var kinds []string
					for _, block := range s.Message.Blocks {
						kinds = append(kinds, block.Type)
					}
					if !strings.HasPrefix(s.To, "ack ") {
						got = append(got, strings.Join(kinds, " "))
					}
				}
				if diff := cmp.Diff(c.want, got); diff != "" {
					t.Errorf("posts (-want +got):\n%s", diff)
				}
			})
		})
	}
}

// The setting data_table lets tables travel in acknowledgements until a refusal is seen.
func TestSeenRefusalsKeepTablesOutOfAcks(t *testing.T) {
	const named = `{"ok":false,"error":"invalid_blocks","errors":["unsupported type: data_table [json-pointer:/blocks/1/type]"]}`
	synctest.Test(t, func(t *testing.T) {
		b := start(t, table, Options{Tables: blocks.TablesData}, hookAnswer{200, named, ""})
		b.events <- typed(7, "x")
		synctest.Wait()
		b.events <- clicked("run:1", "x", nil)
		synctest.Wait()
		b.events <- typed(8, "x")
		synctest.Wait()
		expect(t, b, "0s ack e7 table", "0s ack e1", "0s /r1 table", "0s /r1 table", "0s ack e8", "0s /r8 table")
	})
}

func TestPostsAreTriedAgainWhenNotTaken(t *testing.T) {
	for name, c := range map[string]struct {
		posts []hookAnswer
		want  []string
	}{
		"pause":    {[]hookAnswer{{429, "", "7"}}, []string{"1.5s ack e1", "2s /r1 answer to x", "9s /r1 answer to x"}},
		"broken":   {[]hookAnswer{{500, "", ""}}, []string{"1.5s ack e1", "2s /r1 answer to x", "3s /r1 answer to x"}},
		"used up":  {[]hookAnswer{{404, "used_url", ""}}, []string{"1.5s ack e1", "2s /r1 answer to x"}},
		"for good": {[]hookAnswer{{503, "", ""}, {503, "", ""}, {503, "", ""}}, []string{"1.5s ack e1", "2s /r1 answer to x", "3s /r1 answer to x"}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := start(t, slow(2*time.Second), Options{}, c.posts...)
				b.events <- typed(1, "x")
				time.Sleep(time.Minute)
				expect(t, b, c.want...)
			})
		})
	}
}

func TestRepeatedEnvelopesAreAnsweredOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := start(t, echo, Options{})
		b.events <- typed(1, "x")
		b.events <- typed(1, "x")
		again := typed(2, "x")
		cmd := again.Data.(slack.SlashCommand)
		cmd.TriggerID = "t1" // the same question in a new envelope
		again.Data = cmd
		b.events <- again
		synctest.Wait()
		if got := b.bot.Stats(); got.Answered != 1 || got.Duplicates != 2 {
			t.Errorf("stats %+v, want 1 answered and 2 duplicates", got)
		}
		if len(b.log) != 3 {
			t.Errorf("sent %v, want one answer and two empty acknowledgements", b.titles())
		}
	})
}

func TestClicks(t *testing.T) {
	visible := func(p map[string]any) { p["container"].(map[string]any)["is_ephemeral"] = false }
	for name, c := range map[string]struct {
		event   slacksocket.Event
		want    []string
		kind    string
		replace bool
	}{
		"a new answer":                {clicked("run:1", "windows 11", nil), []string{"0s ack e1", "0s /r1 answer to windows 11"}, "ephemeral", false},
		"in place":                    {clicked("replace:1", "x --page 2", nil), []string{"0s ack e1", "0s /r1 answer to x --page 2"}, "ephemeral", true},
		"not in a message for others": {clicked("replace:1", "x", visible), []string{"0s ack e1", "0s /r1 answer to x"}, "ephemeral", false},
		"shared":                      {clicked("share:1", "x", nil), []string{"0s ack e1", "0s /r1 answer to x"}, "in_channel", false},
		"a link":                      {clicked("open:1", "", nil), []string{"0s ack e1"}, "", false},
		"somebody else's button":      {clicked("other", "", nil), []string{"0s ack e1"}, "", false},
		"nowhere":                     {clicked("run:1", "x", func(p map[string]any) { delete(p, "channel"); delete(p, "container") }), []string{"0s ack e1"}, "", false},
		"no button at all":            {clicked("", "", func(p map[string]any) { p["actions"] = nil }), []string{"0s ack e1"}, "", false},
		"a modal":                     {clicked("", "", func(p map[string]any) { p["type"] = "view_submission" }), []string{"0s ack e1"}, "", false},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := start(t, echo, Options{})
				b.events <- c.event
				synctest.Wait()
				expect(t, b, c.want...)
				if m := b.log[len(b.log)-1].Message; m.Type != c.kind || m.Replace != c.replace {
					t.Errorf("answered %q, in place %v; want %q, %v", m.Type, m.Replace, c.kind, c.replace)
				}
			})
		})
	}
}

func TestSharingIsRefusedWhereOthersRead(t *testing.T) {
	for channel, title := range map[string]string{
		"C0OWN": "answer to x", "C0SHARED": "Not posted here", "C0PENDING": "Not posted here", "C0UNKNOWN": "Not posted here", "D0ALICE": "Not posted here",
	} {
		synctest.Test(t, func(t *testing.T) {
			b := start(t, echo, Options{})
			b.events <- clicked("share:1", "x", func(p map[string]any) { p["channel"] = map[string]any{"id": channel} })
			synctest.Wait()
			got := b.log[len(b.log)-1].Message
			if first, _, _ := strings.Cut(got.Text, "\n"); first != title {
				t.Errorf("%s: got %q, want %q", channel, first, title)
			}
			if public := got.Type == "in_channel"; public != (channel == "C0OWN") {
				t.Errorf("%s: posted for everyone: %v", channel, public)
			}
		})
	}
}

func TestOnlyMembersAreAnswered(t *testing.T) {
	for name, c := range map[string]struct {
		change func(map[string]any)
		title  string
	}{
		"own workspace":             {nil, "answer to x"},
		"other organisation":        {func(p map[string]any) { p["user"] = map[string]any{"id": "U9", "team_id": "T9"} }, "Only for members of this workspace"},
		"nobody knows where from":   {func(p map[string]any) { p["user"] = map[string]any{"id": "U9"} }, "Only for members of this workspace"},
		"nobody":                    {func(p map[string]any) { p["user"] = map[string]any{} }, "Only for members of this workspace"},
		"not known to Slack":        {func(p map[string]any) { p["user"] = map[string]any{"id": "X"} }, "Only for members of this workspace"},
		"workspace of the same org": {func(p map[string]any) { p["user"] = map[string]any{"id": "UORG", "team_id": "E1"} }, "answer to x"},
		"its team alone":            {func(p map[string]any) { p["user"] = map[string]any{"id": "UORG", "team_id": "T2"} }, "answer to x"},
		"outsider, app of an org": {func(p map[string]any) {
			p["user"] = map[string]any{"id": "U9", "team_id": "T1"}
			p["enterprise"] = map[string]any{"id": "E1"}
		}, "Only for members of this workspace"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := start(t, echo, Options{})
				b.events <- clicked("run:1", "x", c.change)
				synctest.Wait()
				if got, _, _ := strings.Cut(b.log[len(b.log)-1].Message.Text, "\n"); got != c.title {
					t.Errorf("got %q, want %q", got, c.title)
				}
			})
		})
	}
}

func TestUndecodableEnvelopesAreAcknowledged(t *testing.T) {
	raw := func(message string) slacksocket.Event {
		var r slacksocket.Request
		if err := json.Unmarshal([]byte(message), &r); err != nil {
			t.Fatal(err)
		}
		return socketmode.EventOf(r)
	}
	synctest.Test(t, func(t *testing.T) {
		b := start(t, echo, Options{})
		b.events <- raw(`{"envelope_id":"e1","type":"events_api","payload":{"event":{"type":"brand_new"}}}`)
		b.events <- raw(`{"envelope_id":"e3","type":"brand_new"}`)
		b.events <- raw(`{"envelope_id":"e4","type":"slash_commands","payload":[]}`)
		// slack-go cannot read this message's blocks; the click is plain all the same.
		b.events <- raw(`{"envelope_id":"e2","type":"interactive","payload":{"type":"block_actions","trigger_id":"t2",
			"response_url":"https://hooks.slack.com/r2","channel":{"id":"C0OWN"},"user":{"id":"U1","team_id":"T1"},"message":{"blocks":[{"type":"data_table","rows":[[null]]}]},
			"actions":[{"action_id":"run:1","value":"x"}]}}`)
		synctest.Wait()
		if got := b.bot.Stats(); got.Undecodable != 3 || got.Answered != 1 {
			t.Errorf("stats %+v, want 3 undecodable and 1 answered", got)
		}
		acks := strings.Join(b.titles(), "\n")
		for _, want := range []string{"ack e1", "ack e3", "ack e4", "ack e2", "/r2 answer to x"} {
			if !strings.Contains(acks, want) {
				t.Errorf("%q is missing in %q", want, acks)
			}
		}
	})
}

func TestCrashIsAnswered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := start(t, func(context.Context, commands.Request) (view.Page, error) { panic("hunter2") }, Options{})
		b.events <- typed(1, "x")
		synctest.Wait()
		expect(t, b, "0s ack e1 Something went wrong here")
		if text := b.log[0].Message.Text; strings.Contains(text, "hunter2") || !strings.Contains(text, "Reference: ") {
			t.Errorf("got %q", text)
		}
	})
}

// stuck never takes an acknowledgement before its time is over.
type stuck struct{ fakeSlack }

func (s *stuck) AckCtx(ctx context.Context, _ string, _ any) error {
	<-ctx.Done()
	return ctx.Err()
}

func TestStopFinishesWhatRuns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := start(t, slow(5*time.Second), Options{})
		b.events <- typed(1, "x")
		time.Sleep(time.Second)
		go func() {
			time.Sleep(time.Second)
			b.events <- typed(2, "late")
		}()
		b.finish()
		expect(t, b, "1.5s ack e1", "2s ack e2 The bot is restarting", "2.5s /r1 Still working on it… Your answer follows within 28 s.", "5s /r1 answer to x")
	})
}

func TestStopEndsWhatHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := start(t, slow(time.Hour), Options{Timeout: time.Hour})
		b.events <- typed(1, "x")
		time.Sleep(2 * time.Second)
		began := time.Now()
		b.finish()
		if took := time.Since(began); took > 10*time.Second {
			t.Errorf("stopping took %v, want 10s at most", took)
		}
		expect(t, b, "1.5s ack e1", "2.5s /r1 Still working on it… Your answer follows within 3598 s.", "7s /r1 The bot is restarting")
	})
}

// An answer that went down with its connection takes the other way.
func TestLostAckIsSentAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := start(t, echo, Options{})
		lost := &ackAnswer{reply: reply{text: "the answer"}, to: replyTo{responseURL: slackapi.NewResponseURL("https://hooks.slack.com/r1")}}
		b.events <- slacksocket.Event{
			Type: slacksocket.EventTypeErrorWriteFailed,
			Data: &slacksocket.ErrorWriteFailed{Response: &slacksocket.Response{EnvelopeID: "e1", Payload: lost}},
		}
		synctest.Wait()
		expect(t, b, "0s /r1 the answer")
	})
}

func TestRecentForgetsTheOldest(t *testing.T) {
	r := newRecent(2)
	for _, c := range []struct {
		id   string
		seen bool
	}{{"a", false}, {"a", true}, {"b", false}, {"c", false}, {"a", false}, {"c", true}, {"", false}, {"", false}} {
		if got := r.add(c.id); got != c.seen {
			t.Errorf("%q: seen %v, want %v", c.id, got, c.seen)
		}
	}
}

func FuzzClick(f *testing.F) {
	for _, e := range []slacksocket.Event{clicked("run:1", "x", nil), clicked("share:9", "", nil)} {
		f.Add([]byte(e.Request.Payload))
	}
	f.Add([]byte(`{"actions":null,"enterprise":null,"channel":null}`))
	f.Fuzz(func(t *testing.T, payload []byte) {
		q, err := clickedQuestion("e1", payload)
		if err == nil && q.kind == "" {
			t.Errorf("a question of no kind: %+v", q)
		}
		if err == nil {
			_, _ = q.request()
		}
	})
}

// An answer without a table says nothing of whether the workspace takes tables.
func TestOtherAnswersProveNothingAboutTables(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := start(t, func(ctx context.Context, req commands.Request) (view.Page, error) {
			if req.Words[0] == "table" {
				return table(ctx, req)
			}
			return slow(2*time.Second)(ctx, req)
		}, Options{})
		b.events <- typed(1, "x")
		time.Sleep(5 * time.Second)
		b.events <- typed(2, "table")
		synctest.Wait()
		expect(t, b, "1.5s ack e1", "2s /r1 answer to x", "5s ack e2", "5s /r2 table")
	})
}

// deaf takes no acknowledgement that carries an answer.
type deaf struct{ *fakeSlack }

func (d deaf) AckCtx(ctx context.Context, envelope string, payload any) error {
	if payload != nil {
		return errors.New("connection lost")
	}
	return d.fakeSlack.AckCtx(ctx, envelope, nil)
}

func TestFailedAckTakesTheOtherWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := start(t, echo, Options{})
		b.bot.acks = deaf{b.fakeSlack}
		b.events <- typed(1, "x")
		synctest.Wait()
		expect(t, b, "0s ack e1", "0s /r1 answer to x")
	})
}

// acked are the envelopes of a connection that Slack ends: they were acknowledged when it said so.
type acked struct{ *fakeSlack }

func (a acked) AckCtx(context.Context, string, any) error { return socketmode.ErrAcknowledged }

// An answer that comes after that takes the other way, and nothing has failed.
func TestAnswerAfterARefreshIsNoFailure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		b := start(t, echo, Options{Log: slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelWarn}))})
		b.bot.acks = acked{b.fakeSlack}
		b.events <- typed(1, "x")
		synctest.Wait()
		expect(t, b, "0s /r1 answer to x")
		if n := b.bot.Stats().Unacknowledged; n != 0 || log.Len() > 0 {
			t.Errorf("%d failures counted, logged %q", n, log.String())
		}
	})
}

// Events without an envelope hold nothing to answer.
func TestEventsWithoutEnvelopeAreLeftAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := start(t, echo, Options{})
		b.events <- slacksocket.Event{}
		b.events <- slacksocket.Event{Type: slacksocket.EventTypeErrorWriteFailed, Data: &slacksocket.ErrorWriteFailed{}}
		b.events <- slacksocket.Event{Type: slacksocket.EventTypeSlashCommand, Request: &slacksocket.Request{}}
		synctest.Wait()
		expect(t, b)
	})
}

// What failed through no fault of the question can be asked again by a button.
func TestFailuresOfferToAskAgain(t *testing.T) {
	for name, c := range map[string]struct {
		err    error
		event  slacksocket.Event
		offers bool
	}{
		"down":             {errors.New("down"), typed(1, "windows 11"), true},
		"clicked and down": {errors.New("down"), clicked("run:1", "windows 11", nil), true},
		"wrong question":   {&commands.Error{Message: "no such option"}, typed(1, "windows 11"), false},
		"share":            {errors.New("down"), clicked("share:1", "windows 11", nil), false},
	} {
		synctest.Test(t, func(t *testing.T) {
			b := start(t, func(context.Context, commands.Request) (view.Page, error) { return view.Page{}, c.err }, Options{})
			b.events <- c.event
			synctest.Wait()
			offers := strings.Contains(string(b.raw), `"Ask again"`) && strings.Contains(string(b.raw), `"windows 11"`)
			if offers != c.offers {
				t.Errorf("%s: offers to ask again: %v, want %v", name, offers, c.offers)
			}
		})
	}
}
