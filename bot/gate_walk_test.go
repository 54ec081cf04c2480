package bot

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/missingkbs/missingkbs/commands/cmdline"
	"github.com/missingkbs/missingkbs/commands/digestcmd"

	"github.com/google/go-cmp/cmp"
	"github.com/slack-go/slack"
	"github.com/slack-go/slack/socketmode"

	"github.com/missingkbs/missingkbs/bot/access"
	"github.com/missingkbs/missingkbs/bot/slackapi"
	"github.com/missingkbs/missingkbs/bot/slacktest"
	"github.com/missingkbs/missingkbs/commands"
	"github.com/missingkbs/missingkbs/commands/plain"
	"github.com/missingkbs/missingkbs/commands/search"
	rights "github.com/missingkbs/missingkbs/internal/access"
	"github.com/missingkbs/missingkbs/internal/view"
)

// lines are what can be asked, each with the right that it takes: written down here, to be compared with what the router
// says.
var lines = map[string]rights.Right{
	"":                           rights.Ask,
	"microsoft-_-edge":           rights.Ask,
	"windows 11":                 rights.Ask,
	"search edge":                rights.Ask,
	"lookup KB5074202":           rights.Ask,
	"talk hello":                 rights.Ask,
	"kb KB5074202":               rights.Ask,
	"KB5074202":                  rights.Ask,
	"cve CVE-2026-20805":         rights.Ask,
	"machine web-01":             rights.Ask,
	"devices windows 11":         rights.Ask,
	"home":                       rights.Ask,
	"help":                       rights.Ask,
	"browse":                     rights.Ask,
	"help admin":                 rights.Ask,
	"admin --help":               rights.Ask,
	"digest":                     rights.Ask,
	"digest list":                rights.Ask,
	"digest show 1":              rights.Ask,
	"digest preview 1":           rights.Ask,
	"digest details 1":           rights.Ask,
	"digest csv 1":               rights.Ask,
	"digest export":              rights.Ask,
	"digest add --help":          rights.Ask,
	"digest add all":             rights.Change,
	"digest watch all":           rights.Change,
	"digest edit 1":              rights.Change,
	"DIGEST ADD all":             rights.Change,
	"digest pause 1":             rights.Change,
	"digest resume 1":            rights.Change,
	"digest run 1":               rights.Change,
	"digest remove 1":            rights.Change,
	"admin":                      rights.Administer,
	"admin list":                 rights.Administer,
	"admin who":                  rights.Administer,
	"admin allow-channel":        rights.Administer,
	"admin disallow-channel":     rights.Administer,
	"Admin Allow-Channel C0OWN1": rights.Administer,
}

// walked is the router of the program, whose commands do nothing but say that they were reached.
func walked(t *testing.T, reached func()) *commands.Router {
	t.Helper()
	return walkedWith(t, func(context.Context, commands.Request) (view.Page, error) {
		reached()
		return view.Page{Title: "reached"}, nil
	})
}

// walkedWith is the router of the program, whose commands all do the same.
func walkedWith(t *testing.T, run func(context.Context, commands.Request) (view.Page, error)) *commands.Router {
	t.Helper()
	index := &search.Index{}
	all := []commands.Command{
		commands.Software(nil, index), commands.Search(nil, index), digestcmd.New(nil, digestcmd.Options{}),
		commands.Home(nil, index, commands.HomeOptions{}), commands.Admin(nil, nil, nil, nil),
		commands.KB(nil, index), commands.CVE(nil), commands.Machine(nil, nil), commands.Devices(nil, index, nil), plain.Lookup(), plain.Talk(),
	}
	for i := range all {
		all[i].Run = run
	}
	router, err := commands.NewRouter(all...)
	if err != nil {
		t.Fatal(err)
	}
	return router
}

// Every command, and every word that follows digest and admin, is in the table.
func TestTheWalkKnowsEveryCommand(t *testing.T) {
	t.Parallel()
	for _, c := range walked(t, func() {}).Commands() {
		words := []string{""}
		if c.Name == "digest" || c.Name == "admin" {
			words = strings.Split(c.Usage, " | ")
		}
		for _, w := range words {
			line := strings.TrimSpace(c.Name + " " + w)
			known := false
			for l := range lines {
				known = known || l == line || strings.HasPrefix(l, line+" ")
			}
			if !known {
				t.Errorf("the table of lines has no %q", line)
			}
		}
	}
}

