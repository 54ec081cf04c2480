package commands

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/missingkbs/missingkbs/api"
	"github.com/missingkbs/missingkbs/commands/cmdline"
	"github.com/missingkbs/missingkbs/internal/patchgap"
	"github.com/missingkbs/missingkbs/internal/product"
	"github.com/missingkbs/missingkbs/internal/view"
)

const (
	homeSoftware = 10              // rows of the start page
	homeRead     = 14              // software ids whose missing KBs are read: some have none
	homeParallel = 4               // concurrent calls
	homeTime     = 4 * time.Second // time limit for reading; later answers appear after a reload
)

// microsoftVendor is Defender's name of the only vendor whose updates have KB numbers.
const microsoftVendor = "microsoft"

// reading is what the start page knows about one software.
type reading struct {
	software api.Software
	updates  []patchgap.Update
	asOf     view.AsOf
	err      error
}

// software adds the Microsoft software with missing updates, largest gap first. Other vendors' software has no KBs, so
// it is left out no matter how many devices it exposes.
func (h home) software(ctx context.Context, req Request, page *view.Page) {
	found, err := find(ctx, h.index, h.defender, req, nil)
	if err != nil {
		page.Parts = append(page.Parts, view.Facts{{Name: "Software", Value: Explain(err).Title + "."}})
		return
	}
	page.AsOf = AsOf(found.List)
	if page.Unreadable = found.List.Skipped; found.List.Skipped > 0 {
		page.Parts = append(page.Parts, view.Facts{{Name: "Software list", Value: CouldNotRead(found.List.Skipped) + ", so there may be more"}})
	}
	candidates := slices.DeleteFunc(found.Software, func(s api.Software) bool {
		return s.Vendor != microsoftVendor || s.ExposedMachines == 0 || s.Weaknesses == 0
	})
	read := h.read(ctx, candidates[:min(len(candidates), homeRead)])
	table, failed := homeTable(read, page)
	switch {
	case len(table.Rows) > 0:
		page.Parts = append(page.Parts, table)
	case len(failed) == 0 && len(read) == len(candidates):
		page.Parts = append(page.Parts, view.Facts{{Name: "Software", Value: "no Microsoft software with weaknesses lacks an update"}})
	case len(failed) == 0:
		page.Parts = append(page.Parts, view.Facts{{Name: "Software", Value: "the most exposed Microsoft software lacks no update; the rest is under All software"}})
	}
	if len(failed) > 0 {
		page.Parts = append(page.Parts, view.Facts{{
			Name: "Not read", Value: strings.Join(failed, ", ") + ": " + Explain(firstError(read)).Title + ". Reload asks again.",
		}})
	}
	if rest := len(candidates) - len(read); rest > 0 {
		page.Note = "Of the " + view.Thousands(len(candidates)) + " Microsoft software ids with weaknesses the " + view.Thousands(len(read)) +
			" that expose most devices were read; the rest is under All software."
	}
}

// read reads what is missing, within homeTime and at most half of the quota: questions need it more.
func (h home) read(ctx context.Context, some []api.Software) []reading {
	if h.Quota != nil {
		if minute := h.Quota.Quota(ctx).Minute; minute.Limit > 0 {
			some = some[:min(len(some), max(minute.Left/2, 1))]
		}
	}
	ctx, cancel := context.WithTimeout(ctx, homeTime)
	defer cancel()
	var g errgroup.Group
	g.SetLimit(homeParallel)
	all := make([]reading, len(some))
	for i, s := range some {
		g.Go(func() error {
			answer, err := h.defender.MissingKBs(ctx, s.ID, api.ReadOnly())
			all[i] = reading{software: s, updates: patchgap.Updates(Rows(s.ID, answer.Value)), asOf: AsOf(answer), err: err}
			return nil
		})
	}
	_ = g.Wait() // each error is stored with its software
	return all
}

// homeTable lists software with missing updates, and names what could not be read. The page is as old as its oldest
// answer.
func homeTable(read []reading, page *view.Page) (t view.Table, failed []string) {
	t = view.Table{
		Caption: "Microsoft software with missing updates",
		Columns: []view.Column{
			{Key: "name", Title: "Software"},
			{Key: "updates", Title: "Missing updates", Kind: view.Number},
			{Key: "devices", Title: "Largest gap, devices", Kind: view.Number},
			{Key: "ask", Title: "Show", Kind: view.Button},
			{Key: "software", Title: "Id", Hidden: true},
		},
		CSV: []string{"software", "updates", "devices", "ask", "name"},
	}
	slices.SortStableFunc(read, func(a, b reading) int {
		return cmp.Or(cmp.Compare(largestGap(b.updates), largestGap(a.updates)), cmp.Compare(len(b.updates), len(a.updates)))
	})
	for _, r := range read {
		if r.err != nil {
			failed = append(failed, product.Name(r.software.ID, r.software.Name))
			continue
		}
		if r.asOf.Age > page.AsOf.Age {
			page.AsOf = r.asOf
		}
		if len(r.updates) > 0 && len(t.Rows) < homeSoftware {
			t.Rows = append(t.Rows, []view.Cell{
				view.TextCell(product.Name(r.software.ID, r.software.Name)), view.NumberCell(len(r.updates)), view.NumberCell(largestGap(r.updates)),
				{Text: r.software.ID, Action: &view.Action{Label: "Show", Command: cmdline.Join(r.software.ID)}},
				view.TextCell(r.software.ID),
			})
		}
	}
	return t, failed
}

// largestGap returns the number of devices of the most widely missing update.
func largestGap(updates []patchgap.Update) int {
	if len(updates) == 0 {
		return 0
	}
	return updates[0].Devices
}

func firstError(read []reading) error {
	i := slices.IndexFunc(read, func(r reading) bool { return r.err != nil })
	return read[i].err
}
