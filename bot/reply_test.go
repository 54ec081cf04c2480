package bot

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/slack-go/slack"
	"github.com/slack-go/slack/socketmode"

	"github.com/missingkbs/missingkbs/bot/blocks"
	"github.com/missingkbs/missingkbs/commands"
	"github.com/missingkbs/missingkbs/internal/view"
)

// fakeScreens takes what is shown outside of channels.
type fakeScreens struct {
	mu   sync.Mutex
	log  []string
	err  error
	errs []error // of the first calls, before err
	last json.RawMessage
}

func (f *fakeScreens) record(what string, v any) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.log = append(f.log, what)
	f.last, _ = json.Marshal(v)
	if len(f.errs) > 0 {
		var err error
		err, f.errs = f.errs[0], f.errs[1:]
		return err
	}
	return f.err
}

func (f *fakeScreens) shown() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]string{}, f.log...)
}

func (f *fakeScreens) PublishViewContext(_ context.Context, r slack.PublishViewContextRequest) (*slack.ViewResponse, error) {
	return nil, f.record("home "+r.UserID, r)
}

func (f *fakeScreens) OpenViewContext(_ context.Context, trigger string, v slack.ModalViewRequest) (*slack.ViewResponse, error) {
	return nil, f.record("modal "+trigger, v)
}

func (f *fakeScreens) PostMessageContext(_ context.Context, channel string, o ...slack.MsgOption) (string, string, error) {
	return "", "", f.record("message "+channel+inThread(o), nil)
}

func inThread(o []slack.MsgOption) string {
	_, values, _ := slack.UnsafeApplyMsgOptions("", "", "", o...)
	if ts := values.Get("thread_ts"); ts != "" {
		return " thread " + ts
	}
	return ""
}

func (f *fakeScreens) PostEphemeralContext(_ context.Context, channel, user string, o ...slack.MsgOption) (string, error) {
	return "", f.record("only "+user+" in "+channel+inThread(o), nil)
}

func (f *fakeScreens) UpdateMessageContext(_ context.Context, channel, timestamp string, o ...slack.MsgOption) (string, string, string, error) {
	_, values, _ := slack.UnsafeApplyMsgOptions("", "", "", o...)
	return "", "", "", f.record("update "+channel+" "+timestamp, values.Get("text"))
}

// ids suggests ids.
type ids []string

func (s ids) Suggest(_ context.Context, _, typed string, _ int) ([]commands.Suggestion, error) {
	if typed == "fail" {
		return nil, errors.New("hunter2")
	}
	all := make([]commands.Suggestion, len(s))
	for i, id := range s {
		all[i] = commands.Suggestion{ID: id, Name: id}
	}
	return all, nil
}

// screened starts a bot with screens, in a synctest bubble.
func screened(t *testing.T) (*bench, *fakeScreens, *[]Observation) {
	t.Helper()
	var mu sync.Mutex
	seen := &[]Observation{}
	o := Options{Suggest: ids{"microsoft-_-edge"}}
	o.Observe = func(_ context.Context, s Observation) {
		mu.Lock()
		defer mu.Unlock()
		*seen = append(*seen, s)
	}
	b := start(t, echo, o)
	f := &fakeScreens{}
	b.bot.screens = f
	return b, f, seen
}

// interaction is an interactive envelope.
func interaction(n int, payload string) socketmode.Event {
	return socketmode.Event{
		Type:    socketmode.EventTypeInteractive,
		Request: &socketmode.Request{Type: "interactive", EnvelopeID: fmt.Sprint("e", n), Payload: json.RawMessage(payload)},
	}
}

// opens is the event of an opened Home tab.
func opens(n int, tab string) socketmode.Event {
	return event(n, fmt.Sprintf(`{"team_id":"T1","event_id":"Ev%d","event":{"type":"app_home_opened","user":"U1","tab":%q}}`, n, tab))
}

// event is an envelope of an event.
func event(n int, payload string) socketmode.Event {
	return socketmode.Event{
		Type:    socketmode.EventTypeEventsAPI,
		Request: &socketmode.Request{Type: "events_api", EnvelopeID: fmt.Sprint("e", n), Payload: json.RawMessage(payload)},
	}
}

