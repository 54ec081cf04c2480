package digestcmd

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/missingkbs/missingkbs/commands"
	"github.com/missingkbs/missingkbs/commands/cmdline"
	"github.com/missingkbs/missingkbs/commands/search"
	"github.com/missingkbs/missingkbs/internal/access"
	"github.com/missingkbs/missingkbs/internal/audit"
	"github.com/missingkbs/missingkbs/internal/digest"
	"github.com/missingkbs/missingkbs/internal/digest/schedule"
	"github.com/missingkbs/missingkbs/internal/patchgap"
	"github.com/missingkbs/missingkbs/internal/redact"
	"github.com/missingkbs/missingkbs/internal/view"
)

// Store keeps subscriptions and the history of their digests.
type Store interface {
	digest.Subscriptions
	// Deliveries lists deliveries, newest first.
	Deliveries(ctx context.Context, subscription string, limit int) ([]digest.Delivery, error)
	// Baseline returns the snapshot recorded last, and whether there is one.
	Baseline(ctx context.Context, subscription string) (patchgap.Snapshot, bool, error)
	// Run returns the running digest of a subscription; Runs returns all running digests by subscription.
	Run(ctx context.Context, subscription string) (run digest.Run, found bool, err error)
	Runs(ctx context.Context) (map[string]digest.Run, error)
	// EditSubscription writes the settings of a subscription if they, its next run and its pause still equal was.
	EditSubscription(ctx context.Context, was, is digest.Subscription, who audit.Entry) (changed bool, err error)
	AddAudit(ctx context.Context, a audit.Entry) error
}

// People answers questions about users. The Slack edge implements it.
type People interface {
	// Zone returns the IANA name of a user's time zone.
	Zone(ctx context.Context, user string) (string, error)
	// MayPost returns nil if both the user and this program may post into a channel, or a [commands.Error] with the
	// reason.
	MayPost(ctx context.Context, user, channel string) error
	// MayRead returns nil if the user may read a channel, or a [commands.Error] with the reason.
	MayRead(ctx context.Context, user, channel string) error
}

// Previewer makes the report of a digest without posting it. *[digest.Worker] implements it.
type Previewer interface {
	Preview(ctx context.Context, s digest.Subscription) (digest.Report, error)
}

// Options are the command's dependencies, except for its store. Without People and Queue nothing can be changed;
// without Preview nothing can be previewed.
type Options struct {
	Defender commands.Defender // reads the software list
	Index    *search.Index     // suggests corrections of misspelt software; may be shared with [Search]
	People   People
	Queue    digest.Queue
	Preview  Previewer
	Known    digest.Known             // what else details show about updates
	RunWait  time.Duration            // how long "digest run" waits for the result; zero does not wait
	File     bool                     // a digest file is in use; its subscriptions cannot be changed here
	Now      func() time.Time         // the clock; [time.Now] when nil
	NewID    func(attempt int) string // returns the ID of a new subscription; attempt counts from 1; nil for random digits
}

// maxDigests is how many subscriptions a channel may have: more than a person reads, and few enough to list.
const maxDigests = 50

// New returns the command that subscribes a channel to digests, and shows and changes its subscriptions. A subscription
// belongs to the channel where it was made, and is visible and can be changed there. Its owner can do so from elsewhere
// too, because the owner is notified when the channel is gone.
//
// Only users who can read the channel see what its digests found ([People.MayRead]). An owner who has left the channel
// still sees the settings and can end the subscription, but nothing more. Changes require [People.MayPost]. A terminal
// lists the subscriptions of all channels, but cannot change any, because the user is unknown there.
func New(s Store, o Options) commands.Command {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.NewID == nil {
		o.NewID = randomDigits
	}
	d := command{Options: o, store: s}
	words := d.subcommands()
	subs, usage, help := commands.DescribeSubcommands(commands.DigestName, words)
	return commands.Command{
		Name:    commands.DigestName,
		Usage:   usage,
		Subs:    subs,
		Summary: "regular posts in this channel: which updates are missing and what changed; alone, it lists the digests",
		Help: append(help,
			view.Fact{Name: "Schedules", Value: "mon 09:00, mon,thu 09:00, weekdays 08:30, daily 07:00, monthly 1 09:00, patch-tuesday+1 09:00"},
			view.Fact{Name: "Example", Value: `digest add microsoft-_-windows_11 microsoft-_-office --at "weekdays 08:30" --min-devices 5`},
		),
		Run: d.run,
	}
}

