package riskcmd

import (
	"context"
	"errors"
	"fmt"

	"github.com/missingkbs/missingkbs/commands"
	"github.com/missingkbs/missingkbs/commands/cmdline"
	"github.com/missingkbs/missingkbs/internal/audit"
	"github.com/missingkbs/missingkbs/internal/catalog"
	"github.com/missingkbs/missingkbs/internal/risk"
	"github.com/missingkbs/missingkbs/internal/view"
)

// approve lets a second person approve a request. The person who asked cannot.
func (c command) approve(ctx context.Context, req commands.Request) (view.Page, error) {
	if err := onlyInSlack(req); err != nil {
		return view.Page{}, err
	}
	a, err := c.find(ctx, req.Words, approveUsage)
	switch {
	case err != nil:
		return view.Page{}, err
	case a.State != risk.Requested:
		return view.Page{}, changed(a)
	case a.By == req.User:
		return view.Page{}, &commands.Error{
			Title: "Another person has to approve it", Refused: false, Actions: help(),
			Message: "You asked for it yourself. Where MISSINGKBS_TWO_PERSON is set, two persons accept a risk. Nothing was changed.",
		}
	}
	a.Approver = req.User
	err = c.register.Approve(ctx, a, c.audit(req, a, audit.ActionAcceptApprove))
	if errors.Is(err, risk.ErrChanged) {
		return view.Page{}, changed(a)
	}
	if err != nil {
		return view.Page{}, fmt.Errorf("approve an accepted risk: %w", err)
	}
	a.State = risk.Accepted
	page := c.page(a)
	page.Title = fmt.Sprintf("%s is accepted until %s", a.Subject(), a.LastDay())
	page.Lead = "Approved. It stays in all counts, marked as accepted."
	return page, nil
}

// changed returns the error for a decision that came too late.
func changed(a risk.Acceptance) error {
	message := "Another person was faster. Nothing was changed."
	switch a.State {
	case risk.Ended:
		message = fmt.Sprintf("It ended on %s: %s. Nothing was changed.", a.Ended.UTC().Format("2 Jan 2006"), a.Why())
	case risk.Accepted:
		message = fmt.Sprintf("It is accepted already, until %s. Nothing was changed.", a.LastDay())
	}
	return &commands.Error{Title: "Nothing waits for approval", Message: message, Actions: help()}
}

// end ends the acceptances of an update, or declines a request.
func (c command) end(ctx context.Context, req commands.Request) (view.Page, error) {
	software := ""
	o := cmdline.NewOptions(endUsage, Name, endWord)
	o.StringVar(&software, "software", "", "")
	words, err := o.ReadWords(req.Words)
	if err != nil {
		return view.Page{}, err
	}
	kb := kbNumber(words)
	if kb == "" {
		return view.Page{}, &commands.Error{Usage: true, Message: "Which update? Type its KB number: " + endUsage, Actions: help()}
	}
	if err := onlyInSlack(req); err != nil {
		return view.Page{}, err
	}
	all, err := c.register.Open(ctx)
	if err != nil {
		return view.Page{}, err
	}
	var of, open []risk.Acceptance
	for _, a := range all {
		if a.KB != kb || a.State == risk.Ended {
			continue
		}
		of = append(of, a)
		if a.Software == software {
			open = append(open, a)
		}
	}
	if len(open) == 0 {
		return view.Page{}, nothingToEnd(kb, of)
	}
	return c.endAll(ctx, req, open)
}

// nothingToEnd returns the error for an update that is not accepted, or only for other software.
func nothingToEnd(kb string, others []risk.Acceptance) error {
	e := &commands.Error{Title: "Nothing to end", Message: catalog.Label(kb) + " is not accepted. Nothing was changed.", Actions: help()}
	if len(others) > 0 {
		e.Message = catalog.Label(kb) + " is accepted, but not for that. Which one?"
		e.Actions = nil
		for _, a := range others[:min(commands.MaxSuggestions, len(others))] {
			e.Actions = append(e.Actions, view.Action{Label: "End " + a.Subject(), Command: line(endWord, a)})
		}
	}
	return e
}

// endAll ends everything open about one update and software: an acceptance, a request, or both.
func (c command) endAll(ctx context.Context, req commands.Request, open []risk.Acceptance) (view.Page, error) {
	ended := 0
	for _, a := range open {
		a.State, a.Ended, a.End, a.Detail = risk.Ended, c.Now(), risk.ByPerson, req.User
		err := c.register.End(ctx, a, c.audit(req, a, audit.ActionAcceptEnd))
		switch {
		case err == nil:
			ended++
		case !errors.Is(err, risk.ErrChanged):
			return view.Page{}, fmt.Errorf("end an accepted risk: %w", err)
		}
	}
	if ended == 0 {
		return view.Page{}, nothingToEnd(open[0].KB, nil)
	}
	lead := "It counts like every other missing update again."
	if open[0].State == risk.Requested {
		lead = "The request is declined, and nothing is accepted."
	}
	return view.Page{
		Title:   open[0].Subject() + " is no longer accepted",
		Lead:    lead,
		Actions: []view.Action{{Label: "Show the update", Command: cmdline.Join("kb", catalog.Label(open[0].KB))}, {Label: "Accepted risks", Command: cmdline.Join(Name, listWord)}},
	}, nil
}
