package commands

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/missingkbs/missingkbs/api"
	"github.com/missingkbs/missingkbs/commands/cmdline"
	"github.com/missingkbs/missingkbs/internal/access"
	"github.com/missingkbs/missingkbs/internal/audit"
	"github.com/missingkbs/missingkbs/internal/digest"
	"github.com/missingkbs/missingkbs/internal/view"
)

// book keeps allowances and audits in memory.
type book struct {
	allowed map[string]access.Allowance
	audits  []audit.Entry
}

func (b *book) Allowances(context.Context, string) ([]access.Allowance, error) {
	var all []access.Allowance
	for _, a := range b.allowed {
		all = append(all, a)
	}
	return all, nil
}

func (b *book) Allow(_ context.Context, a access.Allowance, who audit.Entry) error {
	b.allowed[a.Channel] = a
	b.audits = append(b.audits, who)
	return nil
}

func (b *book) Disallow(_ context.Context, _, channel string, who audit.Entry) error {
	if _, ok := b.allowed[channel]; !ok {
		return digest.ErrNotFound
	}
	delete(b.allowed, channel)
	b.audits = append(b.audits, who)
	return nil
}

// keeper is a gatekeeper that knows one shared channel.
type keeper struct{}

func (keeper) Rules() view.Facts { return view.Facts{{Name: "Ask", Value: "members"}} }

func (keeper) Rights(_ context.Context, user, channel string) view.Facts {
	return view.Facts{{Name: "Ask", Value: user + " in " + channel}}
}

func (keeper) ExternalTeams(_ context.Context, channel string) ([]string, bool, error) {
	if channel == "C0UNSEEN" {
		return nil, false, &Error{Title: "That channel cannot be seen"}
	}
	return []string{"T0OTHER"}, channel == "C0SHARED", nil
}

// Channels and people are read in all the forms in which Slack and people write them, by whatever way they came: typed, and
// in the value of a button.
func TestMentionsAreRead(t *testing.T) {
	t.Parallel()
	c := Admin(&book{allowed: map[string]access.Allowance{}}, keeper{}, nil, nil)
	ask := func(req Request) string {
		req.Words = req.Words[1:]
		page, err := c.Run(t.Context(), req)
		if err != nil {
			page = Explain(err)
		}
		return page.Title + " " + page.Lead
	}
	const channel, person = "Allowed: C0SHARED", "What U0ALICE1 may do here"
	for _, step := range []struct{ line, says string }{
		{"allow-channel C0SHARED", channel},
		{"allow-channel c0shared", channel},
		{"allow-channel <#C0SHARED|vendor-bridge>", channel},
		{"allow-channel <#C0SHARED|>", channel},
		{"allow-channel <#C0SHARED>", channel},
		{"allow-channel #C0SHARED", channel},
		{"allow-channel &lt;#C0SHARED|vendor-bridge&gt;", channel},
		{"allow-channel &lt;#C0SHARED|&gt;.", channel},
		{"allow-channel &amp;lt;#C0SHARED|vendor-bridge&amp;gt;", channel},
		{"allow-channel ＜＃C0SHARED｜vendor-bridge＞", channel},
		{"allow-channel \u200b<#C0SHARED\u2060|vendor\u2011bridge>\u200b", channel},
		{"allow-channel 〈#C0SHARED|vendor bridge〉", channel},
		{"allow-channel <#C0SHARED|名前 with spaces>", channel},
		{"allow-channel `<#C0SHARED|vendor-bridge>`", channel},
		{"allow-channel “<#C0SHARED|vendor-bridge>”", channel},
		{"allow-channel (<#C0SHARED|vendor-bridge>)", channel},
		{"allow-channel https://acme.slack.com/archives/C0SHARED", channel},
		{"allow-channel <https://acme.slack.com/archives/C0SHARED/p1700000000000100>", channel},
		{"allow-channel https://app.slack.com/client/T0ACME01/C0SHARED", channel},
		{"who U0ALICE1", person},
		{"who <@U0ALICE1|alice>", person},
		{"who <@U0ALICE1|Alice Andersson>", person},
		{"who <@U0ALICE1>", person},
		{"who @U0ALICE1", person},
		{"who &lt;@U0ALICE1|alice&gt;", person},
		{"who ＜＠U0ALICE1＞", person},
		{"who https://acme.slack.com/team/U0ALICE1", person},
		{"who @alice", "@alice is a name"},
		{"who @u0alice1x", "@u0alice1x is a name"},
		{"who <#C0SHARED|x>", "a person's id"},
		{"who <!here>", "a person's id"},
		{"allow-channel #general", "#general is a name"},
		{"allow-channel general", "a channel's id"},
		{"allow-channel computer", "a channel's id"},
		{"allow-channel <@U0ALICE1>", "a channel's id"},
		{"allow-channel <#C0SHARED", channel},
	} {
		for way, parse := range map[string]func(string) (Request, error){"typed": Parse, "offered": ParseOffered} {
			if way == "offered" && (strings.Contains(step.line, "Andersson") || strings.ContainsFunc(step.line, func(r rune) bool { return r > 127 || strings.ContainsRune("&`()", r) })) {
				continue // no page writes that
			}
			req, err := parse("admin " + step.line)
			if err != nil {
				t.Fatal(err)
			}
			req.User, req.Channel = "U0ADMIN", "C0HERE"
			if got := ask(req); !strings.Contains(got, step.says) {
				t.Errorf("%s: admin %s: %q, want %q", way, step.line, got, step.says)
			}
		}
	}
}

