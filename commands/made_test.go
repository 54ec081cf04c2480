package commands_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/missingkbs/missingkbs/commands"
	"github.com/missingkbs/missingkbs/commands/search"
	"github.com/missingkbs/missingkbs/internal/advisory"
	"github.com/missingkbs/missingkbs/internal/patchgap"
	"github.com/missingkbs/missingkbs/internal/risk"
	"github.com/missingkbs/missingkbs/internal/view"
)

// decided are acceptances that may change.
type decided struct{ list []risk.Acceptance }

func (d *decided) Marks(_ context.Context, rows []patchgap.Row) (risk.Marks, error) {
	return risk.Judge(d.list, rows, nil, time.Now()), nil
}

// A page that is asked for again is the same, and another one as soon as anything that it is made of is: the filter, the page of
// the list, the feeds, their age, what is accepted, the data.
func TestRepeatedQuestions(t *testing.T) {
	t.Parallel()
	a, index, accepted := newAdvised(t), &search.Index{}, &decided{}
	clock := time.Date(2031, 5, 29, 9, 0, 0, 0, time.UTC)
	var err error
	a.router, err = commands.NewRouter(commands.Software(a.client, index, commands.WithAdvisories(func() *advisory.Snapshot { return a.feeds }),
		commands.WithAccepted(accepted), commands.WithClock(func() time.Time { return clock })), commands.KB(a.client, index), commands.Search(a.client, index))
	if err != nil {
		t.Fatal(err)
	}
	said := func(line string) string {
		p := a.page(t, line)
		p.AsOf = view.AsOf{}
		return text(t, p) + csvOf(t, p)
	}
	before := map[string]bool{}
	for _, c := range []struct {
		name   string
		line   string
		change func()
	}{
		{"first", windows11, func() {}},
		{"a filter", windows11 + " --min-devices 30", func() {}},
		{"every row", windows11 + " --all", func() {}},
		{"feeds", windows11, func() { a.feeds = listed(false) }},
		{"an update that became exploited", windows11, func() { a.feeds = listed(true) }},
		{"feeds that are old now", windows11, func() { clock = clock.AddDate(0, 0, 5) }},
		{"accepted", windows11, func() {
			accepted.list = []risk.Acceptance{{ID: "1", KB: "7000001", Reason: "frozen", By: "U1", At: time.Now(), Until: time.Now().AddDate(0, 1, 0), State: risk.Accepted, Rows: []risk.Row{{Software: windows11, OSBuild: "26100", Devices: 40}}}}
		}},
		{"no longer accepted", windows11 + " --fresh", func() { accepted.list = nil; clock = clock.AddDate(0, 0, 1) }},
	} {
		c.change()
		got := said(c.line)
		if before[got] {
			t.Errorf("%s: the page is an earlier one", c.name)
		}
		before[got] = true
		if d := cmp.Diff(got, said(c.line)); d != "" {
			t.Errorf("%s: asked again (-first +second):\n%s", c.name, d)
		}
	}
	if first, second := tableOf(t, a.page(t, windows11)).Page, tableOf(t, a.page(t, windows11+" --page 2")).Page; first != 0 || second != 2 {
		t.Errorf("pages %d and %d of the list, want the first and the second", first, second)
	}
	changed := a.page(t, windows11)
	changed.Actions[0].Label = strings.ToUpper(changed.Actions[0].Label)
	if again := a.page(t, windows11); again.Actions[0].Label == changed.Actions[0].Label {
		t.Error("what a caller does to its page is in the next one")
	}
}
