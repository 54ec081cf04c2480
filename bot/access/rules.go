package access

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/missingkbs/missingkbs/commands"
	"github.com/missingkbs/missingkbs/internal/access"
	"github.com/missingkbs/missingkbs/internal/view"
)

var _ commands.Gatekeeper = (*Gate)(nil)

// Rules returns the configured rules, for people.
func (g *Gate) Rules() view.Facts {
	a := g.policy
	who := "members of this workspace"
	if g.self.EnterpriseID != "" {
		who = "members of this organisation"
	}
	if a.Guests {
		who += ", and guests"
	}
	admins := g.named(append(append([]string{}, a.AdminGroups...), a.AdminUsers...))
	if admins == "" {
		admins = "none"
	}
	return view.Facts{
		{Name: "Ask", Value: who + g.limits(a.AskChannels, a.AskGroups)},
		{Name: "Change digests", Value: who + g.limits(a.DigestChannels, a.DigestGroups)},
		{Name: "Accept risks", Value: who + g.limits(a.DigestChannels, a.AcceptGroups)},
		{Name: "Administer", Value: admins},
	}
}

// limits describes the lists that narrow a right; "" for none.
func (g *Gate) limits(channels, groups []string) string {
	var out string
	if len(groups) > 0 {
		out += ", of " + g.named(groups)
	}
	if len(channels) > 0 {
		out += ", in " + g.named(channels)
	}
	return out
}

// named returns a list of ids, each with its name if that is known.
func (g *Gate) named(ids []string) string {
	out := make([]string, len(ids))
	for i, id := range ids {
		if out[i] = id; g.names[id] != "" {
			out[i] = g.names[id] + " (" + id + ")"
		}
	}
	return strings.Join(out, ", ")
}

// Rights returns what a user may do in a channel, and why not.
func (g *Gate) Rights(ctx context.Context, user, channel string) view.Facts {
	var facts view.Facts
	for _, right := range []struct {
		name  string
		needs access.Right
	}{{"Ask", access.Ask}, {"Change digests", access.Change}, {"Accept risks", access.Accept}, {"Administer", access.Administer}} {
		answer := "yes"
		if err := g.may(ctx, Caller{User: user, Channel: channel}, right.needs); err != nil {
			answer = "no"
			if e, ok := errors.AsType[*commands.Error](err); ok {
				answer = fmt.Sprintf("no (%s): %s", e.Reason, e.Message)
			}
		}
		facts = append(facts, view.Fact{Name: right.name, Value: answer})
	}
	return facts
}

// ExternalTeams returns the other organisations that read a channel, as far as Slack names them, and whether there are
// any. It returns a [*commands.Error] for a channel it cannot see.
func (g *Gate) ExternalTeams(ctx context.Context, channel string) (teams []string, shared bool, err error) {
	info, err := g.directory.conversation(ctx, channel)
	if err != nil {
		return nil, false, &commands.Error{
			Reason: refusedUnseen, Title: "That channel cannot be seen", Err: err,
			Message: "Slack does not show me that channel. Check its id, and if it is private, invite me first.",
		}
	}
	teams, shared = ExternalTeams(info, g.self)
	return teams, shared, nil
}
