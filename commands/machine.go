package commands

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/missingkbs/missingkbs/api"
	"github.com/missingkbs/missingkbs/commands/cmdline"
	"github.com/missingkbs/missingkbs/commands/search"
	"github.com/missingkbs/missingkbs/internal/audit"
	"github.com/missingkbs/missingkbs/internal/catalog"
	"github.com/missingkbs/missingkbs/internal/month"
	"github.com/missingkbs/missingkbs/internal/patchgap"
	"github.com/missingkbs/missingkbs/internal/view"
)

const (
	machineName  = audit.ActionMachine
	machineUsage = "<name or id> [--exploited] [--all] [--page N]"
)

// Machine returns the command about one device: its facts, when it was last seen, and its missing updates.
func Machine(d Defender, now func() time.Time, opts ...Option) Command {
	return Command{
		Name:    machineName,
		Usage:   machineUsage,
		Summary: "one device: its operating system, when it last reported, and its missing updates, exploited first, then oldest first",
		Help: []view.Fact{
			{Name: "Names", Value: "the full name or its beginning; if several devices match, you choose one"},
			{Name: "--exploited", Value: "only updates that fix vulnerabilities known to be exploited, according to CISA and MSRC"},
			{Name: "--all", Value: "every row as Defender returned it; otherwise an update contained in a newer one is folded into it"},
			{Name: "Example", Value: "machine web-01"},
		},
		Audited: true,
		Run:     machine{d, now, knownBy(opts)}.run,
	}
}

type machine struct {
	defender Defender
	now      func() time.Time
	known    known
}

// device is what is known about a device: everything with the permission to read devices, otherwise what other lists
// mention.
type device struct {
	api.Machine
	whole bool // all fields are known, not just those of a reference
}

// run parses the line and answers about the device, or lists those with a similar name.
func (m machine) run(ctx context.Context, req Request) (view.Page, error) {
	q := query{sort: sortFirst}
	o := cmdline.NewOptions(machineName+" "+machineUsage, machineName)
	o.BoolVar(&q.exploited, sortFirst, false, "")
	o.BoolVar(&q.allRows, allRows, false, "")
	o.Var(cmdline.Number(&q.page, 1), "page", "")
	o.Fresh(&q.fresh)
	words, err := o.ReadWords(req.Words)
	if err != nil {
		return view.Page{}, err
	}
	if !req.Exact {
		words = cmdline.DeviceNames(words)
	}
	if strings.TrimSpace(strings.Join(words, "")) == "" {
		return view.Page{}, &Error{Usage: true, Message: "Which device? Type its name or the beginning of it, for example: machine web-01"}
	}
	var more supplement
	names, found, err := m.findAny(ctx, words, q.fresh, &more)
	switch {
	case errors.Is(err, api.ErrPermission):
		_ = more.lacks(err, softwareRole, "the updates that it lacks")
		return view.Page{Title: strings.Join(words, " "), Lead: "The bot may not ask Defender about devices.", Note: more.note()}, nil
	case err != nil:
		return view.Page{}, err
	}
	switch len(found) {
	case 0:
		return view.Page{}, noDevice(names, more.note())
	case 1:
		return m.about(ctx, found[0], q, &more)
	}
	page := chooseDevice(names, q.page, found)
	page.Note = more.note()
	return page, nil
}

// about returns the page of a device.
func (m machine) about(ctx context.Context, d device, q query, more *supplement) (view.Page, error) {
	page := view.Page{
		Title:   d.name(),
		Actions: []view.Action{{Label: "Refresh", Command: d.line(q, "--fresh"), Effect: view.Replace}},
	}
	if facts := m.facts(d); len(facts) > 0 {
		page.Parts = append(page.Parts, facts)
	}
	answer, err := retryNotFound(ctx, func(opts ...api.CallOption) (api.Answer[[]api.MissingKB], error) {
		return m.defender.MachineMissingKBs(ctx, d.ID, append(maxAge(q.fresh), opts...)...)
	})
	if err != nil && !d.whole && !errors.Is(err, api.ErrPermission) {
		return view.Page{}, fmt.Errorf("read missing KBs: %w", err)
	}
	if more.lacks(err, softwareRole, "the updates that it lacks") {
		page.Lead = "The bot does not know which updates it lacks."
		page.Note = more.note()
		return page, nil
	}
	page.AsOf, page.Unreadable = AsOf(answer), answer.Skipped
	feeds := m.known.advisories()
	rows := machineRows(answer.Value)
	marks, note := m.known.marks(ctx, rows)
	updates := patchgap.Updates(rows)
	slices.SortStableFunc(updates, olderFirst)
	missing := machineLead(updates, answer.Skipped)
	l := newList(feeds, q, updates)
	l.marks, l.accepts = marks, m.known.accepted != nil
	if f, ok := m.known.ages(ctx, productsOf(answer.Value)...); ok {
		l.age(f.Anywhere(rows), q)
	}
	l.order(func(some []patchgap.Update) {
		l.Sort(some, q.allRows)
		if l.overdue() {
			l.ages.Sort(some, l.rank(q))
		}
	})
	fold := ""
	if !q.allRows {
		fold = l.FoldWords()
	}
	page.Lead = view.JoinSentences(l.noData(q), l.Words(false), l.ages.Words(l.listed(q)), missing, sentence(marks.Words(updates)), l.hiddenWords(), fold)
	page.Context = l.context(feeds, q, m.known.now())
	if len(updates) > 0 {
		page.Parts = append(page.Parts, machineTable(d, q, l))
		page.Actions = append(page.Actions, d.otherRows(q, l)...)
		page.Actions = append(page.Actions, view.Copies(d.line(q))...)
	}
	page.Note = view.JoinSentences(note, more.note())
	return page, nil
}

