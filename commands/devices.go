package commands

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/missingkbs/missingkbs/api"
	"github.com/missingkbs/missingkbs/commands/cmdline"
	"github.com/missingkbs/missingkbs/commands/search"
	"github.com/missingkbs/missingkbs/internal/product"
	"github.com/missingkbs/missingkbs/internal/view"
)

const (
	devicesName  = "devices"
	devicesUsage = "<software> [--list] [--group NAME] [--page N]"

	// Defender calls a device inactive after a week without a report, and counts it for 30 days.
	// https://learn.microsoft.com/defender-vulnerability-management/retention-logic-mdvm
	inactiveAfter = 7 * 24 * time.Hour
	goneAfter     = 30 * 24 * time.Hour
)

// Devices returns the command about the devices that have a software: by device group, and how many are inactive.
func Devices(d Defender, idx *search.Index, now func() time.Time) Command {
	return Command{
		Name:    devicesName,
		Usage:   devicesUsage,
		Summary: "the devices that have a software product: how many in each device group, and how many have stopped reporting",
		Help: []view.Fact{
			{Name: "--list", Value: "list the devices by name"},
			{Name: "--group NAME", Value: "only devices in this device group"},
			{Name: "Example", Value: `devices windows 11 --group "Field Laptops" --list`},
		},
		Run: devices{d, idx, now}.run,
	}
}

type devices struct {
	defender Defender
	index    *search.Index
	now      func() time.Time
}

// devicesQuery is a parsed line.
type devicesQuery struct {
	id    string
	list  bool
	group string
	page  int
	fresh bool
}

func (q devicesQuery) line(more ...string) string {
	words := []string{devicesName, q.id}
	if q.list {
		words = append(words, "--list")
	}
	if q.group != "" {
		words = append(words, "--group", q.group)
	}
	return cmdline.Join(append(words, more...)...)
}

// run parses the line and answers about the software, or searches for it.
func (d devices) run(ctx context.Context, req Request) (view.Page, error) {
	var q devicesQuery
	o := cmdline.NewOptions(devicesName+" "+devicesUsage, devicesName)
	o.BoolVar(&q.list, "list", false, "")
	o.StringVar(&q.group, "group", "", "")
	o.Var(cmdline.Number(&q.page, 1), "page", "")
	o.Fresh(&q.fresh)
	words, err := o.ReadWords(req.Words)
	if err != nil {
		return view.Page{}, err
	}
	if len(words) == 0 {
		return view.Page{}, &Error{Usage: true, Message: "The devices of which software? Usage: " + devicesName + " " + devicesUsage}
	}
	if targets := search.Targets(words, req.Exact); len(targets) == 1 && targets[0].Kind == search.KindID {
		q.id = targets[0].String()
	} else {
		found, err := find(ctx, d.index, d.defender, req, words)
		switch {
		case errors.Is(err, api.ErrPermission):
			return mayNotList(strings.Join(words, " "), err), nil
		case err != nil:
			return view.Page{}, err
		case len(found.Software) == 0:
			return view.Page{}, NothingFound(words, found)
		}
		ask := func(id string) string { q.id = id; return q.line() }
		first, ok := found.Meant()
		if !ok {
			return searchPage(words, hits{found, q.page, ask}), nil
		}
		q.id = first.ID
		page, err := d.of(ctx, q)
		page.Actions = append(others(found, words, ask), page.Actions...)
		if err == nil {
			page.Note = view.JoinSentences(LeftOut(found), page.Note)
		}
		return page, err
	}
	return d.of(ctx, q)
}

// mayNotList is the page shown if the bot may not ask which devices have a software.
func mayNotList(software string, err error) view.Page {
	var more supplement
	_ = more.lacks(err, softwareRole, "the devices that have it")
	return view.Page{Title: "Devices with " + product.Name(software, ""), Lead: "The bot may not ask Defender about software.", Note: more.note()}
}

