package digestcmd

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/missingkbs/missingkbs/commands"
	"github.com/missingkbs/missingkbs/commands/cmdline"
	"github.com/missingkbs/missingkbs/commands/search"
	"github.com/missingkbs/missingkbs/internal/digest"
	"github.com/missingkbs/missingkbs/internal/digest/schedule"
	"github.com/missingkbs/missingkbs/internal/view"
)

// commonSchedules are the schedules offered in the form; others are typed.
var commonSchedules = []view.Choice{
	{Label: "Mondays 09:00", Value: "mon 09:00"},
	{Label: "Mondays and Thursdays 09:00", Value: "mon,thu 09:00"},
	{Label: "Weekdays 08:30", Value: "weekdays 08:30"},
	{Label: "Every day 07:00", Value: "daily 07:00"},
	{Label: "The first of each month 09:00", Value: "monthly 1 09:00"},
	{Label: "The day after Patch Tuesday 09:00", Value: "patch-tuesday+1 09:00"},
}

// askSettings returns the page for "digest add" without software. Its form asks for it.
func (d command) askSettings(ctx context.Context, req commands.Request) (view.Page, error) {
	if err := d.mayAddHere(ctx, req); err != nil {
		return view.Page{}, err
	}
	return view.Page{
		Title:   "Which software?",
		Lead:    "Name software ids such as microsoft-_-edge, patterns such as microsoft-_-windows*, or all. For example: digest add microsoft-_-windows_11 --at \"mon 09:00\"",
		Actions: digestHelp(),
		Dialog:  d.newDialog(ctx, req, nil),
	}, nil
}

// watch returns the page that adds a digest of some software with the default settings. Its form asks for the rest.
func (d command) watch(ctx context.Context, req commands.Request) (view.Page, error) {
	o := cmdline.NewOptions(commands.DigestName+" watch <software-id>…", commands.DigestName, "watch")
	words, err := o.ReadWords(req.Words)
	if err != nil {
		return view.Page{}, err
	}
	if len(words) == 0 {
		return d.askSettings(ctx, req)
	}
	if err := d.mayAddHere(ctx, req); err != nil {
		return view.Page{}, err
	}
	w := addRequest{targets: search.Targets(words, req.Exact), exact: req.Exact}
	watch, err := d.readWatch(ctx, &w)
	if err != nil {
		return view.Page{}, err
	}
	page := view.Page{
		Title:  "Watch " + digest.Subscription{Watch: watch}.Name() + "?",
		Lead:   "A digest says each Monday at 09:00 what is missing and what changed, and stays silent when nothing did.",
		Note:   w.unread,
		Dialog: d.newDialog(ctx, req, watch),
	}
	page.Actions = []view.Action{{Label: "Help", Command: cmdline.Join(commands.HelpName, commands.DigestName)}}
	if req.Channel != "" {
		page.Actions = slices.Insert(page.Actions, 0, view.Action{Label: "Add this digest", Command: cmdline.Join(append([]string{commands.DigestName, "add"}, watch...)...), Effect: view.Replace})
	}
	return page, nil
}

// mayAddHere rejects the form early if its digest could not be added. The channel may still be unknown: on the Home tab
// and in direct messages the form asks for it.
func (d command) mayAddHere(ctx context.Context, req commands.Request) error {
	if req.Channel == "" && !onTerminal(req) {
		return nil
	}
	err := d.mayChange(ctx, req, req.Channel)
	if own, ok := errors.AsType[*commands.Error](err); ok && own.Here {
		return nil
	}
	return err
}

// newDialog returns the form of a new digest.
func (d command) newDialog(ctx context.Context, req commands.Request, watch []string) *view.Dialog {
	w := addRequest{}
	d.chooseZone(ctx, req, &w)
	s := digest.Subscription{Watch: watch, Schedule: schedule.Schedule{Words: defaultSchedule, Zone: w.zone}, Quiet: digest.Silent}
	dialog := &view.Dialog{Title: "New digest", Submit: "Add", Command: []string{commands.DigestName, "add"}, Fields: fields(s)}
	dialog.Fields = append(dialog.Fields, view.Field{
		Name: "channel", Label: "Channel", Hint: "I post there, so I must be a member: /invite me first.", Kind: view.ChannelField, Required: true,
	})
	return dialog
}

