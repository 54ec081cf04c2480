package digestcmd

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/missingkbs/missingkbs/commands"

	"github.com/missingkbs/missingkbs/commands/cmdline"
	"github.com/missingkbs/missingkbs/commands/search"
	"github.com/missingkbs/missingkbs/internal/audit"
	"github.com/missingkbs/missingkbs/internal/digest"
	"github.com/missingkbs/missingkbs/internal/digest/schedule"
	"github.com/missingkbs/missingkbs/internal/patchgap"
	"github.com/missingkbs/missingkbs/internal/view"
)

const addUsage = `<software-id>… | all [--at "mon 09:00" | --cron "0 9 * * 1"] [--tz Europe/Stockholm] [--exploited] [--min-devices N] [--min-cves N] [--quiet silent|heartbeat|always] [--alert exploited] [--report] [--channel C0123ABCD]`

// defaultSchedule is used where none is typed: the start of the week.
const defaultSchedule = "mon 09:00"

// fallbackZone is used for users whose time zone is unknown.
const fallbackZone = "UTC"

// addRequest is the parsed form of "digest add".
type addRequest struct {
	targets          []search.Target
	exact            bool // see [commands.Request]
	watch            []string
	at, cron, zone   string
	typedZone        string // empty if chooseZone chose the zone
	edits            string // ID of the digest being edited; empty for a new one
	channel          string // as typed; empty for the channel of the request
	filter           patchgap.Filter
	quiet            string
	report           bool
	alert            string
	unread, zoneNote string // sentences for the note of the page
}

func readAddRequest(req commands.Request) (addRequest, error) {
	w := addRequest{quiet: string(digest.Silent), exact: req.Exact}
	return w, w.read(cmdline.NewOptions(commands.DigestName+" add "+addUsage, commands.DigestName, "add"), req)
}

// read parses options over the current settings of a subscription, and the words that say what to watch.
func (w *addRequest) read(o *cmdline.Options, req commands.Request) error {
	o.StringVar(&w.at, "at", "", "")
	o.StringVar(&w.cron, "cron", "", "")
	o.StringVar(&w.zone, "tz", "", "")
	o.BoolVar(&w.filter.Exploited, "exploited", w.filter.Exploited, "")
	o.Var(cmdline.Number(&w.filter.MinDevices, 0), "min-devices", "")
	o.Var(cmdline.Number(&w.filter.MinCVEs, 0), "min-cves", "")
	o.Var(cmdline.OneOf(&w.quiet, string(digest.Silent), string(digest.Heartbeat), string(digest.Always)), "quiet", "")
	o.BoolVar(&w.report, "report", w.report, "")
	o.Var(cmdline.OneOf(&w.alert, string(digest.AlertExploited), noAlert), "alert", "")
	o.Var(channelID{&w.channel}, "channel", "")
	rest, err := o.ReadWords(joinSchedules(req.Words))
	if err != nil {
		return err
	}
	w.typedZone = w.zone
	if w.at != "" && w.cron != "" {
		return &commands.Error{Usage: true, Message: "Say when with either --at or --cron, not both.", Field: "at", Actions: digestHelp()}
	}
	if w.report && w.filter != (patchgap.Filter{}) {
		return &commands.Error{Usage: true, Message: view.UpperFirst(digest.ReportUnfiltered) + ".", Actions: digestHelp()}
	}
	w.targets = search.Targets(rest, req.Exact)
	return nil
}

// noAlert is the value of --alert that switches alerts off.
const noAlert = "none"

func (w *addRequest) alertKind() digest.AlertKind {
	if w.alert == noAlert {
		return digest.NoAlert
	}
	return digest.AlertKind(w.alert)
}

// joinSchedules makes one word of a schedule typed without quotes: --at mon 09:00.
func joinSchedules(words []string) []string {
	var out []string
	for i := 0; i < len(words); i++ {
		out = append(out, words[i])
		typed, value, inline := strings.Cut(words[i], "=")
		name := cmdline.OptionName(typed)
		if typed == name || name != "at" && name != "cron" {
			continue
		}
		var parts []string
		if inline {
			out[len(out)-1] = typed
			parts = append(parts, value)
		}
		for i+1 < len(words) && !endsSchedule(parts, words[i+1]) {
			i++
			parts = append(parts, words[i])
		}
		if len(parts) > 0 {
			out = append(out, strings.Join(parts, " "))
		}
	}
	return out
}

// cronWord matches a word that may be a field of a cron expression.
var cronWord = regexp.MustCompile(`(?i)^([0-9*?/,#lw-]|sun|mon|tue|wed|thu|fri|sat|jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)+$`)

// endsSchedule reports whether word no longer belongs to the schedule in parts. A schedule ends with a time of day or
// with the fifth field of a cron expression.
func endsSchedule(parts []string, word string) bool {
	if strings.HasPrefix(word, "--") || strings.Contains(word, cmdline.IDSeparator) || strings.EqualFold(word, digest.All) {
		return true
	}
	fields := strings.Fields(strings.Join(parts, " "))
	switch {
	case len(fields) == 0:
		return false
	case strings.Contains(fields[len(fields)-1], ":"):
		return true
	}
	return len(fields) >= 5 && !cronWord.MatchString(word)
}

