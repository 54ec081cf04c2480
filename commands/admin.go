package commands

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/missingkbs/missingkbs/api"
	"github.com/missingkbs/missingkbs/commands/cmdline"
	"github.com/missingkbs/missingkbs/internal/access"
	"github.com/missingkbs/missingkbs/internal/audit"
	"github.com/missingkbs/missingkbs/internal/digest"
	"github.com/missingkbs/missingkbs/internal/view"
)

const adminName = "admin"

// Allowances keeps the channels that may be posted to although other organisations read them. Each change is written in
// one transaction with its audit entry.
type Allowances interface {
	Allowances(ctx context.Context, tenant string) ([]access.Allowance, error)
	Allow(ctx context.Context, a access.Allowance, who audit.Entry) error
	Disallow(ctx context.Context, tenant, channel string, who audit.Entry) error // returns digest.ErrNotFound if it was not allowed
}

// Gatekeeper answers who may do what. The Slack edge implements it.
type Gatekeeper interface {
	Rules() view.Facts                                                                          // the configured rules
	Rights(ctx context.Context, user, channel string) view.Facts                                // of one user in one channel
	ExternalTeams(ctx context.Context, channel string) (teams []string, shared bool, err error) // the other organisations that read a channel
}

// Quota reports how many calls Defender's quota leaves; *[api.Client] implements it.
type Quota interface {
	Quota(ctx context.Context) api.Quota
}

// Admin returns the command for administrators: it shows who may do what, and allows channels that are shared with
// other organisations. All of it requires [access.Administer].
func Admin(s Allowances, g Gatekeeper, q Quota, now func() time.Time) Command {
	if now == nil {
		now = time.Now
	}
	a := admin{s, g, q, now}
	subs, usage, help := DescribeSubcommands(adminName, a.subcommands())
	return Command{
		Name:    adminName,
		Usage:   usage,
		Subs:    subs,
		Summary: "for administrators: who may do what, and which shared channels are allowed",
		Help:    help,
		Needs:   access.Administer,
		Run:     a.run,
	}
}

// admin handles the words that follow "admin".
type admin struct {
	store Allowances
	gate  Gatekeeper
	quota Quota // may be nil
	now   func() time.Time
}

// subcommands returns the subcommands; all need [access.Administer].
func (a admin) subcommands() []SubcommandHandler {
	return []SubcommandHandler{
		{
			Subcommand: Subcommand{Name: adminList, Needs: access.Administer},
			Summary:    "who may do what, and which shared channels are allowed", Run: a.list,
		},
		{
			Subcommand: Subcommand{Name: "who", Needs: access.Administer, Subject: true}, Usage: "[person's id]",
			Summary: "what one person may do here, and why not", Run: a.who,
		},
		{
			Subcommand: Subcommand{Name: "allow-channel", Needs: access.Administer, Subject: true}, Usage: "[channel's id]",
			Summary: "allow answers and digests in this channel although another organisation reads it; ends when yet another one joins", Run: a.allow,
		},
		{
			Subcommand: Subcommand{Name: "disallow-channel", Needs: access.Administer, Subject: true}, Usage: "[channel's id]",
			Summary: "stop allowing this channel", Run: a.disallow,
		},
	}
}

func (a admin) run(ctx context.Context, req Request) (view.Page, error) {
	name, all := adminList, req.Words
	if len(req.Words) > 0 {
		name, req.Words = strings.ToLower(req.Words[0]), req.Words[1:]
	}
	if sub, ok := FindSubcommand(name, a.subcommands()); ok {
		return sub.Run(ctx, req)
	}
	return view.Page{}, UnknownSubcommand(adminName, all, a.subcommands(), adminHelp())
}

// adminList is the subcommand for "admin" without words.
const adminList = "list"

func adminHelp() []view.Action {
	return []view.Action{{Label: "Help", Command: cmdline.Join(HelpName, adminName)}, {Label: "Who may what", Command: cmdline.Join(adminName)}}
}

