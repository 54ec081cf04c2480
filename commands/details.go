package commands

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/missingkbs/missingkbs/api"
	"github.com/missingkbs/missingkbs/commands/cmdline"
	"github.com/missingkbs/missingkbs/internal/view"
)

// Details is what the detail pages read from Defender; *[api.Client] implements it.
type Details interface {
	SoftwareMachines(ctx context.Context, softwareID string, opts ...api.CallOption) (api.Answer[[]api.MachineReference], error)
	MachineByID(ctx context.Context, idOrName string, opts ...api.CallOption) (api.Answer[api.Machine], error)
	MachinesByName(ctx context.Context, name string, opts ...api.CallOption) (api.Answer[[]api.Machine], error)
	MachineMissingKBs(ctx context.Context, machineID string, opts ...api.CallOption) (api.Answer[[]api.MissingKB], error)
	LastSeen(ctx context.Context, opts ...api.CallOption) (api.Answer[api.LastSeen], error)
	VulnerabilityByID(ctx context.Context, cve string, opts ...api.CallOption) (api.Answer[api.Vulnerability], error)
	VulnerabilityMachines(ctx context.Context, cve string, opts ...api.CallOption) (api.Answer[[]api.MachineReference], error)
	KBFindings(ctx context.Context, kb string, opts ...api.CallOption) (api.Answer[api.Findings], error)
	CVEFindings(ctx context.Context, cve string, opts ...api.CallOption) (api.Answer[api.Findings], error)
}

// The bot's permissions by their names in Entra. The first is enough for most pages; the others add to them.
const (
	softwareRole      = "Software.Read.All"
	machineRole       = "Machine.Read.All"
	vulnerabilityRole = "Vulnerability.Read.All"
)

// supplement collects the optional parts of a page. A missing permission or a failed extra call does not fail the page.
type supplement struct {
	roles  []string // missing permissions
	shows  []string // what each of them would show
	failed []string // parts that could not be read, with the reason
}

// lacks records why a part is missing, and reports whether it is. role is the permission that the part requires; shows
// names the part, such as "its CVEs".
func (s *supplement) lacks(err error, role, shows string) bool {
	switch {
	case err == nil:
		return false
	case errors.Is(err, api.ErrPermission):
		switch i := slices.Index(s.roles, role); {
		case i >= 0 && !strings.Contains(s.shows[i], shows):
			s.shows[i] += ", " + shows
		case i < 0:
			s.roles, s.shows = append(s.roles, role), append(s.shows, shows)
		}
	default:
		s.failed = append(s.failed, fmt.Sprintf("%s could not be read: %s.", view.UpperFirst(shows), Explain(err).Title))
	}
	return true
}

// note says what each missing permission would show, once per permission.
func (s *supplement) note() string {
	notes := slices.Clone(s.failed)
	for i, role := range s.roles {
		notes = append(notes, fmt.Sprintf("With the permission %s this page would also show %s: an administrator can add it to the bot's app in Entra.", role, s.shows[i]))
	}
	return strings.Join(notes, " ")
}

// Oldest returns the age of a page made from several answers: that of the oldest.
func Oldest(all ...view.AsOf) view.AsOf {
	out := all[0]
	for _, a := range all[1:] {
		if !a.Time.IsZero() && (out.Time.IsZero() || a.Time.Before(out.Time)) {
			out = a
		}
	}
	return out
}

// kbOf returns a typed KB number without its "KB"; other vendors' ids are returned unchanged.
func kbOf(words []string) string {
	id := strings.ToUpper(strings.Join(words, ""))
	if number := strings.TrimLeft(strings.TrimPrefix(id, "KB"), "#-"); number != "" && strings.Trim(number, "0123456789") == "" {
		return number
	}
	return strings.Join(words, " ")
}

// isKB reports whether a word can only be meant as a KB number.
func isKB(word string) bool {
	number := kbOf([]string{word})
	return len(number) >= 6 && len(number) <= 8 && strings.Trim(number, "0123456789") == ""
}

