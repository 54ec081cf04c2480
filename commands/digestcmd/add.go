package digestcmd

import (
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

const addUsage = `<software-id>… | all [--at "mon 09:00" | --cron "0 9 * * 1"] [--tz Europe/Stockholm] [--exploited] [--min-devices N] [--min-cves N] [--quiet silent|heartbeat|always] [--alert exploited] [--report]`

// defaultSchedule is when most teams want to know where they stand.
const defaultSchedule = "mon 09:00"

// fallbackZone is the zone of users whose zone is unknown.
const fallbackZone = "UTC"

// addRequest is the parsed line behind digest add.
type addRequest struct {
	targets          []search.Target
	exact            bool // see [commands.Request]
	watch            []string
	at, cron, zone   string
	typedZone        string // empty if chooseZone chose the zone
	filter           patchgap.Filter
	quiet            string
	report           bool
	alert            string
	unread, zoneNote string // sentences for the note of the page
}

func readAddRequest(req commands.Request) (addRequest, error) {
	w := addRequest{quiet: string(digest.Silent), exact: req.Exact}
	o := cmdline.NewOptions(commands.DigestName+" add "+addUsage, commands.DigestName, "add")
	o.StringVar(&w.at, "at", "", "")
	o.StringVar(&w.cron, "cron", "", "")
	o.StringVar(&w.zone, "tz", "", "")
	o.BoolVar(&w.filter.Exploited, "exploited", false, "")
	o.Var(cmdline.Number(&w.filter.MinDevices, 0), "min-devices", "")
	o.Var(cmdline.Number(&w.filter.MinCVEs, 0), "min-cves", "")
	o.Var(cmdline.OneOf(&w.quiet, string(digest.Silent), string(digest.Heartbeat), string(digest.Always)), "quiet", "")
	o.BoolVar(&w.report, "report", false, "")
	o.Var(cmdline.OneOf(&w.alert, string(digest.AlertExploited)), "alert", "")
	rest, err := o.ReadWords(joinSchedules(req.Words))
	if err != nil {
		return w, err
	}
	w.typedZone = w.zone
	if w.at != "" && w.cron != "" {
		return w, &commands.Error{Usage: true, Message: "Say when with either --at or --cron, not both.", Actions: digestHelp()}
	}
	if w.report && w.filter != (patchgap.Filter{}) {
		return w, &commands.Error{Usage: true, Message: view.UpperFirst(digest.ReportUnfiltered) + ".", Actions: digestHelp()}
	}
	w.targets = search.Targets(rest, req.Exact)
	return w, nil
}

// joinSchedules makes one word of a schedule that was typed without quotes: --at mon 09:00.
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

// cronWord is a word that may be a field of a cron expression.
var cronWord = regexp.MustCompile(`(?i)^([0-9*?/,#lw-]|sun|mon|tue|wed|thu|fri|sat|jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)+$`)

// endsSchedule reports whether a word does not belong to the schedule before it. A schedule ends with a time of day or the
// fifth field of a cron expression.
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

func (d command) add(ctx context.Context, req commands.Request) (view.Page, error) {
	w, err := readAddRequest(req)
	if err != nil {
		return view.Page{}, err
	}
	if err := d.mayChange(ctx, req, req.Channel); err != nil {
		return view.Page{}, err
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
	page.Lead = fmt.Sprintf("Posts here %s. The first digest comes %s.", schedule.Describe(s.Schedule), s.FormatTime(s.NextRun))
	page.Note = strings.Join(slices.DeleteFunc([]string{page.Note, w.zoneNote, w.unread}, func(note string) bool { return note == "" }), " ")
	return page, nil
}

// subscription returns the checked subscription that a request describes.
func (d command) subscription(ctx context.Context, req commands.Request, w *addRequest) (digest.Subscription, error) {
	now := d.Now()
	s := digest.Subscription{
		Tenant: digest.DefaultTenant, Channel: req.Channel, Owner: req.User, Origin: digest.FromChat,
		Filter: w.filter, Quiet: digest.Quiet(w.quiet), Report: w.report, Alert: digest.AlertKind(w.alert), Created: now,
	}
	words := w.at + w.cron
	if words == "" {
		words = defaultSchedule
	}
	d.chooseZone(ctx, req, w)
	var err error
	if s.Schedule, err = schedule.Parse(words, w.zone); err != nil {
		return s, err
	}
	if w.watch, err = d.known(ctx, w); err != nil {
		return s, err
	}
	s.Watch, err = digest.ReadWatch(w.watch)
	s.NextRun = schedule.Next(s.Schedule, now)
	return s, err
}

// chooseZone sets the user's own time zone if none was typed.
func (d command) chooseZone(ctx context.Context, req commands.Request, w *addRequest) {
	if w.zone != "" {
		return
	}
	zone, err := d.People.Zone(ctx, req.User)
	if err == nil {
		_, err = schedule.Parse(defaultSchedule, zone) // Slack may know zones that this machine does not
	}
	if err != nil {
		zone = fallbackZone
		w.zoneNote = "Your time zone is unknown, so times are in UTC. For another, remove this digest and add it with --tz."
	}
	w.zone = zone
}

// checkChannel refuses a duplicate of one of the channel's subscriptions, and more than [maxDigests].
func (d command) checkChannel(ctx context.Context, s digest.Subscription) error {
	all, err := d.store.Subscriptions(ctx, digest.SubscriptionFilter{Tenant: s.Tenant, Channel: s.Channel})
	if err != nil {
		return fmt.Errorf("list the channel's digests: %w", err)
	}
	for _, other := range all {
		if slices.Equal(other.Watch, s.Watch) && other.Filter == s.Filter && other.Schedule == s.Schedule && other.Report == s.Report {
			return &commands.Error{
				Title:   "This channel has that digest",
				Message: fmt.Sprintf("Digest %s is about the same software at the same times, so nothing was added.", other.ID),
				Actions: []view.Action{{Label: "Show", Command: cmdline.Join(commands.DigestName, "show", other.ID)}},
			}
		}
	}
	if len(all) >= maxDigests {
		return &commands.Error{
			Title:   "Too many digests in this channel",
			Message: fmt.Sprintf("A channel may have %d digests. Remove one first, or watch more software in one digest: digest add takes several ids, patterns such as microsoft-_-windows*, and all.", maxDigests),
			Actions: []view.Action{{Label: "List", Command: cmdline.Join(commands.DigestName)}},
		}
	}
	return nil
}

// save stores a new subscription under a free id.
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
