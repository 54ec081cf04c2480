package bot

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/google/go-cmp/cmp"
	"github.com/slack-go/slack"
	"github.com/slack-go/slack/socketmode"

	"github.com/missingkbs/missingkbs/api"
	"github.com/missingkbs/missingkbs/api/apitest"
	"github.com/missingkbs/missingkbs/bot/access"
	"github.com/missingkbs/missingkbs/bot/slackapi"
	"github.com/missingkbs/missingkbs/bot/slacktest"
	"github.com/missingkbs/missingkbs/commands"
	"github.com/missingkbs/missingkbs/commands/search"
	"github.com/missingkbs/missingkbs/internal/view"
)

// tenantTransport asks a tenant without a network, in a synctest bubble.
type tenantTransport struct{ *apitest.Tenant }

func (t tenantTransport) Do(r *http.Request) (*http.Response, error) {
	w := httptest.NewRecorder()
	t.ServeHTTP(w, r)
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	resp := w.Result()
	resp.Request = r
	return resp, nil
}

// GetToken makes it a credential.
func (t tenantTransport) GetToken(context.Context, policy.TokenRequestOptions) (azcore.AccessToken, error) {
	return azcore.AccessToken{Token: t.Token(), ExpiresOn: time.Now().Add(time.Hour)}, nil
}

// timedScreens notes what is shown outside of channels, among what is sent.
type timedScreens struct{ *fakeSlack }

func (s timedScreens) PublishViewContext(_ context.Context, r slack.PublishViewContextRequest) (*slack.ViewResponse, error) {
	raw, err := json.Marshal(r.View)
	if err != nil {
		return nil, err
	}
	s.recordText("home", string(raw))
	return &slack.ViewResponse{}, nil
}

func (s timedScreens) OpenViewContext(ctx context.Context, _ string, _ slack.ModalViewRequest) (*slack.ViewResponse, error) {
	<-ctx.Done() // a Slack that does not answer
	return nil, ctx.Err()
}

func (s timedScreens) PostMessageContext(_ context.Context, channel string, o ...slack.MsgOption) (string, string, error) {
	_, values, err := slack.UnsafeApplyMsgOptions("", channel, "", o...)
	s.recordText("message", values.Get("text"))
	return "", "", err
}

func (s timedScreens) PostEphemeralContext(_ context.Context, channel, _ string, o ...slack.MsgOption) (string, error) {
	_, values, err := slack.UnsafeApplyMsgOptions("", channel, "", o...)
	s.recordText("only", values.Get("text"))
	return "", err
}

func (s timedScreens) UpdateMessageContext(_ context.Context, channel, _ string, o ...slack.MsgOption) (string, string, string, error) {
	_, values, err := slack.UnsafeApplyMsgOptions("", channel, "", o...)
	s.recordText("update", values.Get("text"))
	return "", "", "", err
}

func (f *fakeSlack) recordText(to, text string) {
	raw, err := json.Marshal(map[string]string{"text": text})
	if err != nil {
		panic(err)
	}
	f.record(to, raw)
}

// withWords is what was sent with words in it.
func (f *fakeSlack) withWords() (all []sent) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, s := range f.log {
		if s.Message.Text != "" {
			all = append(all, s)
		}
	}
	return all
}

// asking starts a bot before the real commands and the real client, whose Defender is a tenant in memory.
func asking(t *testing.T, perMinute int) (*bench, *apitest.Tenant) {
	t.Helper()
	tenant := apitest.NewTenant(apitest.Options{})
	transport := tenantTransport{tenant}
	client, err := api.NewClient(transport, &api.Options{Transport: transport, PerMinute: perMinute})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	index := &search.Index{}
	router, err := commands.NewRouter(commands.Software(client, index), commands.Search(client, index), commands.Home(client, index, commands.HomeOptions{}))
	if err != nil {
		t.Fatal(err)
	}
	f := &fakeSlack{began: time.Now()}
	b := startWith(t, f, router, Options{Gate: testGate(access.NewDirectory(f))})
	b.bot.screens = timedScreens{f}
	return b, tenant
}

// waysIn are the ways to ask for what microsoft-_-edge lacks, and how the line and the answer are sent.
var waysIn = map[string]struct {
	event   func() socketmode.Event
	to      string
	kind    string // of the answer
	replace bool
}{
	"typed":      {func() socketmode.Event { return typed(7, "microsoft-_-edge") }, "/r7", "ephemeral", false},
	"run":        {func() socketmode.Event { return clicked("run:1", "microsoft-_-edge", nil) }, "/r1", "ephemeral", false},
	"replace":    {func() socketmode.Event { return clicked("replace:1", "microsoft-_-edge", nil) }, "/r1", "ephemeral", true},
	"share":      {func() socketmode.Event { return clicked("share:1", "microsoft-_-edge", nil) }, "/r1", "in_channel", false},
	"Home":       {func() socketmode.Event { return opens(7, "home") }, "home", "", false},
	"on Home":    {func() socketmode.Event { return entrances[EntryHome].event(7, "U1", "T1", "", "microsoft-_-edge") }, "home", "", false},
	"by a modal": {func() socketmode.Event { return entrances[EntryModal].event(7, "U1", "T1", "", "microsoft-_-edge") }, "message", "", false},
}

