package access

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/slack-go/slack"

	"github.com/missingkbs/missingkbs/bot/slackapi"
	"github.com/missingkbs/missingkbs/bot/slacktest"
	"github.com/missingkbs/missingkbs/commands"
	"github.com/missingkbs/missingkbs/internal/access"
	"github.com/missingkbs/missingkbs/internal/sandbox"
	"github.com/missingkbs/missingkbs/internal/sandbox/faults"
)

// ledger holds what is allowed.
type ledger map[string]access.Allowance

func (l ledger) Allowance(_ context.Context, _, channel string) (access.Allowance, bool, error) {
	if channel == "C0BROKEN" {
		return access.Allowance{}, false, errors.New("the database is locked")
	}
	a, ok := l[channel]
	return a, ok, nil
}

// Nothing is posted where another organisation reads, unless an administrator allowed that channel and those readers.
func TestWhoReadsDecidesWhatIsPosted(t *testing.T) {
	t.Parallel()
	allowed := ledger{
		"C0ALLOWED": {Channel: "C0ALLOWED", Teams: []string{"T8", "T9"}},
		"C0UNNAMED": {Channel: "C0UNNAMED"},
	}
	conversation := func(id string, change func(*slack.Channel)) slack.Channel {
		c := slack.Channel{}
		c.ID, c.IsMember = id, true
		change(&c)
		return c
	}
	for name, c := range map[string]struct {
		info   slack.Channel
		reason string
		says   string
	}{
		"own":         {conversation("C1", func(*slack.Channel) {}), "", ""},
		"shared":      {conversation("C1", func(c *slack.Channel) { c.IsExtShared = true }), "shared_channel", "admin allow-channel"},
		"about to be": {conversation("C1", func(c *slack.Channel) { c.IsPendingExtShared = true }), "shared_channel", ""},
		"within the organisation": {conversation("C1", func(c *slack.Channel) {
			c.IsOrgShared, c.ConnectedTeamIDs, c.InternalTeamIDs = true, []string{"T1", "T2", "E1"}, []string{"T1", "T2"}
		}), "", ""},
		"and with another": {conversation("C1", func(c *slack.Channel) {
			c.IsOrgShared, c.ConnectedTeamIDs, c.InternalTeamIDs = true, []string{"T1", "T2", "T9"}, []string{"T1", "T2"}
		}), "shared_channel", ""},
		"allowed":            {conversation("C0ALLOWED", func(c *slack.Channel) { c.IsExtShared, c.ConnectedTeamIDs = true, []string{"T9"} }), "", ""},
		"allowed for others": {conversation("C0ALLOWED", func(c *slack.Channel) { c.IsExtShared, c.ConnectedTeamIDs = true, []string{"T9", "T7"} }), "shared_channel", "has joined it since"},
		"allowed, one is invited": {conversation("C0ALLOWED", func(c *slack.Channel) {
			c.IsExtShared, c.ConnectedTeamIDs, c.PendingShared = true, []string{"T9"}, []string{"T7"}
		}), "shared_channel", "has joined it since"},
		"allowed, readers unnamed":  {conversation("C0UNNAMED", func(c *slack.Channel) { c.IsExtShared = true }), "", ""},
		"named since it is allowed": {conversation("C0UNNAMED", func(c *slack.Channel) { c.IsExtShared, c.ConnectedTeamIDs = true, []string{"T9"} }), "shared_channel", "has joined it since"},
		"no database":               {conversation("C0BROKEN", func(c *slack.Channel) { c.IsExtShared = true }), "shared_channel", "cannot be seen right now"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := NewGate(NewDirectory(slacktest.Conversation{Info: c.info}), slackapi.Workspace{TeamID: "T1", EnterpriseID: "E1"}, Options{Allowed: allowed})
			caller := Caller{User: "U1", Channel: c.info.ID}
			for what, err := range map[string]error{
				"share": g.MayShow(t.Context(), caller), "make a digest": g.MayPost(t.Context(), "U1", c.info.ID), "post a digest": g.MayDeliver(t.Context(), c.info.ID),
			} {
				if got := commands.Reason(err); got != c.reason {
					t.Errorf("%s: %v, want reason %q", what, err, c.reason)
				}
				if e, ok := errors.AsType[*commands.Error](err); ok && !strings.Contains(e.Message, c.says) {
					t.Errorf("%s: %q, want %q in it", what, e.Message, c.says)
				}
			}
			err := g.MayDeliver(t.Context(), c.info.ID)
			later := errors.Is(err, ErrUndecided)
			if unsure := c.info.ID == "C0BROKEN"; err != nil && (errors.Is(err, ErrReaders) == unsure || later != unsure) {
				t.Errorf("post a digest: %v, want a channel that is gone, or to try again where nobody knows", err)
			}
		})
	}
}

// Each refusal is one line that says who, where, what and why, and nothing of what was asked.
func TestRefusalsAreLogged(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	g := NewGate(NewDirectory(slacktest.Crowd{}), slackapi.Workspace{TeamID: "T1", EnterpriseID: "E1"}, Options{Log: slog.New(slog.NewTextHandler(&log, nil))})
	if err := g.May(t.Context(), Caller{User: "UMEMBER", Channel: "C1"}, access.Change); err != nil || log.Len() > 0 {
		t.Errorf("a member: %v, logged %q", err, log.String())
	}
	_ = g.May(t.Context(), Caller{User: "UGUEST", Channel: "C1"}, access.Change)
	if got := log.String(); strings.Count(got, "\n") != 1 || !strings.Contains(got, `level=INFO msg=refused user=UGUEST channel=C1 needs=digests reason=guest`) {
		t.Errorf("logged %q", got)
	}
}

