package post

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/missingkbs/missingkbs/bot/access"
	"github.com/missingkbs/missingkbs/bot/blocks"
	"github.com/missingkbs/missingkbs/bot/slackapi"
	"github.com/missingkbs/missingkbs/bot/slacktest"
	"github.com/missingkbs/missingkbs/commands"
	"github.com/missingkbs/missingkbs/internal/digest"
	"github.com/missingkbs/missingkbs/internal/sandbox"
	"github.com/missingkbs/missingkbs/internal/sandbox/faults"
	"github.com/missingkbs/missingkbs/internal/view"
)

// workplace is a workspace with a poster that knows it by the real Slack client.
type workplace struct {
	*sandbox.Workspace
	poster *Poster
	gate   *access.Gate
	config slackapi.Config
	self   slackapi.Workspace
}

func newWorkplace(t *testing.T, o sandbox.Options, p Options) workplace {
	t.Helper()
	w := slacktest.Start(t, o)
	if p.PerChannel == 0 {
		p.PerChannel = -1
	}
	config := slackapi.Config{Tokens: slackapi.NewTokens("", w.BotToken()), APIURL: w.APIURL(), HTTP: &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}}
	self := slackapi.Workspace{TeamID: sandbox.TeamID, UserID: sandbox.BotUser}
	g := access.NewGate(access.NewDirectory(config.ClientWithoutRetry()), self, access.Options{})
	return workplace{w, New(config, self, g, p), g, config, self}
}

// post posts a digest that must be taken.
func (w workplace) post(t *testing.T, key string, page, details view.Page) string {
	t.Helper()
	ts, err := w.poster.Post(slacktest.Soon(t), sandbox.Patching, key, page)
	if err == nil && len(details.Parts) > 0 {
		err = w.poster.Reply(slacktest.Soon(t), threadOf(ts, key, details), none)
	}
	if err != nil {
		t.Fatal(err)
	}
	return ts
}

// threadOf is what is posted into the thread of a digest.
func threadOf(ts, key string, details view.Page) digest.Reply {
	return digest.Reply{Channel: sandbox.Patching, Message: ts, Key: key, Details: details}
}

// none takes no note of what is posted.
func none(int) error { return nil }

func tableOf(rows int) view.Table {
	t := view.Table{
		Caption: "Missing updates", Command: "digest details 1",
		Columns: []view.Column{{Key: "kb", Title: "KB"}, {Key: "devices", Title: "Devices", Kind: view.Number}},
	}
	for i := range rows {
		t.Rows = append(t.Rows, []view.Cell{view.TextCell(fmt.Sprintf("KB5%06d", i)), view.NumberCell(rows - i)})
	}
	return t
}

func digestPage() view.Page {
	return view.Page{
		Title: "Action required: microsoft-_-edge", Lead: "1 new <!channel>.", Parts: []view.Part{tableOf(3)},
		Actions: []view.Action{
			{Label: "Pause", Command: "digest pause 1"},
			{Label: "Share to channel", Command: "digest show 1", Effect: view.Share},
		},
	}
}

// drawn is a message as tests look at it.
type drawn struct {
	types   []string // of its blocks
	buttons []string // label and command
	small   string   // its small print
}

func read(t *testing.T, m sandbox.Message) drawn {
	t.Helper()
	var list []map[string]any
	if err := json.Unmarshal(m.Blocks, &list); err != nil {
		t.Fatal(err)
	}
	var d drawn
	for _, b := range list {
		kind := b["type"].(string)
		d.types = append(d.types, kind)
		if kind != "actions" && kind != "context" {
			continue
		}
		for _, e := range b["elements"].([]any) {
			e := e.(map[string]any)
			switch kind {
			case "actions":
				d.buttons = append(d.buttons, fmt.Sprint(e["text"].(map[string]any)["text"], ": ", e["value"]))
			case "context":
				d.small += fmt.Sprint(e["text"])
			}
		}
	}
	return d
}