const (
	shortcutJSON = `{"type":"shortcut","callback_id":"missingkbs_ask","trigger_id":"t","user":{"id":"U1","team_id":"%s"}}`
	submitJSON   = `{"type":"view_submission","trigger_id":"t","user":{"id":"U1","team_id":"%s"},"view":{"type":"modal","callback_id":"missingkbs_dialog",
		"private_metadata":"{\"command\":null,\"fields\":[{\"name\":\"words\",\"kind\":3}]}",
		"state":{"values":{"words":{"choose:1":{"selected_option":{"value":"microsoft-_-edge"}}}}}}}`
	typeJSON    = `{"type":"block_suggestion","action_id":"choose:1","value":"edg","user":{"id":"U1","team_id":"%s"},"view":{"type":"home"}}`
	homeTapJSON = `{"type":"block_actions","trigger_id":"t","user":{"id":"U1","team_id":"%s"},"view":{"type":"home"},"container":{"type":"view"},
		"actions":[{"action_id":"choose:1","selected_option":{"value":"microsoft-_-edge"}}]}`
	messageJSON = `{"type":"message_action","callback_id":"missingkbs_message","trigger_id":"t","user":{"id":"U1","team_id":"%s"},"channel":{"id":"C1"},
		"message":{"text":"KB5074202"}}`
	homeClickURL = `{"type":"block_actions","trigger_id":"t","user":{"id":"U1","team_id":"T1"},"view":{"type":"home"},"actions":[{"action_id":"open:1"}]}`
)

// Every way in asks the same gate, and what is refused reaches neither the router nor anybody's screen.
func TestEveryEntryAsksTheGate(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		payload string
		entry   Entry
		shown   string // to a member
		refused string // to a stranger; a dialog says it in its own window
	}{
		{"shortcut", shortcutJSON, EntryShortcut, "modal t", "message U9"},
		{"modal", submitJSON, EntryModal, "message U1", ""},
		{"typeahead", typeJSON, EntryTypeahead, "", ""},
		{"home", homeTapJSON, EntryHome, "home U1", "home U9"},
		{"shortcut of a message without a response_url", messageJSON, EntryMessage, "message U1", "message U9"},
	} {
		for team, outcome := range map[string]Outcome{"T1": Answered, "T9": Refused} {
			t.Run(c.name+" "+team, func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					b, f, seen := screened(t)
					user := "U" + team[1:] // U1 of the own workspace, U9 of another organisation
					b.events <- interaction(1, strings.ReplaceAll(fmt.Sprintf(c.payload, team), `"U1"`, `"`+user+`"`))
					synctest.Wait()
					want := c.shown
					if outcome == Refused {
						want = c.refused
					}
					if got := strings.Join(f.shown(), ","); got != want {
						t.Errorf("shown %q, want %q", got, want)
					}
					if len(*seen) != 1 || (*seen)[0].Entry != c.entry || (*seen)[0].Outcome != outcome {
						t.Errorf("observed %+v, want one %s that was %s", *seen, c.entry, outcome)
					}
					if sent := b.titles(); len(sent) != 1 || !strings.HasPrefix(sent[0], "0s ack e1") {
						t.Errorf("sent %q, want one acknowledgement at once", sent)
					}
					if offered := strings.Contains(string(b.raw), "microsoft-_-edge"); c.entry == EntryTypeahead && offered != (outcome == Answered) {
						t.Errorf("offered %s", b.raw)
					}
				})
			})
		}
	}
}

func TestHomeIsMadeOnceForManyOpenings(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b, f, _ := screened(t)
		for n := range 5 {
			b.events <- opens(n, "home")
		}
		b.events <- opens(6, "messages")
		synctest.Wait()
		time.Sleep(homeInterval)
		b.events <- opens(7, "home")
		synctest.Wait()
		if diff := cmp.Diff([]string{"home U1", "home U1"}, f.shown()); diff != "" {
			t.Errorf("shown (-want +got):\n%s", diff)
		}
		if n := len(b.titles()); n != 7 {
			t.Errorf("%d of 7 events were acknowledged", n)
		}
	})
}

func TestSelectIsAnsweredWithoutReason(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b, _, seen := screened(t)
		b.events <- interaction(1, `{"type":"block_suggestion","action_id":"choose:1","value":"fail","user":{"id":"U1","team_id":"T1"}}`)
		synctest.Wait()
		if string(b.raw) != `{"options":[]}` || (*seen)[0].Outcome != Failed {
			t.Errorf("answered %s, observed %+v", b.raw, *seen)
		}
	})
}

