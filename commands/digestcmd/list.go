package digestcmd

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/missingkbs/missingkbs/commands"

	"github.com/missingkbs/missingkbs/commands/cmdline"
	"github.com/missingkbs/missingkbs/internal/digest"
	"github.com/missingkbs/missingkbs/internal/digest/schedule"
	"github.com/missingkbs/missingkbs/internal/patchgap"
	"github.com/missingkbs/missingkbs/internal/view"
)

// action returns a button that runs a subcommand and replaces the page with its answer.
func (d command) action(label, subcommand string, s digest.Subscription) view.Action {
	return view.Action{Label: label, Command: cmdline.Join(commands.DigestName, subcommand, s.ID), Effect: view.Replace}
}

// list lists the subscriptions of the channel, or of all channels on a terminal.
func (d command) list(ctx context.Context, req commands.Request) (view.Page, error) {
	page := 0
	o := cmdline.NewOptions("digest list [--page N]", commands.DigestName, listWord)
	o.Var(cmdline.Number(&page, 1), "page", "")
	words, err := o.ReadWords(req.Words)
	if err == nil {
		err = noWords(o.UsageLine, words)
	}
	if err != nil {
		return view.Page{}, err
	}
	all, err := d.here(ctx, req)
	if err != nil {
		return view.Page{}, err
	}
	if len(all) == 0 && onTerminal(req) {
		return view.Page{
			Title: "No digests",
			Lead:  "The bot has no digests. Add one in Slack, in the channel that it is to be posted in, for example: /missingkbs digest add microsoft-_-windows_11 --at \"mon 09:00\"",
		}, nil
	}
	if len(all) == 0 {
		return view.Page{
			Title:   "No digests here",
			Lead:    "This channel has no digests. Add one with, for example: digest add microsoft-_-windows_11 --at \"mon 09:00\"",
			Actions: []view.Action{{Label: "Help", Command: cmdline.Join(commands.HelpName, commands.DigestName)}, {Label: "All software", Command: cmdline.Join(commands.SearchName)}},
		}, nil
	}
	runs, err := d.store.Runs(ctx)
	if err != nil {
		return view.Page{}, fmt.Errorf("read which digests are being made: %w", err)
	}
	t := d.listTable(all, runs, onTerminal(req))
	t.Page = page
	title, next := "Digests of this channel", "Show one to change, pause, run or remove it."
	if onTerminal(req) {
		title, next = "Digests of all channels", "They are changed in Slack, each in its channel."
	}
	return view.Page{
		Title: title,
		Lead:  view.Count(len(all), "digest") + ". " + next,
		Parts: []view.Part{t},
	}, nil
}

// here returns the subscriptions of the channel of a request.
func (d command) here(ctx context.Context, req commands.Request) ([]digest.Subscription, error) {
	all, err := d.store.Subscriptions(ctx, digest.SubscriptionFilter{Tenant: digest.DefaultTenant, Channel: req.Channel})
	if err != nil {
		return nil, fmt.Errorf("list digests: %w", err)
	}
	return all, nil
}

// listTable lists subscriptions. With channels set it has a column for them, as on a terminal.
func (d command) listTable(all []digest.Subscription, runs map[string]digest.Run, channels bool) view.Table {
	t := view.Table{
		Caption: "Digests",
		Columns: []view.Column{
			{Key: "digest", Title: "Digest"},
			{Key: "watches", Title: "Watches"},
			{Key: "when", Title: "When"},
			{Key: "next", Title: "Next"},
			{Key: "options", Title: "Options", Hidden: !slices.ContainsFunc(all, func(s digest.Subscription) bool { return options(s) != "" })},
			{Key: "show", Title: "Settings", Kind: view.Button},
		},
		CSV:     []string{"digest", "watches", "when", "next", "show", "options"},
		Command: cmdline.Join(commands.DigestName, listWord),
	}
	if channels {
		t.Columns = append(t.Columns, view.Column{Key: "channel", Title: "Channel"})
		t.CSV = slices.Insert(t.CSV, len(t.CSV)-1, "channel") // scripts rely on the order of the columns before it
	}
	for _, s := range all {
		next := s.NextWords(d.Now())
		if run := runs[s.ID]; run.Goes(time.Now()) {
			next = "now: " + runWords(run, time.Now()) + "; then " + next
		}
		row := []view.Cell{
			view.TextCell(s.ID), view.TextCell(s.Name()), view.TextCell(schedule.Describe(s.Schedule)), view.TextCell(next), view.TextCell(options(s)),
			{Text: s.ID, Action: &view.Action{Label: "Show", Command: cmdline.Join(commands.DigestName, "show", s.ID)}},
		}
		if channels {
			row = append(row, view.TextCell(s.Channel))
		}
		t.Rows = append(t.Rows, row)
	}
	return t
}

