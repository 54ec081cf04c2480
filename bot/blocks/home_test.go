package blocks_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/slack-go/slack"

	"github.com/missingkbs/missingkbs/bot/blocks"
	"github.com/missingkbs/missingkbs/internal/sandbox/blockkit"
	"github.com/missingkbs/missingkbs/internal/view"
)

// checkedView is a view as JSON, which Slack must take.
func checkedView(t *testing.T, v any) string {
	t.Helper()
	raw, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range blockkit.CheckView(raw) {
		t.Errorf("Slack would refuse the view: %+v\n%s", f, raw)
	}
	return string(raw)
}

func TestHome(t *testing.T) {
	t.Parallel()
	page := kbPage(3)
	page.Parts = append(page.Parts, view.Chart{
		Title: "Gap", Unit: "devices", Points: []string{"W1", "W2"}, Series: []view.Series{{Name: "All", Values: []int{3, 2}}},
	})
	for _, c := range []struct {
		name      string
		first     string
		form      blocks.Form
		has, lack []string
	}{
		{name: "first page", has: []string{`"external_select"`, `"choose:1"`, `"data_table"`, "W2"}, lack: []string{`"Home"`, "Share to channel", "data_visualization"}},
		{name: "another page", first: "home", has: []string{`"text":"Home"`, `"value":"home"`}, lack: []string{"Share to channel"}},
		{name: "links", form: blocks.Form{Tables: blocks.LinkTables}, has: []string{`"external_select"`, `"data_table"`, `"link"`}, lack: []string{"action_cell"}},
		{name: "plain", form: blocks.Form{Tables: blocks.PlainTables}, has: []string{`"external_select"`, `"table"`, `"link"`}, lack: []string{"data_table", "raw_number"}},
		{name: "classic", form: blocks.Classic(), has: []string{`"external_select"`, "KB4540673"}, lack: []string{"data_table", `"table"`}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got := checkedView(t, blocks.Home(page, blocks.Options{Form: c.form}, c.first))
			for _, s := range c.has {
				if !strings.Contains(got, s) {
					t.Errorf("lacks %s: %s", s, got)
				}
			}
			for _, s := range c.lack {
				if strings.Contains(got, s) {
					t.Errorf("holds %s: %s", s, got)
				}
			}
		})
	}
}

func TestHomeOfAnySizeIsTaken(t *testing.T) {
	t.Parallel()
	for _, f := range forms() {
		checkedView(t, blocks.Home(kbPage(5000), blocks.Options{Form: f}, "home"))
	}
}

func TestSuggestions(t *testing.T) {
	t.Parallel()
	all := []blocks.Suggestion{{Label: strings.Repeat("långt ", 40), Value: "a-_-b"}, {Label: "too long to come back", Value: strings.Repeat("x", 151)}, {Label: "nothing", Value: ""}}
	for range 200 {
		all = append(all, blocks.Suggestion{Label: "<!channel> & co", Value: "c-_-d"})
	}
	got := blocks.Suggestions(all)
	raw, err := json.Marshal(got)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range blockkit.CheckSuggestion(raw) {
		t.Errorf("Slack would refuse the answer: %+v", f)
	}
	if len(got.Options) != blocks.MaxSuggestions || got.Options[0].Value != "a-_-b" || got.Options[1].Value != "c-_-d" {
		t.Errorf("got %d options, %q and %q first", len(got.Options), got.Options[0].Value, got.Options[1].Value)
	}
	if got.Options[1].Text.Type != slack.PlainTextType {
		t.Error("foreign text stands where Slack reads markup")
	}
	if raw, _ := json.Marshal(blocks.Suggestions(nil)); string(raw) != `{"options":[]}` {
		t.Errorf("no entries are %s", raw)
	}
}
