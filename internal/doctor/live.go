package doctor

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"time"

	"github.com/slack-go/slack"

	"github.com/missingkbs/missingkbs/bot/blocks"
	"github.com/missingkbs/missingkbs/bot/slackapi"
	"github.com/missingkbs/missingkbs/internal/view"
	"github.com/missingkbs/missingkbs/internal/wait"
)

const (
	// liveTime bounds the posting; cleaning up comes after it.
	liveTime      = 3 * time.Minute
	liveStepTime  = time.Minute
	liveCleanTime = time.Minute
	// maxPause is the longest pause of Slack that a check waits for.
	maxPause = 20 * time.Second
)

// LiveOptions say where the live checks post.
type LiveOptions struct {
	Channel string // an ID
	User    string // the ID of a member of the channel for direct and ephemeral messages and the Home tab; optional
}

// RunLive posts one message of each kind that the bot can send, reports Slack's answers, and deletes the messages. The report
// contains no token and nothing about the workspace, because people attach it to bug reports.
func (c *Checker) RunLive(ctx context.Context, o LiveOptions) Report {
	ctx, cancel := context.WithTimeout(ctx, liveTime)
	defer cancel()
	r := Run(ctx, newLiveRun(c, o).checks())
	r.Program = fmt.Sprintf("missingkbs %s, %s, %s/%s", c.Version, runtime.Version(), runtime.GOOS, runtime.GOARCH)
	return r
}

// liveRun is the state of one [Checker.RunLive]. Its checks run one after the other.
type liveRun struct {
	checker    *Checker
	target     LiveOptions
	mark       string // in the title of every message
	poster     *livePoster
	stopped    string // why the remaining messages are not sent; empty while they are
	unanswered int    // calls in a row that Slack did not answer
	richest    blocks.Form
	first      string // the ts of a message that Slack took
	ephemerals int
	refused    []blocks.Feature
}

func newLiveRun(c *Checker, o LiveOptions) *liveRun {
	return &liveRun{checker: c, target: o, mark: rand.Text()[:8], richest: blocks.Classic()}
}

// checks returns the checks, each of which waits for the one before.
func (l *liveRun) checks() []*Check {
	all := []*Check{{Name: "live-channel", Run: l.channel, Timeout: liveStepTime}}
	for _, m := range l.messages() {
		all = append(all, &Check{Name: m.name, Run: l.send(m), Timeout: liveStepTime})
	}
	all = append(all,
		&Check{Name: "live-metadata", Run: l.metadata, Timeout: liveStepTime},
		&Check{Name: "live-home", Run: l.home, Timeout: liveStepTime},
		&Check{Name: "live-cleanup", Run: l.cleanUp, Timeout: liveCleanTime, Always: true})
	for i, c := range all[1:] {
		c.After = all[i : i+1]
	}
	return all
}

// channel checks the token and the channel before anything is posted.
func (l *liveRun) channel(ctx context.Context) []Finding {
	findings, ok := l.prepare(ctx)
	if !ok {
		l.stopped = "see live-channel"
	}
	return findings
}

// prepare returns false if nothing may be posted.
func (l *liveRun) prepare(ctx context.Context) (f []Finding, ok bool) {
	if f := l.checker.slackReached(ctx); f[0].Status != OK {
		return f, false
	}
	_, token := l.checker.values.Slack.Tokens.Current()
	if f := l.checker.usable("SLACK_BOT_TOKEN", token, "xoxb-", botTokenPage); f != nil {
		return f, false
	}
	inspect := newInspector(l.checker.values.Slack)
	me, err := inspect.installation(ctx)
	if err != nil {
		return refusedToken("SLACK_BOT_TOKEN", botTokenPage, err), false
	}
	l.poster = newLivePoster(l.checker.values.Slack, livePosterOptions{
		workspace: slackapi.Workspace{TeamID: me.TeamID, EnterpriseID: me.Enterprise, UserID: me.UserID, OrgWide: me.OrgWide},
		channel:   l.target.Channel, user: l.target.User, mark: l.mark, interval: l.checker.LiveInterval,
	})
	state, err := inspect.channel(ctx, l.target.Channel, me)
	slackErr, isRefusal := errors.AsType[slack.SlackErrorResponse](err)
	switch {
	case isRefusal && slackErr.Err == "missing_scope": // posting will show the rest
		return warn("the channel cannot be read: the scope "+cmp.Or(slackErr.Needed, "channels:read")+" is missing", scopeCure), true
	case err != nil:
		return []Finding{l.refusedCall("conversations.info", false, err)}, false
	case state.Archived:
		return fail("the channel is archived", "unarchive it, or choose another channel"), false
	case state.Shared:
		return fail("the channel is shared with another organisation: nothing is posted there", "choose a channel of your own"), false
	case !state.Member && !state.Direct:
		return fail("the bot is no member of the channel", inviteCure), false
	}
	return pass("the bot may post there"), true
}