// line returns the command line of the page of a device.
func (d device) line(q query, more ...string) string {
	words := []string{machineName, d.ID}
	if q.exploited {
		words = append(words, "--"+sortFirst)
	}
	if q.allRows {
		words = append(words, "--"+allRows)
	}
	return cmdline.Join(append(words, more...)...)
}

// otherRows returns the buttons for what the page leaves out.
func (d device) otherRows(q query, l list) []view.Action {
	var actions []view.Action
	if len(l.gap.Hidden) > 0 {
		actions = append(actions, view.Action{Label: "Show all", Command: d.line(query{allRows: q.allRows}), Effect: view.Replace})
	}
	if label := q.otherLabel(l); label != "" {
		q.allRows = !q.allRows
		actions = append(actions, view.Action{Label: label, Command: d.line(q), Effect: view.Replace})
	}
	return actions
}

func (d device) name() string { return cmp.Or(d.ComputerDNSName, "Device "+d.ID) }

// machineLead sums up how many updates are missing and how old the oldest is.
func machineLead(updates []patchgap.Update, skipped int) string {
	switch {
	case len(updates) == 0 && skipped > 0:
		return noneRead(skipped)
	case len(updates) == 0:
		return "It lacks no update that Defender lists."
	}
	lead := "It lacks " + view.Count(len(updates), "update")
	if at, ok := month.Of(updates[0].Name()); ok {
		lead += ", the oldest of " + at.Format("January 2006")
	}
	if skipped > 0 {
		lead += "; " + CouldNotRead(skipped) + ", so more may be missing"
	}
	return lead + "."
}

// olderFirst sorts updates by the month in their names, those without one last, then by number.
func olderFirst(a, b patchgap.Update) int {
	x, dated := month.Of(a.Name())
	y, otherDated := month.Of(b.Name())
	switch {
	case dated && !otherDated:
		return -1
	case otherDated && !dated:
		return 1
	}
	return cmp.Or(x.Compare(y), b.CompareKB(a))
}

// facts lists Defender's facts on a device, as far as they are known.
func (m machine) facts(d device) view.Facts {
	build := d.OSBuild
	if build != "" && d.Version != "" {
		build = d.Version + " (build " + build + ")"
	}
	facts := view.Facts{
		{Name: "System", Value: d.OSPlatform},
		{Name: "Version", Value: cmp.Or(build, d.Version)},
		{Name: "Device group", Value: group(d.RBACGroupName)},
		{Name: "Health", Value: d.HealthStatus},
		{Name: "Exposure", Value: d.ExposureLevel},
		{Name: "Tags", Value: strings.Join(d.MachineTags, ", ")},
	}
	if !d.LastSeen.IsZero() {
		seen := d.LastSeen.Format("2006-01-02 15:04 UTC")
		if silent := m.now().Sub(d.LastSeen); silent >= inactiveAfter {
			seen += fmt.Sprintf(", silent for %s days", strconv.Itoa(int(silent.Hours()/24)))
		}
		facts = append(facts, view.Fact{Name: "Last full report", Value: seen})
	}
	return slices.DeleteFunc(facts, func(f view.Fact) bool { return f.Value == "" })
}

// machineRows converts a device's missing updates to rows. Defender names the products of each; a single one becomes
// the row's software.
func machineRows(kbs []api.MissingKB) []patchgap.Row {
	rows := Rows("", kbs)
	for i, kb := range kbs {
		if len(kb.ProductsNames) == 1 {
			rows[i].Software = search.Microsoft + kb.ProductsNames[0]
		}
	}
	return rows
}

// maxProducts bounds the products of a device for which first sightings are read.
const maxProducts = 25

// productsOf returns the software ids of the products that a device's updates are for.
func productsOf(kbs []api.MissingKB) []string {
	var ids []string
	for _, kb := range kbs {
		for _, p := range kb.ProductsNames {
			if id := search.Microsoft + p; !slices.Contains(ids, id) && len(ids) < maxProducts {
				ids = append(ids, id)
			}
		}
	}
	return ids
}

// machineTable lists the missing updates of a device.
func machineTable(d device, q query, l list) view.Table {
	t := view.Table{Caption: "Updates that " + d.name() + " lacks", Page: q.page, Command: d.line(q)}
	t.CSV = []string{"kb", "cves", "details", "name", "url"} // scripts read these files, so the columns must not change
	shown, folded := l.Install, l.Folded
	if q.allRows {
		shown, folded = patchgap.EachRow(l.gap.Shown), nil
	}
	extra := l.columns(shown, q)
	t.Columns = append(t.Columns, view.Column{Key: "kb", Title: "KB"}, view.Column{Key: "cves", Title: "CVEs", Kind: view.Number},
		view.Column{Key: "details", Title: "Details", Kind: view.Button}, view.Column{Key: "name", Title: "Update"}, view.Column{Key: "url", Title: "Catalog", Kind: view.Button})
	for _, e := range extra {
		t.Columns = append(t.Columns, e.Column)
		if !e.JSONOnly {
			t.CSV = append(t.CSV, e.Key)
		}
	}
	row := func(u patchgap.Update) []view.Cell {
		details := view.TextCell("")
		if u.KB() != "" {
			details = detailsButton(kbName, u.KB())
		}
		cells := []view.Cell{view.TextCell(catalog.Label(u.KB())), view.NumberCell(u.CVEs), details, view.TextCell(u.Name()), catalogButton(u.KB())}
		for _, e := range extra {
			cells = append(cells, e.Cell(u))
		}
		return cells
	}
	for _, u := range shown {
		t.Rows = append(t.Rows, row(u))
	}
	if len(folded) > 0 {
		t.Folded = view.LazyRows{Count: len(folded), Make: func(i int) []view.Cell { return row(folded[i]) }}
	}
	return t
}