// randomDigits returns a random ID. A counter would reuse the ID of a removed subscription, which Slack messages and
// queued jobs may still refer to.
func randomDigits(attempt int) string {
	least := 1000
	for range min(attempt-1, 5) {
		least *= 10
	}
	return strconv.Itoa(least + rand.IntN(9*least))
}

// command handles the words that follow "digest".
type command struct {
	Options
	store Store
}

// subcommands returns the subcommands with the rights they need.
func (d command) subcommands() []commands.SubcommandHandler {
	return []commands.SubcommandHandler{
		{
			Subcommand: commands.Subcommand{Name: "add", Needs: access.Change}, Usage: addUsage,
			Summary: "subscribe this channel; by default Mondays at 09:00 in your time zone, silent when nothing changed", Run: d.add,
		},
		{
			Subcommand: commands.Subcommand{Name: "watch", Needs: access.Change}, Usage: "<software-id>…",
			Summary: "open the form for a new digest, already filled in; where no form can open, offer a button that adds it", Run: d.watch,
		},
		{
			Subcommand: commands.Subcommand{Name: "edit", Needs: access.Change, Subject: true}, Usage: editUsage,
			Summary: "change a digest: options you give replace its settings; without options, open its form", Run: d.one(d.readers(d.edit)),
		},
		{
			Subcommand: commands.Subcommand{Name: listWord, Needs: access.Ask}, Usage: "[--page N]",
			Summary: "the digests of this channel", Run: d.list,
		},
		{
			Subcommand: commands.Subcommand{Name: "show", Needs: access.Ask, Subject: true}, Usage: "N",
			Summary: "one digest: its settings, its latest deliveries, and buttons for the commands below", Run: d.one(d.show),
		},
		{
			Subcommand: commands.Subcommand{Name: "pause", Needs: access.Change, Subject: true}, Usage: "N [until <date or 7d>]",
			Summary: "stop posting for a while; digests due in that time are skipped, and the answer lists them", Run: d.one(d.pause),
		},
		{
			Subcommand: commands.Subcommand{Name: "resume", Needs: access.Change, Subject: true}, Usage: "N",
			Summary: "resume after a pause", Run: d.one(d.readers(d.resume)),
		},
		{
			Subcommand: commands.Subcommand{Name: "run", Needs: access.Change, Subject: true}, Usage: "N",
			Summary: "post the digest now and report the result", Run: d.one(d.readers(d.runNow)),
		},
		{
			Subcommand: commands.Subcommand{Name: "preview", Needs: access.Ask, Subject: true}, Usage: "N",
			Summary: "show the digest as it would look now, to you alone", Run: d.one(d.readers(d.preview)),
		},
		{
			Subcommand: commands.Subcommand{Name: "details", Needs: access.Ask, Subject: true}, Usage: "N [--all-rows] [--page N]",
			Summary: "every update of the last digest; with --all-rows, a row for each product and OS build", Run: d.one(d.readers(d.details)),
		},
		{
			Subcommand: commands.Subcommand{Name: "csv", Needs: access.Ask, Subject: true}, Usage: "N [--all-rows]",
			Summary: "the same as CSV; on a terminal: missingkbs ask -o csv digest csv N", Run: d.one(d.readers(d.details)),
		},
		{
			Subcommand: commands.Subcommand{Name: "remove", Needs: access.Change, Subject: true}, Usage: "N",
			Summary: "delete the digest and its history, after you confirm", Run: d.one(d.remove),
		},
		{
			Subcommand: commands.Subcommand{Name: "export", Needs: access.Ask},
			Summary:    "the digests as YAML, for the file that MISSINGKBS_DIGESTS names", Run: d.export,
		},
	}
}

const listWord = "list"

