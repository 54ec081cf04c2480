package riskcmd

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/missingkbs/missingkbs/api"
	"github.com/missingkbs/missingkbs/commands"
	"github.com/missingkbs/missingkbs/commands/cmdline"
	"github.com/missingkbs/missingkbs/internal/audit"
	"github.com/missingkbs/missingkbs/internal/catalog"
	"github.com/missingkbs/missingkbs/internal/digest"
	"github.com/missingkbs/missingkbs/internal/redact"
	"github.com/missingkbs/missingkbs/internal/risk"
	"github.com/missingkbs/missingkbs/internal/triage"
	"github.com/missingkbs/missingkbs/internal/view"
)

const (
	// longest bounds how long a risk may be accepted. After that a person has to decide again.
	longest = 366 * 24 * time.Hour
	// maxReason bounds a reason, in characters, so that it fits lists.
	maxReason = 300
)

// addRequest is the parsed form of "accept <kb> …".
type addRequest struct {
	kb, software  string
	until, reason string
}

// readAddRequest parses a line. Missing values stay empty: the form asks for them.
func readAddRequest(req commands.Request) (addRequest, error) {
	var w addRequest
	o := cmdline.NewOptions(Name+" "+usage, Name)
	o.StringVar(&w.until, "until", "", "")
	o.StringVar(&w.reason, "reason", "", "")
	o.StringVar(&w.software, "software", "", "")
	words, err := o.ReadWords(joinReason(req.Words))
	if err != nil {
		return w, err
	}
	if w.kb = kbNumber(words); w.kb == "" {
		e := &commands.Error{Usage: true, Message: "Which update? Type its KB number: accept " + usage, Actions: help()}
		if len(words) > 1 && kbNumber(words[:1]) != "" {
			e.Message = fmt.Sprintf("Unexpected word %q. Usage: accept %s", words[1], usage)
		}
		return w, e
	}
	w.reason, w.software = strings.Join(strings.Fields(w.reason), " "), strings.TrimSpace(w.software)
	return w, nil
}

// joinReason makes one word of a reason typed without quotes: --reason line 3 is frozen.
func joinReason(words []string) []string {
	var out []string
	for i := 0; i < len(words); i++ {
		out = append(out, words[i])
		typed, value, inline := strings.Cut(words[i], "=")
		if cmdline.OptionName(typed) != "reason" || typed == "reason" {
			continue
		}
		var parts []string
		if inline {
			out[len(out)-1] = typed
			parts = append(parts, value)
		}
		for i+1 < len(words) && !strings.HasPrefix(words[i+1], "--") {
			i++
			parts = append(parts, words[i])
		}
		if len(parts) > 0 {
			out = append(out, strings.Join(parts, " "))
		}
	}
	return out
}

// kbNumber returns the number of a KB in any spelling, or in an address or file name; "" for other words.
func kbNumber(words []string) string {
	ids := cmdline.IDsOf("KB", []string{strings.Join(words, "")})
	if len(ids) != 1 || !strings.HasPrefix(ids[0], "KB") {
		return ""
	}
	return strings.TrimPrefix(ids[0], "KB")
}

// readUntil parses the last day of an acceptance, as a date or a time from now, and returns when it ends.
func readUntil(typed string, now time.Time) (time.Time, error) {
	text := strings.ToLower(strings.ReplaceAll(strings.TrimSpace(typed), " ", ""))
	today := now.UTC().Truncate(24 * time.Hour)
	last, err := time.Parse(time.DateOnly, text)
	if err != nil {
		days, ok := span(text)
		if !ok {
			return time.Time{}, &commands.Error{Usage: true, Field: "until", Actions: help(), Message: fmt.Sprintf("%q is not a date or a number of days. Write the last day, such as %s, or 30d or 6w.", typed, today.AddDate(0, 0, 30).Format(time.DateOnly))}
		}
		last = today.AddDate(0, 0, days)
	}
	until := last.AddDate(0, 0, 1)
	switch {
	case last.Before(today):
		return until, &commands.Error{Usage: true, Field: "until", Actions: help(), Message: last.Format("2 Jan 2006") + " is in the past. The last day must be today or later."}
	case until.Sub(now) > longest:
		return until, &commands.Error{Usage: true, Field: "until", Actions: help(), Message: "A risk can be accepted for a year at most. Decide again then."}
	}
	return until, nil
}

// span parses a number of days or weeks, such as 30d or 2w.
func span(text string) (days int, ok bool) {
	n, err := strconv.Atoi(strings.TrimRight(text, "abcdefghijklmnopqrstuvwxyz"))
	if err != nil || n < 1 || n > 1000 {
		return 0, false
	}
	switch strings.TrimLeft(text, "0123456789") {
	case "d", "day", "days":
		return n, true
	case "w", "week", "weeks":
		return 7 * n, true
	}
	return 0, false
}