// list shows the rules, the quota and the allowed channels.
func (a admin) list(ctx context.Context, req Request) (view.Page, error) {
	if err := tooMany(req.Words, 0, "admin list"); err != nil {
		return view.Page{}, err
	}
	all, err := a.store.Allowances(ctx, digest.DefaultTenant)
	if err != nil {
		return view.Page{}, err
	}
	page := view.Page{Title: "Who may what", Lead: "As the settings of this bot say.", Parts: []view.Part{a.gate.Rules()}}
	if a.quota != nil {
		page.Parts = append(page.Parts, quotaFacts(a.quota.Quota(ctx), a.now()))
	}
	if len(all) == 0 {
		page.Note = "No channel that is shared with another organisation is allowed: nothing is posted there. Allow one with: admin allow-channel."
		return page, nil
	}
	t := view.Table{Caption: "Shared channels that are allowed", Columns: []view.Column{
		{Key: "channel", Title: "Channel"}, {Key: "organisations", Title: "Shared with"}, {Key: "by", Title: "Allowed by"}, {Key: "at", Title: "On"},
	}}
	for _, one := range all {
		t.Rows = append(t.Rows, []view.Cell{
			view.TextCell(one.Channel), view.TextCell(organisations(one.Teams)), view.TextCell(one.By), view.TextCell(one.At.UTC().Format("2006-01-02 15:04 UTC")),
		})
	}
	page.Parts = append(page.Parts, t)
	return page, nil
}

// quotaFacts shows how many calls of Defender are left.
func quotaFacts(q api.Quota, now time.Time) view.Facts {
	var left []string
	for _, w := range []struct {
		api.Window
		name string
	}{{q.Minute, "minute"}, {q.Hour, "hour"}} {
		if w.Limit > 0 {
			left = append(left, fmt.Sprintf("%s of %s this %s", view.Thousands(w.Left), view.Thousands(w.Limit), w.name))
		}
	}
	value := strings.Join(left, ", ")
	switch {
	case len(left) == 0:
		value = "not limited"
	case q.Shared:
		value += ", shared by all replicas"
	}
	facts := view.Facts{{Name: "Defender calls left", Value: value}}
	if wait := q.Next.Sub(now); wait > time.Second {
		facts = append(facts, view.Fact{Name: "Next call", Value: "in " + view.Age(wait) + "; until then stored answers are shown"})
	}
	return facts
}

// who shows what one person may do in this channel, by default the person who asks.
func (a admin) who(ctx context.Context, req Request) (view.Page, error) {
	user, err := idOr(req.Words, userID, req.User, "admin who", "a person's id, such as U012AB3CDE: it stands in the menu of the person's profile")
	if err != nil {
		return view.Page{}, err
	}
	name := user
	if user == req.User {
		name = "you"
	}
	return view.Page{Title: "What " + name + " may do here", Parts: []view.Part{a.gate.Rights(ctx, user, req.Channel)}}, nil
}

// allow allows posting to a shared channel. The allowance records the organisations that read it now, and ends if
// another joins.
func (a admin) allow(ctx context.Context, req Request) (view.Page, error) {
	channel, err := a.channel(req, "admin allow-channel")
	if err != nil {
		return view.Page{}, err
	}
	teams, shared, err := a.gate.ExternalTeams(ctx, channel)
	if err != nil {
		return view.Page{}, err
	}
	if !shared {
		return view.Page{}, &Error{Title: "Nothing to allow", Message: fmt.Sprintf("Channel %s is not shared with another organisation, so it needs no permission.", channel)}
	}
	one := access.Allowance{Tenant: digest.DefaultTenant, Channel: channel, Teams: teams, By: req.User, At: a.now()}
	if err := a.store.Allow(ctx, one, a.audit(req, audit.ActionAllowChannel, channel, organisations(teams))); err != nil {
		return view.Page{}, err
	}
	return view.Page{
		Title:   "Allowed: " + channel,
		Lead:    fmt.Sprintf("Answers may be shared and digests posted there from now on. It is shared with %s, who will read them. Should another organisation join, allow the channel again.", organisations(teams)),
		Actions: []view.Action{{Label: "Undo", Command: cmdline.Join(adminName, "disallow-channel", channel)}},
	}, nil
}

