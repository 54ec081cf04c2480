package access

import (
	"context"
	"errors"
	"strconv"
	"testing"

	"github.com/slack-go/slack"

	"github.com/missingkbs/missingkbs/bot/slackapi"
	"github.com/missingkbs/missingkbs/bot/slacktest"
	"github.com/missingkbs/missingkbs/commands"
	"github.com/missingkbs/missingkbs/internal/sandbox"
)

// library is a Slack of some conversations with the crowd in them: members come two to a page.
type library struct {
	slacktest.Crowd
	info    slack.Channel
	members []string
	err     error // of looking the conversation up
	unread  error // of reading its members
}

func (l library) GetConversationInfoContext(context.Context, *slack.GetConversationInfoInput) (*slack.Channel, error) {
	return &l.info, l.err
}

func (l library) GetUsersInConversationContext(_ context.Context, in *slack.GetUsersInConversationParameters) ([]string, string, error) {
	from := 0
	if in.Cursor != "" {
		var err error
		if from, err = strconv.Atoi(in.Cursor); err != nil {
			return nil, "", err
		}
	}
	to, next := from+2, strconv.Itoa(from+2)
	if to >= len(l.members) {
		to, next = len(l.members), ""
	}
	return l.members[from:to], next, l.unread
}

// Everybody asks elsewhere for what every kind of conversation is told.
func TestWhoReadsAConversation(t *testing.T) {
	t.Parallel()
	kind := func(change func(*slack.Channel)) slack.Channel {
		var c slack.Channel
		c.ID = "C0ASKED"
		change(&c)
		return c
	}
	public := kind(func(*slack.Channel) {})
	private := kind(func(c *slack.Channel) { c.IsPrivate = true })
	group := kind(func(c *slack.Channel) { c.IsGroup = true })
	several := kind(func(c *slack.Channel) { c.IsMpIM = true })
	direct := kind(func(c *slack.Channel) { c.IsIM, c.IsPrivate, c.User = true, true, "UMEMBER" })
	inside := []string{"U1", "U2", "UCHIEF", "UMEMBER", "UGUEST"}
	outside := []string{"U1", "U2", "U3"}
	down := errors.New("connection refused")
	for _, c := range []struct {
		name, access, user, reason string
		slack                      library
	}{
		{"a public channel", "default", "UMEMBER", "", library{info: public}},
		{"a private one, a member of it", "default", "UMEMBER", "", library{info: private, members: inside}},
		{"a private one, no longer", "default", "UMEMBER", "not_in_channel", library{info: private, members: outside}},
		{"an old private one, no longer", "default", "UMEMBER", "not_in_channel", library{info: group, members: outside}},
		{"a private one, an administrator outside", "default", "UCHIEF", "not_in_channel", library{info: private, members: outside}},
		{"a conversation of several, outside", "default", "UMEMBER", "not_in_channel", library{info: several, members: outside}},
		{"one's own conversation", "default", "UMEMBER", "", library{info: direct}},
		{"somebody else's", "default", "UCHIEF", "not_in_channel", library{info: direct}},
		{"a guest", "default", "UGUEST", "guest", library{info: public}},
		{"an admitted guest in a public channel", "guests", "UGUEST", "", library{info: public, members: inside}},
		{"an admitted guest outside", "guests", "UGUEST", "not_in_channel", library{info: public, members: outside}},
		{"somebody of another organisation, in it", "default", "UEXTERNAL", "stranger", library{info: private, members: []string{"UEXTERNAL"}}},
		{"somebody of a sister workspace, outside", "default", "USISTER", "not_in_channel", library{info: public, members: outside}},
		{"somebody of a sister workspace, in it", "default", "USISTER", "", library{info: public, members: []string{"USISTER"}}},
		{"who has left the workspace", "default", "ULEFT", "deleted", library{info: public}},
		{"a channel that cannot be seen", "default", "UMEMBER", "unseen_channel", library{err: slack.SlackErrorResponse{Err: "channel_not_found"}}},
		{"members that cannot be read", "default", "UMEMBER", "unseen_channel", library{info: private, members: inside, unread: down}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			g := NewGate(NewDirectory(c.slack), slackapi.Workspace{TeamID: "T1", EnterpriseID: "E1"}, Options{Policy: map[string]Policy{"guests": {Guests: true}, "default": {AdminUsers: []string{"UCHIEF"}}}[c.access]})
			err := g.MayRead(t.Context(), c.user, "C0ASKED")
			if got := commands.Reason(err); got != c.reason {
				t.Errorf("%v (%s), want %q", err, got, c.reason)
			}
		})
	}
}

// A channel with more members than are looked at is not taken for one that the person is in.
func TestChannelTooLargeToLookForAMember(t *testing.T) {
	t.Parallel()
	l := library{members: append(make([]string, 2*memberPages), "UMEMBER")}
	l.info.IsPrivate = true
	g := NewGate(NewDirectory(l), slackapi.Workspace{TeamID: "T1", EnterpriseID: "E1"}, Options{})
	if err := g.MayRead(t.Context(), "UMEMBER", "C0ASKED"); !errors.Is(err, errTooManyMembers) {
		t.Errorf("got %v", err)
	}
}

// The same against a Slack that knows who is where: whoever leaves reads no more, at once.
func TestLeavingAPrivateChannelEndsReading(t *testing.T) {
	t.Parallel()
	w := newGateWorkplace(t, sandbox.Options{})
	w.Invite(sandbox.PrivateChannel, sandbox.BotUser)
	reason := func(user string) string {
		return commands.Reason(w.gate.MayRead(slacktest.Soon(t), user, sandbox.PrivateChannel))
	}
	if got := reason(sandbox.Bob); got != "" {
		t.Errorf("a member: %s", got)
	}
	w.Kick(sandbox.PrivateChannel, sandbox.Bob)
	if got := reason(sandbox.Bob); got != "not_in_channel" {
		t.Errorf("after leaving: %q", got)
	}
	w.Kick(sandbox.PrivateChannel, sandbox.BotUser)
	if got := reason(sandbox.Alice); got != "unseen_channel" {
		t.Errorf("where the bot is not: %q", got)
	}
}
