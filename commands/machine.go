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
	"github.com/missingkbs/missingkbs/internal/risk"
	"github.com/missingkbs/missingkbs/internal/view"
)

const (
	machineName  = audit.ActionMachine
	machineUsage = "<name or id> [--page N]"
)

// Machine is the command that tells about one device: what it is, when it was seen, and which updates it lacks.
func Machine(d Defender, now func() time.Time, opts ...Option) Command {
	return Command{
		Name:    machineName,
		Usage:   machineUsage,
		Summary: "one device: its system, when it was seen last, the updates it lacks, the oldest first",
		Help: []view.Fact{
			{Name: "Names", Value: "in full or their beginning; where several devices fit, choose one"},
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

// device is what is known of one device: with the permission to ask for devices all, else what lists of others tell.
type device struct {
	api.Machine
	whole bool // all fields are known, not only those of a reference
}

func (m machine) run(ctx context.Context, req Request) (view.Page, error) {
	page, fresh := 0, false
	o := cmdline.NewOptions(machineName+" "+machineUsage, machineName)
	o.Var(cmdline.Number(&page, 1), "page", "")
	o.Fresh(&fresh)
	words, err := o.ReadWords(req.Words)
	if err != nil {
		return view.Page{}, err
	}
	name := strings.Join(words, " ")
	if strings.TrimSpace(name) == "" {
		return view.Page{}, &Error{Usage: true, Message: "Which device? Type its name or the beginning of it, for example: machine web-01"}
	}
	var more supplement
	found, err := m.find(ctx, name, fresh, &more)
	switch {
	case errors.Is(err, api.ErrPermission):
		_ = more.lacks(err, softwareRole, "the updates that it lacks")
		return view.Page{Title: name, Lead: "The bot may not ask Defender about devices.", Note: more.note()}, nil
	case err != nil:
		return view.Page{}, err
	}
	switch len(found) {
	case 0:
		return view.Page{}, noDevice(name, more.note())
	case 1:
		return m.about(ctx, found[0], page, fresh, &more)
	}
	return chooseDevice(name, page, found), nil
}

// chooseDevice lists the devices that fit.
func chooseDevice(name string, page int, found []device) view.Page {
	refs := make([]api.MachineReference, len(found))
	for i, d := range found {
		refs[i] = api.MachineReference{ID: d.ID, ComputerDNSName: d.ComputerDNSName, OSPlatform: d.OSPlatform, RBACGroupName: d.RBACGroupName}
	}
	line := cmdline.Join(machineName, name)
	return view.Page{
		Title:   fmt.Sprintf("Devices whose name begins with %q", name),
		Lead:    view.Count(len(found), "device") + " found. Choose one.",
		Parts:   []view.Part{deviceTable("Devices found", line, page, byName(refs))},
		Actions: view.Files(line),
	}
}

// about is the page of a device.
func (m machine) about(ctx context.Context, d device, at int, fresh bool, more *supplement) (view.Page, error) {
	page := view.Page{
		Title:   d.name(),
		Actions: []view.Action{{Label: "Refresh", Command: cmdline.Join(machineName, d.ID, "--fresh"), Effect: view.Replace}},
	}
	if facts := m.facts(d); len(facts) > 0 {
		page.Parts = append(page.Parts, facts)
	}
	answer, err := retryNotFound(ctx, func(opts ...api.CallOption) (api.Answer[[]api.MissingKB], error) {
		return m.defender.MachineMissingKBs(ctx, d.ID, append(maxAge(fresh), opts...)...)
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
	rows := machineRows(answer.Value)
	marks, note := m.known.marks(ctx, rows)
	updates := patchgap.Updates(rows)
	slices.SortStableFunc(updates, olderFirst)
	page.Lead = view.JoinSentences(machineLead(updates, answer.Skipped), sentence(marks.Words(updates)))
	if len(updates) > 0 {
		page.Parts = append(page.Parts, m.table(d, at, updates, marks))
		page.Actions = append(page.Actions, view.Files(cmdline.Join(machineName, d.ID))...)
	}
	page.Note = view.JoinSentences(note, more.note())
	return page, nil
}

func (d device) name() string { return cmp.Or(d.ComputerDNSName, "Device "+d.ID) }

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

// olderFirst orders updates by the month of their names, those without one last, then by number.
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

// facts are what Defender says of a device, as far as it does.
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

// machineRows are the updates that a device lacks. Defender names the products of each; where that is one, it is the
// software of the row.
func machineRows(kbs []api.MissingKB) []patchgap.Row {
	rows := Rows("", kbs)
	for i, kb := range kbs {
		if len(kb.ProductsNames) == 1 {
			rows[i].Software = search.Microsoft + kb.ProductsNames[0]
		}
	}
	return rows
}

func (m machine) table(d device, at int, updates []patchgap.Update, marks risk.Marks) view.Table {
	t := view.Table{
		Caption: "Updates that " + d.name() + " lacks",
		Columns: []view.Column{
			{Key: "kb", Title: "KB"},
			{Key: "cves", Title: "CVEs", Kind: view.Number},
			{Key: "details", Title: "Details", Kind: view.Button},
			{Key: "name", Title: "Update"},
			{Key: "url", Title: "Catalog", Kind: view.Button},
		},
		Page: at, Command: cmdline.Join(machineName, d.ID),
	}
	accepted := marks.Column(updates)
	if m.known.accepted != nil {
		t.Columns = append(t.Columns, accepted.Column)
	}
	for _, u := range updates {
		row := []view.Cell{view.TextCell(catalog.Label(u.KB())), view.NumberCell(u.CVEs), view.TextCell(""), view.TextCell(u.Name()), catalogButton(u.KB())}
		if m.known.accepted != nil {
			row = append(row, accepted.Cell(u))
		}
		if u.KB() != "" {
			row[2] = detailsButton(kbName, u.KB())
		}
		t.Rows = append(t.Rows, row)
	}
	return t
}