// row is what somebody may, with the lists of a setting, in a channel: for each right the reason of the refusal, "" for
// none.
type row struct {
	access                  string
	user                    string
	channel                 string // "any" stands for any channel and for none
	ask, change, administer string
}

var accesses = map[string]access.Policy{
	"default": {AdminGroups: []string{"S0ADMIN"}, AdminUsers: []string{"UCHIEF"}},
	"guests":  {Guests: true, AdminGroups: []string{"S0ADMIN"}},
	"nobody":  {}, // no administrators
	"groups": {
		AskGroups: []string{"S0ASK"}, DigestGroups: []string{"S0DIGEST"}, AdminGroups: []string{"S0ADMIN"}, AdminUsers: []string{"UCHIEF"},
	},
	"channels": {AskChannels: []string{"C0ASK"}, DigestChannels: []string{"C0DIGEST"}, AdminUsers: []string{"UCHIEF"}},
	"ask only": {AskChannels: []string{"C0ASK"}, AskGroups: []string{"S0ASK"}}, // digests go by the same
	"down":     {AskGroups: []string{"S0ASK"}, AdminGroups: []string{"S0ADMIN"}, AdminUsers: []string{"UCHIEF"}},
}

var rows = []row{
	{"default", "UMEMBER", "any", "", "", "not_admin"},
	{"default", "UGUEST", "any", "guest", "guest", "guest"},
	{"default", "USINGLE", "any", "guest", "guest", "guest"},
	{"default", "UBOT", "any", "bot", "bot", "bot"},
	{"default", "UWORKFLOW", "any", "bot", "bot", "bot"},
	{"default", "ULEFT", "any", "deleted", "deleted", "deleted"},
	{"default", "USTRANGER", "any", "stranger", "stranger", "stranger"},
	{"default", "UEXTERNAL", "any", "stranger", "stranger", "stranger"}, // also who is in a group of administrators
	{"default", "UEXTERNAL", "C0SHARED", "stranger", "stranger", "stranger"},
	{"default", "UFORGED", "any", "stranger", "stranger", "stranger"},
	{"default", "UNOBODY", "any", "stranger", "stranger", "stranger"},
	{"default", "USISTER", "any", "", "", "not_admin"},
	{"default", "UADMIN", "any", "", "", ""},
	{"default", "UCHIEF", "any", "", "", ""},
	{"default", "UGUESTADM", "any", "guest", "guest", "guest"},
	{"default", "UUNSEEN", "any", "unknown", "unknown", "unknown"},
	{"default", "UMEMBER", "C0SHARED", "", "", "not_admin"}, // an answer there is for the person alone

	{"guests", "UMEMBER", "any", "", "", "not_admin"},
	{"guests", "UGUEST", "any", "", "", "not_admin"},
	{"guests", "USINGLE", "any", "", "", "not_admin"},
	{"guests", "UGUESTADM", "any", "", "", "not_admin"},
	{"guests", "UEXTERNAL", "any", "stranger", "stranger", "stranger"},
	{"guests", "ULEFT", "any", "deleted", "deleted", "deleted"},

	{"nobody", "UMEMBER", "any", "", "", "not_admin"},
	{"nobody", "UADMIN", "any", "", "", "not_admin"},

	{"groups", "UMEMBER", "any", "not_in_group", "not_in_group", "not_admin"},
	{"groups", "UASKER", "any", "", "not_in_group", "not_admin"},
	{"groups", "UDIGESTER", "any", "", "", "not_admin"}, // who may change may ask
	{"groups", "UADMIN", "any", "", "", ""},
	{"groups", "UCHIEF", "any", "", "", ""},
	{"groups", "UGUEST", "any", "guest", "guest", "guest"},

	{"channels", "UMEMBER", "C0ASK", "", "channel", "not_admin"},
	{"channels", "UMEMBER", "C0DIGEST", "", "", "not_admin"},
	{"channels", "UMEMBER", "C0OTHER", "channel", "channel", "not_admin"},
	{"channels", "UMEMBER", "", "channel", "channel", "not_admin"},
	{"channels", "UCHIEF", "C0OTHER", "", "", ""},
	{"channels", "UCHIEF", "", "", "", ""},
	{"channels", "UEXTERNAL", "C0ASK", "stranger", "stranger", "stranger"},

	{"ask only", "UASKER", "C0ASK", "", "", "not_admin"},
	{"ask only", "UASKER", "C0OTHER", "channel", "channel", "not_admin"},
	{"ask only", "UASKER", "", "channel", "channel", "not_admin"},
	{"ask only", "UMEMBER", "C0ASK", "not_in_group", "not_in_group", "not_admin"},

	{"down", "UMEMBER", "any", "unknown", "unknown", "unknown"},
	{"down", "UASKER", "any", "unknown", "unknown", "unknown"},
	{"down", "UCHIEF", "any", "", "", ""}, // needs no group
}