// Whatever Defender does, the first word comes within three seconds by every way in, says what is waited for and for how
// long, is for the person alone, takes the place of nothing, and comes once and before the answer.
func TestSilenceEndsWithinThreeSeconds(t *testing.T) {
	t.Parallel()
	for trouble, c := range map[string]struct {
		fault     apitest.Fault
		perMinute int
		before    string // asked two seconds earlier
		says      string
	}{
		"slow":              {fault: apitest.Slow(9 * time.Second), says: "Asking Defender… Your answer follows within 28 s."},
		"failing":           {fault: apitest.Failing(), says: "Defender failed; asking again… Your answer follows within 28 s."},
		"hung":              {fault: apitest.Slow(time.Hour), says: "Asking Defender… Your answer follows within 28 s."},
		"a pause":           {fault: apitest.Throttled(20 * time.Second), says: "Defender asked for a pause of 18 s; your answer follows then."},
		"another's pause":   {fault: apitest.Throttled(30 * time.Second), before: "microsoft-_-windows_11", says: "Defender asked for a pause of 26 s; your answer follows then."},
		"our limit is used": {perMinute: 4, before: "microsoft-_-windows_11", says: "The limit of Defender calls is reached; your turn comes in 16 s, and your answer follows then."},
	} {
		for way, in := range waysIn {
			t.Run(trouble+", "+way, func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					b, tenant := asking(t, c.perMinute)
					fault := c.fault
					if fault.Status == http.StatusTooManyRequests {
						fault.Times = 1
					}
					if c.perMinute == 0 {
						tenant.Inject(fault)
					}
					if c.before != "" {
						b.events <- by("U2", typed(2, c.before))
						time.Sleep(2 * time.Second)
					}
					b.mu.Lock()
					b.log, b.began = nil, time.Now()
					b.mu.Unlock()
					b.events <- in.event()
					time.Sleep(2 * time.Minute)
					checkWaiting(t, b, in.to, c.says, in.kind, in.replace)
				})
			})
		}
	}
}

func checkWaiting(t *testing.T, b *bench, to, says, kind string, replace bool) {
	t.Helper()
	var all []sent
	for _, s := range b.withWords() {
		if s.To == to {
			all = append(all, s)
		}
	}
	if len(all) != 2 {
		t.Fatalf("sent %v, want a line and an answer", b.titles())
	}
	line, answer := all[0], all[1]
	if !commands.IsWaiting(line.Message.Text) || commands.IsWaiting(answer.Message.Text) {
		t.Errorf("%q and %q are not told apart", line.Message.Text, answer.Message.Text)
	}
	if line.At > 3*time.Second || !strings.Contains(line.Message.Text, says) {
		t.Errorf("after %v: %q, want %q within 3 s", line.At, line.Message.Text, says)
	}
	if kind != "" && line.Message.Type != "ephemeral" || line.Message.Replace {
		t.Errorf("the line was sent as %q, in place of a message %v", line.Message.Type, line.Message.Replace)
	}
	if strings.Contains(answer.Message.Text, "answer follows") {
		t.Errorf("no answer: %q", answer.Message.Text)
	}
	failed := !strings.Contains(answer.Message.Text, "Missing ")
	if failed {
		kind, replace = "ephemeral", false // a failure takes the place of nothing
		if to == "home" || to == "message" {
			kind = ""
		}
	}
	if answer.Message.Type != kind || answer.Message.Replace != replace {
		t.Errorf("answered %q as %q, in place of a message %v; want %q, %v", answer.Message.Text, answer.Message.Type, answer.Message.Replace, kind, replace)
	}
}

// A question that waits for its turn says how many are before it, and for how long; once it has its turn, nothing more is
// said before the answer.
func TestSilenceEndsInTheQueue(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := start(t, slow(10*time.Second), Options{Workers: 1})
		b.bot.screens = timedScreens{b.fakeSlack}
		b.events <- by("UA", typed(1, "a"))
		b.events <- by("UB", typed(2, "b"))
		b.events <- by("UC", typed(3, "c"))
		b.events <- by("UB", typed(4, "d"))
		b.events <- opens(5, "home") // of U1
		time.Sleep(time.Minute)
		var got []string
		for _, s := range b.withWords() {
			if s.At < 3*time.Second {
				got = append(got, s.To+" "+s.Message.Text)
			}
		}
		want := []string{
			"/r1 Still working on it… Your answer follows within 28 s.",
			"/r2 Waiting behind the questions that are being answered, for at most 58 s; your answer follows.",
			"/r3 Waiting behind 1 question, for at most 58 s; your answer follows.",
			"/r4 Waiting behind 3 questions, for at most 58 s; your answer follows.",
		}
		for _, w := range want {
			if !slices.Contains(got, w) || !commands.IsWaiting(w) {
				t.Errorf("no one was told %q, or it does not count as waiting", w)
			}
		}
		if !slices.ContainsFunc(got, func(s string) bool {
			return strings.HasPrefix(s, "home ") && strings.Contains(s, "Waiting behind 2 questions")
		}) || len(got) != len(want)+1 {
			t.Errorf("told %q", got)
		}
		if n := len(b.withWords()); n != 10 {
			t.Errorf("%d messages, want a line and an answer for each question: %v", n, b.titles())
		}
	})
}