func TestPost(t *testing.T) {
	t.Parallel()
	w := newWorkplace(t, sandbox.Options{}, Options{})
	ts := w.post(t, "1@1774256400", digestPage(), view.Page{})
	all := w.Messages(sandbox.Patching, sandbox.Bob)
	if len(all) != 1 || all[0].TS != ts {
		t.Fatalf("messages = %+v, want the one that Post named", all)
	}
	m := all[0]
	got := read(t, m)
	if diff := cmp.Diff([]string{"header", "section", "data_table", "actions"}, got.types); diff != "" {
		t.Errorf("blocks (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"Pause: digest pause 1"}, got.buttons); diff != "" {
		t.Errorf("buttons, where all can see it already (-want +got):\n%s", diff)
	}
	if !strings.HasPrefix(m.Text, "Action required: microsoft-_-edge\n1 new &lt;!channel&gt;.\n") {
		t.Errorf("text = %q, want the page, escaped once", m.Text)
	}
	want := `{"event_type":"missingkbs_digest","event_payload":{"key":"1@1774256400"}}`
	if string(m.Metadata) != want {
		t.Errorf("metadata = %s, want %s", m.Metadata, want)
	}
	for _, call := range w.Trace() {
		if call.Name != "chat.postMessage" {
			continue
		}
		raw, _ := json.Marshal(call)
		for _, off := range []string{`unfurl_links`, `unfurl_media`, `mrkdwn`} {
			if !strings.Contains(string(raw), `"`+off+`":"false"`) && !strings.Contains(string(raw), `"`+off+`":false`) {
				t.Errorf("%s is not switched off in %s", off, raw)
			}
		}
	}
}

func TestPostWhereNewBlocksAreRefused(t *testing.T) {
	t.Parallel()
	w := newWorkplace(t, sandbox.Options{}, Options{})
	w.SetFaults(faults.Switches{RefuseNewBlocks: true})
	for range 2 {
		w.post(t, "1@1", digestPage(), view.Page{})
	}
	all := w.Messages(sandbox.Patching, sandbox.Bob)
	if len(all) != 2 {
		t.Fatalf("%d messages, want 2", len(all))
	}
	for _, m := range all {
		if diff := cmp.Diff([]string{"header", "section", "table", "actions"}, read(t, m).types); diff != "" {
			t.Errorf("blocks (-want +got):\n%s", diff)
		}
	}
	if n := slacktest.Calls(w.Workspace, "chat.postMessage"); n != 3 {
		t.Errorf("%d posts, want 3: the refusal is remembered", n)
	}
}

// A setting decides what is tried first. What is refused all the same is drawn more simply, so that it arrives.
func TestPostAsASettingAsks(t *testing.T) {
	t.Parallel()
	sections := []string{"header", "section", "section", "section", "section", "actions"}
	for tables, c := range map[blocks.TableSetting]struct {
		refused faults.RefusedBlocks
		posts   int // of two digests
		want    []string
	}{
		blocks.TablesData:    {faults.RefusedBlocks{DataTable: true}, 4, []string{"header", "section", "table", "actions"}}, // each is tried
		blocks.TablesPlain:   {faults.RefusedBlocks{}, 2, []string{"header", "section", "table", "actions"}},
		blocks.TablesClassic: {faults.RefusedBlocks{}, 2, sections},
	} {
		t.Run(string(tables), func(t *testing.T) {
			t.Parallel()
			w := newWorkplace(t, sandbox.Options{}, Options{Tables: tables})
			w.SetFaults(faults.Switches{Refused: c.refused})
			for range 2 {
				w.post(t, "1@1", digestPage(), view.Page{})
			}
			for _, m := range w.Messages(sandbox.Patching, sandbox.Bob) {
				if diff := cmp.Diff(c.want, read(t, m).types); diff != "" {
					t.Errorf("blocks (-want +got):\n%s", diff)
				}
			}
			if n := slacktest.Calls(w.Workspace, "chat.postMessage"); n != c.posts {
				t.Errorf("%d posts, want %d", n, c.posts)
			}
		})
	}
}

func TestPostDetailsIntoTheThread(t *testing.T) {
	t.Parallel()
	changes := view.Facts{{Name: "New", Value: "KB5000001 on 3 devices"}}
	tests := []struct {
		name    string
		classic bool
		parts   []view.Part
		want    []string // kinds of blocks, small print and buttons of each reply
	}{
		{"nothing", false, nil, nil},
		{"a page", false, []view.Part{changes, tableOf(20)}, []string{"header rich_text data_table"}},
		{"two pages", false, []view.Part{tableOf(120)}, []string{"header data_table context Rows 1 to 100 of 120.", "header data_table context Rows 101 to 120 of 120."}},
		{"changes apart from pages", false, []view.Part{changes, tableOf(120)}, []string{
			"header rich_text", "header data_table context Rows 1 to 100 of 120.", "header data_table context Rows 101 to 120 of 120.",
		}},
		{"more than fits", false, []view.Part{changes, tableOf(1000)}, []string{
			"header rich_text", "header data_table context Rows 1 to 100 of 1,000.", "header data_table actions context Rows 101 to 200 of 1,000. All rows: digest details 1",
		}},
		{"more than fits, classic", true, []view.Part{tableOf(100)}, []string{
			"header section context Rows 1 to 20 of 100.", "header section context Rows 21 to 40 of 100.", "header section actions context Rows 41 to 60 of 100. All rows: digest details 1",
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			o := Options{}
			if tt.classic {
				o.Tables = blocks.TablesClassic
			}
			w := newWorkplace(t, sandbox.Options{}, o)
			ts := w.post(t, "1@1", digestPage(), view.Page{Title: "Details", Parts: tt.parts})
			var got []string
			for _, m := range w.Messages(sandbox.Patching, sandbox.Bob) {
				if m.TS == ts {
					continue
				}
				if m.ThreadTS != ts || m.Broadcast || len(m.Metadata) > 0 && strings.Contains(string(m.Metadata), keyEvent) {
					t.Errorf("reply %+v, want it in the thread alone, without a key", m)
				}
				d := read(t, m)
				words := append(slices.Compact(d.types), d.small)
				got = append(got, strings.TrimSpace(strings.Join(append(words, d.buttons...), " ")))
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("replies (-want +got):\n%s", diff)
			}
		})
	}
}

// What the form of a message has no room for comes in the next one: when Slack refuses a page of rows in the middle of a
// thread, no row of it is lost or comes twice.
func TestThreadHoldsEveryRowWhateverIsRefused(t *testing.T) {
	t.Parallel()
	for name, refused := range map[string]faults.RefusedBlocks{
		"nothing":            {},
		"data tables":        {DataTable: true},
		"all tables":         {DataTable: true, Table: true},
		"all tables, mutely": {DataTable: true, Table: true, Mutely: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorkplace(t, sandbox.Options{}, Options{})
			w.SetFaults(faults.Switches{Refused: refused})
			head := digestPage()
			head.Parts = nil // so that the thread is the first to be refused
			ts := w.post(t, "1@1", head, view.Page{Title: "Details", Parts: []view.Part{tableOf(120)}})
			rows := regexp.MustCompile(`KB\d+`)
			var got []string
			for _, m := range w.Messages(sandbox.Patching, sandbox.Bob) {
				if m.TS != ts {
					got = append(got, slices.Compact(rows.FindAllString(string(m.Blocks), -1))...)
				}
			}
			var want []string
			for i := range 120 {
				want = append(want, rows.FindString(tableOf(120).Row(i)[0].Text))
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("rows (-want +got):\n%s", diff)
			}
		})
	}
}

