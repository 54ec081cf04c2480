package commands

import (
	"context"

	"github.com/missingkbs/missingkbs/internal/view"
)

// BrowseName is the name of the command that [NewRouter] adds for lines without words.
const BrowseName = "browse"

// browseCommand opens the form in which software is chosen. Where there are no forms it says what can be asked, like help.
func browseCommand(r *Router) Command {
	return Command{
		Name:    BrowseName,
		Summary: "choose software in a form, with its order and filters; also without any words",
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

// browseDialog asks for one software and how its updates are listed.
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
