package commands

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/missingkbs/missingkbs/api"
	"github.com/missingkbs/missingkbs/commands/cmdline"
	"github.com/missingkbs/missingkbs/commands/search"
	"github.com/missingkbs/missingkbs/internal/catalog"
	"github.com/missingkbs/missingkbs/internal/digest"
	"github.com/missingkbs/missingkbs/internal/patchgap"
	"github.com/missingkbs/missingkbs/internal/product"
	"github.com/missingkbs/missingkbs/internal/view"
)

const (
	// kbSoftware is how many software ids are asked about one update, kbAtOnce how many at the same time. Each costs a
	// call of Defender unless its answer is cached.
	kbSoftware = 12
	kbAtOnce   = 4
)

// listing is where an update is missing.
type listing struct {
	rows   []patchgap.Row
	beside []patchgap.Row // these, and rows of other updates missing in the same software
	asked  int            // software ids asked about
	others int            // Microsoft's software ids not asked about
	failed []string       // why some could not be read
	asOf   view.AsOf
}

// note says what was not covered.
func (l listing) note() string {
	var notes []string
	if len(l.failed) > 0 {
		notes = append(notes, fmt.Sprintf("The bot could not check %d of %s: %s.", len(l.failed), softwareCount(l.asked), l.failed[0]))
	}
	if l.others > 0 {
		notes = append(notes, fmt.Sprintf("The bot checked the %s of Microsoft's that are most likely to lack it, and not the other %s.", softwareCount(l.asked), view.Thousands(l.others)))
	}
	return strings.Join(notes, " ")
}

// devices says on how many devices the update is missing.
func (l listing) devices(u patchgap.Update) string {
	words := view.Count(u.Devices, "device")
	if u.Shared() {
		words = "at least " + words
	}
	if n := len(u.Software()); n > 1 {
		words += fmt.Sprintf(", in %d software", n)
	}
	if n := len(u.Builds()); n > 1 {
		words += fmt.Sprintf(", on %d OS builds", n)
	}
	return words
}

// seen says since when digests have seen the update missing; "" if they have not. note says why that could not be read.
func (l listing) seen(ctx context.Context, h History) (words, note string) {
	if h == nil {
		return "", ""
	}
	var earliest patchgap.Seen
	for _, software := range l.software() {
		seen, err := h.FirstSeen(ctx, digest.DefaultTenant, software)
		if err != nil {
			return "", "The bot could not read now since when digests see it."
		}
		for key, s := range seen {
			if catalog.Label(key.KB) == catalog.Label(l.rows[0].KB) && (earliest.First.IsZero() || s.First.Before(earliest.First)) {
				earliest = s
			}
		}
	}
	if earliest.First.IsZero() {
		return "", ""
	}
	words = "Seen since " + earliest.First.UTC().Format(time.DateOnly)
	if earliest.Lower() {
		return words + ", when digests first read its software; it may be missing for longer.", ""
	}
	return words + ".", ""
}

// software returns the ids of the software that misses the update.
func (l listing) software() []string {
	var ids []string
	for _, r := range l.rows {
		if !slices.Contains(ids, r.Software) {
			ids = append(ids, r.Software)
		}
	}
	return ids
}

// table lists the software that misses the update, with buttons to its other updates and its device groups.
func (l listing) table(label string) view.Table {
	t := view.Table{
		Caption: "Software that lacks " + label,
		Columns: []view.Column{
			{Key: "name", Title: "Software"},
			{Key: "devices", Title: "Devices", Kind: view.Number},
			{Key: "cves", Title: "CVEs", Kind: view.Number},
			{Key: "details", Title: "Missing updates", Kind: view.Button},
			{Key: "by_group", Title: "Device groups", Kind: view.Button, Optional: true},
			{Key: "os_build", Title: "OS build"},
			{Key: "software", Title: "Id", Hidden: true},
		},
		CSV: []string{"software", "os_build", "devices", "cves", "details", "by_group", "name"},
	}
	t.Columns[5].Hidden = !slices.ContainsFunc(l.rows, func(r patchgap.Row) bool { return r.OSBuild != "" })
	slices.SortStableFunc(l.rows, func(a, b patchgap.Row) int {
		return cmp.Or(b.Devices-a.Devices, strings.Compare(a.Software, b.Software), strings.Compare(a.OSBuild, b.OSBuild))
	})
	for _, r := range l.rows {
		t.Rows = append(t.Rows, []view.Cell{
			view.TextCell(product.Name(r.Software, "")), view.NumberCell(r.Devices), view.NumberCell(r.CVEs),
			{Text: r.Software, Action: &view.Action{Label: "Show", Command: cmdline.Join(r.Software)}},
			{Text: r.Software, Action: &view.Action{Label: "Groups", Command: cmdline.Join(devicesName, r.Software)}},
			view.TextCell(r.OSBuild), view.TextCell(r.Software),
		})
	}
	return t
}

