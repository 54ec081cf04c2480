package spoken

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestEvent(t *testing.T) {
	t.Parallel()
	const head = `{"team_id":"T1","event_id":"Ev1","authorizations":[{"user_id":"UBOT","is_bot":true}],"event":`
	for event, want := range map[string]Message{
		`{"type":"app_home_opened","user":"U1","tab":"home"}`: {Type: HomeEvent, ID: "Ev1", User: "U1", Team: "T1", Tab: "home"},
		`{"type":"app_mention","user":"U1","user_team":"T2","team":"T1","channel":"C1","thread_ts":"1.0","text":"hey <@UBOT>, edge &amp; <@UBOT|missingkbs> chrome"}`: {
			Type: MentionEvent, ID: "Ev1", User: "U1", Team: "T2", Channel: "C1", Thread: "1.0", Text: "hey  , edge &amp;   chrome",
		},
		`{"type":"app_mention","user":"U1","channel":"C1","text":"<@UBOT>tell <@UBOTS> and <@U2|bo> edge <@UBOT"}`: {
			Type: MentionEvent, ID: "Ev1", User: "U1", Team: "T1", Channel: "C1", Text: "tell <@UBOTS> and <@U2|bo> edge <@UBOT",
		},
		`{"type":"message","channel_type":"im","user":"U1","team":"T1","channel":"D1","text":" edge "}`:                       {Type: DirectEvent, ID: "Ev1", User: "U1", Team: "T1", Channel: "D1", Text: "edge"},
		`{"type":"message","channel_type":"im","subtype":"file_share","user":"U1","channel":"D1","text":"edge","files":[{}]}`: {Type: DirectEvent, ID: "Ev1", User: "U1", Team: "T1", Channel: "D1", Text: "edge"},
		`{"type":"message","channel_type":"im","user":"UBOT","channel":"D1","text":"edge"}`:                                   {Type: DirectEvent, ID: "Ev1", User: "UBOT", Team: "T1", Channel: "D1", Text: "edge", Ignore: true},
	} {
		got, err := Event([]byte(head + event + "}"))
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("%s: %v (-want +got):\n%s", event, err, diff)
		}
	}
	for _, wrong := range []string{``, `[]`, `{}`, `{"event":{"type":"reaction_added","user":"U1"}}`, `{"event":{"type":"app_home_opened"}}`, `{"event":7}`} {
		if m, err := Event([]byte(wrong)); err == nil {
			t.Errorf("%s is read as %+v", wrong, m)
		}
	}
}

// The loop that reads Slack's events reads them whole: none takes it long.
func TestEventsAreQuick(t *testing.T) {
	t.Parallel()
	const size = 400_000
	for _, unit := range []string{"<@UBOT|a>", "<@UBOT|", "<@UBOT>", "<@UBOTS>", "<"} {
		event := `{"authorizations":[{"user_id":"UBOT","is_bot":true}],"event":{"type":"app_mention","user":"U1","channel":"C1","text":"` + strings.Repeat(unit, size/len(unit)) + `"}}`
		least := time.Hour
		for range 3 { // other programs may run beside
			began := time.Now()
			if _, err := Event([]byte(event)); err != nil {
				t.Error(err)
			}
			least = min(least, time.Since(began))
		}
		if least > 10*time.Second { // far from what it takes; what grows with the square of the text takes longer
			t.Errorf("an event of %q takes %v", unit, least)
		}
	}
}

// A message is read to a bounded size and depth, and in the same order each time.
func TestTexts(t *testing.T) {
	t.Parallel()
	long := `{"text":"` + strings.Repeat("x", maxTexts) + `","blocks":[{"text":{"text":"y"}}]}`
	if got := Texts([]byte(long)); len(got) > maxTexts+10 {
		t.Errorf("%d bytes are read", len(got))
	}
	deep := strings.Repeat(`{"blocks":[`, 1000) + `{"text":"KB5074202"}` + strings.Repeat(`]}`, 1000)
	if got := Texts([]byte(deep)); got != "" {
		t.Errorf("read %q", got)
	}
	const seen = `{"text":"a","user":"U1","bot_profile":{"name":"hidden"},"metadata":{"event_payload":{"text":"hidden"}},"files":[{"name":"f.txt","title":"g"}],
		"blocks":[{"type":"actions","elements":[{"type":"button","text":{"type":"plain_text","text":"b"},"url":"https://c/"}]},{"type":"table","rows":[[{"type":"raw_text","text":"d"}]]}],
		"attachments":[{"fallback":"e","from_url":"https://h/"}]}`
	for range 10 {
		if diff := cmp.Diff("a e https://h/ https://c/ b d g f.txt", strings.Join(strings.Fields(Texts([]byte(seen))), " ")); diff != "" {
			t.Fatalf("(-want +got):\n%s", diff)
		}
	}
}

// Whatever Slack sends is read or is an error.
func FuzzEvent(f *testing.F) {
	for _, seed := range []string{
		`{"event":{"type":"app_mention","user":"U1","channel":"C1","text":"<@UBOT|<@UBOT|"},"authorizations":[{"user_id":"UBOT","is_bot":true},{}]}`,
		`{"event":{"type":"message","channel_type":"im","edited":null,"user":"U1","channel":"D1","text":"x"}}`,
		`{"event":{"type":"message","edited":{}}}`, `{"text":"x","blocks":[{"type":"rich_text_section","elements":[1,null,{"text":"y"}]}]}`, `null`, `7`, ``,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		m, err := Event(raw)
		if err == nil && !m.Ignore && m.User == "" {
			t.Errorf("%q is a question of no person", raw)
		}
		if n := len(Texts(raw)); n > maxTexts+len("\n")*100 {
			t.Errorf("%q has a text of %d bytes", raw, n)
		}
	})
}
