package blocks

import (
	"github.com/slack-go/slack"

	"github.com/missingkbs/missingkbs/internal/view"
)

// chooseLabel stands in the select until something is typed; Slack takes 150 characters.
const chooseLabel = "Find software"

// Home draws a page for the Home tab: below a select that finds software while one types. The Home tab takes no charts
// and belongs to no channel, so charts become text and nothing is shared from it. A page that is not the first one gets
// a button back to it.
func Home(p view.Page, o Options, first string) *slack.HomeTabViewRequest {
	o.surface = homeTab
	if first != "" {
		p.Actions = append([]view.Action{{Label: "Home", Command: first, Effect: view.Replace}}, p.Actions...)
	}
	m := Render(p, o)
	all := append([]slack.Block{slack.NewActionBlock("choose", softwareSelect(Choose))}, m.Blocks...)
	return &slack.HomeTabViewRequest{Type: slack.VTHomeTab, Blocks: slack.Blocks{BlockSet: all}}
}

// softwareSelect is a select whose options Slack asks for while a user types.
func softwareSelect(kind ActionKind) *slack.SelectBlockElement {
	s := slack.NewOptionsSelectBlockElement(slack.OptTypeExternal, plain(chooseLabel, maxPlaceholder), kind.actionID(1))
	least := 0 // nothing typed offers all software
	s.MinQueryLength = &least
	return s
}

// Suggestion is an entry that a select offers.
type Suggestion struct {
	Label string // what is read
	Small string // a line below it; empty for none
	Value string // what comes back when it is chosen
}

// MaxSuggestions is how many entries a select takes.
const MaxSuggestions = 100

// Offer is what a select is answered with while a person types. slack-go's own type leaves the list out when it is
// empty, and Slack shows that as an error.
type Offer struct {
	Options []*slack.OptionBlockObject `json:"options"`
}

// Suggestions draws what a select offers. What Slack would refuse, because it is too long to come back whole, is left
// out.
func Suggestions(all []Suggestion) Offer {
	r := Offer{Options: []*slack.OptionBlockObject{}}
	for _, s := range all {
		if s.Value == "" || length(s.Value) > maxOptionValue || len(r.Options) == MaxSuggestions {
			continue
		}
		o := slack.NewOptionBlockObject(s.Value, plain(view.OneLine(s.Label), maxButtonText), nil)
		if small := view.OneLine(s.Small); small != "" {
			o.Description = plain(small, maxButtonText)
		}
		r.Options = append(r.Options, o)
	}
	return r
}
