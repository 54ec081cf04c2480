//go:build unix

package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/missingkbs/missingkbs/internal/sandbox"
	"github.com/missingkbs/missingkbs/internal/sandbox/sockets"
)

// asked is something that a person asked, and what Slack knows of it.
type asked struct {
	number   int
	what     string // the kind of question
	who      string
	words    string // unique ones for a modal
	at       time.Time
	delivery sockets.Dispatch
}

func (a *asked) String() string {
	return fmt.Sprintf("question %d (%s %q by %s at %s, envelope %s, acked %t after %v, %q)", a.number, a.what, a.words, a.who,
		a.at.Format("15:04:05.000"), a.delivery.EnvelopeID, a.delivery.Acked, a.delivery.AckAfter, a.delivery.Err)
}

// ledger keeps what was asked and what people saw. The sandbox tells it of each sight, also of those of which the program
// was told that they failed.
type ledger struct {
	mu      sync.Mutex
	asked   []*asked
	sights  map[string][]sandbox.Delivery // by the question that they answer
	direct  map[string][]sandbox.Delivery // messages to a person, by person
	homes   map[string][]time.Time        // when a Home tab was made, by person
	digests map[string][]string           // messages by the key of their digest, each in some words
	faults  int                           // sights that somebody was told had failed
}

func newLedger() *ledger {
	return &ledger{
		sights: map[string][]sandbox.Delivery{}, direct: map[string][]sandbox.Delivery{}, homes: map[string][]time.Time{}, digests: map[string][]string{},
	}
}

