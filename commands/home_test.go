package commands_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/missingkbs/missingkbs/api"
	"github.com/missingkbs/missingkbs/api/apitest"
	"github.com/missingkbs/missingkbs/commands"
	"github.com/missingkbs/missingkbs/commands/cmdline"
	"github.com/missingkbs/missingkbs/commands/search"
	"github.com/missingkbs/missingkbs/internal/digest"
	"github.com/missingkbs/missingkbs/internal/digest/schedule"
	"github.com/missingkbs/missingkbs/internal/view"
)

// quota is what is left of Defender's quota.
type quota api.Quota

func (q quota) Quota(context.Context) api.Quota { return api.Quota(q) }

// homePage makes the first page for a person.
func homePage(t *testing.T, d commands.Defender, o commands.HomeOptions, user string) view.Page {
	t.Helper()
	page, err := commands.Home(d, &search.Index{}, o).Run(t.Context(), commands.Request{User: user})
	if err != nil {
		t.Fatal(err)
	}
	return page
}

// captions are the tables of a page, each with its rows' first cells, and the names and values of its facts.
func captions(p view.Page) string {
	var b strings.Builder
	for _, part := range p.Parts {
		switch part := part.(type) {
		case view.Table:
			fmt.Fprintf(&b, "%s:", part.Caption)
			for _, row := range part.Rows {
				fmt.Fprintf(&b, " %s", row[0].Text)
			}
			b.WriteString("\n")
		case view.Facts:
			for _, f := range part {
				fmt.Fprintf(&b, "%s=%s\n", f.Name, f.Value)
			}
		}
	}
	return b.String()
}

func TestHome(t *testing.T) {
	t.Parallel()
	n := newTenant(t)
	// Software without KBs by nature exposes more devices, and is not what the page is about.
	n.PutSoftware(apitest.Software{ID: "google-_-chrome", Name: "chrome", Vendor: "google", ExposedMachines: 900, Weaknesses: 9})
	n.PutSoftware(apitest.Software{ID: "microsoft-_-edge_chromium-based", Name: "edge", Vendor: "microsoft", ExposedMachines: 800, Weaknesses: 9})
	for i := range 15 {
		id := fmt.Sprintf("microsoft-_-tool_%02d", i)
		n.PutSoftware(
			apitest.Software{ID: id, Name: "tool", Vendor: "microsoft", ExposedMachines: 100 + i, Weaknesses: 1},
			apitest.KB{ID: fmt.Sprintf("50000%02d", i), Name: "2026-11 Update", OSBuild: "1", MachineMissedOn: 50 - i, CVEAddressed: 1},
			apitest.KB{ID: fmt.Sprintf("50000%02d", i), Name: "2026-11 Update", OSBuild: "2", MachineMissedOn: 20, CVEAddressed: 1},
		)
	}
	own := digest.Subscription{
		ID: "4711", Tenant: digest.DefaultTenant, Channel: "C1", Owner: "U1", Watch: []string{"microsoft-_-edge"},
		Schedule: schedule.Schedule{Words: "mon 09:00", Zone: "UTC"}, NextRun: time.Date(2026, 11, 30, 9, 0, 0, 0, time.UTC),
	}
	others := own
	others.ID, others.Owner = "4712", "U2"
	o := commands.HomeOptions{Digests: newMemory(own, others)}
	page := homePage(t, n.client, o, "U1")
	got := captions(page)
	for _, want := range []string{
		// By the devices that lack their largest update, summed over builds; of those read, tool_14 … tool_03, the ten largest.
		"Microsoft software with missing updates: Edge Tool Tool ",
		"The digests you made: 4711\n",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("the page lacks %q:\n%s", want, got)
		}
	}
	table := page.Parts[0].(view.Table)
	if row := table.Rows[1]; len(table.Rows) != 10 || row[1].Number != 1 || row[2].Number != 67 {
		t.Errorf("%d rows, the second is %+v; want ten, and 1 update on 47 + 20 devices", len(table.Rows), row)
	}
	for _, no := range []string{"chrome", "Defender calls left", "4712"} {
		if strings.Contains(got, no) {
			t.Errorf("the page names %s:\n%s", no, got)
		}
	}
	if !strings.Contains(page.Note, "Of the 17 Microsoft software ids with weaknesses the 14 ") {
		t.Errorf("the rest is not counted: %q", page.Note)
	}
	if page.AsOf.Time.IsZero() {
		t.Error("the page does not say how old it is")
	}
	if stranger := captions(homePage(t, n.client, o, "U9")); !strings.Contains(stranger, "Your digests=none yet") {
		t.Errorf("a person without digests is told nothing of how to make one:\n%s", stranger)
	}
}