// cveOf returns a typed CVE id; ok is false unless it starts with CVE- or TVM-.
func cveOf(words []string) (id string, ok bool) {
	id = strings.ToUpper(strings.Join(words, "-"))
	return id, isCVE(id)
}

// isCVE reports whether a word can only be meant as a CVE id.
func isCVE(word string) bool {
	kind, rest, _ := strings.Cut(strings.ToUpper(word), "-")
	year, number, _ := strings.Cut(rest, "-")
	digits := func(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }
	return (kind == "CVE" || kind == "TVM") && digits(year) && digits(number)
}

// group returns a device group for people: Defender has several names for "none".
func group(name string) string {
	switch name {
	case "", "None", "UnassignedGroup":
		return "no device group"
	}
	return name
}

// deviceTable lists devices, each with a button to its page. Device names are for the asker only; none of it is shared.
func deviceTable(caption, line string, page int, devices []api.MachineReference) view.Table {
	return view.Table{
		Caption: caption,
		Columns: []view.Column{
			{Key: "device", Title: "Device"},
			{Key: "group", Title: "Device group"},
			{Key: "platform", Title: "Platform"},
			{Key: "details", Title: "Details", Kind: view.Button},
			{Key: "id", Title: "Id", Hidden: true},
		},
		Page:    page,
		Command: line,
		More: view.LazyRows{Count: len(devices), Make: func(i int) []view.Cell {
			d := devices[i]
			name := d.ComputerDNSName
			if name == "" {
				name = d.ID
			}
			return []view.Cell{
				view.TextCell(name), view.TextCell(group(d.RBACGroupName)), view.TextCell(d.OSPlatform), detailsButton(machineName, d.ID), view.TextCell(d.ID),
			}
		}},
	}
}

// detailsButton returns the button of a row that opens the page about its subject.
func detailsButton(command, id string) view.Cell {
	return view.Cell{Text: cmdline.Join(command, id), Action: &view.Action{Label: "Details", Command: cmdline.Join(command, id)}}
}

// LookupName is the name of the command that lists the ids in a text, where there is one.
const LookupName = "lookup"

// rewritten is the line that a typed one about KB numbers or CVE ids means, nil for other lines. It may be nothing but an address, a
// file name or a sentence with such ids in it, and their commands take the ids of each other: one id has a page, several are listed.
func (r *Router) rewritten(req Request) []string {
	about, options := req.Words, []string(nil)
	if i := slices.IndexFunc(about, func(w string) bool { return strings.HasPrefix(w, "--") || w == "-h" }); i >= 0 {
		about, options = about[:i], about[i:]
	}
	if req.Exact || len(about) == 0 {
		return nil
	}
	var ids []string
	name := strings.ToLower(about[0])
	switch _, known := r.byName[name]; {
	case name == kbName || name == cveName:
		ids = cmdline.IDsOf(strings.ToUpper(name), about[1:])
	case name == devicesName:
		ids = withoutSoftware(about[1:])
	case !known:
		ids = withoutSoftware(about)
	}
	_, listed := r.byName[LookupName]
	switch {
	case len(ids) == 1 && name == devicesName:
		return append([]string{commandOf(ids[0]), ids[0], "--devices"}, slices.DeleteFunc(slices.Clone(options), func(w string) bool { return w == "--list" })...)
	case len(ids) == 1:
		return append([]string{commandOf(ids[0]), ids[0]}, options...)
	case len(ids) > 1 && listed:
		if len(options) > 0 && options[0] != "--page" { // options of a single id
			options = nil
		}
		return append(append([]string{LookupName}, ids...), options...)
	}
	return nil
}

// withoutSoftware finds ids in words that name no software id, which may hold the number of an update.
func withoutSoftware(words []string) []string {
	if slices.ContainsFunc(words, func(w string) bool { return strings.Contains(w, cmdline.IDSeparator) }) {
		return nil
	}
	return cmdline.IDs(strings.Join(words, " "))
}

// commandOf is the name of the command about a KB number or the id of a CVE.
func commandOf(id string) string {
	if isCVE(id) {
		return cveName
	}
	return kbName
}
