package digestcmd

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/missingkbs/missingkbs/commands"
	"github.com/missingkbs/missingkbs/commands/cmdline"
	"github.com/missingkbs/missingkbs/internal/audit"
	"github.com/missingkbs/missingkbs/internal/digest"
	"github.com/missingkbs/missingkbs/internal/digest/schedule"
	"github.com/missingkbs/missingkbs/internal/view"
)

const editUsage = `N [<software-id>… | all] [--at "mon 09:00" | --cron "0 9 * * 1"] [--tz Europe/Stockholm] [--exploited] [--min-devices N] [--min-cves N] [--quiet silent|heartbeat|always] [--alert exploited|none] [--report] [--channel C0123ABCD]`

// editTries is how often an edit starts over because the scheduler moved the next run in the meantime.
const editTries = 3

// edit changes a subscription in place. Settings that the request does not name stay as they are.
func (d command) edit(ctx context.Context, req commands.Request, s digest.Subscription) (view.Page, error) {
	if err := d.refuseFile(s, "Change it in"); err != nil {
		return view.Page{}, err
	}
	if err := d.mayChange(ctx, req, s.Channel); err != nil {
		return view.Page{}, err
	}
	if len(req.Words) == 0 {
		return d.editPage(req, s), nil
	}
	to, w, err := d.edited(ctx, req, s)
	if err != nil {
		return view.Page{}, err
	}
	was := s
	for range editTries {
		is, differs := s.Edit(to, d.Now())
		if !differs {
			page := d.page(req, s)
			page.Title = fmt.Sprintf("Digest %s is as it was", s.ID)
			return page, nil
		}
		changed, err := d.store.EditSubscription(ctx, s, is, d.audit(req, is, audit.ActionDigestChange, changes(s, is)))
		if err != nil {
			return view.Page{}, fmt.Errorf("edit a digest: %w", err)
		}
		if changed {
			page := d.page(req, is)
			page.Title = fmt.Sprintf("Digest %s is changed", is.ID)
			page.Lead = fmt.Sprintf("Posts %s %s. The next digest comes %s.", destination(req, is), schedule.Describe(is.Schedule), is.NextWords(d.Now()))
			page.Note = view.JoinSentences(page.Note, w.unread)
			return page, nil
		}
		if s, err = d.store.Subscription(ctx, s.ID); err != nil {
			return view.Page{}, fmt.Errorf("read a digest again: %w", err)
		}
		if settingsMark(s) != settingsMark(was) {
			break // never overwrite another person's changes
		}
	}
	return view.Page{}, d.changedMeanwhile(s)
}

// edited applies a request to a subscription and checks the result.
func (d command) edited(ctx context.Context, req commands.Request, s digest.Subscription) (digest.Subscription, addRequest, error) {
	w := addRequest{quiet: string(s.Quiet), filter: s.Filter, report: s.Report, alert: string(s.Alert), exact: req.Exact, edits: s.ID}
	o := cmdline.NewOptions(commands.DigestName+" edit "+editUsage, commands.DigestName, "edit", s.ID)
	mark := ""
	o.StringVar(&mark, "expect", "", "")
	o.Lookup("expect").Hidden = true // only a form knows which settings it showed
	if err := w.read(o, req); err != nil {
		return s, w, err
	}
	if mark != "" && mark != settingsMark(s) {
		return s, w, d.changedMeanwhile(s)
	}
	to := s
	to.Filter, to.Quiet, to.Report, to.Alert = w.filter, digest.Quiet(w.quiet), w.report, w.alertKind()
	if words, zone := w.at+w.cron, w.zone; words != "" || zone != "" {
		if words == "" {
			words = s.Schedule.Words
		}
		if zone == "" {
			zone = s.Schedule.Zone
		}
		var err error
		if to.Schedule, err = readSchedule(words, zone); err != nil {
			return s, w, err
		}
	}
	if len(w.targets) > 0 {
		var err error
		if to.Watch, err = d.readWatch(ctx, &w); err != nil {
			return s, w, err
		}
	}
	if w.channel != "" && w.channel != s.Channel {
		if err := d.mayChange(ctx, req, w.channel); err != nil {
			return s, w, atField(err, "channel")
		}
		to.Channel = w.channel
	}
	return to, w, d.checkChannel(ctx, to)
}