// disallow ends the allowance of a channel.
func (a admin) disallow(ctx context.Context, req Request) (view.Page, error) {
	channel, err := a.channel(req, "admin disallow-channel")
	if err != nil {
		return view.Page{}, err
	}
	err = a.store.Disallow(ctx, digest.DefaultTenant, channel, a.audit(req, audit.ActionDisallowChannel, channel, ""))
	if errors.Is(err, digest.ErrNotFound) {
		return view.Page{}, &Error{Title: "Nothing to undo", Message: fmt.Sprintf("Channel %s is not among those allowed, so nothing was changed.", channel), Actions: adminHelp()}
	}
	if err != nil {
		return view.Page{}, err
	}
	return view.Page{Title: "No longer allowed: " + channel, Lead: "While it is shared with another organisation, nothing is posted there."}, nil
}

func (a admin) channel(req Request, usage string) (string, error) {
	return idOr(req.Words, channelID, req.Channel, usage, "a channel's id, such as C024BE91L: it stands at the end of the channel's About tab")
}

func (a admin) audit(req Request, action, subject, detail string) audit.Entry {
	return audit.Entry{
		At: a.now(), Tenant: digest.DefaultTenant, User: req.User, Channel: req.Channel, Action: action,
		Subject: subject, Detail: detail, Result: audit.ResultDone, Request: req.ID,
	}
}

const (
	userID    = `^[UW][A-Z0-9]{5,}$`
	channelID = `^[CG][A-Z0-9]{5,}$`
)

// idOr returns the ID that was typed, or the one at hand if there are no words.
func idOr(words []string, form, atHand, usage, what string) (string, error) {
	if err := tooMany(words, 1, usage); err != nil {
		return "", err
	}
	id := atHand
	if len(words) == 1 {
		id = mentioned(words[0])
	}
	if ok, err := regexp.MatchString(form, id); ok && err == nil {
		return id, nil
	}
	e := &Error{Usage: true, Message: fmt.Sprintf("Usage: %s with %s.", usage, what), Actions: adminHelp()}
	if len(words) == 1 && strings.ContainsAny(words[0][:1], "#@") {
		e.Message = fmt.Sprintf("%s is a name, and Slack does not tell which id it stands for. %s", words[0], e.Message)
	}
	return "", e
}

// mentions matches the forms in which people and programs write channels and people: <#C…|name>, <@U…>, #C…, and the
// addresses of channels and profiles. Ids are in capitals; lower-case letters after a # are a channel's name.
var mentions = regexp.MustCompile(`^(?:<?[#@]|<?https://[^/\s]+/(?:archives/|team/|client/[TE][A-Z0-9]+/))([A-Z][A-Z0-9]{5,})(?:[|/?].*)?>?$`)

// mentioned returns the ID in a word. A typed ID may be in lower case; it must contain a digit, so that it is not a
// name.
func mentioned(word string) string {
	if m := mentions.FindStringSubmatch(word); m != nil {
		return m[1]
	}
	if strings.ContainsAny(word, "0123456789") {
		return strings.ToUpper(word)
	}
	return word
}

func tooMany(words []string, most int, usage string) error {
	if len(words) <= most {
		return nil
	}
	return &Error{Usage: true, Message: fmt.Sprintf("Unexpected word %q. Usage: %s", words[most], usage), Actions: adminHelp()}
}

// organisations lists the names of workspaces, as far as they are known.
func organisations(teams []string) string {
	if len(teams) == 0 {
		return "an organisation that Slack does not name"
	}
	return strings.Join(teams, ", ")
}