// add accepts a risk, or shows the form if the line is incomplete.
func (c command) add(ctx context.Context, req commands.Request) (view.Page, error) {
	if len(req.Words) == 0 {
		return c.list(ctx, req)
	}
	w, err := readAddRequest(req)
	if err != nil {
		return view.Page{}, err
	}
	if err := onlyInSlack(req); err != nil {
		return view.Page{}, err
	}
	if w.until == "" || w.reason == "" {
		return c.form(ctx, w), nil
	}
	a, found, err := c.acceptance(ctx, req, w)
	if err != nil {
		return view.Page{}, err
	}
	if a, err = c.save(ctx, req, a); err != nil {
		return view.Page{}, err
	}
	page := c.page(a)
	page.Title = fmt.Sprintf("%s is accepted until %s", a.Subject(), a.LastDay())
	page.Lead = fmt.Sprintf("It is missing on %s, and stays in all counts, marked as accepted.", view.Count(a.Devices(), "device"))
	if a.State == risk.Requested {
		page.Title = fmt.Sprintf("%s waits for a second person", a.Subject())
		page.Lead = "Nothing is accepted yet: another person has to approve it within 7 days. Post the request in the channel, or let them open the list of accepted risks."
	}
	left := c.left(ctx, a.KB, found.Beside)
	page.Lead = view.JoinSentences(page.Lead, triage.LeftWords(left))
	page.Actions = append(acceptToo(left, a.Software), page.Actions...)
	page.Note = view.JoinSentences(page.Note, found.Note)
	return page, nil
}

// acceptance builds what a line asks for and checks it against what is missing now. note is a hint for its page.
func (c command) acceptance(ctx context.Context, req commands.Request, w addRequest) (a risk.Acceptance, found commands.Missing, err error) {
	if n := len([]rune(w.reason)); n > maxReason {
		return a, found, &commands.Error{Usage: true, Field: "reason", Actions: help(), Message: fmt.Sprintf("The reason has %d characters; at most %d fit. Name the ticket that holds the rest.", n, maxReason)}
	}
	until, err := readUntil(w.until, c.Now())
	if err != nil {
		return a, found, err
	}
	found, err = commands.Lacking(ctx, c.Defender, c.Index, w.kb, w.software)
	if errors.Is(err, api.ErrPermission) {
		return a, found, fmt.Errorf("read where an update is missing: %w", err)
	}
	if err != nil {
		return a, found, err
	}
	a = risk.Acceptance{
		Tenant: c.register.Tenant, KB: w.kb, Software: w.software, Reason: redact.String(w.reason), By: req.User, At: c.Now(), Until: until,
		Listed: c.register.Listed(w.kb), State: risk.Accepted,
	}
	a.Rows, a.Name = risk.RowsOf(found.Rows, w.kb, w.software)
	if c.TwoPerson {
		a.State = risk.Requested
	}
	return a, found, nil
}

// save stores a new acceptance under a free ID.
func (c command) save(ctx context.Context, req commands.Request, a risk.Acceptance) (risk.Acceptance, error) {
	action := audit.ActionAccept
	if a.State == risk.Requested {
		action = audit.ActionAcceptRequest
	}
	var err error
	for attempt := 1; attempt <= 8; attempt++ {
		a.ID = c.NewID(attempt)
		if err = c.register.Add(ctx, a, c.audit(req, a, action)); !errors.Is(err, digest.ErrExists) {
			break
		}
	}
	if err != nil {
		return a, fmt.Errorf("accept a risk: %w", err)
	}
	return a, nil
}

// form returns a page that asks for what a line left out; where Slack allows it, as a modal.
func (c command) form(ctx context.Context, w addRequest) view.Page {
	label, in30 := catalog.Label(w.kb), c.Now().UTC().AddDate(0, 0, 30).Format(time.DateOnly)
	values := func(v string) []string {
		if v == "" {
			return nil
		}
		return []string{v}
	}
	until := values(w.until)
	if until == nil {
		until = []string{in30}
	}
	inside := c.contains(ctx, w)
	return view.Page{
		Title:   "Accept " + label + ": until when, and why?",
		Lead:    fmt.Sprintf(`Type the last day and the reason: accept %s --until %s --reason "why it stays missing"`, label, in30),
		Note:    inside,
		Actions: help(),
		Dialog: &view.Dialog{
			Title: "Accept " + label, Lead: inside, Submit: "Accept", Command: []string{Name, label},
			Fields: []view.Field{
				{Name: "until", Option: "until", Label: "Last day", Hint: "A date, or a span such as 30d or 6w; a year at most.", Kind: view.TextField, Required: true, Values: until},
				{Name: "reason", Option: "reason", Label: "Reason", Hint: "Why it stays missing. Others see it, and the audit keeps it.", Kind: view.TextField, Required: true, Values: values(w.reason)},
				{Name: "software", Option: "software", Label: "Only for one software", Hint: "Type a part of its name; empty for all software.", Kind: view.SoftwareField, Values: values(w.software)},
				{Name: "channel", Label: "Channel of the answer", Hint: "Without a channel the answer is a direct message from me.", Kind: view.ChannelField},
			},
		},
	}
}
