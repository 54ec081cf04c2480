package commands_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/missingkbs/missingkbs/api"
	"github.com/missingkbs/missingkbs/commands"
	"github.com/missingkbs/missingkbs/commands/search"
	"github.com/missingkbs/missingkbs/internal/view"
)

// askedDefender knows the software of its catalog and remembers which were asked for.
type askedDefender struct {
	plainDefender
	asked []string
}

func (d *askedDefender) MissingKBs(ctx context.Context, id string, opts ...api.CallOption) (api.Answer[[]api.MissingKB], error) {
	d.asked = append(d.asked, id)
	return d.plainDefender.MissingKBs(ctx, id, opts...)
}

// However odd the id of a software is, the buttons of its pages ask for that very id.
func TestButtonsAskForTheVeryId(t *testing.T) {
	t.Parallel()
	part := rapid.StringOfN(rapid.RuneFrom([]rune("abz019_-.,;:!?()<>[]{}&%=#/+*~ \"'`—–‑−“”‘’«\u00a0\u200b\u2060\ufeff\u00ad１Ａ＿é中🙂™")), 1, 12, -1)
	rapid.Check(t, func(rt *rapid.T) {
		id := part.Draw(rt, "vendor") + "-_-" + part.Draw(rt, "name")
		if mixesQuotes(id) {
			rt.Skip()
		}
		d := &askedDefender{plainDefender: plainDefender{
			catalog: []api.Software{{ID: id}, {ID: "acme-_-other"}}, kbs: []api.MissingKB{{ID: "5000001"}, {ID: "5000002"}}, fetched: time.Now(),
		}}
		index := &search.Index{}
		router, err := commands.NewRouter(commands.Software(d, index), commands.Search(d, index))
		if err != nil {
			rt.Fatal(err)
		}
		press := func(line string) view.Page {
			req, err := commands.ParseOffered(line)
			if err != nil {
				rt.Fatal(err)
			}
			page, err := router.Run(t.Context(), req)
			if err != nil {
				rt.Fatalf("%q: %v", line, err)
			}
			return page
		}
		page := press("search")
		for _, row := range page.Parts[0].(view.Table).Rows {
			if row[5].Text == id {
				page = press(row[2].Action.Command)
			}
		}
		for _, line := range buttons(page) {
			if strings.HasPrefix(line, "kb 500000") { // names an update
				continue
			}
			press(line)
		}
		for _, got := range d.asked {
			if diff := cmp.Diff(id, got); diff != "" {
				rt.Fatalf("asked for another id (-want +got):\n%s", diff)
			}
		}
		if len(d.asked) < 4 {
			rt.Fatalf("%q was asked for %d times", id, len(d.asked))
		}
	})
}
