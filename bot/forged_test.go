package bot

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/missingkbs/missingkbs/bot/slacktest"
	"github.com/missingkbs/missingkbs/commands"
	"github.com/missingkbs/missingkbs/internal/view"
)

// forgedLines are what a value of a button, an option or a view may hold beside the lines of the walk; true says that a
// page of missing KBs offers it to be shared.
var forgedLines = map[string]bool{
	"microsoft-_-edge":                         true,
	"microsoft-_-edge --sort cves --page 2":    true,
	"microsoft-_-edge --min-devices 5":         true,
	"microsoft-_-edge --help":                  false,
	"microsoft-_-edge --nonsense":              false,
	"microsoft-_-edge google-_-chrome":         false,
	"windows 11":                               false,
	"digest details 4711":                      false,
	"digest remove 4711 --yes":                 false,
	"digest details microsoft-_-edge":          false,
	"DIGEST details 4711":                      false,
	" digest  details 4711":                    false,
	"\"digest\" details 4711":                  false,
	"admin list":                               false,
	"admin allow-channel C0SHARED":             false,
	"home":                                     false,
	"help":                                     false,
	"search microsoft-_-edge":                  false,
	"":                                         false,
	strings.Repeat("x", 3000):                  false,
	strings.Repeat("x", 2000) + "-_-y":         false,
	"\x00\u202e<!channel> digest details 4711": false,
}

// forgedKinds are the action ids that a click may name, true for those that share.
var forgedKinds = map[string]bool{
	"run:1": false, "replace:1": false, "choose:1": false, "open:1": false, "": false, "Share:1": false, "shared:1": false,
	"share:1": true, "share:0": true, "share": true, "share:x:y": true,
}

// forgedPlaces are where a click may come from.
var forgedPlaces = map[string]string{
	"an ephemeral message": `"channel":{"id":"C0OWN"},"container":{"type":"message","is_ephemeral":true,"channel_id":"C0OWN"}`,
	"a message for all":    `"channel":{"id":"C0OWN"},"container":{"type":"message","channel_id":"C0OWN"},"message":{"text":"x"}`,
	"a shared channel":     `"channel":{"id":"C0SHARED"},"container":{"type":"message","channel_id":"C0SHARED"}`,
	"an unknown channel":   `"channel":{"id":"C0WHERE"},"container":{"type":"message","channel_id":"C0WHERE"}`,
	"a direct message":     `"channel":{"id":"D0ALICE"},"container":{"type":"message","channel_id":"D0ALICE"}`,
	"the Home tab":         `"view":{"type":"home","private_metadata":"digest details 4711"},"container":{"type":"view"}`,
	"a modal":              `"view":{"type":"modal","private_metadata":"digest details 4711"},"container":{"type":"view"}`,
}

// Whatever a click claims to be, only what a page offers to share is posted for everyone, and only where it may be read.
// What is refused has not run, and is observed as a refusal.
func TestForgedClicksPostNothingForEveryone(t *testing.T) {
	t.Parallel()
	for kind, shares := range forgedKinds {
		for place, from := range forgedPlaces {
			t.Run(kind+" in "+place, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					f := newForger(t)
					for line, offered := range forgedLines {
						mayShare := shares && offered && strings.Contains(from, "C0OWN")
						f.click(kind, from, line)
						f.check(t, line, shares, mayShare, place == "an ephemeral message" && kind == "replace:1")
					}
				})
			})
		}
	}
}

// forger makes clicks of an administrator, who may do everything else.
type forger struct {
	*bench
	mu      sync.Mutex
	n       int
	reached int
	seen    []Observation
}

func newForger(t *testing.T) *forger {
	t.Helper()
	f := &forger{}
	router := walkedWith(t, func(_ context.Context, req commands.Request) (view.Page, error) {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.reached++
		return echo(context.Background(), req) // offers to be shared, whatever it is
	})
	observe := func(_ context.Context, o Observation) {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.seen = append(f.seen, o)
	}
	f.bench, _ = walker(t, row{access: "default"}, slacktest.Crowd{}, router, Options{Observe: observe})
	return f
}

func (f *forger) click(kind, from, line string) {
	f.n++
	f.mu.Lock()
	f.reached, f.seen = 0, nil
	f.mu.Unlock()
	f.fakeSlack.mu.Lock()
	f.log = nil
	f.fakeSlack.mu.Unlock()
	value, err := json.Marshal(line)
	if err != nil {
		panic(err)
	}
	f.events <- interaction(f.n, fmt.Sprintf(`{"type":"block_actions","trigger_id":"t%d","response_url":"https://hooks.slack.com/r","user":{"id":"UCHIEF","team_id":"T1"},%s,
		"actions":[{"action_id":%q,"value":%s,"selected_option":{"value":%s}}]}`, f.n, from, kind, value, value))
	synctest.Wait()
}

func (f *forger) check(t *testing.T, line string, shares, mayShare, mayReplace bool) {
	t.Helper()
	name := fmt.Sprintf("%.40q", line)
	f.mu.Lock()
	defer f.mu.Unlock()
	f.fakeSlack.mu.Lock()
	defer f.fakeSlack.mu.Unlock()
	for _, s := range f.log {
		if s.Message.Type == "in_channel" && !mayShare {
			t.Errorf("%s was posted for everyone: %q", name, s.Message.Text)
		}
		if s.Message.Replace && !mayReplace {
			t.Errorf("%s was posted in place of a message", name)
		}
	}
	for _, o := range f.seen {
		if o.Share && !mayShare && (o.Outcome != Refused || o.Reason == "" || o.Public || f.reached > 0) {
			t.Errorf("%s: a share that is not offered: %+v, commands reached %d times", name, o, f.reached)
		}
		if o.Share && mayShare && (o.Outcome != Answered || !o.Public) {
			t.Errorf("%s: a share: %+v", name, o)
		}
	}
	if shares && mayShare && len(f.seen) != 1 {
		t.Errorf("%s was observed %d times", name, len(f.seen))
	}
}

// A page that came in place of the one that was shared is for the person alone.
func TestAPageThatOffersNoShareIsNotShared(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		o := &observer{}
		b := start(t, func(context.Context, commands.Request) (view.Page, error) {
			return view.Page{Title: "Did you mean one of these?"}, nil
		}, Options{Observe: o.observe})
		b.events <- clicked("share:1", "microsoft-_-egde", nil)
		synctest.Wait()
		expect(t, b, "0s ack e1", "0s /r1 Did you mean one of these?")
		if got := b.log[1].Message.Type; got != "ephemeral" {
			t.Errorf("posted as %q", got)
		}
		if o.seen[0].Share || o.seen[0].Public {
			t.Errorf("observed as a share: %+v", o.seen[0])
		}
	})
}

// Refreshing costs Defender a call in ten seconds at most, whoever claims to press the button, and however often.
func TestForgedRefreshesCostOneCall(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b, tenant := asking(t, 0)
		for i := range 200 {
			b.events <- by(fmt.Sprint("U", i), typed(3*i, "microsoft-_-edge --fresh"))
			b.events <- clicks(3*i+1, fmt.Sprint("UV", i), "microsoft-_-edge --fresh", "")
			b.events <- entrances[EntryHome].event(3*i+2, fmt.Sprint("UH", i), "T1", "", "microsoft-_-edge --fresh")
			time.Sleep(10 * time.Millisecond)
		}
		synctest.Wait()
		if n := len(tenant.Calls()); n != 1 {
			t.Errorf("%d calls, want 1", n)
		}
	})
}
