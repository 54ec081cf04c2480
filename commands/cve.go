package commands

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/missingkbs/missingkbs/api"
	"github.com/missingkbs/missingkbs/commands/cmdline"
	"github.com/missingkbs/missingkbs/internal/product"
	"github.com/missingkbs/missingkbs/internal/triage"
	"github.com/missingkbs/missingkbs/internal/view"
)

const (
	cveName  = "cve"
	cveUsage = "<id> [--devices] [--page N]"
)

// CVE returns the command about a CVE: how severe it is, whether it is exploited, which updates fix it, and which
// devices it exposes.
func CVE(d Defender, opts ...Option) Command {
	return Command{
		Name:    cveName,
		Usage:   cveUsage,
		Summary: "one CVE: its severity, known exploits, the updates that fix it, the devices exposed to it",
		Help: []view.Fact{
			{Name: "--devices", Value: "list the exposed devices by name"},
			{Name: "Example", Value: "cve CVE-2026-60052"},
		},
		Run: cve{d, knownBy(opts)}.run,
	}
}

type cve struct {
	defender Defender
	known    known
}

// run parses the line and answers with the page or the list of devices.
func (c cve) run(ctx context.Context, req Request) (view.Page, error) {
	var devices, fresh bool
	page := 0
	o := cmdline.NewOptions(cveName+" "+cveUsage, cveName)
	o.BoolVar(&devices, "devices", false, "")
	o.Var(cmdline.Number(&page, 1), "page", "")
	o.Fresh(&fresh)
	words, err := o.ReadWords(req.Words)
	if err != nil {
		return view.Page{}, err
	}
	id, ok := cveOf(words)
	if !ok {
		return view.Page{}, &Error{Usage: true, Message: "Which CVE? Type its id, for example: cve CVE-2026-20805"}
	}
	if devices {
		return c.devices(ctx, id, page, fresh)
	}
	return c.about(ctx, id, fresh)
}

// about returns the page of a CVE.
func (c cve) about(ctx context.Context, id string, fresh bool) (view.Page, error) {
	page := view.Page{Title: id, Actions: cveActions(id)}
	feeds := c.known.advisories()
	told, attack := triage.AboutCVE(feeds, id)
	page.Context = triage.Dates(feeds, c.known.now())
	var more supplement
	facts, err := c.defender.VulnerabilityByID(ctx, id, maxAge(fresh)...)
	switch {
	case errors.Is(err, api.ErrNotFound):
		return view.Page{}, unknownCVE(id, err)
	case more.lacks(err, vulnerabilityRole, "how severe the CVE is, whether it is exploited, which updates fix it and which devices it exposes"):
		if !errors.Is(err, api.ErrPermission) {
			return view.Page{}, fmt.Errorf("look up CVE: %w", err)
		}
		page.Lead = view.JoinSentences(attack, "The bot may not ask Defender about CVEs. See Microsoft's page about it.")
		if len(told) > 0 {
			page.Parts = []view.Part{told}
		}
		page.Note = more.note()
		return page, nil
	}
	v := facts.Value
	page.AsOf = AsOf(facts)
	page.Parts = append(page.Parts, append(cveFacts(v), told...))
	page.Lead = view.JoinSentences(attack, cveLead(v))
	found, err := c.defender.CVEFindings(ctx, id, maxAge(fresh)...)
	if !more.lacks(err, vulnerabilityRole, "which updates fix it") {
		page.AsOf = Oldest(page.AsOf, AsOf(found))
		page.Lead += " " + fixes(found.Value)
		page.Parts = append(page.Parts, fixTable(id, found.Value), productTable(id, found.Value))
		page.Actions = append(page.Actions, view.Copies(cmdline.Join(cveName, id))...)
		page.Context = view.JoinSentences(partly(found.Value), page.Context)
		page.Unreadable = found.Skipped
	}
	page.Note = view.JoinSentences(view.OneLine(v.Description), more.note())
	return page, nil
}

// unknownCVE is the error for a CVE that Defender does not know, or no longer lists.
func unknownCVE(id string, err error) error {
	askAgain := view.Action{Label: "Ask again", Command: cmdline.Join(cveName, id, "--fresh"), Effect: view.Replace}
	return &Error{
		Title: "Defender does not know " + id, Err: err, Actions: append([]view.Action{askAgain}, cveLinks(id)...),
		Message: "No device of this tenant is exposed to it, or it is too new for Defender. Its page at Microsoft and at NIST may tell more.",
	}
}

// cveActions returns the buttons on the page of a CVE.
func cveActions(id string) []view.Action {
	actions := []view.Action{
		{Label: "Devices", Command: cmdline.Join(cveName, id, "--devices")},
		{Label: "Refresh", Command: cmdline.Join(cveName, id, "--fresh"), Effect: view.Replace},
	}
	return append(actions, cveLinks(id)...)
}

// cveLinks returns the buttons to public pages about a CVE. TVM- ids are Defender's own and have none.
func cveLinks(id string) []view.Action {
	if !strings.HasPrefix(id, "CVE-") {
		return nil
	}
	return []view.Action{
		{Label: "Microsoft's page", URL: "https://msrc.microsoft.com/update-guide/vulnerability/" + id},
		{Label: "NIST's page", URL: "https://nvd.nist.gov/vuln/detail/" + id},
	}
}