// A process may die after any message of a thread: what is there already is not posted again, and what is not there is,
// even where tables are drawn in another way by now.
func TestReplyPostsWhatIsOwed(t *testing.T) {
	t.Parallel()
	const rows = 120
	details := view.Page{Title: "Details", Parts: []view.Part{view.Facts{{Name: "New", Value: "on 3 devices"}}, tableOf(rows)}}
	for _, forms := range [][2]blocks.TableSetting{{blocks.TablesAuto, blocks.TablesAuto}, {blocks.TablesAuto, blocks.TablesClassic}, {blocks.TablesClassic, blocks.TablesAuto}, {blocks.TablesClassic, blocks.TablesClassic}} {
		for dies := range 4 { // at the answer to that message; 0 for not at all
			t.Run(fmt.Sprint(forms, " after ", dies), func(t *testing.T) {
				t.Parallel()
				w := newWorkplace(t, sandbox.Options{}, Options{Tables: forms[0]})
				ctx, die := context.WithCancel(slacktest.Soon(t))
				defer die()
				n := -1 // the digest itself comes first
				w.doAfterEach(func() {
					if n++; n > 0 && n == dies {
						die()
					}
				})
				ts := w.post(t, "1@1", digestPage(), view.Page{})
				err := w.poster.Reply(ctx, threadOf(ts, "1@1", details), func(int) error { return ctx.Err() })
				if died := dies == 1 || dies == 2; died && err == nil {
					t.Fatal("Reply succeeded, though it was cut off")
				}
				next := New(w.config, w.self, w.gate, Options{PerChannel: -1, Tables: forms[1]})
				again := threadOf(ts, "1@1", details)
				again.Look = true
				for range 2 {
					if err := next.Reply(slacktest.Soon(t), again, none); err != nil {
						t.Fatal(err)
					}
				}
				w.checkThread(t, ts, rows)
			})
		}
	}
}

