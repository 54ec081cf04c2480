package commands

import (
	"context"
	"slices"
	"time"

	"github.com/missingkbs/missingkbs/commands/cmdline"
	"github.com/missingkbs/missingkbs/commands/search"
	"github.com/missingkbs/missingkbs/internal/digest"
	"github.com/missingkbs/missingkbs/internal/digest/schedule"
	"github.com/missingkbs/missingkbs/internal/view"
)

// HomeName is the command line of the start page.
const HomeName = "home"

// DigestName is the name of the command in package digestcmd.
const DigestName = "digest"

// HomeOptions are the optional contents of the start page. A nil field leaves its part out.
type HomeOptions struct {
	Digests interface { // returns the digests that a person owns
		Subscriptions(ctx context.Context, filter digest.SubscriptionFilter) ([]digest.Subscription, error)
	}
	Quota Quota // the start page leaves most of it to questions
}

// Home returns the command of the start page: the Microsoft software with missing updates, and the person's own
// digests. A part that cannot be read says so without affecting the others.
func Home(d Defender, idx *search.Index, o HomeOptions) Command {
	h := home{HomeOptions: o, defender: d, index: idx}
	return Command{
		Name:    HomeName,
		Summary: "the start page: software with missing updates, and your own digests",
		Run: func(ctx context.Context, req Request) (view.Page, error) {
			if err := RejectWords(HomeName, req.Words); err != nil {
				return view.Page{}, err
			}
			return h.page(ctx, req), nil
		},
	}
}

type home struct {
	HomeOptions
	defender Defender
	index    *search.Index
}

// page draws both parts; each adds itself or the reason why it is missing.
func (h home) page(ctx context.Context, req Request) view.Page {
	page := view.Page{
		Title: "Missing KBs",
		Lead:  "Which Microsoft updates are missing, and on how many devices, according to Microsoft Defender.",
		Actions: slices.Concat(
			[]view.Action{{Label: "Reload", Command: HomeName, Effect: view.Replace}}, waysToSoftware(), []view.Action{{Label: "Help", Command: HelpName}},
		),
	}
	h.software(ctx, req, &page)
	h.digests(ctx, req, &page)
	return page
}

// digests adds the digests that the person owns, in any channel.
func (h home) digests(ctx context.Context, req Request, page *view.Page) {
	if h.Digests == nil || req.User == "" {
		return
	}
	all, err := h.Digests.Subscriptions(ctx, digest.SubscriptionFilter{Tenant: digest.DefaultTenant})
	if err != nil {
		value := "could not be read now"
		if digest.TroubleOf(err) != "" {
			value += ": " + Explain(err).Title
		}
		page.Parts = append(page.Parts, view.Facts{{Name: "Your digests", Value: value}})
		return
	}
	own := slices.DeleteFunc(all, func(s digest.Subscription) bool { return !s.OwnedBy(req.User) })
	if len(own) == 0 {
		page.Parts = append(page.Parts, view.Facts{{
			Name: "Your digests", Value: `none yet. Type in a channel, for example: digest add microsoft-_-windows_11 --at "mon 09:00"`,
		}})
		return
	}
	t := view.Table{
		Caption: "The digests you made",
		Columns: []view.Column{
			{Key: "digest", Title: "Digest"},
			{Key: "watches", Title: "Watches"},
			{Key: "when", Title: "When"},
			{Key: "next", Title: "Next"},
			{Key: "show", Title: "Settings", Kind: view.Button},
		},
	}
	for _, s := range own {
		t.Rows = append(t.Rows, []view.Cell{
			view.TextCell(s.ID), view.TextCell(s.Name()), view.TextCell(schedule.Describe(s.Schedule)), view.TextCell(s.NextWords(time.Now())),
			{Text: s.ID, Action: &view.Action{Label: "Show", Command: cmdline.Join(DigestName, "show", s.ID)}},
		})
	}
	page.Parts = append(page.Parts, t)
}
