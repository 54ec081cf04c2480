package commands

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/missingkbs/missingkbs/commands/cmdline"
	"github.com/missingkbs/missingkbs/internal/view"
)

// HelpName is the name of the command that [NewRouter] adds.
const HelpName = "help"

// helpCommand explains what can be asked, from the commands that the router runs.
func helpCommand(r *Router) Command {
	return Command{
		Name:    HelpName,
		Usage:   "[command]",
		Summary: "what you can ask, or how to use one command",
		Run: func(_ context.Context, req Request) (view.Page, error) {
			if len(req.Words) == 0 {
				return helpPage(r), nil
			}
			name := strings.ToLower(req.Words[0])
			for _, c := range r.commands {
				if c.Name == name {
					return commandHelp(c), nil
				}
			}
			return view.Page{}, unknownCommand(r, name)
		},
	}
}

// helpPage lists all commands with their usage.
func helpPage(r *Router) view.Page {
	facts := make(view.Facts, 0, len(r.commands))
	for _, c := range r.commands {
		if c.Unlisted {
			continue
		}
		facts = append(facts, view.Fact{Name: usage(c), Value: c.Summary})
	}
	return view.Page{
		Title:   "What you can ask",
		Lead:    "Which Microsoft updates (KBs) are missing, and on how many devices, according to Microsoft Defender.",
		Parts:   []view.Part{facts},
		Actions: waysToSoftware(),
		Note:    "For example: microsoft-_-windows_11, or just: windows 11. A software id is vendor-_-name, as in Defender's portal.",
	}
}

func commandHelp(c Command) view.Page {
	return view.Page{Title: usage(c), Lead: view.UpperFirst(c.Summary) + ".", Parts: parts(c.Help)}
}

func parts(facts view.Facts) []view.Part {
	if len(facts) == 0 {
		return nil
	}
	return []view.Part{facts}
}

func usage(c Command) string { return strings.TrimSpace(c.Name + " " + c.Usage) }

// unknownCommand returns the error for help about a name that does not exist, with the closest one to choose.
func unknownCommand(r *Router, name string) error {
	names := make([]string, 0, len(r.commands))
	for _, c := range r.commands {
		if c.Name != "" && !c.Unlisted {
			names = append(names, c.Name)
		}
	}
	e := &Error{Usage: true, Message: fmt.Sprintf("There is no command %q. There are: %s.", name, strings.Join(names, ", "))}
	near := cmdline.Closest(name, names)
	for _, c := range r.commands {
		if near == "" && slices.Contains(c.subNames(), name) { // help add
			near = c.Name
		}
	}
	if near != "" {
		e.Message = fmt.Sprintf("There is no command %q. Did you mean %s?", name, near)
		e.Actions = []view.Action{{Label: "help " + near, Command: cmdline.Join(HelpName, near)}}
	}
	return e
}

// BrowseName is the command that [NewRouter] adds for lines without words; browseLabel is the label of its buttons.
const (
	BrowseName  = "browse"
	browseLabel = "Browse"
)

// browseCommand opens the form to choose software. Where there are no forms it shows the help.
func browseCommand(r *Router) Command {
	return Command{
		Name:    BrowseName,
		Summary: "choose software, order and filters in a form; /missingkbs alone opens it too",
		Run: func(_ context.Context, req Request) (view.Page, error) {
			if err := RejectWords(BrowseName, req.Words); err != nil {
				return view.Page{}, err
			}
			page := helpPage(r)
			page.Dialog = browseDialog()
			return page, nil
		},
	}
}

// browseDialog returns the form that asks for a software and how to list its updates.
func browseDialog() *view.Dialog {
	return &view.Dialog{
		Title: "Missing KBs", Submit: "Show",
		Fields: []view.Field{
			{Name: view.WordsField, Label: "Software", Hint: "Type a part of its name.", Kind: view.SoftwareField, Required: true},
			{Name: "sort", Option: "sort", Label: "Order", Kind: view.ChoiceField, Choices: []view.Choice{
				{Label: "Most devices first", Value: "devices"}, {Label: "Most CVEs first", Value: "cves"}, {Label: "By KB number", Value: "kb"},
			}},
			{Name: "min-devices", Option: "min-devices", Label: "Least devices", Hint: "Leaves out updates that fewer devices lack.", Kind: view.NumberField},
			{Name: "min-cves", Option: "min-cves", Label: "Least CVEs", Hint: "Leaves out updates that fix fewer CVEs.", Kind: view.NumberField},
			{
				Name: view.AudienceName, Label: "Who sees the answer", Kind: view.AudienceField, Values: []string{view.OnlyMe},
				Choices: []view.Choice{{Label: "Only me", Value: view.OnlyMe}, {Label: "Everyone in the channel", Value: view.Everyone}},
			},
			{Name: "channel", Label: "Channel of the answer", Hint: "Without a channel the answer is a direct message from me.", Kind: view.ChannelField},
		},
	}
}