// checkThread checks that the thread of a digest holds its changes and its rows, each once and in order, and that it leads
// to those for which it has no room.
func (w workplace) checkThread(t *testing.T, ts string, rows int) {
	t.Helper()
	kb := regexp.MustCompile(`KB5\d+`)
	var got []string
	all, changes := "", 0
	for _, m := range w.Messages(sandbox.Patching, sandbox.Bob) {
		if m.ThreadTS == ts && m.TS != ts {
			got = append(got, slices.Compact(kb.FindAllString(string(m.Blocks), -1))...)
			changes += strings.Count(string(m.Blocks), "on 3 devices")
			all = strings.Join(read(t, m).buttons, " ")
		}
	}
	if len(got) < rows && all != "All rows: digest details 1" {
		t.Errorf("%d of %d rows, and the buttons of the last message are %q", len(got), rows, all)
	}
	if changes != 1 {
		t.Errorf("the changes stand in the thread %d times", changes)
	}
	for i := range min(rows, max(len(got), 20)) {
		if i >= len(got) || got[i] != tableOf(rows).Row(i)[0].Text {
			t.Fatalf("rows %q, want each once and in order", got)
		}
	}
	if len(got) > rows {
		t.Errorf("%d rows of %d", len(got), rows)
	}
}

// Where the bot may not read the thread it goes by what is recorded.
func TestReplyWhereItMayNotRead(t *testing.T) {
	t.Parallel()
	w := newWorkplace(t, sandbox.Options{Scopes: []string{"chat:write", "channels:read"}}, Options{})
	ts := w.post(t, "1@1", digestPage(), view.Page{})
	r := threadOf(ts, "1@1", view.Page{Title: "Details", Parts: []view.Part{tableOf(120)}})
	r.Look, r.Posted = true, 1
	if err := w.poster.Reply(slacktest.Soon(t), r, none); err != nil {
		t.Fatal(err)
	}
	all := w.Messages(sandbox.Patching, sandbox.Bob)
	if len(all) != 2 || read(t, all[1]).small != "Rows 101 to 120 of 120." {
		t.Errorf("%d messages, want the digest and the second of its thread", len(all))
	}
}

// What keeps a thread from being completed is told apart: what passes, and what does not.
func TestReplyRefusals(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		happens func(w workplace, ts string)
		look    bool
		want    error
	}{
		"the digest was deleted":         {func(w workplace, ts string) { w.remove(t, ts) }, false, digest.ErrThreadGone},
		"the digest was deleted, looked": {func(w workplace, ts string) { w.remove(t, ts) }, true, digest.ErrThreadGone},
		"archived":                       {func(w workplace, _ string) { w.Archive(sandbox.Patching) }, false, digest.ErrChannelGone},
		"kicked":                         {func(w workplace, _ string) { w.Kick(sandbox.Patching, sandbox.BotUser) }, true, digest.ErrChannelGone},
		"Slack asks for a pause":         {func(w workplace, _ string) { w.SetFaults(faults.Switches{RateLimited: true}) }, false, digest.RetryLater{}},
		"a pause before the look":        {func(w workplace, _ string) { w.SetFaults(faults.Switches{RateLimited: true}) }, true, digest.RetryLater{}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorkplace(t, sandbox.Options{}, Options{})
			ts := w.post(t, "1@1", digestPage(), view.Page{})
			tt.happens(w, ts)
			r := threadOf(ts, "1@1", view.Page{Title: "Details", Parts: []view.Part{tableOf(1)}})
			r.Look = tt.look
			err := w.poster.Reply(slacktest.Soon(t), r, none)
			if _, later := errors.AsType[digest.RetryLater](tt.want); later {
				if _, ok := errors.AsType[digest.RetryLater](err); !ok {
					t.Errorf("Reply = %v, want to try later", err)
				}
			} else if !errors.Is(err, tt.want) {
				t.Errorf("Reply = %v, want %v", err, tt.want)
			}
		})
	}
}