// blind is a Slack that does not tell the bot about people, or about user groups.
type blind struct {
	slacktest.Directory
	people, groups error
}

func (b blind) GetUserInfoContext(ctx context.Context, id string, o ...slack.GetUserInfoOption) (*slack.User, error) {
	if b.people != nil {
		return nil, b.people
	}
	return b.Directory.GetUserInfoContext(ctx, id, o...)
}

func (b blind) GetUserGroupMembersContext(context.Context, string, ...slack.GetUserGroupMembersOption) ([]string, error) {
	return nil, b.groups
}

// Who is refused because Slack does not say who that is learns whether to try again or whom to tell, and the log warns.
func TestUnseenPeopleAreToldWhoMustAct(t *testing.T) {
	t.Parallel()
	scope, gone := slack.SlackErrorResponse{Err: "missing_scope"}, slack.SlackErrorResponse{Err: "no_such_subteam"}
	for name, c := range map[string]struct {
		slack        blind
		reason, says string
	}{
		"down":                  {blind{people: errors.New("connection refused")}, "unknown", "Try again in a minute"},
		"a scope of people":     {blind{people: scope}, "missing_scope", "install its app again"},
		"a scope of groups":     {blind{groups: scope}, "missing_scope", "install its app again"},
		"a group that is gone":  {blind{groups: gone}, "group_gone", "The operator of this bot must name another one"},
		"groups cannot be read": {blind{groups: &slack.RateLimitedError{RetryAfter: time.Second}}, "unknown", "asks for a pause"},
		"what takes too long":   {blind{people: context.DeadlineExceeded}, "unknown", "Try again in a minute"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var log bytes.Buffer
			g := NewGate(NewDirectory(c.slack), slackapi.Workspace{TeamID: "T1"}, Options{Policy: Policy{AskGroups: []string{"S1"}}, Log: slog.New(slog.NewTextHandler(&log, nil))})
			err := g.May(t.Context(), Caller{User: "U1", Channel: "C1"}, access.Ask)
			if got := commands.Reason(err); got != c.reason || !slices.Contains(IdentityUnavailable(), got) {
				t.Errorf("%v: reason %q, want %q", err, got, c.reason)
			}
			if e, _ := errors.AsType[*commands.Error](err); e == nil || !strings.Contains(e.Message, c.says) {
				t.Errorf("%v: want %q in it", err, c.says)
			}
			if !strings.Contains(log.String(), "level=WARN msg=refused") {
				t.Errorf("logged %q", log.String())
			}
		})
	}
}

// Names of channels and groups are in the words of refusals, but for private channels; what cannot work ends the start.
func TestPrepare(t *testing.T) {
	t.Parallel()
	w := newGateWorkplace(t, sandbox.Options{})
	w.Invite(sandbox.PrivateChannel, sandbox.BotUser)
	gate := func(a Policy) *Gate {
		return NewGate(NewDirectory(w.config.ClientWithoutRetry()), w.self, Options{Policy: a})
	}
	message := func(a Policy, needs access.Right) string {
		g := gate(a)
		if err := g.Prepare(slacktest.Soon(t)); err != nil {
			t.Fatal(err)
		}
		e, _ := errors.AsType[*commands.Error](g.May(slacktest.Soon(t), Caller{User: sandbox.Bob, Channel: "C0ELSEWHERE"}, needs))
		if e == nil {
			return ""
		}
		return e.Message
	}
	for _, c := range []struct {
		access Policy
		needs  access.Right
		says   string
	}{
		{Policy{AskChannels: []string{sandbox.General, sandbox.Patching}}, access.Ask, "only in #general or #patching"},
		{Policy{AskChannels: []string{sandbox.General, sandbox.PrivateChannel}}, access.Ask, "in certain channels only"},
		{Policy{AskGroups: []string{sandbox.Patchers}}, access.Ask, "members of @patchers"},
		{Policy{AdminGroups: []string{sandbox.Patchers}}, access.Administer, "members of @patchers"},
		{Policy{AdminUsers: []string{sandbox.Alice}}, access.Administer, "Ask one of them"},
		{Policy{}, access.Administer, "MISSINGKBS_ADMIN_GROUPS"},
	} {
		if got := message(c.access, c.needs); !strings.Contains(got, c.says) {
			t.Errorf("%+v: %q, want %q in it", c.access, got, c.says)
		}
	}
	if err := gate(Policy{AskGroups: []string{"S0NOTHING"}}).Prepare(slacktest.Soon(t)); !errors.Is(err, ErrPolicy) || !strings.Contains(err.Error(), "S0NOTHING") {
		t.Errorf("a group that is not there: %v", err)
	}
	narrow := newGateWorkplace(t, sandbox.Options{Scopes: []string{"users:read", "channels:read"}})
	g := NewGate(NewDirectory(narrow.config.ClientWithoutRetry()), narrow.self, Options{Policy: Policy{AskGroups: []string{sandbox.Patchers}}})
	if err := g.Prepare(slacktest.Soon(t)); !errors.Is(err, ErrPolicy) || !strings.Contains(err.Error(), "usergroups:read") {
		t.Errorf("without the scope: %v", err)
	}
	w.SetFaults(faults.Switches{RateLimited: true})
	if err := gate(Policy{AskGroups: []string{sandbox.Patchers}}).Prepare(slacktest.Soon(t)); err != nil {
		t.Errorf("passing trouble: %v", err)
	}
}