// want is the reason of a row for a right.
func (r row) want(needs rights.Right) string {
	return map[rights.Right]string{rights.Ask: r.ask, rights.Change: r.change, rights.Administer: r.administer}[needs]
}

// entrance is a way in: the event that somebody makes there, and whether there is a channel. One without lines takes
// the right to ask, whatever was said.
type entrance struct {
	channel, lines bool
	event          func(n int, user, team, channel, line string) socketmode.Event
}

// quoted puts words into a payload.
func quoted(format string, args ...any) json.RawMessage {
	for i, a := range args {
		if s, ok := a.(string); ok {
			raw, _ := json.Marshal(s)
			args[i] = string(raw)
		}
	}
	return json.RawMessage(fmt.Sprintf(format, args...))
}

// submission is the payload of a submitted dialog that makes a line.
func submission(n int, user, team, line string) string {
	kept, _ := json.Marshal(map[string]any{"command": cmdline.Split(line), "fields": []any{map[string]any{"name": "words"}}})
	return string(quoted(`{"type":"view_submission","trigger_id":"t%d","user":{"id":%s,"team_id":%s},
		"view":{"type":"modal","callback_id":"missingkbs_dialog","private_metadata":%s}}`, n, user, team, string(kept)))
}

var entrances = map[Entry]entrance{
	EntryTyped: {true, true, func(n int, user, team, channel, line string) socketmode.Event {
		e := typed(n, line)
		cmd := e.Data.(slack.SlashCommand)
		cmd.UserID, cmd.TeamID, cmd.ChannelID = user, team, channel
		e.Data = cmd
		return e
	}},
	EntryClick: {true, true, func(n int, user, team, channel, line string) socketmode.Event {
		return interaction(n, string(quoted(`{"type":"block_actions","trigger_id":"t%d","response_url":"https://hooks.slack.com/r",
			"user":{"id":%s,"team_id":%s},"channel":{"id":%s},"container":{"type":"message"},"actions":[{"action_id":"run:1","value":%s}]}`, n, user, team, channel, line)))
	}},
	EntryHome: {false, true, func(n int, user, team, _, line string) socketmode.Event {
		return interaction(n, string(quoted(`{"type":"block_actions","trigger_id":"t%d","user":{"id":%s,"team_id":%s},"view":{"type":"home"},
			"container":{"type":"view"},"actions":[{"action_id":"run:1","value":%s}]}`, n, user, team, line)))
	}},
	EntryModal: {false, true, func(n int, user, team, _, line string) socketmode.Event {
		return interaction(n, submission(n, user, team, line))
	}},
	EntryShortcut: {false, false, func(n int, user, team, _, _ string) socketmode.Event {
		return interaction(n, string(quoted(`{"type":"shortcut","callback_id":"missingkbs_ask","trigger_id":"t%d","user":{"id":%s,"team_id":%s}}`, n, user, team)))
	}},
	EntryMessage: {true, false, func(n int, user, team, channel, line string) socketmode.Event {
		return interaction(n, string(quoted(`{"type":"message_action","callback_id":"missingkbs_message","trigger_id":"t%d","response_url":"https://hooks.slack.com/r",
			"user":{"id":%s,"team_id":%s},"channel":{"id":%s},"message":{"type":"message","text":%s,"ts":"1.1"}}`, n, user, team, channel, line)))
	}},
	EntryMention: {true, true, func(n int, user, team, channel, line string) socketmode.Event {
		return event(n, string(quoted(`{"type":"event_callback","team_id":"T1","event_id":"Ev%d","authorizations":[{"user_id":"USELF","is_bot":true}],
			"event":{"type":"app_mention","user":%s,"user_team":%s,"channel":%s,"text":%s,"ts":"1.1"}}`, n, user, team, channel, "<@USELF> "+line)))
	}},
	EntryDirect: {true, true, func(n int, user, team, channel, line string) socketmode.Event {
		return event(n, string(quoted(`{"type":"event_callback","team_id":"T1","event_id":"Ev%d","authorizations":[{"user_id":"USELF","is_bot":true}],
			"event":{"type":"message","channel_type":"im","user":%s,"team":%s,"channel":%s,"text":%s,"ts":"1.1"}}`, n, user, team, channel, line)))
	}},
	EntryTypeahead: {false, false, func(n int, user, team, _, _ string) socketmode.Event {
		return interaction(n, string(quoted(`{"type":"block_suggestion","trigger_id":"t%d","action_id":"choose:1","value":"edg","user":{"id":%s,"team_id":%s},"view":{"type":"home"}}`, n, user, team)))
	}},
}

