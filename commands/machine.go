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
	"github.com/missingkbs/missingkbs/internal/patchgap"
	"github.com/missingkbs/missingkbs/internal/view"
	"github.com/missingkbs/missingkbs/internal/wait"
)

const (
	machineName  = audit.ActionMachine
	machineUsage = "<name or id> [--page N]"

	// machineSoftware is how many of the products that most devices have are read to find a device by its name without
	// the permission to ask for devices.
	machineSoftware = 6
	// notFoundPause is how long to wait before a device that is known is asked for again: Defender answers "not found" for
	// some of them, once.
	notFoundPause = time.Second
)

// Machine is the command that tells about one device: what it is, when it was seen, and which updates it lacks.
func Machine(d Defender, now func() time.Time) Command {
	return Command{
		Name:    machineName,
		Usage:   machineUsage,
		Summary: "one device: its system, when it was seen last, the updates it lacks, the oldest first",
		Help: []view.Fact{
			{Name: "Names", Value: "in full or their beginning; where several devices fit, choose one"},
			{Name: "Example", Value: "machine web-01"},
		},
		Audited: true,
		Run:     machine{d, now}.run,
	}
}

type machine struct {
	defender Defender
	now      func() time.Time
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

// isMachineID reports whether a word is an id of a device.
func isMachineID(word string) bool {
	return len(word) == 40 && strings.Trim(strings.ToLower(word), "0123456789abcdef") == ""
}

// find returns the devices that a name fits: one with exactly that name, or all whose names begin with it.
func (m machine) find(ctx context.Context, name string, fresh bool, more *supplement) ([]device, error) {
	if isMachineID(name) {
		answer, err := retryNotFound(ctx, func(opts ...api.CallOption) (api.Answer[api.Machine], error) {
			return m.defender.MachineByID(ctx, name, append(maxAge(fresh), opts...)...)
		})
		switch {
		case errors.Is(err, api.ErrPermission):
			_ = more.lacks(err, machineRole, machineFactsWords)
			return []device{{Machine: api.Machine{ID: strings.ToLower(name)}}}, nil
		case errors.Is(err, api.ErrNotFound):
			return nil, nil
		case err != nil:
			return nil, fmt.Errorf("look up device: %w", err)
		}
		return []device{{answer.Value, true}}, nil
	}
	answer, err := m.defender.MachinesByName(ctx, name, maxAge(fresh)...)
	switch {
	case errors.Is(err, api.ErrPermission):
		_ = more.lacks(err, machineRole, machineFactsWords)
		return m.referenced(ctx, name)
	case err != nil:
		return nil, fmt.Errorf("look up device: %w", err)
	}
	var all []device
	for _, machine := range answer.Value {
		all = append(all, device{machine, true})
	}
	return exactly(all, name), nil
}

const machineFactsWords = "the device's system, build, health and when it was seen last"

// exactly leaves the device that has the very name, with or without its domain, where there is one.
func exactly(all []device, name string) []device {
	fits := func(d device) bool {
		host, _, _ := strings.Cut(d.ComputerDNSName, ".")
		return strings.EqualFold(d.ComputerDNSName, name) || strings.EqualFold(host, name)
	}
	if i := slices.IndexFunc(all, fits); i >= 0 && !slices.ContainsFunc(all[i+1:], fits) {
		return all[i : i+1]
	}
	return all
}

// referenced finds devices by name in the lists of the products that most devices have. It takes no other permission than
// lists of updates do, and does not see every device.
func (m machine) referenced(ctx context.Context, name string) ([]device, error) {
	catalog, err := m.defender.Catalog(ctx)
	if err != nil {
		return nil, fmt.Errorf("search software: %w", err)
	}
	products := slices.DeleteFunc(catalog.Value, func(s api.Software) bool {
		return !strings.HasPrefix(strings.ToLower(s.ID), search.Microsoft+"windows")
	})
	slices.SortStableFunc(products, func(a, b api.Software) int {
		return cmp.Compare(max(b.InstalledMachines, b.ExposedMachines), max(a.InstalledMachines, a.ExposedMachines))
	})
	seen := map[string]bool{}
	var all []device
	for _, s := range products[:min(len(products), machineSoftware)] {
		answer, err := m.defender.SoftwareMachines(ctx, s.ID)
		if errors.Is(err, api.ErrNotFound) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("search devices: %w", err)
		}
		for _, r := range answer.Value {
			if strings.HasPrefix(strings.ToLower(r.ComputerDNSName), strings.ToLower(name)) && !seen[r.ID] {
				seen[r.ID] = true
				all = append(all, device{Machine: api.Machine{ID: r.ID, ComputerDNSName: r.ComputerDNSName, OSPlatform: r.OSPlatform, RBACGroupName: r.RBACGroupName}})
			}
		}
	}
	return exactly(all, name), nil
}