// remove deletes a message of the bot's.
func (w workplace) remove(t *testing.T, ts string) {
	t.Helper()
	if _, _, err := w.poster.slack.Current().DeleteMessageContext(slacktest.Soon(t), sandbox.Patching, ts); err != nil {
		t.Fatal(err)
	}
}

// doAfterEach does something after each call of the poster.
func (w workplace) doAfterEach(do func()) {
	config := w.config
	config.HTTP = &http.Client{Transport: slacktest.RoundTrip(func(r *http.Request) (*http.Response, error) {
		resp, err := w.config.HTTP.Transport.RoundTrip(r)
		do()
		return resp, err
	})}
	w.poster.slack = config.ClientWithoutRetry()
}

// A workspace that takes one message a second gets all of a digest all the same.
func TestPostKeepsToSlacksLimit(t *testing.T) {
	t.Parallel()
	w := newWorkplace(t, sandbox.Options{Strict: true}, Options{})
	w.post(t, "1@1", digestPage(), view.Page{Title: "Details", Parts: []view.Part{tableOf(1)}})
	if got := len(w.Messages(sandbox.Patching, sandbox.Bob)); got != 2 {
		t.Errorf("%d messages, want the digest and its details", got)
	}
}

func TestPostRefusals(t *testing.T) {
	t.Parallel()
	archived := func(w *sandbox.Workspace) { w.Archive(sandbox.Patching) }
	kicked := func(w *sandbox.Workspace) { w.Kick(sandbox.Patching, sandbox.BotUser) }
	fault := func(f faults.Switches) func(*sandbox.Workspace) {
		return func(w *sandbox.Workspace) { w.SetFaults(f) }
	}
	tests := []struct {
		name, channel string
		before        func(*sandbox.Workspace)
		want          error // of digest, or none of them
		code          string
	}{
		{"archived", sandbox.Patching, archived, digest.ErrChannelGone, "is_archived"},
		{"kicked", sandbox.Patching, kicked, digest.ErrChannelGone, "not_in_channel"},
		{"never invited", sandbox.PrivateChannel, nil, digest.ErrChannelGone, "channel_not_found"},
		{"deleted", "C0NOWHERE", nil, digest.ErrChannelGone, "channel_not_found"},
		{"shared with others", sandbox.SharedChannel, nil, digest.ErrChannelGone, "shared with another organisation"},
		{"app removed", sandbox.Patching, fault(faults.Switches{WebAPIError: "account_inactive"}), nil, "account_inactive"},
		{"too fast", sandbox.Patching, fault(faults.Switches{RateLimited: true}), digest.RetryLater{After: time.Second}, "rate limit"},
		{"Slack is down", sandbox.Patching, fault(faults.Switches{WebAPIError: "internal_error"}), nil, "internal_error"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := newWorkplace(t, sandbox.Options{}, Options{})
			if tt.before != nil {
				tt.before(w.Workspace)
			}
			_, err := w.poster.Post(slacktest.Soon(t), tt.channel, "1@1", digestPage())
			checkFailure(t, err, tt.want, tt.code)
			w.SetFaults(faults.Switches{})
			if all := w.Messages(tt.channel, sandbox.Alice); len(all) != 0 {
				t.Errorf("messages = %+v, want none", all)
			}
		})
	}
}

func checkFailure(t *testing.T, err, want error, code string) {
	t.Helper()
	later, isLater := errors.AsType[digest.RetryLater](err)
	wanted, wantLater := errors.AsType[digest.RetryLater](want)
	if errors.Is(err, digest.ErrChannelGone) != errors.Is(want, digest.ErrChannelGone) || isLater != wantLater || later.After != wanted.After {
		t.Errorf("error = %v, want %v", err, want)
	}
	if err == nil || !strings.Contains(err.Error(), code) {
		t.Errorf("error = %v, want its cause %s", err, code)
	}
	if err != nil && strings.Contains(err.Error(), "xoxb-") {
		t.Errorf("error = %v, which holds a token", err)
	}
}

func TestPostWithoutSlack(t *testing.T) {
	t.Parallel()
	w := newWorkplace(t, sandbox.Options{}, Options{})
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	_, err := w.poster.Post(slacktest.Soon(t), sandbox.Patching, "1@1", digestPage())
	checkFailure(t, err, nil, "dial")
	_, found, err := w.poster.Find(slacktest.Soon(t), sandbox.Patching, "1@1", time.Now())
	checkFailure(t, err, nil, "dial")
	if found {
		t.Error("found something")
	}
}