// listed finds the software that misses an update. Defender lists what a software misses, not the reverse, so it asks
// about the software named in the findings, the software that missed the update before and, if there is none,
// Microsoft's software with most exposed devices.
func (k kb) listed(ctx context.Context, q kbQuery, f api.Findings) (listing, error) {
	ids := k.index.Lacking(q.id)
	for _, p := range f.Products {
		if id := p.Vendor + cmdline.IDSeparator + p.Name; !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	var l listing
	if len(ids) == 0 || q.wide {
		found, err := find(ctx, k.index, k.defender, Request{}, nil)
		if err != nil {
			return listing{}, err
		}
		k.index.SortPatchable(found.Software)
		for _, s := range found.Software {
			if strings.HasPrefix(strings.ToLower(s.ID), search.Microsoft) && s.ExposedMachines > 0 && !slices.Contains(ids, s.ID) {
				ids = append(ids, s.ID)
			}
		}
	}
	l.others = max(0, len(ids)-kbSoftware)
	ids = ids[:min(len(ids), kbSoftware)]
	l.asked = len(ids)
	return l, k.ask(ctx, q, ids, &l)
}

// ask reads what each software misses and keeps the rows of the update. It only returns an error if the bot may not ask
// at all.
func (k kb) ask(ctx context.Context, q kbQuery, ids []string, l *listing) error {
	var mu sync.Mutex
	var denied error
	slots := make(chan struct{}, kbAtOnce)
	var all sync.WaitGroup
	for _, id := range ids {
		slots <- struct{}{}
		all.Go(func() {
			defer func() { <-slots }()
			answer, err := k.defender.MissingKBs(ctx, id, append(maxAge(q.fresh), api.ReadOnly())...)
			mu.Lock()
			defer mu.Unlock()
			switch {
			case errors.Is(err, api.ErrNotFound): // a product in the findings that is no software id
				return
			case errors.Is(err, api.ErrPermission):
				denied = err
				return
			case err != nil:
				l.failed = append(l.failed, Explain(err).Title)
				return
			}
			k.index.Note(id, answer.Value)
			l.asOf = Oldest(AsOf(answer), l.asOf)
			rows := Rows(id, answer.Value)
			mine := len(l.rows)
			for _, r := range rows {
				if r.KB == q.id {
					l.rows = append(l.rows, r)
				}
			}
			if len(l.rows) > mine {
				l.beside = append(l.beside, rows...)
			}
		})
	}
	all.Wait()
	return denied
}

// notListed is the error for an update that is not known to be missing anywhere. It says what was covered.
func notListed(label string, l listing, more string) error {
	message := "No software of this tenant was found that lacks it, so it may be installed everywhere, be contained in a newer one, or not apply here."
	switch {
	case len(l.failed) > 0:
		message = "The bot does not know whether any software lacks it."
	case !isKB(label):
		message = "KB numbers have six to eight digits, and this does not look like one."
	}
	e := &Error{
		Title:   "Nothing is known to lack " + label,
		Message: view.JoinSentences(message, l.note(), more),
		Actions: slices.Concat(
			[]view.Action{{Label: "Ask again", Command: cmdline.Join(kbName, label, "--fresh"), Effect: view.Replace}},
			waysToSoftware(), []view.Action{{Label: "Help", Command: HelpName}},
		),
	}
	if address := catalog.URL(strings.TrimPrefix(label, "KB"), ""); address != "" {
		e.Actions = append(e.Actions, view.Action{Label: "Catalog", URL: address})
	}
	return e
}

// Missing says where an update is missing.
type Missing struct {
	Rows   []patchgap.Row
	Beside []patchgap.Row // these, and those of the other updates of the same software
	Note   string         // what was not covered
}

// Lacking finds the rows of an update in the software that is likely to miss it, or in the given software. If nothing was
// covered, that is an error.
func Lacking(ctx context.Context, d Defender, idx *search.Index, number, software string) (Missing, error) {
	k := kb{defender: d, index: idx}
	q := kbQuery{id: number, wide: true}
	label := catalog.Label(number)
	var err error
	l := listing{asked: 1}
	if software == "" {
		found, failed := d.KBFindings(ctx, number)
		if failed != nil && ctx.Err() != nil {
			return Missing{}, ctx.Err()
		}
		l, err = k.listed(ctx, q, found.Value) // without findings it asks about the most exposed software
	} else {
		label += " in " + software
		err = k.ask(ctx, q, []string{software}, &l)
	}
	if err == nil && len(l.rows) == 0 {
		err = notListed(label, l, "")
	}
	return Missing{l.rows, l.beside, l.note()}, err
}