// instead searches for an ID that Defender does not know.
func (d devices) instead(ctx context.Context, q devicesQuery, cause error) (view.Page, error) {
	found, err := d.index.Similar(ctx, d.defender, q.id)
	err = ExplainSearch(err)
	if err != nil || len(found.Software) == 0 {
		return view.Page{}, UnknownSoftware(q.id, found, err, cause)
	}
	ask := func(id string) string { q.id = id; return q.line() }
	return similarPage(q.id, hits{Result: found, ask: ask}), nil
}

// of returns the page about the devices that have a software.
func (d devices) of(ctx context.Context, q devicesQuery) (view.Page, error) {
	answer, err := d.defender.SoftwareMachines(ctx, q.id, maxAge(q.fresh)...)
	switch {
	case errors.Is(err, api.ErrPermission):
		return mayNotList(q.id, err), nil
	case errors.Is(err, api.ErrNotFound):
		return d.instead(ctx, q, err)
	case err != nil:
		return view.Page{}, fmt.Errorf("list devices: %w", err)
	}
	page := view.Page{
		Title: "Devices with " + product.Name(q.id, ""), Software: q.id, AsOf: AsOf(answer), Unreadable: answer.Skipped,
		Actions: []view.Action{
			{Label: "Missing updates", Command: cmdline.Join(q.id)},
			{Label: "Refresh", Command: q.line("--fresh"), Effect: view.Replace},
		},
	}
	all := answer.Value
	var groups []string
	if q.group != "" {
		page.Title += " in " + q.group
		groups = groupsOf(all)
		all = slices.DeleteFunc(all, func(m api.MachineReference) bool { return !strings.EqualFold(group(m.RBACGroupName), q.group) })
		whole := devicesQuery{id: q.id, list: q.list}
		page.Actions = append(page.Actions, view.Action{Label: "All device groups", Command: whole.line(), Effect: view.Replace})
	}
	if len(all) == 0 {
		page.Lead = "Defender lists no device that has it."
		if q.group != "" {
			page.Lead = fmt.Sprintf("No device of a group %s has it.", q.group)
			if len(groups) > 0 {
				page.Lead += " These groups have it: " + view.Join(groups) + "."
			}
		}
		return page, nil
	}
	page.Lead = view.Count(len(all), "device") + " have it, whether or not an update is missing there."
	if len(all) == 1 {
		page.Lead = "1 device has it, whether or not an update is missing there."
	}
	other := q
	other.list = !q.list
	if q.list {
		page.Actions = append(page.Actions, view.Action{Label: "By device group", Command: other.line(), Effect: view.Replace})
		page.Parts = []view.Part{deviceTable(page.Title, q.line(), q.page, byName(all))}
		page.Actions = append(page.Actions, view.Files(q.line())...)
		return page, nil
	}
	page.Actions = append(page.Actions, view.Action{Label: "List devices", Command: other.line()})
	d.groups(ctx, q, all, &page)
	page.Actions = append(page.Actions, view.Files(q.line())...)
	return page, nil
}

// maxGroups is how many device groups a sentence names.
const maxGroups = 10