// editPage shows a subscription with the form of its settings.
func (d command) editPage(req commands.Request, s digest.Subscription) view.Page {
	page := d.page(req, s)
	page.Lead = fmt.Sprintf("To change it, name what should be another: digest edit %s --at \"weekdays 08:30\" --min-devices 5", s.ID)
	page.Dialog = &view.Dialog{
		Title: "Digest " + s.ID, Submit: "Save",
		Command: []string{commands.DigestName, "edit", s.ID, "--expect=" + settingsMark(s)},
		Fields: append(fields(s), view.Field{
			Name: "channel", Option: "channel", Label: "Channel", Kind: view.ChannelField, Required: true, Values: []string{s.Channel},
		}),
	}
	return page
}

// fields returns the filled-in fields shared by the forms for new and existing digests.
func fields(s digest.Subscription) []view.Field {
	at := view.Field{Name: "at", Option: "at", Label: "When", Kind: view.ChoiceField, Choices: commonSchedules}
	words := view.Field{
		Name: "words-at", Option: "at", Label: "When, in words", Kind: view.TextField,
		Hint: "Counts in place of the choice above: fri 15:00, second tue 09:00, or a cron expression such as 0 9 * * 1.",
	}
	if slices.ContainsFunc(commonSchedules, func(c view.Choice) bool { return c.Value == s.Schedule.Words }) {
		at.Values = []string{s.Schedule.Words}
	} else {
		words.Values = []string{s.Schedule.Words}
	}
	return []view.Field{
		{
			Name: view.WordsField, Label: "Software", Hint: "Type a part of its name, a pattern such as microsoft-_-windows*, or all.",
			Kind: view.WatchField, Required: true, Values: s.Watch, Choices: []view.Choice{{Label: AllLabel, Value: digest.All}},
		},
		at, words,
		{Name: "tz", Option: "tz", Label: "Time zone", Hint: "Such as Europe/Stockholm or UTC.", Kind: view.TextField, Required: true, Values: []string{s.Schedule.Zone}},
		{Name: "min-devices", Option: "min-devices", Label: "Least devices", Hint: "Leaves out updates that fewer devices lack.", Kind: view.NumberField, Values: number(s.Filter.MinDevices), Unset: "0"},
		{Name: "min-cves", Option: "min-cves", Label: "Least CVEs", Hint: "Leaves out updates that fix fewer CVEs.", Kind: view.NumberField, Values: number(s.Filter.MinCVEs), Unset: "0"},
		{Name: "exploited", Option: "exploited", Label: "Which updates", Kind: view.ChoiceField, Required: true, Values: []string{strconv.FormatBool(s.Filter.Exploited)}, Choices: []view.Choice{
			{Label: "All", Value: "false"}, {Label: "Only those under attack", Value: "true"},
		}},
		{Name: "alert", Option: "alert", Label: "Between digests", Kind: view.ChoiceField, Required: true, Values: []string{cmp.Or(string(s.Alert), noAlert)}, Choices: []view.Choice{
			{Label: "Nothing", Value: noAlert}, {Label: "An alert of what becomes exploited", Value: string(digest.AlertExploited)},
		}},
		{Name: "quiet", Option: "quiet", Label: "When nothing changed", Kind: view.ChoiceField, Required: true, Values: []string{string(s.Quiet)}, Choices: []view.Choice{
			{Label: "Post nothing", Value: string(digest.Silent)},
			{Label: "Post one line", Value: string(digest.Heartbeat)},
			{Label: "Post the whole digest", Value: string(digest.Always)},
		}},
	}
}

// AllLabel is the name of [digest.All] in forms.
const AllLabel = "All software of Microsoft's"

func number(n int) []string {
	return strings.Fields(strings.TrimPrefix(strconv.Itoa(n), "0"))
}
