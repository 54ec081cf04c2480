package commands_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/missingkbs/missingkbs/api"
	"github.com/missingkbs/missingkbs/api/apitest"
	"github.com/missingkbs/missingkbs/commands"
	"github.com/missingkbs/missingkbs/internal/digest"
	"github.com/missingkbs/missingkbs/internal/view"
)

// quota is what is left of Defender's quota.
type quota api.Quota

func (q quota) Quota(context.Context) api.Quota { return api.Quota(q) }

// homePage makes the first page for a person.
func homePage(t *testing.T, d commands.Defender, o commands.HomeOptions, user string) view.Page {
	t.Helper()
	page, err := commands.Home(d, &commands.Index{}, o).Run(t.Context(), commands.Request{User: user})
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
	for i := range 12 {
		n.PutSoftware(apitest.Software{ID: fmt.Sprintf("microsoft-_-tool_%02d", i), Name: "tool", Vendor: "microsoft", ExposedMachines: i, Weaknesses: 1})
	}
	own := digest.Subscription{
		ID: "4711", Tenant: digest.DefaultTenant, Channel: "C1", Owner: "U1", Watch: []string{"microsoft-_-edge"},
		Schedule: digest.Schedule{Words: "mon 09:00", Zone: "UTC"}, NextRun: time.Date(2026, 11, 30, 9, 0, 0, 0, time.UTC),
	}
	others := own
	others.ID, others.Owner = "4712", "U2"
	o := commands.HomeOptions{
		Digests: newMemory(own, others),
		Quota:   quota{Minute: api.Window{Limit: 50, Left: 49}, Hour: api.Window{Limit: 1500, Left: 1499}, Shared: true, Next: time.Now().Add(5*time.Minute + 30*time.Second)},
	}
	page := homePage(t, n.client, o, "U1")
	got := captions(page)
	for _, want := range []string{
		"The software that exposes most devices: microsoft-_-edge microsoft-_-tool_11 ",
		"The digests you made: 4711\n",
		"Defender calls left=49 of 50 this minute, 1,499 of 1,500 this hour, shared by all replicas\nNext call=in 5 min",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("the page lacks %q:\n%s", want, got)
		}
	}
	if strings.Contains(got, "microsoft-_-tool_00") || !strings.Contains(page.Note, "3 more") {
		t.Errorf("ten are shown and the rest is counted: %q\n%s", page.Note, got)
	}
	if page.AsOf.Time.IsZero() {
		t.Error("the page does not say how old it is")
	}
	if nobody := captions(homePage(t, n.client, o, "U9")); !strings.Contains(nobody, "Your digests=none yet") {
		t.Errorf("a person without digests is told nothing of how to make one:\n%s", nobody)
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
	s := commands.NewSuggester(n.client, &commands.Index{})
	for typed, want := range map[string]string{
		"edg":     "microsoft-_-edge",
		"widnows": "microsoft-_-windows_11",
		"":        "microsoft-_-edge",
	} {
		got, err := s.Suggest(t.Context(), typed, 1)
		if err != nil || len(got) != 1 || got[0] != want {
			t.Errorf("%q: got %v, %v, want %s", typed, got, err, want)
		}
	}
	if got, err := s.Suggest(t.Context(), strings.Repeat("x", commands.MaxLine+1), 10); err != nil || len(got) != 0 {
		t.Errorf("a very long word: got %v, %v", got, err)
	}
	if _, err := commands.NewSuggester(failing{}, &commands.Index{}).Suggest(t.Context(), "x", 1); !errors.Is(err, api.ErrUnavailable) {
		t.Errorf("got %v, want the cause", err)
	}
}
