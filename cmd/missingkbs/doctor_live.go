package main

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"regexp"
	"runtime"
	"slices"
	"time"

	"github.com/slack-go/slack"

	"github.com/missingkbs/missingkbs/bot"
	"github.com/missingkbs/missingkbs/bot/blocks"
	"github.com/missingkbs/missingkbs/internal/config"
	"github.com/missingkbs/missingkbs/internal/doctor"
	"github.com/missingkbs/missingkbs/internal/view"
)

const (
	// liveTime bounds the posting; cleaning up comes after it.
	liveTime      = 3 * time.Minute
	liveStepTime  = time.Minute
	liveCleanTime = time.Minute
	// livePatience is the longest pause of Slack's that is waited for.
	livePatience = 20 * time.Second
)

var (
	liveChannel = regexp.MustCompile(`^[CGD][A-Z0-9]{5,}$`)
	liveUser    = regexp.MustCompile(`^[UW][A-Z0-9]{5,}$`)
)

// checkLive finds wrong use of the flags of the live trial.
func (c doctorCmd) checkLive(m *config.Errors) {
	if c.Live != "" && !liveChannel.MatchString(c.Live) {
		m.Add("--live", "takes the id of a channel, such as C0123ABCD (in Slack: the channel's name, then About, at the bottom)")
	}
	if c.User != "" && !liveUser.MatchString(c.User) {
		m.Add("--user", "takes the id of a person, such as U0123ABCD (in Slack: the profile, then More, Copy member ID)")
	}
	if c.User != "" && c.Live == "" {
		m.Add("--user", "belongs to --live")
	}
	if c.Live != "" && c.Offline {
		m.Add("--offline", "leaves nothing of --live to be done")
	}
}

// liveTrial posts one message of each kind that the bot can send, tells what Slack says to each, and deletes them all.
// Its checks run one after the other. What it tells holds neither tokens nor anything of the workspace: people attach it
// to reports.
type liveTrial struct {
	e             *exam
	channel, user string
	mark          string // stands in every message
	trial         *bot.Trial
	halted        string // why nothing more is tried; empty while it goes on
	lost          int    // calls in a row that Slack did not answer
	best          blocks.Form
	head          string           // ts of a message that was taken
	shown         int              // ephemeral messages
	lacks         []blocks.Feature // what a message was refused for
}

func newLiveTrial(e *exam, c doctorCmd) *liveTrial {
	return &liveTrial{e: e, channel: c.Live, user: c.User, mark: rand.Text()[:8], best: blocks.Classic()}
}

// checks are those of the trial, each of which waits for the one before.
func (l *liveTrial) checks() []*doctor.Check {
	all := []*doctor.Check{{Name: "live-channel", Run: l.begin, Timeout: liveStepTime}}
	for _, s := range l.specimens() {
		all = append(all, &doctor.Check{Name: s.name, Run: l.tries(s), Timeout: liveStepTime})
	}
	all = append(all,
		&doctor.Check{Name: "live-metadata", Run: l.metadata, Timeout: liveStepTime},
		&doctor.Check{Name: "live-home", Run: l.home, Timeout: liveStepTime},
		&doctor.Check{Name: "live-cleanup", Run: l.cleanUp, Timeout: liveCleanTime, Always: true})
	for i, c := range all[1:] {
		c.After = all[i : i+1]
	}
	return all
}

