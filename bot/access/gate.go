// Package access decides who may do what in Slack: the gate, and the directory of people, user groups and conversations that
// it asks. It refuses in words for people and with a reason for metrics. It knows nothing of envelopes, answers or
// messages. What a request requires, and what administrators allow, are values of package internal/access.
package access

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"

	"github.com/missingkbs/missingkbs/bot/slackapi"
	"github.com/missingkbs/missingkbs/commands"
	"github.com/missingkbs/missingkbs/internal/access"
)

// Policy says who may do what. The zero value admits all members of the workspace to everything but administering.
//
// An empty list admits everybody. Of two lists for the same right both have to be passed; where nothing is asked in a
// channel, such as on the Home tab, a list of channels is not. Who may change digests may also ask. Administrators pass
// every list, but they are members: guests never administer.
type Policy struct {
	Guests bool // guests are taken for members

	AskChannels, AskGroups       []string // for asking
	DigestChannels, DigestGroups []string // for changing digests; one that is empty is as for asking

	AdminGroups, AdminUsers []string
}

// Caller is somebody who wants something, and where. User is what counts; the rest is what an envelope of Slack's says
// besides.
type Caller struct {
	User    string
	Team    string // the workspace of the person, or the Enterprise organisation itself; may be empty
	Channel string // empty where there is none, as on the Home tab
}

// Gate decides who may do what. Everything that somebody does in Slack is asked of it before anything else happens:
// typed words and clicks, and what digests do in somebody's name. Its refusals are [*commands.Error]s whose words say
// what to do next and whose Reason is for those who count; each of them is logged. It is safe for concurrent use.
type Gate struct {
	directory *Directory
	self      slackapi.Workspace
	access    Policy
	allowed   allowances
	log       *slog.Logger
	names     names
}

// allowances tell into which channels an administrator lets things be posted although others read them; a store does.
type allowances interface {
	Allowance(ctx context.Context, tenant, channel string) (access.Allowance, bool, error)
}

// GateOptions configure a [Gate]. The zero value of each field stands for its default.
type Options struct {
	Policy  Policy
	Allowed allowances   // default: none
	Log     *slog.Logger // default: nothing is logged
}

// NewGate returns the gate of the bot's workspace.
func NewGate(d *Directory, self slackapi.Workspace, o Options) *Gate {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	a := o.Policy
	if len(a.DigestChannels) == 0 {
		a.DigestChannels = a.AskChannels
	}
	if len(a.DigestGroups) == 0 {
		a.DigestGroups = a.AskGroups
	}
	return &Gate{directory: d, self: self, access: a, allowed: o.Allowed, log: o.Log}
}

// The reasons of refusals, for those who count.
const (
	refusedStranger      = "stranger"
	refusedGuest         = "guest"
	refusedBot           = "bot"
	refusedDeleted       = "deleted"
	refusedUnknown       = "unknown"       // Slack could not be asked
	refusedScope         = "missing_scope" // nor will it ever, before somebody installs the app again
	refusedNoGroup       = "group_gone"    // a user group of the settings is not there any more
	refusedGroup         = "not_in_group"
	refusedChannel       = "channel"
	refusedAdministering = "not_admin"
	refusedShared        = "shared_channel"
	refusedUnseen        = "unseen_channel"
	refusedClosed        = "closed_channel"
	refusedReading       = "not_in_channel"
	refusedSharing       = "not_shared"
)

// Unseen are the reasons of refusals that say nothing of the person: Slack did not tell who that is, and might refuse
// everybody so.
func IdentityUnavailable() []string { return []string{refusedUnknown, refusedScope, refusedNoGroup} }

// May returns nil if somebody has a right, else a [*commands.Error] that says why not. What is known of the person is
// not asked of Slack again for minutes; while Slack cannot be asked, the last it said serves for an hour, and after
// that the answer is no.
func (g *Gate) May(ctx context.Context, c Caller, needs access.Right) error {
	return g.logged(ctx, c, needs, g.may(ctx, c, needs))
}