// cveLead sums up severity and exposure. An empty severity is shown as unknown.
func cveLead(v api.Vulnerability) string {
	severity := "Severity unknown"
	if v.Severity != "" {
		severity = view.OneLine(v.Severity) + " severity by Defender"
	}
	if v.ExposedMachines == 0 {
		return severity + ", no device exposed."
	}
	return severity + ", " + exposed(v.ExposedMachines) + "."
}

// cveFacts lists Defender's facts on a CVE, without dates that are unknown.
func cveFacts(v api.Vulnerability) view.Facts {
	facts := view.Facts{{Name: "Severity (Defender)", Value: unknownIfEmpty(view.OneLine(v.Severity))}}
	facts = append(facts, view.Fact{Name: "CVSS", Value: score(v.CVSSV3, 1, 1)}, view.Fact{Name: "EPSS", Value: percent(v.EPSS)}, view.Fact{Name: "Exploit", Value: exploit(v)})
	for _, d := range []struct {
		name string
		at   time.Time
	}{{"Published", v.PublishedOn}, {"Updated", v.UpdatedOn}, {"First detected here", v.FirstDetected}} {
		if !d.at.IsZero() {
			facts = append(facts, view.Fact{Name: d.name, Value: d.at.Format(time.DateOnly)})
		}
	}
	return facts
}

// exploit describes the exploits that Defender knows. Defender does not know whether one is in use.
func exploit(v api.Vulnerability) string {
	var words []string
	if v.PublicExploit {
		words = append(words, "public")
	}
	if v.ExploitVerified {
		words = append(words, "verified")
	}
	if v.ExploitInKit {
		words = append(words, "in an exploit kit")
	}
	if len(words) == 0 {
		return "none known to Defender"
	}
	return strings.Join(words, ", ")
}

func unknownIfEmpty(s string) string {
	if s == "" {
		return "unknown"
	}
	return s
}

// score formats a number; 0 means unknown.
func score(f, scale float64, decimals int) string {
	if f == 0 {
		return "unknown"
	}
	return strconv.FormatFloat(f*scale, 'f', decimals, 64)
}

func percent(f float64) string {
	if f == 0 {
		return "unknown"
	}
	return score(f, 100, 1) + " %"
}

// fixes returns a sentence on which updates fix a CVE.
func fixes(f api.Findings) string {
	kbs, none := 0, 0
	for _, k := range f.KBs {
		if k.ID == "" {
			none = k.Devices
		} else {
			kbs++
		}
	}
	switch {
	case kbs == 0 && none > 0:
		return "No KB fixes it: update the software itself."
	case kbs == 0:
		return "Defender names no update that fixes it."
	case none > 0:
		return fmt.Sprintf("%s fix it; on %s the software itself has to be updated.", view.Count(kbs, "update"), view.Count(none, "device"))
	case kbs == 1:
		return "1 update fixes it."
	}
	return view.Count(kbs, "update") + " fix it."
}

// partly says how much of a long list of findings was read; "" for all.
func partly(f api.Findings) string {
	if !f.Partial {
		return ""
	}
	return fmt.Sprintf("Counted from the first %s of Defender's list; there are more, so every count is at least that.", view.Count(f.Rows, "row"))
}

// productTable lists products, each with a button to its missing updates.
func productTable(of string, f api.Findings) view.Table {
	t := view.Table{
		Caption: "Software with " + of,
		Columns: []view.Column{
			{Key: "name", Title: "Software"},
			{Key: "devices", Title: "Devices", Kind: view.Number},
			{Key: "details", Title: "Missing updates", Kind: view.Button},
			{Key: "software", Title: "Id", Hidden: true},
		},
		CSV: []string{"software", "devices", "details", "name"},
	}
	for _, p := range f.Products {
		id := p.Vendor + cmdline.IDSeparator + p.Name
		t.Rows = append(t.Rows, []view.Cell{
			view.TextCell(product.Name(id, p.Name)), view.NumberCell(p.Devices),
			{Text: id, Action: &view.Action{Label: "Show", Command: cmdline.Join(id)}},
			view.TextCell(id),
		})
	}
	return t
}

// devices lists the devices that a CVE exposes.
func (c cve) devices(ctx context.Context, id string, at int, fresh bool) (view.Page, error) {
	page := view.Page{
		Title: "Devices exposed to " + id,
		Actions: []view.Action{
			{Label: "Back to " + id, Command: cmdline.Join(cveName, id), Effect: view.Replace},
			{Label: "Refresh", Command: cmdline.Join(cveName, id, "--devices", "--fresh"), Effect: view.Replace},
		},
	}
	var more supplement
	answer, err := c.defender.VulnerabilityMachines(ctx, id, maxAge(fresh)...)
	switch {
	case errors.Is(err, api.ErrNotFound):
		return view.Page{}, unknownCVE(id, err)
	case more.lacks(err, vulnerabilityRole, "the devices that a CVE exposes"):
		if !errors.Is(err, api.ErrPermission) {
			return view.Page{}, fmt.Errorf("list devices: %w", err)
		}
		page.Lead = "The bot may not ask Defender which devices a CVE exposes."
		page.Note = more.note()
		return page, nil
	}
	page.Lead = "No device is exposed to it."
	if n := len(answer.Value); n > 0 {
		page.Lead = view.UpperFirst(exposed(n)) + "."
		line := cmdline.Join(cveName, id, "--devices")
		page.Parts = []view.Part{deviceTable(page.Title, line, at, answer.Value)}
		page.Actions = append(page.Actions, view.Files(line)...)
	}
	page.AsOf, page.Unreadable = AsOf(answer), answer.Skipped
	return page, nil
}