// changes describes what an edit changed, for the audit.
func changes(was, is digest.Subscription) string {
	var out []string
	note := func(name, before, after string) {
		if before != after {
			out = append(out, name+" "+before+" → "+after)
		}
	}
	note("watches", strings.Join(was.Watch, " "), strings.Join(is.Watch, " "))
	note("when", was.Schedule.Words+" "+was.Schedule.Zone, is.Schedule.Words+" "+is.Schedule.Zone)
	note("least devices", strconv.Itoa(was.Filter.MinDevices), strconv.Itoa(is.Filter.MinDevices))
	note("least CVEs", strconv.Itoa(was.Filter.MinCVEs), strconv.Itoa(is.Filter.MinCVEs))
	note("quiet", string(was.Quiet), string(is.Quiet))
	note("only exploited", strconv.FormatBool(was.Filter.Exploited), strconv.FormatBool(is.Filter.Exploited))
	note("report", strconv.FormatBool(was.Report), strconv.FormatBool(is.Report))
	note("alert", cmp.Or(string(was.Alert), noAlert), cmp.Or(string(is.Alert), noAlert))
	note("channel", was.Channel, is.Channel)
	return strings.Join(out, "; ")
}

// settingsMark is a hash of a subscription's settings, so that a form notices that they have changed.
func settingsMark(s digest.Subscription) string {
	raw, err := json.Marshal([]any{s.Channel, s.Watch, s.Filter, s.Schedule, s.Quiet, s.Report, s.Alert})
	if err != nil {
		return ""
	}
	sum := sha256.Sum256(raw)
	return hex.EncodeToString(sum[:4])
}

func (d command) changedMeanwhile(s digest.Subscription) error {
	return &commands.Error{
		Title: fmt.Sprintf("Digest %s was changed meanwhile", s.ID), Usage: true,
		Message: fmt.Sprintf("Another person changed digest %s meanwhile, so nothing was changed. Open its settings again.", s.ID),
		Actions: []view.Action{d.action("Show", "show", s), {Label: "Settings", Command: cmdline.Join(commands.DigestName, "edit", s.ID)}},
	}
}

// editable reports whether a subscription can be changed here. Subscriptions from the file are changed in the file.
func (d command) editable(s digest.Subscription) bool { return s.Origin != digest.FromFile || !d.File }

// refuseFile returns an error for a change that the next start would undo, because the file restores the subscription.
func (d command) refuseFile(s digest.Subscription, what string) error {
	if d.editable(s) {
		return nil
	}
	return &commands.Error{
		Title:   fmt.Sprintf("Digest %s comes from a file", s.ID),
		Message: fmt.Sprintf("MISSINGKBS_DIGESTS names that file, so the digest would come back as it is there at the next start. %s that file, or pause it here.", what),
		Actions: []view.Action{d.action("Pause", "pause", s)},
	}
}

// channelID is a flag value: a channel as an ID or as Slack writes it in a message.
type channelID struct{ value *string }

var channelWord = regexp.MustCompile(`^(?:<#)?([CGD][A-Z0-9]{2,20})(?:\|[^>]*)?>?$`)

// String implements pflag's Value interface.
func (c channelID) String() string { return *c.value }

// Type implements pflag's Value interface.
func (c channelID) Type() string { return "channel" }

// Set implements pflag's Value interface.
func (c channelID) Set(word string) error {
	found := channelWord.FindStringSubmatch(word)
	if found == nil {
		return fmt.Errorf("must be the id of a channel, such as C0123ABCD, which Slack shows under the channel's details")
	}
	*c.value = found[1]
	return nil
}