// counting is a Defender that counts the readings, some of which fail.
type counting struct {
	commands.Defender
	asked *atomic.Int32
	fails string // the software whose reading fails; * for all
}

func (c counting) MissingKBs(ctx context.Context, id string, opts ...api.CallOption) (api.Answer[[]api.MissingKB], error) {
	c.asked.Add(1)
	if c.fails == "*" || c.fails == id {
		return api.Answer[[]api.MissingKB]{}, &api.Error{Kind: api.ErrUnavailable}
	}
	return c.Defender.MissingKBs(ctx, id, opts...)
}

// The page says what it could not read, and never that nothing is missing because of that. Most of a quota is left.
func TestHomeReadsWhatItCan(t *testing.T) {
	t.Parallel()
	n := newTenant(t)
	n.PutSoftware(apitest.Software{ID: "microsoft-_-office", Name: "office", Vendor: "microsoft", ExposedMachines: 7, Weaknesses: 1})
	for _, c := range []struct {
		name, fails string
		left        int
		calls       int32
		says        string
	}{
		{"all", "", 50, 2, "Microsoft software with missing updates: Edge\n"},
		{"one fails", "microsoft-_-edge", 50, 2, "Not read=Edge: Defender cannot be reached. Reload asks again.\n"},
		{"all fail", "*", 50, 2, "Not read=Edge, Office: Defender cannot be reached. Reload asks again.\n"},
		{"little is left", "", 3, 1, "Microsoft software with missing updates: Edge\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			d := counting{n.client, new(atomic.Int32), c.fails}
			page := homePage(t, d, commands.HomeOptions{Quota: quota{Minute: api.Window{Limit: 50, Left: c.left}}}, "U1")
			if got := captions(page); got != c.says || d.asked.Load() != c.calls {
				t.Errorf("%d calls and %q, want %d and %q", d.asked.Load(), got, c.calls, c.says)
			}
		})
	}
}

// A tenant whose software lacks nothing is told so.
func TestHomeWhereNothingIsMissing(t *testing.T) {
	t.Parallel()
	n := newTenant(t)
	n.PutSoftware(apitest.Software{ID: "microsoft-_-edge", Name: "edge", Vendor: "microsoft", Weaknesses: 14, ExposedMachines: 240})
	if got, want := captions(homePage(t, n.client, commands.HomeOptions{}, "U1")), "Software=no Microsoft software with weaknesses lacks an update\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// failing is a Defender that cannot be asked.
type failing struct{ commands.Defender }

func (failing) Catalog(context.Context, ...api.CallOption) (api.Answer[[]api.Software], error) {
	return api.Answer[[]api.Software]{}, &api.Error{Kind: api.ErrUnavailable}
}

func TestHomeWithoutDefenderAndStore(t *testing.T) {
	t.Parallel()
	broken := newMemory()
	broken.err = errors.New("hunter2")
	got := captions(homePage(t, failing{}, commands.HomeOptions{Digests: broken}, "U1"))
	want := "Software=Defender cannot be reached.\nYour digests=could not be read now\n"
	if got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestSuggest(t *testing.T) {
	t.Parallel()
	n := newTenant(t)
	n.PutSoftware(apitest.Software{ID: "microsoft-_-windows_11", Name: "windows_11", Vendor: "microsoft", ExposedMachines: 9, Weaknesses: 1})
	s := commands.NewSuggester(n.prepared(t), nil)
	for typed, want := range map[string]string{
		"edg":     "microsoft-_-edge",
		"widnows": "microsoft-_-windows_11",
		"":        "microsoft-_-edge",
	} {
		got, err := s.Suggest(t.Context(), "", typed, 1)
		if err != nil || len(got) != 1 || got[0].ID != want {
			t.Errorf("%q: got %v, %v, want %s", typed, got, err, want)
		}
	}
	if got, err := s.Suggest(t.Context(), "", strings.Repeat("x", cmdline.MaxTyped+1), 10); err != nil || len(got) != 0 {
		t.Errorf("a very long word: got %v, %v", got, err)
	}
	if got, err := commands.NewSuggester(&search.Index{}, nil).Suggest(t.Context(), "", "x", 1); err != nil || len(got) != 0 {
		t.Errorf("without a list: got %v, %v", got, err)
	}
}