// groupsOf names the groups of devices, each once; of many it counts the rest.
func groupsOf(all []api.MachineReference) []string {
	var names []string
	for _, m := range all {
		if name := group(m.RBACGroupName); !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	if rest := len(names) - maxGroups; rest > 0 {
		names = append(names[:maxGroups], fmt.Sprintf("%d more", rest))
	}
	return names
}

func byName(all []api.MachineReference) []api.MachineReference {
	slices.SortStableFunc(all, func(a, b api.MachineReference) int {
		return strings.Compare(strings.ToLower(a.ComputerDNSName), strings.ToLower(b.ComputerDNSName))
	})
	return all
}

// groupCount counts the devices of a group that have a software, and the inactive ones among them.
type groupCount struct {
	name                    string
	devices, inactive, gone int
}

// groups adds the distribution over device groups, and how many devices are inactive. Both need another permission.
func (d devices) groups(ctx context.Context, q devicesQuery, all []api.MachineReference, page *view.Page) {
	var more supplement
	last, err := d.defender.LastSeen(ctx, maxAge(q.fresh)...)
	dated := !more.lacks(err, machineRole, "how many of the devices are silent")
	counts, unknown := d.count(all, last.Value)
	t := view.Table{
		Caption: page.Title,
		Columns: []view.Column{
			{Key: "group", Title: "Device group"},
			{Key: "devices", Title: "Devices", Kind: view.Number},
			{Key: "silent_7_days", Title: "Silent 7–30 days", Kind: view.Number, Hidden: !dated},
			{Key: "silent_30_days", Title: "Silent 30+ days", Kind: view.Number, Hidden: !dated},
			{Key: "details", Title: "Details", Kind: view.Button},
		},
		Page: q.page, Command: q.line(),
	}
	var sum groupCount
	for _, c := range counts {
		sum.inactive += c.inactive
		sum.gone += c.gone
		list := devicesQuery{id: q.id, list: true, group: c.name}
		t.Rows = append(t.Rows, []view.Cell{
			view.TextCell(c.name), view.NumberCell(c.devices), view.NumberCell(c.inactive), view.NumberCell(c.gone),
			{Text: list.line(), Action: &view.Action{Label: "List", Command: list.line()}},
		})
	}
	page.Parts = append(page.Parts, t)
	if dated {
		page.AsOf = Oldest(page.AsOf, AsOf(last))
		page.Lead += fmt.Sprintf(" %s sent no report for 7 days or longer, %s of them for 30 or longer. Defender counts a silent device for 30 days.", view.Count(sum.inactive+sum.gone, "device"), view.Thousands(sum.gone))
		if unknown > 0 {
			page.Note = fmt.Sprintf("When %s reported last is not known.", view.Count(unknown, "device"))
		}
	}
	page.Note = view.JoinSentences(page.Note, more.note())
}

// count counts devices by group, largest first. Devices silent for 30 days are not counted again among those of 7.
func (d devices) count(all []api.MachineReference, last api.LastSeen) (counts []groupCount, unknown int) {
	at := map[string]int{}
	for _, m := range all {
		name := group(m.RBACGroupName)
		i, ok := at[name]
		if !ok {
			i = len(counts)
			at[name] = i
			counts = append(counts, groupCount{name: name})
		}
		c := &counts[i]
		c.devices++
		seen, known := last.Of(m.ID)
		switch silent := d.now().Sub(seen); {
		case !known:
			unknown++
		case silent >= goneAfter:
			c.gone++
		case silent >= inactiveAfter:
			c.inactive++
		}
	}
	slices.SortFunc(counts, func(a, b groupCount) int { return cmp.Or(b.devices-a.devices, strings.Compare(a.name, b.name)) })
	return counts, unknown
}

// names returns the names and groups of devices by ID, as far as they can be read.
func (k kb) names(ctx context.Context, f api.Findings) (map[string]api.MachineReference, error) {
	names := map[string]api.MachineReference{}
	widest := slices.MaxFunc(f.CVEs, func(a, b api.CVEFindings) int { return a.Devices - b.Devices })
	answer, err := k.defender.VulnerabilityMachines(ctx, widest.ID)
	if err != nil {
		return names, err
	}
	for _, m := range answer.Value {
		names[m.ID] = m
	}
	return names, nil
}

func findingsTable(caption string, q kbQuery, devices []api.DeviceFindings, names map[string]api.MachineReference) view.Table {
	return view.Table{
		Caption: caption,
		Columns: []view.Column{
			{Key: "device", Title: "Device"},
			{Key: "cves", Title: "CVEs", Kind: view.Number},
			{Key: "group", Title: "Device group"},
			{Key: "details", Title: "Details", Kind: view.Button},
			{Key: "id", Title: "Id", Hidden: true},
		},
		Page: q.page, Command: q.line("--devices"),
		More: view.LazyRows{Count: len(devices), Make: func(i int) []view.Cell {
			d := devices[i]
			m, known := names[d.MachineID]
			name, of := m.ComputerDNSName, group(m.RBACGroupName)
			if !known || name == "" {
				name = d.MachineID
			}
			if !known {
				of = ""
			}
			return []view.Cell{view.TextCell(name), view.NumberCell(d.CVEs), view.TextCell(of), detailsButton(machineName, d.MachineID), view.TextCell(d.MachineID)}
		}},
	}
}