// Ids may be so long that a hundred of them are more than Slack takes: then fewer are offered, the best first.
func TestLongOffersAreCut(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		long := make(ids, blocks.MaxSuggestions)
		for n := range long {
			long[n] = fmt.Sprintf("microsoft-_-%s%03d", strings.Repeat("x", 100), n)
		}
		o := &observer{}
		b := start(t, echo, Options{Suggest: long, Observe: o.observe})
		b.events <- interaction(1, fmt.Sprintf(typeJSON, "T1"))
		synctest.Wait()
		var offer blocks.Offer
		if err := json.Unmarshal(b.raw, &offer); err != nil {
			t.Fatalf("%v in %q", err, b.raw)
		}
		if n := len(offer.Options); n < 50 || n == len(long) || offer.Options[0].Value != long[0] || len(b.raw) > maxAck {
			t.Errorf("%d options in %d bytes", n, len(b.raw))
		}
		if got := o.outcomes(); got["answered"] != 1 {
			t.Errorf("observed %v", got)
		}
	})
}

// picky takes no offer but an empty one.
type picky struct{ *fakeSlack }

func (p picky) AckCtx(ctx context.Context, envelope string, payload any) error {
	if o, ok := payload.(blocks.Offer); ok && len(o.Options) > 0 {
		return errors.New("refused")
	}
	return p.fakeSlack.AckCtx(ctx, envelope, payload)
}

// An offer that does not get out is replaced by none.
func TestOfferThatDoesNotGetOut(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b, _, seen := screened(t)
		b.bot.acks = picky{b.fakeSlack}
		var log strings.Builder
		b.bot.log = slog.New(slog.NewTextHandler(&log, nil))
		b.events <- interaction(1, fmt.Sprintf(typeJSON, "T1"))
		synctest.Wait()
		if !strings.Contains(log.String(), "could not deliver suggestions to the select") {
			t.Errorf("the log says %q", log.String())
		}
		if string(b.raw) != `{"options":[]}` || (*seen)[0].Outcome != Lost {
			t.Errorf("answered %s, observed %+v", b.raw, *seen)
		}
	})
}

func TestLinkOnTheHomeTabWantsNoAnswer(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b, f, _ := screened(t)
		b.events <- interaction(1, homeClickURL)
		b.events <- interaction(2, `{"type":"shortcut","callback_id":"of another","user":{"id":"U1","team_id":"T1"}}`)
		b.events <- interaction(3, `{"type":"view_closed","user":{"id":"U1","team_id":"T1"}}`)
		synctest.Wait()
		if sent := b.titles(); len(sent) != 3 {
			t.Errorf("sent %q, want an acknowledgement each", sent)
		}
		if len(f.shown()) != 0 {
			t.Errorf("shown %v", f.shown())
		}
	})
}

// slowScreens opens modals after a while, whatever the caller has made of it by then.
type slowScreens struct {
	*fakeScreens
	takes time.Duration
}

func (s slowScreens) OpenViewContext(ctx context.Context, trigger string, v slack.ModalViewRequest) (*slack.ViewResponse, error) {
	select {
	case <-time.After(s.takes):
		return s.fakeScreens.OpenViewContext(ctx, trigger, v)
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// Whoever waits for a modal is not told that Defender is slow, however many need a worker meanwhile: it might open all
// the same. After three seconds it cannot.
func TestModalsAreNotGivenUp(t *testing.T) {
	t.Parallel()
	for takes, want := range map[time.Duration]string{2 * time.Second: "modal t", time.Minute: "message U1"} {
		synctest.Test(t, func(t *testing.T) {
			b := start(t, func(ctx context.Context, req commands.Request) (view.Page, error) {
				if len(req.Words) == 0 { // the shortcut's line needs no Defender
					return echo(ctx, req)
				}
				return slow(10*time.Second)(ctx, req)
			}, Options{Workers: 2, Queue: 10}) // with a place for one that is slow
			f := &fakeScreens{}
			b.bot.screens = slowScreens{f, takes}
			b.events <- by("U2", typed(2, "x"))
			time.Sleep(time.Millisecond) // it is the first to be slow
			b.events <- interaction(1, fmt.Sprintf(shortcutJSON, "T1"))
			b.events <- by("U3", typed(3, "y"))
			time.Sleep(triggerLife + time.Second)
			if got := strings.Join(f.shown(), ","); got != want {
				t.Errorf("after %v: shown %q, want %q", takes, got, want)
			}
			time.Sleep(time.Minute)
		})
	}
}