func TestTell(t *testing.T) {
	t.Parallel()
	w := newWorkplace(t, sandbox.Options{}, Options{})
	if err := w.poster.Tell(slacktest.Soon(t), sandbox.Alice, view.Page{Title: "A digest is paused"}); err != nil {
		t.Fatal(err)
	}
	all := w.Messages(sandbox.AliceDM, sandbox.Alice)
	if len(all) != 1 || !strings.HasPrefix(all[0].Text, "A digest is paused") {
		t.Errorf("messages = %+v, want the page", all)
	}
	checkFailure(t, w.poster.Tell(slacktest.Soon(t), "U0NOBODY", view.Page{Title: "x"}), digest.ErrChannelGone, "channel_not_found")
}

func TestFind(t *testing.T) {
	t.Parallel()
	w := newWorkplace(t, sandbox.Options{}, Options{})
	ctx, began := slacktest.Soon(t), w.Now()
	w.post(t, "1@1", digestPage(), view.Page{})
	ts := w.post(t, "1@2", digestPage(), view.Page{Title: "Details", Parts: []view.Part{tableOf(1)}})
	for range 450 { // three pages of history
		w.Say(t, sandbox.Patching, sandbox.Bob, "chatter")
	}
	got, found, err := w.poster.Find(ctx, sandbox.Patching, "1@2", began)
	if err != nil || !found || got != ts {
		t.Errorf("Find = %q, %v, %v; want %q", got, found, err, ts)
	}
	for name, key := range map[string]string{"another key": "1@3", "a part of a key": "1@", "no key": ""} {
		if got, found, err := w.poster.Find(ctx, sandbox.Patching, key, began); found || err != nil {
			t.Errorf("%s: Find = %q, %v, %v; want nothing", name, got, found, err)
		}
	}
	w.Advance(time.Hour)
	if got, found, err := w.poster.Find(ctx, sandbox.Patching, "1@2", w.Now()); found || err != nil {
		t.Errorf("since an hour later: Find = %q, %v, %v; want nothing", got, found, err)
	}
}

// Say posts a message of a person's.
func (w workplace) Say(t *testing.T, channel, user, text string) {
	t.Helper()
	if _, err := w.Message(slacktest.Soon(t), user, channel, text); err != nil {
		t.Fatal(err)
	}
}

func TestFindWhereItMayNotRead(t *testing.T) {
	t.Parallel()
	scopes := []string{"chat:write", "channels:read", "users:read"}
	for name, tt := range map[string]struct {
		options sandbox.Options
		before  func(*sandbox.Workspace)
		channel string
	}{
		"without the scope": {sandbox.Options{Scopes: scopes}, func(*sandbox.Workspace) {}, sandbox.Patching},
		"kicked":            {sandbox.Options{}, func(w *sandbox.Workspace) { w.Kick(sandbox.Patching, sandbox.BotUser) }, sandbox.Patching},
		"never invited":     {sandbox.Options{}, func(*sandbox.Workspace) {}, sandbox.PrivateChannel},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorkplace(t, tt.options, Options{})
			tt.before(w.Workspace)
			if got, found, err := w.poster.Find(slacktest.Soon(t), tt.channel, "1@1", w.Now()); found || err != nil {
				t.Errorf("Find = %q, %v, %v; want nothing and no error", got, found, err)
			}
		})
	}
	w := newWorkplace(t, sandbox.Options{}, Options{})
	w.SetFaults(faults.Switches{RateLimited: true})
	_, _, err := w.poster.Find(slacktest.Soon(t), sandbox.Patching, "1@1", time.Now())
	checkFailure(t, err, digest.RetryLater{After: time.Second}, "rate limit")
	w.SetFaults(faults.Switches{WebAPIError: "internal_error"})
	_, _, err = w.poster.Find(slacktest.Soon(t), sandbox.Patching, "1@1", time.Now())
	checkFailure(t, err, nil, "internal_error")
}