// options describes the settings of a subscription that change what it reports, as they are typed; "" for none.
func options(s digest.Subscription) string {
	var words []string
	if s.Alert != digest.NoAlert {
		words = append(words, "--alert "+string(s.Alert))
	}
	if s.Filter.Exploited {
		words = append(words, "--exploited")
	}
	if s.Report {
		words = append(words, "--report")
	}
	return strings.Join(words, " ")
}

// page shows a subscription with the buttons that change it.
func (d command) page(req commands.Request, s digest.Subscription) view.Page {
	facts := view.Facts{{Name: "Watches", Value: strings.Join(s.Watch, ", ")}}
	if f := s.Filter; f != (patchgap.Filter{}) {
		facts = append(facts, view.Fact{Name: "Only updates", Value: digestFilter(f)})
	}
	facts = append(facts,
		view.Fact{Name: "When", Value: schedule.Describe(s.Schedule)},
		view.Fact{Name: "Next", Value: s.NextWords(d.Now())},
	)
	if then := d.then(s); then != "" {
		facts = append(facts, view.Fact{Name: "Then", Value: then})
	}
	quiet := view.Fact{Name: "When nothing changed", Value: digestQuiet(s.Quiet)}
	if s.Report {
		quiet = view.Fact{Name: "Says", Value: "how patching goes, each time (report)"}
	}
	facts = append(facts,
		quiet,
		view.Fact{Name: "Subscribed by", Value: digestOrigin(req, s)},
	)
	if s.Alert == digest.AlertExploited {
		facts = append(facts, view.Fact{Name: "Between digests", Value: "an alert when an update that is missing becomes exploited, or an out-of-band one appears"})
	}
	if s.Failures > 0 {
		facts = append(facts, view.Fact{Name: "Refused by its channel", Value: view.Count(s.Failures, "digest") + " in a row"})
	}
	return view.Page{
		Title:   "Digest " + s.ID + ": " + s.Name(),
		Parts:   []view.Part{facts},
		Actions: d.actions(s),
		Note:    schedule.Caution(s.Schedule, d.Now()),
	}
}

// shownRuns is how many upcoming runs a page shows, enough to understand the schedule.
const shownRuns = 3

// then lists the runs after the next one. It is empty while paused without an end.
func (d command) then(s digest.Subscription) string {
	if s.NextRun.IsZero() {
		return ""
	}
	var words []string
	for _, run := range schedule.Upcoming(s.Schedule, s.NextRun, shownRuns-1) {
		words = append(words, s.FormatTime(run))
	}
	return strings.Join(words, ", ")
}

// actions returns the buttons of a subscription for users who may read its channel.
func (d command) actions(s digest.Subscription) []view.Action {
	actions := []view.Action{d.action("Pause", "pause", s), d.action("Pause for a week", "pause", s)}
	actions[1].Command += " until 7d"
	if s.Paused {
		actions = []view.Action{d.action("Resume", "resume", s)}
	}
	reply := func(label, subcommand string) view.Action {
		return view.Action{Label: label, Command: cmdline.Join(commands.DigestName, subcommand, s.ID)}
	}
	if s.Origin != digest.FromFile {
		actions = append(actions, reply("Settings", "edit"))
	}
	actions = append(actions, reply("Preview", "preview"))
	if !s.Paused {
		actions = append(actions, reply("Run now", "run"))
	}
	actions = append(actions, reply("Details", "details"))
	if s.Origin != digest.FromFile {
		actions = append(actions, reply("Remove", "remove"))
	}
	return append(actions, view.Action{Label: "List", Command: cmdline.Join(commands.DigestName)})
}