// liveProgram says what made a report.
func liveProgram() string {
	return fmt.Sprintf("missingkbs %s, %s, %s/%s", buildVersion(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
}

// begin looks at the token and the channel before anything is posted.
func (l *liveTrial) begin(ctx context.Context) []doctor.Finding {
	findings, ok := l.prepare(ctx)
	if !ok {
		l.halted = "see live-channel"
	}
	return findings
}

func (l *liveTrial) prepare(ctx context.Context) (f []doctor.Finding, ok bool) {
	if f := l.e.slackReached(ctx); f[0].Status != doctor.OK {
		return f, false
	}
	_, token := l.e.slack.Tokens.Current()
	if f := l.e.usable("SLACK_BOT_TOKEN", token, "xoxb-", botTokenPage); f != nil {
		return f, false
	}
	inspector := bot.Inspect(l.e.slack)
	me, err := inspector.Installation(ctx)
	if err != nil {
		return refusedToken("SLACK_BOT_TOKEN", botTokenPage, err), false
	}
	l.trial = bot.NewTrial(l.e.slack, bot.TrialOptions{
		Workspace: bot.Workspace{TeamID: me.TeamID, EnterpriseID: me.Enterprise, UserID: me.UserID, OrgWide: me.OrgWide},
		Channel:   l.channel, User: l.user, Mark: l.mark, Pace: l.e.livePace,
	})
	state, err := inspector.Channel(ctx, l.channel, me)
	refused, isRefusal := errors.AsType[slack.SlackErrorResponse](err)
	switch {
	case isRefusal && refused.Err == "missing_scope": // posting tells the rest
		return doubtful("the channel cannot be looked at: the scope "+cmp.Or(refused.Needed, "channels:read")+" is missing", scopeCure), true
	case err != nil:
		return []doctor.Finding{l.refusedCall("conversations.info", false, err)}, false
	case state.Archived:
		return unwell("the channel is archived", "unarchive it, or choose another channel"), false
	case state.Shared:
		return unwell("the channel is shared with another organisation: nothing is posted there", "choose a channel of your own"), false
	case !state.Member && !state.Direct:
		return unwell("the bot is no member of the channel", inviteCure), false
	}
	return well("the bot may post there"), true
}

const (
	scopeCure  = "add it under OAuth & Permissions > Bot Token Scopes, and install the app again"
	inviteCure = "in that channel type /invite and the bot's name, or choose another channel"
	reportCure = "this is a fault of missingkbs, or Slack has changed: please report this, with what missingkbs doctor --live … -o json prints"
)

// tries sends one specimen.
func (l *liveTrial) tries(s specimen) func(context.Context) []doctor.Finding {
	return func(ctx context.Context) []doctor.Finding {
		if f := l.cannotTry(ctx, s.user); f != nil {
			return f
		}
		if slices.Contains(l.lacks, s.needs) {
			return unchecked("not tried: " + string(s.needs) + " is not taken")
		}
		r := l.patiently(ctx, func() bot.TrialResult { return s.send(ctx, l) })
		l.lacks = append(l.lacks, r.Verdict.Unsupported...)
		if r.Err == nil {
			l.head = cmp.Or(l.head, r.Message)
			l.best.Tables = min(l.best.Tables, s.form.Tables)
			if r.Call == "chat.postEphemeral" {
				l.shown++
			}
		}
		return []doctor.Finding{l.finding(s.what, s.user, r)}
	}
}

// cannotTry says why nothing is sent, nil when something may be.
func (l *liveTrial) cannotTry(ctx context.Context, user bool) []doctor.Finding {
	switch {
	case l.halted != "":
		return unchecked("not tried: " + l.halted)
	case ctx.Err() != nil:
		l.halted = "interrupted"
		return unwell("interrupted before this was tried", "run it again")
	case user && l.user == "":
		return unchecked("not tried: name a member of the channel with --user U0123ABCD")
	}
	return nil
}

// patiently makes a call, and once more after a short pause that Slack asks for.
func (l *liveTrial) patiently(ctx context.Context, call func() bot.TrialResult) bot.TrialResult {
	r := call()
	limited, ok := errors.AsType[*slack.RateLimitedError](r.Err)
	if !ok || limited.RetryAfter > livePatience {
		return r
	}
	t := time.NewTimer(limited.RetryAfter)
	defer t.Stop()
	select {
	case <-t.C:
		return call()
	case <-ctx.Done():
		return r
	}
}

// finding says what an answer of Slack's means. What was sent is for one person, or for the channel.
func (l *liveTrial) finding(what string, person bool, r bot.TrialResult) doctor.Finding {
	if r.Err == nil {
		l.lost = 0
		f := well("taken: " + what)[0]
		f.Evidence = evidenceOf(r)
		return f
	}
	var f doctor.Finding
	switch v := r.Verdict; {
	case len(v.Words) == 0:
		f = l.refusedCall(r.Call, person, r.Err)
	case len(v.Faults) > 0:
		f = unwell("Slack refuses what the bot sends ("+what+"): "+saidWords(v.Faults), reportCure)[0]
	case len(v.Unsupported) > 0:
		f = l.unsupported(what, v)
	case len(blocks.Uses(r.Sent)) == 0:
		f = unwell("Slack refuses what every workspace takes ("+what+"): "+saidWords(v.Words), reportCure)[0]
	default:
		f = doubtful("Slack refuses "+what+" and does not say why: "+saidWords(v.Words),
			"the bot draws a page more simply when Slack refuses it so, and nothing is missing; please report this, with what -o json prints")[0]
	}
	f.Evidence = evidenceOf(r)
	return f
}

// unsupported says what the bot does without the newer blocks that a workspace does not take.
func (l *liveTrial) unsupported(what string, v bot.Verdict) doctor.Finding {
	found := "not taken: " + what + ": Slack says " + saidWords(v.Words)
	feature := v.Unsupported[0]
	switch table := feature != blocks.DataVisualization; {
	case l.e.tables == bot.TablesClassic:
		return well(found + "; MISSINGKBS_TABLES is classic, so it is not used")[0]
	case l.e.tables == bot.TablesPlain && (feature == blocks.ActionCell || feature == blocks.DataTable):
		return well(found + "; MISSINGKBS_TABLES is table, so it is not used")[0]
	case l.e.tables == bot.TablesData && table:
		return unwell(found, "set MISSINGKBS_TABLES to auto: with data_table Slack refuses each message once, and drops acknowledgements that hold a table")[0]
	}
	return doubtful(found, "nothing need be done: the bot uses "+inPlaceOf(feature)+" instead, and tries again after a day")[0]
}

// inPlaceOf is what is drawn where a workspace does not take a feature.
func inPlaceOf(f blocks.Feature) string {
	switch f {
	case blocks.ActionCell:
		return "tables with a link in each row, and sections where a row runs a command,"
	case blocks.DataTable:
		return "plain tables, which neither sort nor page by themselves,"
	case blocks.Table:
		return "sections with a button for each row"
	default:
		return "charts drawn as text"
	}
}

// metadata posts what a digest does, and looks for it as a digest that is tried again does.
func (l *liveTrial) metadata(ctx context.Context) []doctor.Finding {
	if f := l.cannotTry(ctx, false); f != nil {
		return f
	}
	key := "digest/doctor/" + l.mark
	r := l.patiently(ctx, func() bot.TrialResult {
		return l.trial.Post(ctx, l.page("with a key in its metadata"), l.best, "", key)
	})
	if r.Err != nil {
		return []doctor.Finding{l.finding("a message with metadata", false, r)}
	}
	var ts string
	search := l.patiently(ctx, func() (o bot.TrialResult) { ts, o = l.trial.Find(ctx, key); return o })
	f := l.finding("a message with metadata, and found by it", false, search)
	switch {
	case search.Err == nil && ts == "":
		f = unwell("a message with metadata is taken, but not found by it", "after a crash a digest may come twice; "+reportCure)[0]
	case search.Err == nil && ts != r.Message:
		f = unwell("another message is found by the metadata", reportCure)[0]
	case f.Status != doctor.OK:
		f.Found = "a message with metadata is taken, but cannot be looked for: " + f.Found
		f.Cure += "; without it a digest may come twice after a crash"
	}
	f.Evidence = evidenceOf(search)
	return []doctor.Finding{f}
}

// home publishes a Home tab, more simply each time that Slack refuses it.
func (l *liveTrial) home(ctx context.Context) []doctor.Finding {
	if f := l.cannotTry(ctx, true); f != nil {
		return f
	}
	var all []doctor.Finding
	for tables := blocks.ButtonTables; tables <= blocks.SectionTables; tables++ {
		form := blocks.Form{Tables: tables, TextCharts: true}
		r := l.patiently(ctx, func() bot.TrialResult { return l.trial.Home(ctx, l.page("the Home tab", sampleTable(3)), form) })
		f := l.finding("a Home tab with "+tableKinds()[tables], true, r)
		all = append(all, f)
		if r.Err == nil || len(r.Verdict.Words) == 0 {
			break
		}
	}
	return all
}

// cleanUp takes away what was posted, whatever happened before.
func (l *liveTrial) cleanUp(ctx context.Context) []doctor.Finding {
	if l.trial == nil {
		return well("nothing was posted")
	}
	deleted, left := l.trial.CleanUp(ctx)
	text := view.Count(deleted, "message") + " deleted"
	if l.shown > 0 {
		text += "; the ephemeral one is gone when that person's Slack is loaded anew"
	}
	all := well(text)
	cure := "delete by hand what is left: the titles of the messages begin with " + l.title()
	var told []string
	for _, err := range left {
		words := liveError(err)
		if _, ok := errors.AsType[bot.LookError](err); ok {
			words = "an answer of Slack's was lost, and whether a message is left cannot be looked up: " + words
		}
		if !slices.Contains(told, words) {
			told = append(told, words)
			all = append(all, doubtful("not all could be taken away: "+words, cure)...)
		}
	}
	return all
}