// calls is what is left of Defender's quota.
type calls struct{}

func (calls) Quota(context.Context) api.Quota {
	return api.Quota{
		Minute: api.Window{Limit: 50, Left: 49}, Hour: api.Window{Limit: 1500, Left: 1499}, Shared: true,
		Next: time.Date(2026, 3, 1, 9, 5, 30, 0, time.UTC),
	}
}

func TestAdmin(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)
	b := &book{allowed: map[string]access.Allowance{}}
	c := Admin(b, keeper{}, calls{}, func() time.Time { return at })
	ask := func(line string) string {
		page, err := c.Run(t.Context(), Request{ID: "q1", User: "U0ADMIN", Channel: "C0SHARED", Words: cmdline.Split(line)})
		if err != nil {
			page = Explain(err)
		}
		var text strings.Builder
		if err := view.WriteText(&text, page); err != nil {
			t.Fatal(err)
		}
		return text.String()
	}
	for _, step := range []struct{ line, says string }{
		{"", "No channel that is shared with another organisation is allowed"},
		{"list", "49 of 50 this minute, 1,499 of 1,500 this hour, shared by all replicas"},
		{"list", "in 5 min; until then stored answers are shown"},
		{"who", "U0ADMIN in C0SHARED"},
		{"who", "What you may do here"},
		{"who u0alice1", "U0ALICE1 in C0SHARED"},
		{"who u0alice1", "What U0ALICE1 may do here"},
		{"who alice", "it stands in the menu of the person's profile"},
		{"who U0ALICE1 U0BOB001", "Unexpected word"},
		{"allow-channel C0OWN1", "Nothing to allow"},
		{"allow-channel C0UNSEEN", "That channel cannot be seen"},
		{"allow-channel #general", "it stands at the end of the channel's About tab"},
		{"disallow-channel", "Nothing to undo"},
		{"allow-channel", "It is shared with T0OTHER, who will read them"},
		{"list", "2026-03-01 09:00 UTC"},
		{"disallow-channel C0SHARED", "No longer allowed: C0SHARED"},
		{"list", "No channel that is shared"},
		{"alow-channel", "Did you mean admin allow-channel?"},
		{"list everything", "Unexpected word"},
	} {
		if got := ask(step.line); !strings.Contains(got, step.says) {
			t.Errorf("admin %s: %q, want %q", step.line, got, step.says)
		}
	}
	want := []audit.Entry{
		{At: at, Tenant: "default", User: "U0ADMIN", Channel: "C0SHARED", Action: "admin.allow-channel", Subject: "C0SHARED", Detail: "T0OTHER", Result: "done", Request: "q1"},
		{At: at, Tenant: "default", User: "U0ADMIN", Channel: "C0SHARED", Action: "admin.disallow-channel", Subject: "C0SHARED", Result: "done", Request: "q1"},
	}
	if diff := cmp.Diff(want, b.audits); diff != "" {
		t.Errorf("audits (-want +got):\n%s", diff)
	}
	if Reason(&Error{Reason: "guest"}) != "guest" || Reason(errors.Join(&Error{Usage: true})) != "usage" {
		t.Error("an error's own reason is not told")
	}
}