// Others can write the same metadata, and blocks that slack-go does not know.
func TestFindTrustsOnlyItsOwnMessages(t *testing.T) {
	t.Parallel()
	page := func(user string) string {
		return fmt.Sprintf(`{"ok":true,"messages":[{"ts":"2.0","user":%q,"blocks":[{"type":"actions","elements":[{"type":"from_the_future"}]}],
			"metadata":{"event_type":"missingkbs_digest","event_payload":{"key":"1@1","n":{"a":1}}}}]}`, user)
	}
	for user, want := range map[string]bool{"U0OTHER": false, "": false, sandbox.BotUser: true} {
		transport := slacktest.RoundTrip(func(r *http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(strings.NewReader(page(user))), Request: r, Header: http.Header{}}, nil
		})
		p := New(slackapi.Config{Tokens: slackapi.NewTokens("", "x"), HTTP: &http.Client{Transport: transport}}, slackapi.Workspace{UserID: sandbox.BotUser}, nil, Options{})
		if _, found, err := p.Find(t.Context(), "C1", "1@1", time.Now()); err != nil || found != want {
			t.Errorf("message of %q: found %v, %v; want %v", user, found, err, want)
		}
	}
}

func TestPostLimits(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := newPostLimits(0, 0)
		began := time.Now()
		for range 4 {
			if err := l.wait(t.Context(), "C1"); err != nil {
				t.Fatal(err)
			}
		}
		if got, want := time.Since(began), 3*defaultPerChannel; got != want {
			t.Errorf("four messages in a channel took %v, want %v", got, want)
		}
		time.Sleep(time.Minute)
		began = time.Now()
		for i := range postBurst + defaultPerMinute/60 {
			if err := l.wait(t.Context(), fmt.Sprint("C", i)); err != nil {
				t.Fatal(err)
			}
		}
		if got := time.Since(began); got.Round(time.Millisecond) != time.Second {
			t.Errorf("%d messages into as many channels took %v, want a second", postBurst+defaultPerMinute/60, got)
		}
	})
}

func TestPostLimitsSendAwayWhoWouldWaitTooLong(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := newPostLimits(15*time.Second, -1)
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		if err := l.wait(ctx, "C1"); err != nil {
			t.Fatal(err)
		}
		waiting := make(chan error)
		go func() { waiting <- l.wait(t.Context(), "C1") }()
		synctest.Wait()
		later, ok := errors.AsType[digest.RetryLater](l.wait(ctx, "C1"))
		if !ok || later.After != 30*time.Second {
			t.Errorf("got %+v, want to be told to come back in 30 s", later)
		}
		if err := l.wait(ctx, "C2"); err != nil {
			t.Errorf("another channel: %v", err)
		}
		if err := <-waiting; err != nil {
			t.Error(err)
		}
		if err := l.wait(ctx, "C1"); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("error = %v, want the end of the context", err)
		}
		// Whoever gave up gave the turn back.
		time.Sleep(15 * time.Second)
		began := time.Now()
		if err := l.wait(t.Context(), "C1"); err != nil || time.Since(began) != 0 {
			t.Errorf("waited %v, %v; want no wait", time.Since(began), err)
		}
	})
}

func TestPostLimitsForgetIdleChannels(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := newPostLimits(time.Second, -1)
		for i := range 3 * maxLimiters {
			if err := l.wait(t.Context(), fmt.Sprint("C", i)); err != nil {
				t.Fatal(err)
			}
			time.Sleep(2 * time.Millisecond)
		}
		if n := len(l.channels); n > maxLimiters {
			t.Errorf("%d channels are remembered, want at most %d", n, maxLimiters)
		}
	})
}

// Digests end where a person of a conversation is no member any more, and where a channel becomes shared.
func TestDigestsGoByTheSameRules(t *testing.T) {
	t.Parallel()
	w := newWorkplace(t, sandbox.Options{}, Options{})
	post := func(channel string) error {
		_, err := w.poster.Post(slacktest.Soon(t), channel, "k", view.Page{Title: "digest"})
		return err
	}
	if err := post(sandbox.AliceDM); err != nil {
		t.Error(err)
	}
	if err := post(sandbox.General); err != nil {
		t.Error(err)
	}
	w.Share(sandbox.General, true)
	if err := post(sandbox.General); !errors.Is(err, digest.ErrChannelGone) || commands.Reason(err) != "shared_channel" {
		t.Errorf("into a channel that became shared: %v", err)
	}
	w.Share(sandbox.General, false)
	if err := post(sandbox.General); err != nil {
		t.Errorf("into a channel that is shared no more: %v", err)
	}
	if err := post("D0GUEST01"); !errors.Is(err, digest.ErrChannelGone) || commands.Reason(err) != "guest" {
		t.Errorf("to a guest: %v", err)
	}
}