// Everybody asks everything by every way in, and gets what the table says.
func TestWhoMayDoWhatByEveryEntry(t *testing.T) {
	t.Parallel()
	asked := 0
	for _, r := range rows {
		t.Run(strings.Join([]string{r.access, r.user, r.channel}, " "), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { asked += r.walk(t) })
		})
	}
	t.Logf("%d questions", asked)
}

// walk has one person ask everything by every way in that a row is about.
func (r row) walk(t *testing.T) (asked int) {
	t.Helper()
	var mu sync.Mutex
	reached, suggested := 0, 0
	var seen []Observation
	w := slacktest.Crowd{GroupsDown: r.access == "down"}
	b, f := walker(t, r, w, walked(t, func() { mu.Lock(); reached++; mu.Unlock() }), Options{
		Observe: func(_ context.Context, o Observation) { mu.Lock(); seen = append(seen, o); mu.Unlock() },
		Suggest: counting(func() { mu.Lock(); suggested++; mu.Unlock() }),
	})
	for entry, in := range entrances {
		if r.channel != "any" && in.channel != (r.channel != "") {
			continue
		}
		channel := r.channel
		if channel == "any" {
			channel = "C0OWN"
		}
		for line, needs := range lines {
			if !in.lines && line != "microsoft-_-edge" {
				continue
			}
			if entry == EntryModal && line == "" {
				continue // nothing was chosen
			}
			asked++
			mu.Lock()
			reached, suggested, seen = 0, 0, nil
			mu.Unlock()
			shown := len(f.shown())
			b.events <- in.event(asked, r.user, slacktest.People[r.user].Team, channel, line)
			synctest.Wait()
			r.check(t, visit{entry, line, needs}, seen)
			mu.Lock()
			admitted := reached+suggested > 0 || line == "" || line == "browse" || strings.HasPrefix(line, "help") || strings.Contains(line, "--help") || len(f.shown()) > shown && entry == EntryShortcut && slices.Contains(f.shown()[shown:], fmt.Sprint("modal t", asked))
			mu.Unlock()
			if refused := r.want(needs) != ""; refused && reached+suggested > 0 || !refused && !admitted {
				t.Errorf("%s %q: commands were reached: %v, refused: %v", entry, line, admitted, refused)
			}
		}
	}
	return asked
}

// visit is one question of the walk.
type visit struct {
	entry Entry
	line  string
	needs rights.Right
}

func (r row) check(t *testing.T, v visit, seen []Observation) {
	t.Helper()
	if len(seen) != 1 {
		t.Errorf("%s %q: observed %d times", v.entry, v.line, len(seen))
		return
	}
	want := Observation{Entry: v.entry, User: r.user, Needs: v.needs, Outcome: Answered, Reason: r.want(v.needs)}
	if want.Reason != "" {
		want.Outcome = Refused
	}
	got := Observation{Entry: seen[0].Entry, User: seen[0].User, Needs: seen[0].Needs, Outcome: seen[0].Outcome, Reason: seen[0].Reason}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s %q (-want +got):\n%s", v.entry, v.line, diff)
	}
}

// counting is a suggester that counts.
type counting func()

func (c counting) Suggest(context.Context, string, string, int) ([]commands.Suggestion, error) {
	c()
	return []commands.Suggestion{{ID: "microsoft-_-edge", Name: "Edge"}}, nil
}

// walker starts a bot of the crowd's organisation.
func walker(t *testing.T, r row, w slacktest.Crowd, router answerer, o Options) (*bench, *fakeScreens) {
	t.Helper()
	f := &fakeSlack{}
	o.Gate = access.NewGate(access.NewDirectory(w), slackapi.Workspace{TeamID: "T1", EnterpriseID: "E1"}, access.Options{Policy: accesses[r.access]})
	b := startWith(t, f, router, o)
	screens := &fakeScreens{}
	b.bot.screens = screens
	return b, screens
}
