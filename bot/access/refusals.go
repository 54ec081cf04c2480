package access

import (
	"fmt"
	"strings"

	"github.com/missingkbs/missingkbs/bot/slackapi"
	"github.com/missingkbs/missingkbs/commands"
)

// The reasons of refusals, for metrics and the audit.
const (
	refusedExternal      = "stranger"
	refusedGuest         = "guest"
	refusedBot           = "bot"
	refusedDeleted       = "deleted"
	refusedUnknown       = "unknown"       // Slack cannot be asked
	refusedScope         = "missing_scope" // Slack will not say before the app is installed again
	refusedNoGroup       = "group_gone"    // a user group in the settings no longer exists
	refusedGroup         = "not_in_group"
	refusedChannel       = "channel"
	refusedAdministering = "not_admin"
	refusedShared        = "shared_channel"
	refusedUnseen        = "unseen_channel"
	refusedDirect        = "direct_message" // a digest was to go into one
	refusedClosed        = "closed_channel"
	refusedReading       = "not_in_channel"
	refusedSharing       = "not_shared"
)

// IdentityUnavailable returns the reasons that are not about the user: Slack did not say who they are. Such a failure
// may affect every user.
func IdentityUnavailable() []string { return []string{refusedUnknown, refusedScope, refusedNoGroup} }

// notMember returns the refusal of a user who is not a member.
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

// unknown returns the refusal of a user that Slack gives no information about.
func unknown(err error) *commands.Error {
	e := &commands.Error{
		Reason: refusedUnknown, Title: "Not done", Err: err,
		Message: "Slack does not say right now who you are and what you may, so nothing was done. Try again in a minute.",
	}
	switch {
	case slackapi.HasCode(err, "missing_scope"):
		e.Reason = refusedScope
		e.Message = "Slack does not let this bot see who you are and what you may, so nothing was done. The operator of this bot must install its app again with the scopes of its manifest."
	case groupGone(err):
		e.Reason = refusedNoGroup
		e.Message = "A user group that says who may use this bot was deleted or disabled in Slack, so nothing was done. The operator of this bot must name another one in its settings, or have that one enabled again."
	case slackapi.RetryAfter(err) > 0:
		e.Message = "Slack asks for a pause before it says who you are, so nothing was done. Try again in a minute."
	}
	return e
}

// elsewhere returns the refusal that names the channels in which the caller has the right.
func (g *Gate) elsewhere(channels []string) *commands.Error {
	e := &commands.Error{Reason: refusedChannel, Title: "Not here", Message: "This is answered in certain channels only. Ask the operator of this bot which ones."}
	if list := g.names.list(channels); list != "" {
		e.Message = fmt.Sprintf("This is answered only in %s. Ask there.", list)
	}
	return e
}

// outside returns the refusal that names the groups that have the right.
func (g *Gate) outside(groups []string) *commands.Error {
	e := &commands.Error{Reason: refusedGroup, Title: "Only for certain people", Message: "This is for members of certain user groups. Ask the operator of this bot to be added to one."}
	if list := g.names.list(groups); list != "" {
		e.Message = fmt.Sprintf("This is for members of %s. Ask the owner of that group to add you.", list)
	}
	return e
}

// noAdministrator returns the refusal of something that only administrators may do.
func (g *Gate) noAdministrator() *commands.Error {
	e := &commands.Error{Reason: refusedAdministering, Title: "Only for administrators", Message: "This is for the administrators of this bot. Ask one of them."}
	switch list := g.names.list(g.policy.AdminGroups); {
	case len(g.policy.AdminGroups)+len(g.policy.AdminUsers) == 0:
		e.Message = "This is for administrators of this bot, and none are named. Its operator names them with MISSINGKBS_ADMIN_GROUPS or MISSINGKBS_ADMIN_USERS."
	case list != "":
		e.Message = fmt.Sprintf("This is for the administrators of this bot: members of %s. Ask one of them.", list)
	}
	return e
}

// names maps ids of channels and groups to names. Private channels are left out.
type names map[string]string

// list joins the names of ids in a sentence; "" if one of them is missing.
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