// Who waits for questions of their own is told so, and for about how long where that is known.
func TestSilenceEndsBehindOnesOwnQuestions(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := start(t, slow(10*time.Second), Options{})
		b.events <- typed(0, "x")
		time.Sleep(time.Minute)
		for i := range personRuns + 1 {
			b.events <- typed(1+i, fmt.Sprint("x", i))
		}
		time.Sleep(time.Minute)
		const want = "Waiting behind your other questions, for about 1 s and at most 58 s; your answer follows."
		if b.told(want) != 1 {
			t.Errorf("sent %v, want %q once", b.titles(), want)
		}
	})
}

// While Slack does not say who somebody is, that is said; and who opens no dialog in time learns it within three seconds.
func TestSilenceEndsWhileSlackIsAsked(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		event socketmode.Event
		user  string
		want  []string
	}{
		"typed":                       {typed(1, "x"), "USLOW", []string{"2.5s /r1 Asking Slack… Your answer follows within 28 s.", "3s /r1 Not done"}},
		"a shortcut":                  {entrances[EntryShortcut].event(1, "USLOW", "T1", "", ""), "", []string{"2.8s message Not done"}},
		"a dialog that does not open": {entrances[EntryShortcut].event(1, "U1", "T1", "", ""), "", []string{"2.8s message The dialog could not be opened"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				f := &fakeSlack{began: time.Now()}
				b := startWith(t, f, answers(echo), Options{Gate: testGate(access.NewDirectory(mumbling{fakeSlack: f}))})
				b.bot.screens = timedScreens{f}
				e := c.event
				if c.user != "" {
					e = by(c.user, e)
				}
				b.events <- e
				time.Sleep(time.Minute)
				got := slices.DeleteFunc(b.titles(), func(s string) bool { return strings.Contains(s, " ack ") })
				if diff := cmp.Diff(c.want, got); diff != "" {
					t.Errorf("sent (-want +got):\n%s", diff)
				}
			})
		})
	}
}

// The line never comes after the answer, and an answer waits for a line that Slack does not take for seconds only.
func TestTheLineComesBeforeTheAnswer(t *testing.T) {
	t.Parallel()
	for _, slowly := range []time.Duration{0, time.Second, time.Hour} {
		synctest.Test(t, func(t *testing.T) {
			f := &fakeSlack{began: time.Now()}
			b := startWith(t, f, slow(2600*time.Millisecond), Options{Gate: testGate(access.NewDirectory(f))})
			first := true
			b.bot.webhook = slackapi.NewWebhook(&http.Client{Transport: slacktest.RoundTrip(func(r *http.Request) (*http.Response, error) {
				if first {
					first = false
					select {
					case <-time.After(slowly):
					case <-r.Context().Done():
						return nil, r.Context().Err()
					}
				}
				return f.RoundTrip(r)
			})}, slack.APIURL)
			b.events <- typed(1, "x")
			time.Sleep(time.Minute)
			got := b.withWords()
			if last := got[len(got)-1]; !strings.HasPrefix(last.Message.Text, "answer to x") || last.At > waitAfter+noticeTimeout {
				t.Errorf("a line that takes %v: sent %v", slowly, b.titles())
			}
		})
	}
}

// However Slack takes what is posted, there are five posts at a response_url at most, and none after half an hour.
func TestFivePostsAtMost(t *testing.T) {
	t.Parallel()
	outcomes := []hookAnswer{
		{500, "", ""}, {503, "", ""}, {429, "", "1"}, {400, "invalid_blocks", ""}, {200, `{"ok":false,"error":"invalid_blocks"}`, ""}, cutOff, {404, "used_url", ""}, {200, "ok", ""},
	}
	most := 0
	for seed := range uint64(400) {
		synctest.Test(t, func(t *testing.T) {
			r := rand.New(rand.NewPCG(seed, 9))
			var posts []hookAnswer
			for range 20 {
				posts = append(posts, outcomes[r.IntN(len(outcomes))])
			}
			took := time.Duration(r.IntN(6)) * time.Second
			b := start(t, func(ctx context.Context, req commands.Request) (view.Page, error) {
				time.Sleep(took)
				return table(ctx, req)
			}, Options{}, posts...)
			event := typed(1, "x")
			if seed%2 == 0 {
				event = clicked([]string{"run:1", "replace:1", "share:1"}[seed%3], "x", nil)
			}
			b.events <- event
			time.Sleep(5 * time.Minute)
			n := strings.Count(strings.Join(b.titles(), "\n"), "s /r1 ")
			if most = max(most, n); n > slackapi.MaxPosts {
				t.Errorf("seed %d: %d posts: %v", seed, n, b.titles())
			}
		})
	}
	if most != slackapi.MaxPosts {
		t.Errorf("at most %d posts were made; the test does not reach the bound", most)
	}
}