// ending returns the buttons for an owner who cannot read the channel.
func (d command) ending(s digest.Subscription) []view.Action {
	return slices.DeleteFunc(d.actions(s), func(a view.Action) bool {
		return !strings.HasPrefix(a.Command, cmdline.Join(commands.DigestName, "pause")) && !strings.HasPrefix(a.Command, cmdline.Join(commands.DigestName, "remove"))
	})
}

// digestFilter describes which updates a digest lists; "" for all.
func digestFilter(f patchgap.Filter) string {
	var words []string
	if f.Exploited {
		words = append(words, "that fix vulnerabilities under attack")
	}
	if f.MinDevices > 0 {
		words = append(words, "that "+view.Count(f.MinDevices, "device")+" or more lack")
	}
	if f.MinCVEs > 0 {
		words = append(words, "that fix "+view.Count(f.MinCVEs, "CVE")+" or more")
	}
	return strings.Join(words, " and ")
}

// digestQuiet describes what is posted if nothing has changed.
func digestQuiet(q digest.Quiet) string {
	switch q {
	case digest.Heartbeat:
		return "one line (heartbeat)"
	case digest.Always:
		return "the whole digest (always)"
	}
	return "nothing is posted (silent)"
}

// digestOrigin says who made a subscription.
func digestOrigin(req commands.Request, s digest.Subscription) string {
	switch {
	case s.Origin == digest.FromFile:
		return "the file that MISSINGKBS_DIGESTS names; it is changed there"
	case s.OwnedBy(req.User):
		return "you, on " + s.FormatTime(s.Created)
	}
	return s.Owner + ", on " + s.FormatTime(s.Created)
}

// shownDeliveries is how many past digests are shown with a subscription.
const shownDeliveries = 5

// show shows a subscription, its progress and its last digests. Without access to the channel it only shows the
// settings.
func (d command) show(ctx context.Context, req commands.Request, s digest.Subscription) (view.Page, error) {
	if err := noWords("digest show N", req.Words); err != nil {
		return view.Page{}, err
	}
	page := d.page(req, s)
	if err := d.mayRead(ctx, req, s); err != nil {
		own, ok := errors.AsType[*commands.Error](err)
		if !ok {
			return view.Page{}, err
		}
		page.Lead, page.Actions = own.Message, d.ending(s)
		return page, nil
	}
	if run, found, err := d.store.Run(ctx, s.ID); err != nil {
		return view.Page{}, fmt.Errorf("read whether a digest is being made: %w", err)
	} else if found && run.Goes(time.Now()) {
		page.Parts = append([]view.Part{view.Facts{{Name: "Now", Value: runWords(run, time.Now())}}}, page.Parts...)
	}
	sent, err := d.store.Deliveries(ctx, s.ID, shownDeliveries)
	if err != nil {
		return view.Page{}, fmt.Errorf("read the deliveries of a digest: %w", err)
	}
	page.Lead = "It has not run yet."
	if len(sent) > 0 {
		page.Lead = fmt.Sprintf("The last digest was due %s.", s.FormatTime(sent[0].Due))
		page.Parts = append(page.Parts, deliveryTable(s, sent))
		if slices.ContainsFunc(sent, func(d digest.Delivery) bool { return !s.Counts(d.Totals) }) {
			page.Note = view.JoinSentences(page.Note, "The open installs of digests that an earlier version made count each product that shares an update.")
		}
	}
	return page, nil
}

// deliveryTable lists past digests, newest first.
func deliveryTable(s digest.Subscription, sent []digest.Delivery) view.Table {
	t := view.Table{
		Caption: "The last digests",
		Columns: []view.Column{
			{Key: "due", Title: "Due"},
			{Key: "what", Title: "What"},
			{Key: "updates", Title: "Updates missing", Kind: view.Number},
			{Key: "missing", Title: "Open installs", Kind: view.Number},
		},
	}
	for _, sent := range sent {
		due := s.FormatTime(sent.Due)
		if digest.ByHand(sent.Due) {
			due += ", run by hand"
		}
		t.Rows = append(t.Rows, []view.Cell{
			view.TextCell(due), view.TextCell(deliveryWords(s, sent)),
			view.NumberCell(sent.Totals.KBs), view.NumberCell(sent.Totals.Missing),
		})
	}
	return t
}
