package commands

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/missingkbs/missingkbs/api"
	"github.com/missingkbs/missingkbs/internal/digest"
	"github.com/missingkbs/missingkbs/internal/view"
)

// HomeName is the command line that makes the first page.
const HomeName = "home"

// homeSoftware is how many of the most exposed software ids the first page shows.
const homeSoftware = 10

// HomeOptions are what the first page tells of beside the software of the tenant. A nil field leaves its part out.
type HomeOptions struct {
	Digests interface { // whose digests a person made
		Subscriptions(ctx context.Context, filter digest.SubscriptionFilter) ([]digest.Subscription, error)
	}
	Quota interface { // how much may still be asked of Defender; *[api.Client] tells
		Quota(ctx context.Context) api.Quota
	}
}

// Home is the command that makes the first page: what is most exposed, the digests that the person made, and how much
// of Defender's quota is left. A part that cannot be read says so and does not take the others with it.
func Home(d Defender, idx *Index, o HomeOptions) Command {
	h := home{HomeOptions: o, defender: d, index: idx}
	return Command{
		Name:    HomeName,
		Summary: "the first page: the most exposed software, your own digests, and how much may still be asked of Defender",
		Run: func(ctx context.Context, req Request) (view.Page, error) {
			if err := noWords(HomeName, req.Words); err != nil {
				return view.Page{}, err
			}
			return h.page(ctx, req), nil
		},
	}
}

type home struct {
	HomeOptions
	defender Defender
	index    *Index
}

func (h home) page(ctx context.Context, req Request) view.Page {
	page := view.Page{
		Title: "Missing KBs",
		Lead:  "Which security updates your software lacks, on how many devices, as Microsoft Defender knows it.",
		Actions: []view.Action{
			{Label: "Reload", Command: HomeName, Effect: view.Replace},
			{Label: "All software", Command: Line(searchName)},
			{Label: "Help", Command: helpName},
		},
	}
	h.software(ctx, req, &page)
	h.digests(ctx, req, &page)
	if h.Quota != nil {
		page.Parts = append(page.Parts, quotaFacts(h.Quota.Quota(ctx), time.Now()))
	}
	return page
}

// quotaFacts say how much may still be asked of Defender.
func quotaFacts(q api.Quota, now time.Time) view.Facts {
	var left []string
	for _, w := range []struct {
		api.Window
		name string
	}{{q.Minute, "minute"}, {q.Hour, "hour"}} {
		if w.Limit > 0 {
			left = append(left, fmt.Sprintf("%s of %s this %s", view.Thousands(w.Left), view.Thousands(w.Limit), w.name))
		}
	}
	value := strings.Join(left, ", ")
	switch {
	case len(left) == 0:
		value = "not limited"
	case q.Shared:
		value += ", shared by all replicas"
	}
	facts := view.Facts{{Name: "Defender calls left", Value: value}}
	if wait := q.Next.Sub(now); wait > time.Second {
		facts = append(facts, view.Fact{Name: "Next call", Value: "in " + view.Age(wait) + "; until then stored answers are shown"})
	}
	return facts
}

// software adds the software that exposes most devices.
func (h home) software(ctx context.Context, req Request, page *view.Page) {
	found, err := h.index.find(ctx, h.defender, req, nil)
	if err != nil {
		page.Parts = append(page.Parts, view.Facts{{Name: "Software", Value: Explain(err).Title + "."}})
		return
	}
	page.AsOf = found.asOf
	rest := len(found.software) - homeSoftware
	found.software = found.software[:min(len(found.software), homeSoftware)]
	if page.Unreadable = found.skipped; found.skipped > 0 {
		page.Parts = append(page.Parts, view.Facts{{Name: "Software list", Value: couldNotRead(found.skipped) + ", so there may be more"}})
	}
	t := softwareTable(nil, found)
	t.Caption = "The software that exposes most devices"
	page.Parts = append(page.Parts, t)
	if rest > 0 {
		page.Note = fmt.Sprintf("The %s that expose most devices; %s more under All software.", softwareCount(len(t.Rows)), view.Thousands(rest))
	}
}

// digests adds the digests that the person made, in whatever channel.
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
	own := slices.DeleteFunc(all, func(s digest.Subscription) bool { return !ownsDigest(s, req) })
	if len(own) == 0 {
		page.Parts = append(page.Parts, view.Facts{{
			Name: "Your digests", Value: `none yet. In the channel that is to be told, type for example: digest add microsoft-_-windows_11 --at "mon 09:00"`,
		}})
		return
	}
	t := view.Table{
		Caption: "The digests you made",
		Columns: []view.Column{
			{Key: "digest", Title: "Digest"},
			{Key: "watches", Title: "Watches"},
			{Key: "when", Title: "When"},
			{Key: "state", Title: "State"},
			{Key: "show", Title: "Settings", Kind: view.Button},
		},
	}
	for _, s := range own {
		t.Rows = append(t.Rows, []view.Cell{
			view.TextCell(s.ID), view.TextCell(digestScope(s)), view.TextCell(digest.Describe(s.Schedule)), view.TextCell(digestState(s)),
			{Text: s.ID, Action: &view.Action{Label: "Show", Command: Line(digestName, "show", s.ID)}},
		})
	}
	page.Parts = append(page.Parts, t)
}

func digestState(s digest.Subscription) string {
	switch {
	case s.Paused && s.PauseReason != "":
		return "paused: " + s.PauseReason
	case s.Paused:
		return "paused"
	}
	return "next " + digestMoment(s, s.NextRun)
}
