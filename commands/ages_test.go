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
	"github.com/missingkbs/missingkbs/internal/aging"
	"github.com/missingkbs/missingkbs/internal/deadline"
	"github.com/missingkbs/missingkbs/internal/patchgap"
)

// Overdue updates come first behind exploited ones, with by how many days; what an update contains makes it late, too.
func TestOverdueFirst(t *testing.T) {
	t.Parallel()
	a := newAdvised(t)
	policy, err := deadline.Parse(deadline.Example)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Date(2031, 6, 20, 9, 0, 0, 0, time.UTC)
	days := func(n int) patchgap.Seen {
		return patchgap.Seen{First: now.AddDate(0, 0, -n), Before: now.AddDate(0, 0, -n-1)}
	}
	f := aging.Facts{Now: now, Policy: policy, Seen: map[patchgap.Key]patchgap.Seen{}}
	for kb, seen := range map[string]patchgap.Seen{"6000001": days(90), "6000003": days(10), "7000001": days(61)} {
		f.Seen[patchgap.Key{Software: windows11, KB: kb, OSBuild: "26100"}] = seen
	}
	index := &search.Index{}
	a.router, err = commands.NewRouter(commands.Software(a.client, index,
		commands.WithAdvisories(func() *advisory.Snapshot { return a.feeds }),
		commands.WithAges(func(_ context.Context, software string) aging.Facts {
			if software != windows11 {
				t.Errorf("asked for the ages of %s", software)
			}
			g := f
			g.Known = a.feeds
			return g
		})), commands.KB(a.client, index), commands.Search(a.client, index))
	if err != nil {
		t.Fatal(err)
	}

	p := a.page(t, windows11)
	if want := "2 are overdue, KB6000003 by 30 days."; !strings.Contains(p.Lead, want) || !strings.Contains(p.Context, "The most overdue first.") {
		t.Errorf("lead %q, context %q", p.Lead, p.Context)
	}
	// Without feeds the newest of the three is taken to contain the others, and is as late as they are.
	if d := cmp.Diff([]string{"KB6000003 overdue by 30 days", "KB7000001 overdue by 1 day"}, columnOf(t, p, "deadline")[:2]); d != "" {
		t.Errorf("deadlines (-want +got):\n%s", d)
	}
	if d := cmp.Diff([]string{"KB6000001 90 days", "KB7000001 61 days"}, columnOf(t, a.page(t, windows11+" --all"), "age")[:2]); d != "" {
		t.Errorf("ages of all rows (-want +got):\n%s", d)
	}

	a.feeds = listed(true)
	exploited := a.page(t, windows11)
	if !strings.Contains(exploited.Context, "Exploited first, then the most overdue.") {
		t.Errorf("context %q", exploited.Context)
	}
	if p.Source.Question == exploited.Source.Question {
		t.Error("pages of other facts have the same source")
	}
	f.Now = now.AddDate(0, 0, 1)
	if next := a.page(t, windows11); next.Source.Question == exploited.Source.Question {
		t.Error("the page of the next day has the same source")
	}
}