const (
	scopeCure  = "add it under OAuth & Permissions > Bot Token Scopes, and install the app again"
	inviteCure = "in that channel type /invite and the bot's name, or choose another channel"
	reportCure = "this is a fault of missingkbs, or Slack has changed: please report this, with what missingkbs doctor --live … -o json prints"
)

// send returns the check that sends one message.
func (l *liveRun) send(m liveMessage) func(context.Context) []Finding {
	return func(ctx context.Context) []Finding {
		if f := l.cannotSend(ctx, m.forUser); f != nil {
			return f
		}
		if slices.Contains(l.refused, m.needs) {
			return skip("not tried: Slack does not support " + string(m.needs))
		}
		r := l.withPause(ctx, func() callResult { return m.send(ctx, l) })
		l.refused = append(l.refused, r.verdict.Unsupported...)
		if r.err == nil {
			l.first = cmp.Or(l.first, r.message)
			l.richest.Tables = min(l.richest.Tables, m.form.Tables)
			if r.call == "chat.postEphemeral" {
				l.ephemerals++
			}
		}
		return []Finding{l.finding(m.what, m.forUser, r)}
	}
}

// cannotSend reports why no message is sent. It returns nil if one can be.
func (l *liveRun) cannotSend(ctx context.Context, user bool) []Finding {
	switch {
	case l.stopped != "":
		return skip("not tried: " + l.stopped)
	case ctx.Err() != nil:
		l.stopped = "interrupted"
		return fail("interrupted before this was tried", "run it again")
	case user && l.target.User == "":
		return skip("not tried: name a member of the channel with --user U0123ABCD")
	}
	return nil
}

// withPause makes a call. If Slack asks for a short pause, it waits and makes the call again.
func (l *liveRun) withPause(ctx context.Context, call func() callResult) callResult {
	r := call()
	limited, ok := errors.AsType[*slack.RateLimitedError](r.err)
	if !ok || limited.RetryAfter > maxPause {
		return r
	}
	if !wait.For(ctx, limited.RetryAfter) {
		return r
	}
	return call()
}

// metadata posts a message with the metadata of a digest, and finds it as a retried digest does.
func (l *liveRun) metadata(ctx context.Context) []Finding {
	if f := l.cannotSend(ctx, false); f != nil {
		return f
	}
	key := "digest/doctor/" + l.mark
	r := l.withPause(ctx, func() callResult {
		return l.poster.post(ctx, l.page("with a key in its metadata"), l.richest, "", key)
	})
	if r.err != nil {
		return []Finding{l.finding("a message with metadata", false, r)}
	}
	var ts string
	search := l.withPause(ctx, func() (o callResult) { ts, o = l.poster.find(ctx, key); return o })
	f := l.finding("a message with metadata, and found by it", false, search)
	switch {
	case search.err == nil && ts == "":
		f = fail("Slack takes a message with metadata, but does not find it by them", "after a crash a digest may come twice; "+reportCure)[0]
	case search.err == nil && ts != r.message:
		f = fail("another message is found by the metadata", reportCure)[0]
	case f.Status != OK:
		f.Found = "a message with metadata is taken, but cannot be searched for: " + f.Found
		f.Cure += "; without it a digest may come twice after a crash"
	}
	f.Evidence = evidenceOf(search)
	return []Finding{f}
}

// home publishes a Home tab. Each time Slack refuses it, it uses a simpler form.
func (l *liveRun) home(ctx context.Context) []Finding {
	if f := l.cannotSend(ctx, true); f != nil {
		return f
	}
	var all []Finding
	for tables := blocks.ButtonTables; tables <= blocks.SectionTables; tables++ {
		form := blocks.Form{Tables: tables, TextCharts: true}
		r := l.withPause(ctx, func() callResult { return l.poster.home(ctx, l.page("the Home tab", sampleTable(3)), form) })
		f := l.finding("a Home tab with "+tableKinds()[tables], true, r)
		all = append(all, f)
		if r.err == nil || len(r.verdict.Words) == 0 {
			break
		}
	}
	return all
}

// cleanUp deletes the messages, even if the checks before were interrupted.
func (l *liveRun) cleanUp(ctx context.Context) []Finding {
	if l.poster == nil {
		return pass("nothing was posted")
	}
	deleted, left := l.poster.cleanUp(ctx)
	text := view.Count(deleted, "message") + " deleted"
	if l.ephemerals > 0 {
		text += "; the ephemeral one disappears when that person reloads Slack"
	}
	all := pass(text)
	cure := "delete by hand what is left: the titles of the messages begin with " + l.title()
	var reported []string
	for _, err := range left {
		words := liveError(err)
		if _, ok := errors.AsType[searchError](err); ok {
			words = "a response of Slack was lost, and the search for lost messages failed: " + words
		}
		if !slices.Contains(reported, words) {
			reported = append(reported, words)
			all = append(all, warn("not everything could be deleted: "+words, cure)...)
		}
	}
	return all
}