// run dispatches to a subcommand; without one it lists.
func (d command) run(ctx context.Context, req commands.Request) (view.Page, error) {
	name, all := listWord, req.Words
	if len(req.Words) > 0 && !strings.HasPrefix(req.Words[0], "-") {
		name, req.Words = strings.ToLower(req.Words[0]), req.Words[1:]
	}
	if !onTerminal(req) && req.Channel == "" && slices.Contains([]string{listWord, "export"}, name) {
		return view.Page{}, onlyInChannel()
	}
	if sub, ok := commands.FindSubcommand(name, d.subcommands()); ok {
		page, err := sub.Run(ctx, req)
		return page, explainMistake(err)
	}
	if strings.Trim(name, "#0123456789") == "" { // a number alone shows that digest
		all = append([]string{"show"}, all...)
		line := cmdline.Join(append([]string{commands.DigestName}, all...)...)
		return view.Page{}, &commands.Error{
			Usage: true, Message: fmt.Sprintf("Say what to do with digest %s. Did you mean %s?", name, line),
			Actions: append([]view.Action{{Label: line, Command: line}}, digestHelp()...),
		}
	}
	return view.Page{}, commands.UnknownSubcommand(commands.DigestName, all, d.subcommands(), digestHelp())
}

func digestHelp() []view.Action {
	return []view.Action{{Label: "Help", Command: cmdline.Join(commands.HelpName, commands.DigestName)}, {Label: "List", Command: cmdline.Join(commands.DigestName)}}
}

// explainMistake turns package digest's errors about settings into a [commands.Error].
func explainMistake(err error) error {
	if _, ok := errors.AsType[*commands.Error](err); ok {
		return err
	}
	if m, ok := errors.AsType[*digest.Mistake](err); ok {
		return &commands.Error{Usage: true, Message: m.Message, Actions: digestHelp(), Err: err}
	}
	if p, ok := errors.AsType[*schedule.ParseError](err); ok {
		return &commands.Error{Usage: true, Message: p.Message, Actions: digestHelp(), Err: err}
	}
	return err
}

// oneDigest handles a subcommand about one subscription.
type oneDigest func(context.Context, commands.Request, digest.Subscription) (view.Page, error)

// one finds the subscription that a request names and passes it to f with the remaining words.
func (d command) one(f oneDigest) func(context.Context, commands.Request) (view.Page, error) {
	return func(ctx context.Context, req commands.Request) (view.Page, error) {
		if len(req.Words) == 0 {
			return view.Page{}, &commands.Error{
				Usage: true, Message: "Which digest? Add its number, such as 4711; the list has them all.",
				Actions: []view.Action{{Label: "List", Command: cmdline.Join(commands.DigestName)}},
			}
		}
		id := strings.ToLower(strings.TrimPrefix(req.Words[0], "#"))
		req.Words = req.Words[1:]
		s, err := d.store.Subscription(ctx, id)
		switch {
		case errors.Is(err, digest.ErrNotFound) || err == nil && !digestVisible(s, req):
			return view.Page{}, noDigest(id, req)
		case err != nil:
			return view.Page{}, fmt.Errorf("look up a digest: %w", err)
		}
		page, err := f(ctx, req, s)
		if errors.Is(err, digest.ErrNotFound) { // another request removed it in the meantime
			err = noDigest(id, req)
		}
		return page, err
	}
}

func noDigest(id string, req commands.Request) error {
	if onTerminal(req) {
		return &commands.Error{Title: "No such digest", Usage: true, Message: fmt.Sprintf("The bot has no digest %s. The list has them all: missingkbs ask digest list", id)}
	}
	return &commands.Error{
		Title: "No such digest", Usage: true,
		Message: fmt.Sprintf("There is no digest %s in this channel. It may have been removed, or belong to another channel.", id),
		Actions: []view.Action{{Label: "List", Command: cmdline.Join(commands.DigestName)}},
	}
}

// audit returns the audit entry for a user's action on a subscription.
func (d command) audit(req commands.Request, s digest.Subscription, action, detail string) audit.Entry {
	if s.Channel != req.Channel && s.Channel != "" {
		detail = strings.TrimSpace(detail + " (a digest of " + s.Channel + ")")
	}
	return audit.Entry{
		At: d.Now(), Tenant: s.Tenant, User: req.User, Channel: req.Channel, Action: action,
		Subject: s.ID, Detail: redact.String(detail), Result: audit.ResultDone, Request: req.ID,
	}
}

// noWords returns an error if there are words that a subcommand does not take.
func noWords(usage string, words []string) error {
	return commands.RejectWords(usage, words, digestHelp()...)
}
