package plain

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/missingkbs/missingkbs/commands"
	"github.com/missingkbs/missingkbs/commands/cmdline"
	"github.com/missingkbs/missingkbs/internal/view"
)

const (
	// LookupName is the name of the command [Lookup].
	LookupName  = commands.LookupName
	lookupUsage = "<text> [--page N]"

	// maxLookup bounds the ids on a line, in bytes: the line must fit a button together with its options.
	maxLookup = cmdline.MaxOffered - 100
)

// LookupLine returns the line that looks up ids: the ID itself if there is one, otherwise a list. Without ids it
// returns the line that explains what the command finds.
func LookupLine(ids []string) string {
	if len(ids) == 1 {
		return oneLine(ids[0])
	}
	line := LookupName
	for i, id := range ids {
		if len(line)+1+len(id) > maxLookup {
			return line + " --more " + strconv.Itoa(len(ids)-i)
		}
		line += " " + id
	}
	return line
}

// oneLine returns the line that asks about one ID.
func oneLine(id string) string {
	if strings.HasPrefix(id, "KB") {
		return cmdline.Join("kb", id)
	}
	return cmdline.Join("cve", id)
}

// Lookup returns the command that finds KB numbers and CVE ids in a text and offers each of them. It does not ask
// Defender.
func Lookup() commands.Command {
	return commands.Command{
		Name:    LookupName,
		Usage:   lookupUsage,
		Summary: "the KB numbers and CVE ids in a text, each with a button; the message shortcut Look up KBs in message does the same",
		Help: []view.Fact{
			{Name: "Finds", Value: lookedFor},
			{Name: "Example", Value: "lookup KB5074202 fixes CVE-2025-12345"},
		},
		Run: func(_ context.Context, req commands.Request) (view.Page, error) {
			page, more := 0, 0
			o := cmdline.NewOptions(LookupName+" "+lookupUsage, LookupName)
			o.Var(cmdline.Number(&page, 1), "page", "")
			o.Var(cmdline.Number(&more, 0), "more", "")
			words, err := o.ReadWords(req.Words)
			if err != nil {
				return view.Page{}, err
			}
			return lookupPage(cmdline.IDs(strings.Join(words, " ")), page, more), nil
		},
	}
}

const lookedFor = "KB5074202, kb 5074202, links to the Microsoft Update Catalog, CVE-2025-12345"

// lookupPage lists the ids found, with a button for each. more counts those that did not fit.
func lookupPage(ids []string, page, more int) view.Page {
	if len(ids) == 0 {
		return view.Page{
			Title:   "No KB numbers or CVE ids there",
			Lead:    "I look for: " + lookedFor + ". Pictures and files are not read.",
			Actions: []view.Action{{Label: "All software", Command: commands.SearchName}, {Label: "Help", Command: commands.HelpName}},
		}
	}
	t := view.Table{
		Caption: "Found",
		Columns: []view.Column{{Key: "id", Title: "Id"}, {Key: "ask", Title: "What it is", Kind: view.Button}},
		CSV:     []string{"id"},
		Page:    page,
		Command: cmdline.Join(append([]string{LookupName}, ids...)...),
	}
	if more > 0 {
		t.Command += " --more " + strconv.Itoa(more)
	}
	kbs := 0
	for _, id := range ids {
		if strings.HasPrefix(id, "KB") {
			kbs++
		}
		t.Rows = append(t.Rows, []view.Cell{view.TextCell(id), {Text: id, Action: &view.Action{Label: "Show", Command: oneLine(id)}}})
	}
	p := view.Page{
		Title: "Found: " + found(kbs, len(ids)-kbs),
		Lead:  "Choose one to see what it is and which devices need it.",
		Parts: []view.Part{t},
	}
	if more > 0 {
		p.Note = fmt.Sprintf("%s more of the message did not fit here. Send me the rest of it to see them.", view.Thousands(more))
	}
	return p
}

// found counts what was found, in words.
func found(kbs, cves int) string {
	var parts []string
	if kbs > 0 {
		parts = append(parts, view.Count(kbs, "KB number"))
	}
	if cves > 0 {
		parts = append(parts, view.Count(cves, "CVE id"))
	}
	return strings.Join(parts, " and ")
}