// watch is told of a sight.
func (l *ledger) watch(s sandbox.Delivery) {
	key := keyOf(s.Message.Metadata)
	s.Message.Blocks, s.Message.Attachments, s.Message.Metadata = nil, nil, nil // there will be thousands
	s.Message.Text = s.Message.Text[:min(len(s.Message.Text), 200)]
	if isWait(s.Message) {
		return // the answer is judged by itself
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if s.Fault != "" {
		l.faults++
	}
	switch {
	case s.Question != "":
		l.sights[s.Question] = append(l.sights[s.Question], s)
	case s.Way == "views.publish":
		if s.Shown {
			l.homes[s.User] = append(l.homes[s.User], time.Now())
		}
	case key != "":
		if s.Shown {
			l.digests[key] = append(l.digests[key], fmt.Sprintf("%s at %s into %s: %q, fault %q", s.Way, time.Now().Format("15:04:05.000"), s.Message.Channel, s.Message.TS, s.Fault))
		}
	case s.Message.ThreadTS == "" && personOf(s.Message.Channel) != "":
		who := personOf(s.Message.Channel)
		l.direct[who] = append(l.direct[who], s)
	}
}

// personOf is who reads a conversation with the bot, named by its id or theirs; empty for channels.
func personOf(channel string) string {
	if strings.HasPrefix(channel, "D") {
		return "U" + channel[1:]
	}
	if strings.HasPrefix(channel, "U") {
		return channel
	}
	return ""
}

// add notes a question when Slack knows what became of its delivery.
func (l *ledger) add(a asked, d sockets.Dispatch) {
	l.mu.Lock()
	defer l.mu.Unlock()
	a.number, a.delivery = len(l.asked)+1, d
	l.asked = append(l.asked, &a)
}

// count is what a ledger says in figures.
type count struct {
	questions, undelivered, unacked, acked int
	answered                               int // of those acknowledged
	late                                   int // answers to those that Slack has called failed
	warned                                 int // acknowledged and not answered, but told that the answer may be missing
	lost                                   int // acknowledged, but nobody saw an answer; the program says that it was lost
	blank                                  int // selects that got no options; the program says so
	again                                  int // digests that came twice, because Slack did not show for minutes whether they had come
	busy                                   int
	repeated                               int // answers that came twice because Slack said of the first that it had failed
	unsure                                 int // answers that came twice because the network broke before Slack's word of the first
	kinds                                  map[string]int
	problems                               []string
}

// confessed is what the program's own log tells.
type confessed struct {
	lost   int // answers that it could not bring
	unsure int // acknowledgements with an answer of which it did not know whether they had arrived
	blank  int // offers that it could not bring
	blind  int // digests that it posted though it could not see, for minutes, whether they had been posted
}

// verdict goes through the questions.
func (l *ledger) verdict(log confessed) count {
	l.mu.Lock()
	defer l.mu.Unlock()
	c := count{kinds: map[string]int{}}
	for _, a := range l.asked {
		c.questions++
		c.kinds[a.what]++
		switch {
		case a.delivery.Err == sockets.NoConnection:
			c.undelivered++
		case !a.delivery.Acked:
			c.unacked++
		default:
			c.acked++
		}
		l.judge(a, &c)
	}
	l.judgeDirect(&c)
	for _, bound := range []struct {
		n, most int
		what    string
	}{
		{c.lost, log.lost, "questions were acknowledged and not answered, but the log tells of %d lost answers"},
		{c.unsure, log.unsure, "answers came in an acknowledgement and again, but the log tells of %d acknowledgements that broke with their connection"},
		{c.blank, log.blank, "selects got no options, but the log tells of %d offers that did not get there"},
	} {
		if bound.n > bound.most {
			c.problems = append(c.problems, fmt.Sprintf("%d "+bound.what, bound.n, bound.most))
		}
	}
	for key, posts := range l.digests {
		if c.again += len(posts) - 1; c.again > log.blind {
			c.problems = append(c.problems, fmt.Sprintf("the digest %s was posted %d times: %s", key, len(posts), strings.Join(posts, "; ")))
		}
	}
	return c
}

// judge looks at one question.
func (l *ledger) judge(a *asked, c *count) {
	problem := func(format string, args ...any) {
		c.problems = append(c.problems, fmt.Sprintf(format, args...)+fmt.Sprintf(": %v\n  %+v", a, l.sights[a.delivery.EnvelopeID]))
	}
	switch a.what {
	case askLink, askModal, askShortcut: // nothing to answer, or looked at by person
		return
	case askHome:
		l.judgeHome(a, c, problem)
		return
	case askSuggest:
		switch {
		case len(a.delivery.AckPayload) > 0:
			c.answered++
		case a.delivery.Copies > 1: // Slack heard of the second before it heard of the first
			return
		case a.delivery.Acked: // the one way to answer was gone: its connection was about to end
			c.blank++
			return
		}
	}
	if e := a.delivery.Err; e != "" && e != sockets.NoConnection && e != sockets.NoAck {
		problem("Slack refused the acknowledgement")
	}
	if a.what == askSuggest {
		return
	}
	shown, acks, again, failed, warned := 0, 0, 0, 0, 0
	places := map[string]bool{} // an answer in the place of another is one
	for _, s := range l.sights[a.delivery.EnvelopeID] {
		switch {
		case !s.Shown:
			failed++
			continue
		case mayBeMissing(s):
			warned++
			continue
		case places[s.Message.TS]:
			continue
		case strings.HasPrefix(s.Fault, "status 5"):
			again++
		}
		places[s.Message.TS] = true
		if s.Way == sandbox.WayAck {
			acks++
		}
		if shown++; strings.HasPrefix(s.Message.Text, "Busy") {
			c.busy++
		}
	}
	switch {
	case shown == 1 && a.delivery.Acked:
		c.answered++
	case shown == 1 && a.delivery.Err == sockets.NoConnection:
		problem("a question that was not delivered was answered")
	case shown == 1:
		c.late++
	case shown == 0 && a.delivery.Acked && warned > 0 && failed > 0:
		c.warned++
	case shown == 0 && a.delivery.Acked && failed > 0:
		c.lost++
	case shown == 0 && a.delivery.Acked:
		problem("acknowledged and not answered, though nothing stood in the way")
	case shown > 1 && shown <= 1+again:
		c.answered++
		c.repeated += shown - 1
	case shown == 2 && acks == 1:
		c.answered++
		c.unsure++
	case shown > 1:
		problem("answered %d times", shown)
	}
}

// mayBeMissing is what people are told of whose answer nobody knows whether it has arrived.
func mayBeMissing(s sandbox.Delivery) bool {
	return strings.HasPrefix(s.Message.Text, "Your answer may be missing")
}

// judgeHome looks for the Home tab that somebody was to see after opening it. One that was made shortly before is good
// enough.
func (l *ledger) judgeHome(a *asked, c *count, problem func(string, ...any)) {
	if !a.delivery.Acked {
		return
	}
	for _, made := range l.homes[a.who] {
		if made.After(a.at.Add(-11 * time.Second)) {
			c.answered++
			return
		}
	}
	if c.lost++; l.faults == 0 {
		problem("the Home tab was not made")
	}
}

// judgeDirect looks at what people were told directly: a shortcut opens a modal or says why not, and a modal is answered
// by a message. Slack does not tell which message answers what, but the words of each modal are its own.
func (l *ledger) judgeDirect(c *count) {
	acked, delivered, seen, failed, warned := map[string]int{}, map[string]int{}, map[string]int{}, map[string]int{}, map[string]int{}
	for _, a := range l.asked {
		if a.what != askShortcut && a.what != askModal || a.delivery.Err == sockets.NoConnection {
			continue
		}
		if delivered[a.who]++; a.delivery.Acked {
			acked[a.who]++
		}
		if a.what == askModal && bytes.Contains(a.delivery.AckPayload, []byte(`"errors"`)) { // said in the modal, at its field
			seen[a.who]++
		}
		for _, s := range l.sights[a.delivery.EnvelopeID] { // views.open
			if s.Shown {
				seen[a.who]++
			}
			if s.Shown && s.Fault != "" { // which makes the program say that it could not
				delivered[a.who]++
			}
		}
		if n := l.about(a); a.what == askModal && n > 1 {
			c.problems = append(c.problems, fmt.Sprintf("a modal was answered %d times: %v", n, a))
		}
	}
	for who, list := range l.direct {
		for _, s := range list {
			switch {
			case !s.Shown:
				failed[who]++
			case mayBeMissing(s):
				warned[who]++
				continue
			default:
				seen[who]++
			}
			if s.Shown && strings.HasPrefix(s.Fault, "status 5") {
				delivered[who]++
				c.repeated++
			}
		}
	}
	for who, n := range acked {
		c.answered += min(seen[who], n)
		missing := max(0, n-seen[who])
		c.warned += min(missing, warned[who])
		c.lost += max(0, missing-warned[who])
		if n-seen[who] > failed[who] {
			c.problems = append(c.problems, fmt.Sprintf("%s used the shortcut and its modal %d times and saw %d answers, though only %d failed:%s", who, n, seen[who], failed[who], l.story(who)))
		}
	}
	for who, n := range seen {
		if n > delivered[who] {
			c.problems = append(c.problems, fmt.Sprintf("%s used the shortcut and its modal %d times and saw %d answers:%s", who, delivered[who], n, l.story(who)))
		}
	}
}

// story is all that happened with somebody's shortcut and modals.
func (l *ledger) story(who string) string {
	var b strings.Builder
	for _, a := range l.asked {
		if a.who == who && (a.what == askShortcut || a.what == askModal) {
			fmt.Fprintf(&b, "\n  %v", a)
			for _, s := range l.sights[a.delivery.EnvelopeID] {
				fmt.Fprintf(&b, "\n    %s: shown %t, fault %q", s.Way, s.Shown, s.Fault)
			}
		}
	}
	for _, s := range l.direct[who] {
		fmt.Fprintf(&b, "\n  message %q at %s: shown %t, fault %q", s.Message.Text, s.Message.TS, s.Shown, s.Fault)
	}
	return b.String()
}

// about counts the messages that answer a modal.
func (l *ledger) about(a *asked) int {
	n := 0
	for _, s := range l.direct[a.who] {
		if s.Shown && strings.Contains(s.Message.Text, a.words) && !strings.HasPrefix(s.Fault, "status 5") { // those are tried again
			n++
		}
	}
	return n
}

// button is something in a message that can be clicked.
type button struct {
	at     sandbox.Message
	block  string
	action string
	label  string
	value  string
	link   bool
}

// buttons are those of a message.
func buttons(m sandbox.Message) []button {
	var blocks []map[string]any
	if json.Unmarshal(m.Blocks, &blocks) != nil {
		return nil
	}
	var all []button
	for _, b := range blocks {
		id, _ := b["block_id"].(string)
		var find func(any)
		find = func(v any) {
			switch v := v.(type) {
			case []any:
				for _, x := range v {
					find(x)
				}
			case map[string]any:
				if action, _ := v["action_id"].(string); v["type"] == "button" && action != "" {
					words, _ := v["text"].(map[string]any)
					label, _ := words["text"].(string)
					value, _ := v["value"].(string)
					all = append(all, button{m, id, action, label, value, v["url"] != nil})
				}
				for _, x := range v {
					find(x)
				}
			}
		}
		find(b)
	}
	return all
}
