package digestcmd

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/missingkbs/missingkbs/commands"

	"github.com/missingkbs/missingkbs/commands/cmdline"
	"github.com/missingkbs/missingkbs/internal/audit"
	"github.com/missingkbs/missingkbs/internal/digest"
	"github.com/missingkbs/missingkbs/internal/digest/schedule"
	"github.com/missingkbs/missingkbs/internal/view"
)

const (
	pauseUsage  = "digest pause N [until <date or 7d>]"
	removeUsage = "digest remove N [--yes]"
)

// pause stops a subscription until a time, or until it is resumed. The owner may pause it even without access to the
// channel.
func (d command) pause(ctx context.Context, req commands.Request, s digest.Subscription) (view.Page, error) {
	until, err := pauseEnd(req.Words, s, d.Now())
	if err != nil {
		return view.Page{}, err
	}
	if err := d.mayEnd(ctx, req, s); err != nil {
		return view.Page{}, err
	}
	s = s.Pause(until, "")
	detail := "until someone resumes it"
	if !until.IsZero() {
		detail = "until " + s.FormatTime(until)
	}
	if err := d.store.UpdateSubscription(ctx, s, d.audit(req, s, audit.ActionDigestPause, detail)); err != nil {
		return view.Page{}, fmt.Errorf("pause a digest: %w", err)
	}
	page := d.page(req, s)
	page.Title = fmt.Sprintf("Digest %s is paused", s.ID)
	page.Lead = fmt.Sprintf("Nothing is posted %s. %s", detail, d.skipped(s))
	return page, nil
}

// maxSkipped is how many skipped digests a page names.
const maxSkipped = 3

// skipped names the digests that a pause skips, those due before its end, and the next one after it.
func (d command) skipped(s digest.Subscription) string {
	if s.PausedUntil.IsZero() {
		return "Digests due before then are skipped."
	}
	var named []string
	last, n := "", 0
	for run := schedule.Next(s.Schedule, d.Now()); !run.IsZero() && run.Before(s.PausedUntil); run = schedule.Next(s.Schedule, run) {
		if last = s.FormatTime(run); n < maxSkipped {
			named = append(named, last)
		}
		n++
	}
	next := "The next run is " + s.FormatTime(s.NextRun) + "."
	switch {
	case n == 0:
		return "No digest is due before then, so none is skipped. " + next
	case n == 1:
		return "The run of " + last + " is skipped. " + next
	case n <= maxSkipped:
		return "The runs of " + strings.Join(named[:n-1], ", ") + " and " + last + " are skipped. " + next
	}
	return fmt.Sprintf("%s are skipped, from %s to %s. %s", view.Count(n, "run"), named[0], last, next)
}

// mayEnd is [command.mayChange] for changes that only make a channel quieter. The owner may always make them, even if
// the channel no longer accepts messages.
func (d command) mayEnd(ctx context.Context, req commands.Request, s digest.Subscription) error {
	if !onTerminal(req) && s.OwnedBy(req.User) {
		return nil
	}
	return d.mayChange(ctx, req, s.Channel)
}

// maxPause is the longest pause with an end. A longer one is better left without.
const maxPause = 2 * 366 * 24 * time.Hour

// pauseEnd parses the end of a pause; it returns the zero time for no words.
func pauseEnd(words []string, s digest.Subscription, now time.Time) (time.Time, error) {
	if len(words) > 0 && (strings.EqualFold(words[0], "until") || strings.EqualFold(words[0], "for")) {
		if words = words[1:]; len(words) == 0 {
			return time.Time{}, &commands.Error{Usage: true, Message: "Until when? Usage: " + pauseUsage}
		}
	}
	if len(words) == 0 {
		return time.Time{}, nil
	}
	text := strings.ToLower(strings.Join(words, " "))
	until, ok := readPauseEnd(text, s, now)
	switch {
	case !ok:
		return until, &commands.Error{Usage: true, Message: fmt.Sprintf("%q is not a date or a duration. Write a date such as %s, or 12h, 7d or 2w.", text, now.AddDate(0, 0, 7).Format(time.DateOnly))}
	case !until.After(now):
		return until, &commands.Error{Usage: true, Message: fmt.Sprintf("%s is in the past. A pause must end in the future.", s.FormatTime(until))}
	case until.Sub(now) > maxPause:
		return until, &commands.Error{Usage: true, Message: "A pause can last two years at most. Pause without an end, or remove the digest."}
	}
	return until, nil
}

