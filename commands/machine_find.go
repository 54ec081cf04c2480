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
	"github.com/missingkbs/missingkbs/internal/view"
	"github.com/missingkbs/missingkbs/internal/wait"
)

const (
	// machineSoftware is how many of the most exposed software ids are read to find a device by name without the
	// permission to read devices.
	machineSoftware = 6
	// notFoundPause is the delay before a known device is asked for again: Defender sometimes answers "not found" once.
	notFoundPause = time.Second
)

// isMachineID reports whether a word is a device id.
func isMachineID(word string) bool {
	return len(word) == 40 && strings.Trim(strings.ToLower(word), "0123456789abcdef") == ""
}

// maxNames bounds how many names are looked for one by one.
const maxNames = 10

// findAny returns the devices that words name, and the names: all words are one name, or else each is.
func (m machine) findAny(ctx context.Context, words []string, fresh bool, more *supplement) (names []string, found []device, err error) {
	names = []string{strings.Join(words, " ")}
	found, err = m.find(ctx, names[0], fresh, more)
	if err != nil || len(found) > 0 || len(words) < 2 || len(words) > maxNames {
		return names, found, err
	}
	var unknown []string
	for _, w := range words {
		some, err := m.find(ctx, w, fresh, more)
		if err != nil {
			return words, nil, err
		}
		if len(some) == 0 {
			unknown = append(unknown, w)
		}
		for _, d := range some {
			if !slices.ContainsFunc(found, func(has device) bool { return has.ID == d.ID }) {
				found = append(found, d)
			}
		}
	}
	if len(unknown) > 0 && len(found) > 0 {
		more.failed = append(more.failed, unlisted(unknown))
	}
	return words, found, nil
}

// find returns the devices that match a name: one with exactly that name, or all that start with it.
func (m machine) find(ctx context.Context, name string, fresh bool, more *supplement) ([]device, error) {
	if isMachineID(name) {
		answer, err := retryNotFound(ctx, func(opts ...api.CallOption) (api.Answer[api.Machine], error) {
			return m.defender.MachineByID(ctx, strings.ToLower(name), append(maxAge(fresh), opts...)...)
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
	answer, err := m.byName(ctx, name, fresh)
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

// byName asks for the devices whose names begin with a name, as typed and then in the other case: Defender compares letters, and keeps
// names as each device reports them.
func (m machine) byName(ctx context.Context, name string, fresh bool) (answer api.Answer[[]api.Machine], err error) {
	asked := map[string]bool{}
	for _, as := range []string{name, strings.ToLower(name), strings.ToUpper(name)} {
		if asked[as] {
			continue
		}
		asked[as] = true
		answer, err = m.defender.MachinesByName(ctx, as, maxAge(fresh)...)
		if err != nil || len(answer.Value) > 0 {
			break
		}
	}
	return answer, err
}

const machineFactsWords = "the device's system, build, health and when it was seen last"

// exactly keeps only the device with exactly that name, with or without its domain, if there is one.
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

// referenced finds devices by name in the lists of the most exposed software. It needs no further permission, but does
// not find every device.
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

// retryNotFound asks once more if a device is not found: Defender sometimes says so about devices that exist.
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

func noDevice(names []string, more string) error {
	return &Error{
		Title:   "No such device",
		Message: view.JoinSentences(unlisted(names), "A device that was silent for long leaves the list.", more),
		Actions: []view.Action{{Label: "Help", Command: HelpName}},
	}
}

// unlisted says that no device has one of some names.
func unlisted(names []string) string {
	return "Defender lists no device whose name begins with " + quoted(names) + "."
}

// quoted are names in quotes, as one of several.
func quoted(names []string) string { return `"` + strings.Join(names, `" or "`) + `"` }

// chooseDevice lists the devices that match.
func chooseDevice(names []string, page int, found []device) view.Page {
	refs := make([]api.MachineReference, len(found))
	for i, d := range found {
		refs[i] = api.MachineReference{ID: d.ID, ComputerDNSName: d.ComputerDNSName, OSPlatform: d.OSPlatform, RBACGroupName: d.RBACGroupName}
	}
	line := cmdline.Join(append([]string{machineName}, names...)...)
	return view.Page{
		Title:   "Devices whose name begins with " + quoted(names),
		Lead:    view.Count(len(found), "device") + " found. Choose one.",
		Parts:   []view.Part{deviceTable("Devices found", line, page, byName(refs))},
		Actions: view.Files(line),
	}
}