func (g *Gate) may(ctx context.Context, c Caller, needs access.Right) error {
	who, err := g.member(ctx, c)
	if err != nil {
		return err
	}
	passes := g.passes(ctx, c, who, needs)
	if passes == nil {
		return nil
	}
	admin, err := g.administers(ctx, c, who)
	switch {
	case admin:
		return nil
	case err != nil:
		return unknown(err)
	}
	return passes
}

// member says why somebody is no member of the bot's own workspace or organisation.
func (g *Gate) member(ctx context.Context, c Caller) (person, error) {
	// The envelope of a stranger says so itself, and costs no call. Inside an organisation it does not tell one
	// workspace of it from one of another organisation.
	if c.User == "" || g.self.EnterpriseID == "" && c.Team != "" && c.Team != g.self.TeamID {
		return person{}, notMember(refusedStranger)
	}
	who, err := g.directory.person(ctx, c.User)
	switch {
	case errors.Is(err, errNotAsked):
		return who, unknown(err)
	case err != nil: // Slack knows no such user
		return who, notMember(refusedStranger)
	case who.stranger || !g.ours(who):
		return who, notMember(refusedStranger)
	case who.deleted:
		return who, notMember(refusedDeleted)
	case who.bot:
		return who, notMember(refusedBot)
	case who.guest && !g.access.Guests:
		return who, notMember(refusedGuest)
	}
	return who, nil
}

// ours reports whether somebody belongs to the bot's own workspace or organisation.
func (g *Gate) ours(who person) bool {
	if e := g.self.EnterpriseID; e != "" && (who.org == e || who.team == e) {
		return true
	}
	return who.team == g.self.TeamID
}

// passes says which list somebody does not pass; nobody passes where a right has none.
func (g *Gate) passes(ctx context.Context, c Caller, who person, needs access.Right) error {
	change := func() error { return g.listed(ctx, c, who, g.access.DigestChannels, g.access.DigestGroups) }
	switch needs {
	case access.Ask:
		err := g.listed(ctx, c, who, g.access.AskChannels, g.access.AskGroups)
		if err != nil && change() == nil {
			return nil
		}
		return err
	case access.Change:
		return change()
	}
	return g.noAdministrator()
}

// listed says why somebody does not pass a list of channels and one of groups.
func (g *Gate) listed(ctx context.Context, c Caller, who person, channels, groups []string) error {
	if len(channels) > 0 && !slices.Contains(channels, c.Channel) {
		return g.elsewhere(channels)
	}
	if len(groups) == 0 {
		return nil
	}
	in, err := g.inGroup(ctx, c, who, groups)
	switch {
	case in:
		return nil
	case err != nil:
		return unknown(err)
	}
	return g.outside(groups)
}

// administers reports whether somebody is an administrator.
func (g *Gate) administers(ctx context.Context, c Caller, who person) (bool, error) {
	if who.guest {
		return false, nil
	}
	if slices.Contains(g.access.AdminUsers, c.User) {
		return true, nil
	}
	return g.inGroup(ctx, c, who, g.access.AdminGroups)
}

// Zone is the IANA name of a person's time zone, as set in Slack.
func (g *Gate) Zone(ctx context.Context, user string) (string, error) {
	return g.directory.Zone(ctx, user)
}

// logged writes a refusal to the log, and returns it, marked as one: commands pass on what they are refused.
func (g *Gate) logged(ctx context.Context, c Caller, needs access.Right, err error) error {
	if err != nil {
		if e, ok := errors.AsType[*commands.Error](err); ok {
			e.Refused = true // nobody else has it yet
		}
		attrs := []any{"user", c.User, "channel", c.Channel, "needs", string(needs), "reason", commands.Reason(err)}
		if cause := errors.Unwrap(err); cause != nil {
			attrs = append(attrs, "error", cause)
		}
		level := slog.LevelInfo
		if slices.Contains(IdentityUnavailable(), commands.Reason(err)) { // whoever runs this has to mend it
			level = slog.LevelWarn
		}
		g.log.Log(ctx, level, "refused", attrs...)
	}
	return err
}