// readPauseEnd parses a date, a date with a time, or a time from now, in the subscription's time zone.
func readPauseEnd(text string, s digest.Subscription, now time.Time) (time.Time, bool) {
	zone, err := time.LoadLocation(s.Schedule.Zone)
	if err != nil {
		zone = time.UTC
	}
	for _, layout := range []string{time.DateOnly, "2006-01-02 15:04", "2006-01-02t15:04"} {
		if t, err := time.ParseInLocation(layout, text, zone); err == nil {
			return t, true
		}
	}
	text = strings.ReplaceAll(text, " ", "")
	n, err := strconv.Atoi(strings.TrimRight(text, "abcdefghijklmnopqrstuvwxyz"))
	if err != nil || n < 0 || n > 10_000 {
		return time.Time{}, false
	}
	switch strings.TrimLeft(text, "0123456789") {
	case "h", "hour", "hours":
		return now.Add(time.Duration(n) * time.Hour), true
	case "d", "day", "days":
		return now.In(zone).AddDate(0, 0, n), true // calendar days, which have 23 or 25 hours when clocks change
	case "w", "week", "weeks":
		return now.In(zone).AddDate(0, 0, 7*n), true
	}
	return time.Time{}, false
}

// resume ends a pause. Digests that came due during it are skipped.
func (d command) resume(ctx context.Context, req commands.Request, s digest.Subscription) (view.Page, error) {
	if err := noWords("digest resume N", req.Words); err != nil {
		return view.Page{}, err
	}
	if err := d.mayChange(ctx, req, s.Channel); err != nil {
		return view.Page{}, err
	}
	if !s.Paused {
		page := d.page(req, s)
		page.Title = fmt.Sprintf("Digest %s is not paused", s.ID)
		return page, nil
	}
	s = s.Resume(d.Now())
	if err := d.store.UpdateSubscription(ctx, s, d.audit(req, s, audit.ActionDigestResume, "")); err != nil {
		return view.Page{}, fmt.Errorf("resume a digest: %w", err)
	}
	page := d.page(req, s)
	page.Title = fmt.Sprintf("Digest %s resumed", s.ID)
	page.Lead = fmt.Sprintf("The next one comes %s.", s.FormatTime(s.NextRun))
	return page, nil
}

// remove deletes a subscription and its history, once the user has confirmed with --yes.
func (d command) remove(ctx context.Context, req commands.Request, s digest.Subscription) (view.Page, error) {
	yes := false
	o := cmdline.NewOptions(removeUsage, commands.DigestName, "remove", s.ID)
	o.BoolVar(&yes, "yes", false, "")
	words, err := o.ReadWords(req.Words)
	if err == nil {
		err = noWords(removeUsage, words)
	}
	if err != nil {
		return view.Page{}, err
	}
	if err := d.refuseFile(s, "Remove it from"); err != nil {
		return view.Page{}, err
	}
	if err := d.mayEnd(ctx, req, s); err != nil {
		return view.Page{}, err
	}
	if !yes {
		return d.askRemove(s), nil
	}
	if err := d.store.RemoveSubscription(ctx, s.ID, d.audit(req, s, audit.ActionDigestRemove, strings.Join(s.Watch, " "))); err != nil {
		return view.Page{}, fmt.Errorf("remove a digest: %w", err)
	}
	return view.Page{
		Title:   fmt.Sprintf("Digest %s is removed", s.ID),
		Lead:    fmt.Sprintf("Nothing more is posted about %s.", s.Name()),
		Actions: []view.Action{{Label: "List", Command: cmdline.Join(commands.DigestName)}},
	}, nil
}

// askRemove asks for confirmation, because the history is lost.
func (d command) askRemove(s digest.Subscription) view.Page {
	return view.Page{
		Title: fmt.Sprintf("Remove digest %s?", s.ID),
		Lead:  fmt.Sprintf("Nothing more will be posted about %s (%s), and its history is deleted. A pause keeps the history.", s.Name(), schedule.Describe(s.Schedule)),
		Actions: []view.Action{
			{Label: "Remove for good", Command: cmdline.Join(commands.DigestName, "remove", s.ID, "--yes"), Effect: view.Replace},
			d.action("Pause instead", "pause", s),
			d.action("Keep it", "show", s),
		},
	}
}