// retryNotFound asks once more where a device is said not to be found: Defender is known to say so of devices that it has.
func retryNotFound[T any](ctx context.Context, ask func(...api.CallOption) (api.Answer[T], error)) (api.Answer[T], error) {
	answer, err := ask()
	if !errors.Is(err, api.ErrNotFound) {
		return answer, err
	}
	if !wait.For(ctx, notFoundPause) {
		return answer, err
	}
	return ask(api.MaxAge(0))
}

func noDevice(name, more string) error {
	return &Error{
		Title:   "No such device",
		Message: view.JoinSentences(fmt.Sprintf("Defender lists no device whose name begins with %q. A device that was silent for long leaves the list.", name), more),
		Actions: []view.Action{{Label: "Help", Command: HelpName}},
	}
}

// chooseDevice lists the devices that fit.
func chooseDevice(name string, page int, found []device) view.Page {
	refs := make([]api.MachineReference, len(found))
	for i, d := range found {
		refs[i] = api.MachineReference{ID: d.ID, ComputerDNSName: d.ComputerDNSName, OSPlatform: d.OSPlatform, RBACGroupName: d.RBACGroupName}
	}
	return view.Page{
		Title: fmt.Sprintf("Devices whose name begins with %q", name),
		Lead:  view.Count(len(found), "device") + " found. Choose one.",
		Parts: []view.Part{deviceTable("Devices found", cmdline.Join(machineName, name), page, byName(refs))},
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
		page.Lead = "Which updates it lacks is not known."
		page.Note = more.note()
		return page, nil
	}
	page.AsOf, page.Unreadable = asOf(answer), answer.Skipped
	updates := patchgap.Updates(Rows("", answer.Value))
	slices.SortStableFunc(updates, olderFirst)
	page.Lead = machineLead(updates, answer.Skipped)
	if len(updates) > 0 {
		page.Parts = append(page.Parts, machineTable(d, at, updates))
	}
	page.Note = more.note()
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
	if at, ok := released(updates[0]); ok {
		lead += ", the oldest of " + at.Format("January 2006")
	}
	if skipped > 0 {
		lead += "; " + CouldNotRead(skipped) + ", so more may be missing"
	}
	return lead + "."
}

// released is the month that the name of an update begins with, such as "March 2020 Security Updates" or "2026-09
// Cumulative Update"; false if it begins with none.
func released(u patchgap.Update) (time.Time, bool) {
	words := append(strings.Fields(u.Name()), "", "")
	if at, err := time.Parse("January 2006", words[0]+" "+words[1]); err == nil {
		return at, true
	}
	at, err := time.Parse("2006-01", words[0])
	return at, err == nil
}

// olderFirst orders updates by the month of their names, those without one last, then by number.
func olderFirst(a, b patchgap.Update) int {
	x, dated := released(a)
	y, otherDated := released(b)
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

func machineTable(d device, at int, updates []patchgap.Update) view.Table {
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
	for _, u := range updates {
		row := []view.Cell{view.TextCell(catalog.Label(u.KB())), view.NumberCell(u.CVEs), view.TextCell(""), view.TextCell(u.Name()), catalogButton(u.KB())}
		if u.KB() != "" {
			row[2] = detailsButton(kbName, u.KB())
		}
		t.Rows = append(t.Rows, row)
	}
	return t
}
