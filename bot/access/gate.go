// Package access decides who may do what in Slack: the gate, and the directory of people, user groups and conversations
// that it asks. Its refusals have a text for people and a reason for metrics. It knows nothing of envelopes, answers or
// messages. What a request requires, and what administrators allow, are values of package internal/access.
package access

import (
	"context"
	"errors"
	"log/slog"
	"slices"

	"github.com/missingkbs/missingkbs/bot/slackapi"
	"github.com/missingkbs/missingkbs/commands"
	"github.com/missingkbs/missingkbs/internal/access"
)

// Policy defines who may do what. The zero value lets all members of the workspace do everything but administer.
//
// An empty list admits all members. If a right has a list of channels and one of groups, the user must pass both. The
// Home tab is no channel, so a list of channels never admits it. Users who may change digests or accept risks may also
// ask. Administrators pass every list. Guests never administer.
type Policy struct {
	Guests bool // guests count as members

	AskChannels, AskGroups       []string // for asking
	DigestChannels, DigestGroups []string // for changing digests; default: as for asking
	AcceptGroups                 []string // for accepting risks, in the channels where digests may be changed; default: as for changing digests

	AdminGroups, AdminUsers []string
}

// Caller is the user who makes a request, and where. Decisions are about User; Team and Channel are what the envelope
// says.
type Caller struct {
	User    string
	Team    string // the user's workspace, or the Enterprise organisation itself; may be empty
	Channel string // empty where there is none, as on the Home tab
}

// Gate decides who may do what. Callers ask it before they do anything for a user: for typed commands, for clicks, and for
// digests. A refusal is a [*commands.Error] that says what to do next and has a Reason for metrics; each one is logged. It is
// safe for concurrent use.
type Gate struct {
	directory *Directory
	self      slackapi.Workspace
	policy    Policy
	allowed   allowances
	log       *slog.Logger
	names     names
}

// allowances returns what administrators have allowed; a store does.
type allowances interface {
	Allowance(ctx context.Context, tenant, channel string) (access.Allowance, bool, error)
}

// Options configure a [Gate]. The zero value of each field stands for its default.
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
	if len(a.AcceptGroups) == 0 {
		a.AcceptGroups = a.DigestGroups
	}
	return &Gate{directory: d, self: self, policy: a, allowed: o.Allowed, log: o.Log}
}

// May returns nil if the caller has a right, else a [*commands.Error] that says why not. What Slack says about a user is
// cached for minutes. While Slack cannot be asked, the cached answer serves for an hour; after that May refuses.
func (g *Gate) May(ctx context.Context, c Caller, needs access.Right) error {
	return g.logged(ctx, c, needs, g.may(ctx, c, needs))
}

// may is May without logging. An administrator passes where the lists do not admit them.
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

// member returns the user, or a refusal if they are not a member of the bot's workspace or organisation.
func (g *Gate) member(ctx context.Context, c Caller) (person, error) {
	// The envelope of an external user names another workspace, which saves a call. Inside an organisation the workspace
	// does not tell whether it belongs to that organisation.
	if c.User == "" || g.self.EnterpriseID == "" && c.Team != "" && c.Team != g.self.TeamID {
		return person{}, notMember(refusedExternal)
	}
	who, err := g.directory.person(ctx, c.User)
	switch {
	case errors.Is(err, errNotAsked):
		return who, unknown(err)
	case err != nil: // Slack does not know the user
		return who, notMember(refusedExternal)
	case who.stranger || !g.ours(who):
		return who, notMember(refusedExternal)
	case who.deleted:
		return who, notMember(refusedDeleted)
	case who.bot:
		return who, notMember(refusedBot)
	case who.guest && !g.policy.Guests:
		return who, notMember(refusedGuest)
	}
	return who, nil
}

// ours reports whether a user belongs to the bot's workspace or organisation.
func (g *Gate) ours(who person) bool {
	if e := g.self.EnterpriseID; e != "" && (who.org == e || who.team == e) {
		return true
	}
	return who.team == g.self.TeamID
}

// passes returns a refusal if the lists of a right do not admit the caller. A right without lists refuses all.
func (g *Gate) passes(ctx context.Context, c Caller, who person, needs access.Right) error {
	change := func() error { return g.listed(ctx, c, who, g.policy.DigestChannels, g.policy.DigestGroups) }
	accept := func() error { return g.listed(ctx, c, who, g.policy.DigestChannels, g.policy.AcceptGroups) }
	switch needs {
	case access.Ask:
		err := g.listed(ctx, c, who, g.policy.AskChannels, g.policy.AskGroups)
		if err != nil && (change() == nil || accept() == nil) {
			return nil
		}
		return err
	case access.Change:
		return change()
	case access.Accept:
		return accept()
	}
	return g.noAdministrator()
}

// listed returns a refusal if a list of channels or one of groups does not admit the caller.
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

// administers reports whether a user is an administrator.
func (g *Gate) administers(ctx context.Context, c Caller, who person) (bool, error) {
	if who.guest {
		return false, nil
	}
	if slices.Contains(g.policy.AdminUsers, c.User) {
		return true, nil
	}
	return g.inGroup(ctx, c, who, g.policy.AdminGroups)
}

// Zone returns the IANA name of a user's time zone, as set in Slack.
func (g *Gate) Zone(ctx context.Context, user string) (string, error) {
	return g.directory.Zone(ctx, user)
}

// logged logs a refusal and returns it marked as logged, because commands pass refusals on.
func (g *Gate) logged(ctx context.Context, c Caller, needs access.Right, err error) error {
	if err != nil {
		if e, ok := errors.AsType[*commands.Error](err); ok {
			e.Refused = true // the error is not shared yet
		}
		attrs := []any{"user", c.User, "channel", c.Channel, "needs", string(needs), "reason", commands.Reason(err)}
		if cause := errors.Unwrap(err); cause != nil {
			attrs = append(attrs, "error", cause)
		}
		level := slog.LevelInfo
		if slices.Contains(IdentityUnavailable(), commands.Reason(err)) { // the operator must act
			level = slog.LevelWarn
		}
		g.log.Log(ctx, level, "refused", attrs...)
	}
	return err
}