// add subscribes a channel to a new digest. Without words it shows the form instead. The checks run in the order in
// which a user can correct them.
func (d command) add(ctx context.Context, req commands.Request) (view.Page, error) {
	w, err := readAddRequest(req)
	if err != nil {
		return view.Page{}, err
	}
	if len(req.Words) == 0 && !onTerminal(req) {
		return d.askSettings(ctx, req)
	}
	channel := cmp.Or(w.channel, req.Channel)
	if channel == "" && !onTerminal(req) {
		return view.Page{}, onlyInChannel()
	}
	if err := d.mayChange(ctx, req, channel); err != nil {
		return view.Page{}, atField(err, "channel")
	}
	s, err := d.subscription(ctx, req, &w)
	if err != nil {
		return view.Page{}, err
	}
	if err := d.checkChannel(ctx, s); err != nil {
		return view.Page{}, err
	}
	if s, err = d.save(ctx, req, s); err != nil {
		return view.Page{}, err
	}
	page := d.page(req, s)
	page.Title = fmt.Sprintf("Digest %s is set up", s.ID)
	page.Lead = fmt.Sprintf("Posts %s %s. The first digest comes %s.", destination(req, s), schedule.Describe(s.Schedule), s.FormatTime(s.NextRun))
	page.Note = strings.Join(slices.DeleteFunc([]string{page.Note, w.zoneNote, w.unread}, func(note string) bool { return note == "" }), " ")
	return page, nil
}

// destination describes where a subscription posts, from the user's point of view.
func destination(req commands.Request, s digest.Subscription) string {
	if s.Channel == req.Channel {
		return "here"
	}
	return "into " + s.Channel
}

// subscription builds and checks the subscription that a request describes.
func (d command) subscription(ctx context.Context, req commands.Request, w *addRequest) (digest.Subscription, error) {
	now := d.Now()
	s := digest.Subscription{
		Tenant: digest.DefaultTenant, Channel: cmp.Or(w.channel, req.Channel), Owner: req.User, Origin: digest.FromChat,
		Filter: w.filter, Quiet: digest.Quiet(w.quiet), Report: w.report, Alert: w.alertKind(), Created: now,
	}
	words := w.at + w.cron
	if words == "" {
		words = defaultSchedule
	}
	d.chooseZone(ctx, req, w)
	var err error
	if s.Schedule, err = readSchedule(words, w.zone); err != nil {
		return s, err
	}
	if s.Watch, err = d.readWatch(ctx, w); err != nil {
		return s, err
	}
	s.NextRun = schedule.Next(s.Schedule, now)
	return s, nil
}

// readSchedule parses a schedule in a time zone. Its error tells which of the two is invalid.
func readSchedule(words, zone string) (schedule.Schedule, error) {
	if _, err := schedule.LoadZone(zone); err != nil {
		return schedule.Schedule{}, atField(err, "tz")
	}
	s, err := schedule.Parse(words, zone)
	return s, atField(err, "at")
}

// readWatch resolves what to watch.
func (d command) readWatch(ctx context.Context, w *addRequest) ([]string, error) {
	var err error
	if w.watch, err = d.known(ctx, w); err != nil {
		return nil, atField(err, view.WordsField)
	}
	watch, err := digest.ReadWatch(w.watch)
	return watch, atField(err, view.WordsField)
}

// atField names the form field that a user error belongs to, so that a modal shows it there.
func atField(err error, field string) error {
	err = explainMistake(err)
	own, ok := errors.AsType[*commands.Error](err)
	if !ok || own.Field != "" {
		return err
	}
	placed := *own
	placed.Field = field
	return &placed
}

// chooseZone sets the user's own time zone if none was typed.
func (d command) chooseZone(ctx context.Context, req commands.Request, w *addRequest) {
	if w.zone != "" {
		return
	}
	zone, err := d.People.Zone(ctx, req.User)
	if err == nil {
		_, err = schedule.Parse(defaultSchedule, zone) // Slack may return zones that this machine does not have
	}
	if err != nil {
		zone = fallbackZone
		w.zoneNote = "Your time zone is unknown, so times are in UTC. For another, change it in its settings."
	}
	w.zone = zone
}

// checkChannel rejects a duplicate of a subscription in the channel, and more than [maxDigests].
func (d command) checkChannel(ctx context.Context, s digest.Subscription) error {
	all, err := d.store.Subscriptions(ctx, digest.SubscriptionFilter{Tenant: s.Tenant, Channel: s.Channel})
	if err != nil {
		return fmt.Errorf("list the channel's digests: %w", err)
	}
	for _, other := range all {
		if other.ID != s.ID && slices.Equal(other.Watch, s.Watch) && other.Filter == s.Filter && other.Schedule == s.Schedule && other.Report == s.Report {
			return &commands.Error{
				Title:   "This channel has that digest",
				Message: fmt.Sprintf("Digest %s is about the same software at the same times, so nothing was changed.", other.ID),
				Actions: []view.Action{{Label: "Show", Command: cmdline.Join(commands.DigestName, "show", other.ID)}},
			}
		}
	}
	if len(all) >= maxDigests && !slices.ContainsFunc(all, func(other digest.Subscription) bool { return other.ID == s.ID }) {
		return &commands.Error{
			Title:   "Too many digests in this channel",
			Message: fmt.Sprintf("A channel may have %d digests. Remove one first, or watch more software in one digest: digest add takes several ids, patterns such as microsoft-_-windows*, and all.", maxDigests),
			Actions: []view.Action{{Label: "List", Command: cmdline.Join(commands.DigestName)}},
		}
	}
	return nil
}

// save stores a new subscription under a free ID.
func (d command) save(ctx context.Context, req commands.Request, s digest.Subscription) (digest.Subscription, error) {
	detail := strings.Join(s.Watch, " ") + "; " + s.Schedule.Words + " " + s.Schedule.Zone
	var err error
	for attempt := 1; attempt <= 8; attempt++ {
		s.ID = d.NewID(attempt)
		if err = d.store.AddSubscription(ctx, s, d.audit(req, s, audit.ActionDigestAdd, detail)); !errors.Is(err, digest.ErrExists) {
			break
		}
	}
	if err != nil {
		return s, fmt.Errorf("add a digest: %w", err)
	}
	return s, nil
}
