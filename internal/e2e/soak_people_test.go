//go:build unix

package e2e

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/missingkbs/missingkbs/internal/demo"
	"github.com/missingkbs/missingkbs/internal/sandbox"
	"github.com/missingkbs/missingkbs/internal/sandbox/sockets"
)

// The kinds of questions in a soak.
const (
	askTyped    = "typed"
	askClick    = "click"
	askLink     = "click on a link" // Slack follows it, nothing is to be answered
	askHome     = "home opened"
	askShortcut = "shortcut"
	askModal    = "modal"
	askSuggest  = "typeahead"
	askBurst    = "burst" // of typed questions by one person
)

// soakPeople are those who ask.
func soakPeople() []string {
	return []string{sandbox.Alice, sandbox.Bob, "U0CAROL01", "U0DAVE001", "U0ERIN001", "U0FRANK01"}
}

// peopleStrands are what people do. It is more than comes in a large company on a patch Tuesday, and little enough for
// the race detector on a slow machine with other things to do.
func peopleStrands() []strand {
	return []strand{
		{every: 300 * time.Millisecond, make: planTyped},
		{first: 2 * time.Second, every: 500 * time.Millisecond, make: planClick},
		{every: 3 * time.Second, make: planHome},
		{first: time.Second, every: 4 * time.Second, make: planModal},
		{first: 2 * time.Second, every: 4 * time.Second, make: planSuggest},
		{first: 3 * time.Second, every: 10 * time.Second, make: planBurst},
	}
}

func (d dice) person() string {
	people := soakPeople()
	return people[d.IntN(len(people))]
}

// words are something to type.
func (d dice) words() string {
	ids := []string{edge, "microsoft-_-windows_11", "microsoft-_-windows_10", "microsoft-_-windows_server_2022", "microsoft-_-office", "google-_-chrome", "nobody-_-knows"}
	return choose(d, []option[func() string]{
		{10, func() string { return ids[d.IntN(len(ids))] }},
		{4, func() string {
			return fmt.Sprintf("%s --sort cves --min-devices %d", ids[d.IntN(len(ids))], d.IntN(50))
		}},
		{2, func() string { return fmt.Sprintf("%s --page %d", ids[d.IntN(len(ids))], 1+d.IntN(3)) }},
		{2, func() string { return "windows 11" }},
		{2, func() string { return "chorme" }},
		{1, func() string { return fmt.Sprintf("search thing %d", d.IntN(1000)) }},
		{1, func() string { return "digest list" }},
		{1, func() string { return fmt.Sprintf("digest run s%d", d.IntN(5)) }},
		{1, func() string { return "help" }},
		{1, func() string { return "home" }},
		{1, func() string { return "--sort nonsense" }},
	})()
}

func planTyped(d dice) step {
	who, words := d.person(), d.words()
	return step{what: askTyped, with: who + " " + words, do: func(s *soak) { s.typed(who, words) }}
}

// planBurst is somebody who does not wait for answers, and is to hear that there are too many.
func planBurst(d dice) step {
	who, words, n := d.person(), d.words(), 10+d.IntN(20)
	return step{what: askBurst, with: fmt.Sprintf("%s %q %d times", who, words, n), do: func(s *soak) {
		for range n {
			s.going.Go(func() { s.typed(who, words) })
		}
	}}
}

func planClick(d dice) step {
	who, pick := d.person(), d.Uint32()
	return step{what: askClick, with: fmt.Sprint(who, " ", pick), do: func(s *soak) { s.clicked(who, pick) }}
}

func planHome(d dice) step {
	who := d.person()
	return step{what: askHome, with: who, do: func(s *soak) {
		at := time.Now()
		s.put(askHome, who, "", at)(s.w.slack.OpenHome(s.ctx, who))
	}}
}

func planModal(d dice) step {
	who, words := d.person(), fmt.Sprintf("zz%08x", d.Uint32())
	return step{what: askModal, with: who + " " + words, do: func(s *soak) { s.modal(who, words) }}
}

func planSuggest(d dice) step {
	who, words := d.person(), d.words()
	return step{what: askSuggest, with: who + " " + words, do: func(s *soak) { s.suggested(who, words) }}
}

// put returns a function that takes what became of the delivery of a question into the ledger.
func (s *soak) put(what, who, words string, at time.Time) func(sockets.Dispatch, error) {
	return func(d sockets.Dispatch, err error) {
		switch {
		case err == nil:
			s.ledger.add(asked{what: what, who: who, words: words, at: at}, d)
		case errors.Is(err, sandbox.ErrNoElement): // it was replaced before it was clicked
			s.note("nothing to click")
		default:
			s.t.Errorf("%s by %s: %v", what, who, err)
		}
	}
}

func (s *soak) typed(who, words string) {
	at := time.Now()
	s.put(askTyped, who, words, at)(s.w.slack.Command(s.ctx, who, sandbox.General, "/missingkbs "+words))
}

// clicked clicks on any button in the newest messages that somebody sees, but for those that change digests.
func (s *soak) clicked(who string, pick uint32) {
	seen := s.w.slack.Messages(sandbox.General, who)
	var all []button
	for _, m := range seen[max(0, len(seen)-20):] {
		for _, b := range buttons(m) {
			if m.Kind == sandbox.KindApp && (!strings.HasPrefix(b.value, "digest") || strings.HasPrefix(b.value, "digest run")) {
				all = append(all, b)
			}
		}
	}
	// Most buttons are links of a table.
	links := map[bool][]button{}
	for _, b := range all {
		links[b.link] = append(links[b.link], b)
	}
	from := links[pick%10 == 0]
	if len(from) == 0 {
		s.note("nothing to click")
		return
	}
	b := from[int(pick/10)%len(from)]
	what := askClick
	if b.link {
		what = askLink
	}
	at := time.Now()
	s.put(what, who, b.label+": "+b.value, at)(s.w.slack.Click(s.ctx, who, b.at.Channel, b.at.TS, b.action, sandbox.InBlock(b.block)))
}

// modal uses the shortcut and, when a modal opens, submits it with words of its own.
func (s *soak) modal(who, words string) {
	open := func() map[string]bool {
		ids := map[string]bool{}
		for _, raw := range s.w.slack.Views(who) {
			var v struct{ ID string }
			if json.Unmarshal(raw, &v) == nil {
				ids[v.ID] = true
			}
		}
		return ids
	}
	before := open()
	at := time.Now()
	s.put(askShortcut, who, words, at)(s.w.slack.Shortcut(s.ctx, who, demo.Shortcut().CallbackID))
	ctx, cancel := context.WithTimeout(s.ctx, 5*time.Second)
	defer cancel()
	var id string
	err := s.w.slack.Wait(ctx, func() bool {
		for one := range open() {
			if !before[one] {
				id = one
			}
		}
		return id != ""
	})
	if err != nil {
		s.note("no modal to submit")
		return
	}
	chosen := map[string]any{"words": map[string]any{"pick:1": map[string]any{
		"type": "external_select", "selected_option": map[string]any{"value": words},
	}}}
	at = time.Now()
	s.put(askModal, who, words, at)(s.w.slack.SubmitView(s.ctx, who, id, chosen))
}

// suggested types into the select of somebody's Home tab.
func (s *soak) suggested(who, words string) {
	var home struct{ ID string }
	if json.Unmarshal(s.w.slack.Home(who), &home) != nil {
		s.note("no Home tab to type into")
		return
	}
	at := time.Now()
	s.put(askSuggest, who, words, at)(s.w.slack.Suggest(s.ctx, who, sandbox.Target{ViewID: home.ID, ActionID: "choose:1"}, words))
}