// notMember is what people are told who are no members.
func notMember(reason string) *commands.Error {
	e := &commands.Error{Reason: reason, Title: "Only for members of this workspace"}
	switch reason {
	case refusedGuest:
		e.Title = "Not for guests"
		e.Message = "This bot does not answer guests, and guests do not change what channels are told. Ask a member of this workspace to share what you need."
	case refusedDeleted:
		e.Message = "Slack says that this account is deactivated, so nothing was done. Ask an administrator of the workspace."
	case refusedBot:
		e.Title = "Only for people"
		e.Message = "This bot answers people, not other bots, and digests are made and changed by people."
	default:
		e.Message = "This bot answers people of the organisation that runs it. Ask one of them to share what you need."
	}
	return e
}

// unknown is the refusal of somebody of whom nothing can be found out.
func unknown(err error) *commands.Error {
	e := &commands.Error{
		Reason: refusedUnknown, Title: "Not done", Err: err,
		Message: "Slack does not say right now who you are and what you may, so nothing was done. Try again in a minute.",
	}
	switch {
	case slackapi.HasCode(err, "missing_scope"):
		e.Reason = refusedScope
		e.Message = "Slack does not let this bot see who you are and what you may, so nothing was done. Whoever runs this bot has to install its app again with the scopes of its manifest."
	case groupGone(err):
		e.Reason = refusedNoGroup
		e.Message = "A user group that says who may use this bot was deleted or disabled in Slack, so nothing was done. Whoever runs this bot has to name another one in its settings, or have that one enabled again."
	case slackapi.RetryAfter(err) > 0:
		e.Message = "Slack asks for a pause before it says who you are, so nothing was done. Try again in a minute."
	}
	return e
}

// elsewhere sends somebody to where the right is given.
func (g *Gate) elsewhere(channels []string) *commands.Error {
	e := &commands.Error{Reason: refusedChannel, Title: "Not here", Message: "This is answered in certain channels only. Ask whoever runs this bot which ones."}
	if list := g.names.list(channels); list != "" {
		e.Message = fmt.Sprintf("This is answered only in %s. Ask there.", list)
	}
	return e
}

// outside tells somebody which groups have the right.
func (g *Gate) outside(groups []string) *commands.Error {
	e := &commands.Error{Reason: refusedGroup, Title: "Only for certain people", Message: "This is for members of certain user groups. Ask whoever runs this bot to be added to one."}
	if list := g.names.list(groups); list != "" {
		e.Message = fmt.Sprintf("This is for members of %s. Ask whoever keeps that group to add you.", list)
	}
	return e
}

// noAdministrator is the refusal of what only administrators may.
func (g *Gate) noAdministrator() *commands.Error {
	e := &commands.Error{Reason: refusedAdministering, Title: "Only for administrators", Message: "This is for the administrators of this bot. Ask one of them."}
	switch list := g.names.list(g.access.AdminGroups); {
	case len(g.access.AdminGroups)+len(g.access.AdminUsers) == 0:
		e.Message = "This is for administrators of this bot, and none are named. Whoever runs it names them with MISSINGKBS_ADMIN_GROUPS or MISSINGKBS_ADMIN_USERS."
	case list != "":
		e.Message = fmt.Sprintf("This is for the administrators of this bot: members of %s. Ask one of them.", list)
	}
	return e
}

// names are how people call channels and groups, by id. Those that not everybody may know are not in it.
type names map[string]string

// list names things, or says nothing when one of them has no name.
func (n names) list(ids []string) string {
	out := make([]string, 0, len(ids))
	for _, id := range ids {
		if n[id] == "" {
			return ""
		}
		out = append(out, n[id])
	}
	if last := len(out) - 1; last > 0 {
		return strings.Join(out[:last], ", ") + " or " + out[last]
	}
	return strings.Join(out, "")
}
