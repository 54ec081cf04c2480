package commands_test

import (
	"context"
	"slices"
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
	if want := "2 are overdue, KB6000003 by 30 days, for KB6000001 inside it."; !strings.Contains(p.Lead, want) || !strings.Contains(p.Context, "The most overdue first.") {
		t.Errorf("lead %q, context %q", p.Lead, p.Context)
	}
	// Without feeds the newest of the three is taken to contain the others, and is as late as they are.
	if d := cmp.Diff([]string{"KB6000003 overdue by 30 days (KB6000001)", "KB7000001 overdue by 1 day"}, columnOf(t, p, "deadline")[:2]); d != "" {
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

// The pages of an update and of a device say how old updates are and what is overdue, and the device's lists that first.
func TestDetailsSayHowOldUpdatesAre(t *testing.T) {
	t.Parallel()
	n := wholeTenant(t)
	kb := strings.TrimPrefix(first(t, n.mustPress(t, windows11), "kb"), "kb ")
	cve := first(t, n.mustPress(t, "kb "+kb), "cve")
	machine := first(t, n.mustPress(t, cve+" --devices"), "machine")
	policy, err := deadline.Parse("other:10")
	if err != nil {
		t.Fatal(err)
	}
	dated := "" // an update that digests have seen two weeks ago, on another build
	index, now := &search.Index{}, time.Date(2026, 3, 20, 9, 0, 0, 0, time.UTC)
	ages := commands.WithAges(func(_ context.Context, software string) aging.Facts {
		of := map[patchgap.Key]patchgap.Seen{{Software: software, KB: dated, OSBuild: "any"}: {First: now.AddDate(0, 0, -14), Before: now.AddDate(0, 0, -15)}}
		return aging.Facts{Now: now, Policy: policy, Seen: of}
	})
	n.router, err = commands.NewRouter(commands.Software(n.client, index, ages), commands.KB(n.client, index, ages), commands.Machine(n.client, time.Now, ages))
	if err != nil {
		t.Fatal(err)
	}
	if p := n.mustPress(t, "kb "+kb); !hasFact(p, "Age", "unknown: no digest has seen it, and MSRC does not list it") {
		t.Errorf("nothing is known: %s", text(t, p))
	}
	last := tableOf(t, n.mustPress(t, machine))
	dated = strings.TrimPrefix(last.Row(last.Len() - 1)[0].Text, "KB")
	page := n.mustPress(t, machine)
	if got := columnOf(t, page, "deadline"); !slices.Contains(got, "KB"+dated+" overdue by 4 days") || !strings.Contains(got[0], "overdue by") || !strings.Contains(page.Lead, "overdue") || !strings.Contains(page.Context, "he most overdue") {
		t.Errorf("first on the page of a device is %q, its lead %q, its order %q", got, page.Lead, page.Context)
	}
}

// The page of an update joins when it was first seen in any software that lacks it.
func TestUpdateSaysItsAge(t *testing.T) {
	t.Parallel()
	a := newAdvised(t)
	policy, err := deadline.Parse("other:10")
	if err != nil {
		t.Fatal(err)
	}
	now := time.Date(2031, 6, 20, 9, 0, 0, 0, time.UTC)
	f := aging.Facts{Now: now, Policy: policy, Seen: map[patchgap.Key]patchgap.Seen{}}
	for kb, days := range map[string]int{"6000001": 40, "6000002": 5, "6000003": 12} {
		f.Seen[patchgap.Key{Software: windows11, KB: kb, OSBuild: "26100"}] = patchgap.Seen{First: now.AddDate(0, 0, -days), Before: now.AddDate(0, 0, -days-1)}
	}
	index := &search.Index{}
	a.router, err = commands.NewRouter(commands.Software(a.client, index), commands.KB(a.client, index, commands.WithAges(func(context.Context, string) aging.Facts { return f })))
	if err != nil {
		t.Fatal(err)
	}
	a.page(t, windows11)
	p := a.page(t, "kb 6000003")
	for name, value := range map[string]string{
		"Release month": "May 2031", "Age": "12 days, from 8 Jun 2031", "Deadline": "overdue by 2 days: 18 Jun 2031, as other",
		"Deadline of what it contains": "KB6000001 overdue by 30 days",
	} {
		if !hasFact(p, name, value) {
			t.Errorf("no fact %q: %q in\n%s", name, value, text(t, p))
		}
	}
	if want := "It contains KB6000001, which is overdue by 30 days."; !strings.HasPrefix(p.Lead, want) {
		t.Errorf("lead %q, want %q", p.Lead, want)
	}
	if p := a.page(t, "kb 6000001"); !strings.HasPrefix(p.Lead, "It is overdue by 30 days.") {
		t.Errorf("lead %q", p.Lead)
	}
}
