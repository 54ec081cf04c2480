package app

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/missingkbs/missingkbs/commands/digestcmd"

	"github.com/missingkbs/missingkbs/bot"
	"github.com/missingkbs/missingkbs/commands"
	"github.com/missingkbs/missingkbs/internal/access"
	"github.com/missingkbs/missingkbs/internal/audit"
)

// notebook is what a trail writes to.
type notebook struct{ list []audit.Entry }

func (n *notebook) AddAudits(_ context.Context, list []audit.Entry) error {
	n.list = append(n.list, list...)
	return nil
}

// What is recorded of each kind of question, and what is not.
func TestAuditor(t *testing.T) {
	t.Parallel()
	asked := bot.Observation{
		ID: "0a1b2c3d", Entry: bot.EntryTyped, User: "U1", Team: "T1", Channel: "C1", Line: "microsoft-_-edge", Command: "software",
		Needs: access.Ask, Outcome: bot.Answered, Came: time.Unix(1, 0),
	}
	with := func(change func(*bot.Observation)) bot.Observation {
		o := asked
		change(&o)
		return o
	}
	router, err := commands.NewRouter(commands.Software(nil, nil), commands.Machine(nil, nil), digestcmd.New(nil, digestcmd.Options{}))
	if err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		seen  bot.Observation
		want  string // action, subject, result, reason, team
		quiet bool   // not recorded where questions are not
	}{
		"a question":           {asked, "ask software done  ", true},
		"one that failed":      {with(func(o *bot.Observation) { o.Outcome, o.Reason = bot.Failed, "throttled" }), "ask software failed throttled ", true},
		"one without room":     {with(func(o *bot.Observation) { o.Outcome, o.Command, o.Needs = bot.Busy, "", "" }), "ask  busy  ", true},
		"one that was lost":    {with(func(o *bot.Observation) { o.Outcome = bot.Lost }), "ask software lost  ", true},
		"a refusal":            {with(func(o *bot.Observation) { o.Outcome, o.Reason, o.Team = bot.Refused, "declined", "T9" }), "ask software refused declined T9", false},
		"a share":              {with(func(o *bot.Observation) { o.Share, o.Public = true, true }), "share software done  ", false},
		"a share refused":      {with(func(o *bot.Observation) { o.Share, o.Outcome, o.Reason = true, bot.Refused, "declined" }), "share software refused declined ", false},
		"a share without room": {with(func(o *bot.Observation) { o.Share, o.Outcome = true, bot.Busy }), "share software busy  ", false},
		"a change that asks first": {with(func(o *bot.Observation) {
			o.Line, o.Command, o.Needs = "digest remove 7", "digest", access.Change
		}), "ask digest done  ", true},
		"a change that failed": {with(func(o *bot.Observation) {
			o.Line, o.Command, o.Needs, o.Outcome, o.Reason = "digest PAUSE #7", "digest", access.Change, bot.Failed, "internal"
		}), "digest.pause 7 failed internal ", false},
		"an addition refused": {with(func(o *bot.Observation) {
			o.Line, o.Command, o.Needs, o.Outcome, o.Reason = "digest add microsoft-_-edge", "digest", access.Change, bot.Refused, "declined"
		}), "digest.add  refused declined ", false},
		"a change that was made": {with(func(o *bot.Observation) { o.ID, o.Command, o.Needs = "made", "digest", access.Change }), "", false},
		"a change that was made, its answer lost": {with(func(o *bot.Observation) {
			o.ID, o.Command, o.Needs, o.Outcome = "made", "digest", access.Change, bot.Lost
		}), "", false},
		"a device": {with(func(o *bot.Observation) { o.Line, o.Command = "machine web-01 --page 2", "machine" }), "machine web-01 done  ", false},
		"an unknown device": {with(func(o *bot.Observation) {
			o.Line, o.Command, o.Outcome, o.Reason = "machine Web 01", "machine", bot.Failed, "not_found"
		}), "machine Web 01 failed not_found ", false},
		"typing":               {with(func(o *bot.Observation) { o.Entry, o.Command = bot.EntryTypeahead, "suggest" }), "", false},
		"a stranger who types": {with(func(o *bot.Observation) { o.Entry, o.Command, o.Outcome = bot.EntryTypeahead, "suggest", bot.Refused }), "ask suggest refused  ", false},
	} {
		for _, questions := range []bool{true, false} {
			n := &notebook{}
			r := &auditor{trail: audit.New(n, audit.Options{}), auditQuestions: questions, team: "T1", changes: newChangedRequests()}
			_ = r.changes.add(audit.Entry{Request: "made"}, nil)
			req, err := commands.Parse(tt.seen.Line)
			if err != nil {
				t.Fatal(err)
			}
			in := router.Intent(req) // as the bot takes it from there
			tt.seen.Action, tt.seen.Subject = in.Action, in.Subject
			r.question(t.Context(), tt.seen)
			ended, cancel := context.WithCancel(t.Context())
			cancel()
			r.trail.Run(ended)
			var all strings.Builder
			for _, a := range n.list {
				fmt.Fprintf(&all, "%s %s %s %s %s", a.Action, a.Subject, a.Result, a.Reason, a.Team)
			}
			got := all.String()
			want := tt.want
			if tt.quiet && !questions {
				want = ""
			}
			if got != want {
				t.Errorf("%s, questions %t: recorded %q, want %q", name, questions, got, want)
			}
			if len(r.changes.ids) > 1 {
				t.Errorf("%s: remembers %v", name, r.changes.ids)
			}
		}
	}
}
