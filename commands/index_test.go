package commands_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/missingkbs/missingkbs/api"
	"github.com/missingkbs/missingkbs/commands"
	"github.com/missingkbs/missingkbs/commands/search"
	"github.com/missingkbs/missingkbs/internal/view"
)

// plainDefender answers from its fields and counts the options it was asked with.
type plainDefender struct {
	commands.Details // nothing is asked behind lists
	kbs              []api.MissingKB
	catalog          []api.Software
	fetched          time.Time
	options          int
}

func (d *plainDefender) MissingKBs(_ context.Context, _ string, opts ...api.CallOption) (api.Answer[[]api.MissingKB], error) {
	d.options = len(opts)
	return api.Answer[[]api.MissingKB]{Value: d.kbs, FetchedAt: d.fetched}, nil
}

func (d *plainDefender) SoftwareByID(_ context.Context, id string, _ ...api.CallOption) (api.Answer[api.Software], error) {
	return api.Answer[api.Software]{Value: api.Software{ID: id}, FetchedAt: d.fetched}, nil
}

func (d *plainDefender) Catalog(context.Context, ...api.CallOption) (api.Answer[[]api.Software], error) {
	return api.Answer[[]api.Software]{Value: d.catalog, FetchedAt: d.fetched}, nil
}

// run answers words from a Defender of plain values.
func (d *plainDefender) run(t *testing.T, x *search.Index, words ...string) view.Page {
	t.Helper()
	router, err := commands.NewRouter(commands.Software(d, x), commands.Search(d, x))
	if err != nil {
		t.Fatal(err)
	}
	p, err := router.Run(t.Context(), commands.Request{Words: words})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestOnlyRefreshAsksForFreshData(t *testing.T) {
	t.Parallel()
	d := &plainDefender{kbs: []api.MissingKB{{ID: "5000001"}}, fetched: time.Now()}
	for fresh, words := range [][]string{{"a-_-b"}, {"a-_-b", "--fresh"}} {
		d.run(t, &search.Index{}, words...)
		if want := 1 + fresh; d.options != want { // no caller needs a copy of the rows
			t.Errorf("%q asked with %d options, want %d", words, d.options, want)
		}
	}
}

func TestNewestFirstPutsOtherIdsLast(t *testing.T) {
	t.Parallel()
	d := &plainDefender{fetched: time.Now()}
	for _, id := range []string{"RHSA-2", "5000001", "ADV1", "5000003", "RHSA-1", "5000002"} {
		d.kbs = append(d.kbs, api.MissingKB{ID: id})
	}
	want := []string{"KB5000003", "KB5000002", "KB5000001", "ADV1", "RHSA-1", "RHSA-2"}
	if diff := cmp.Diff(want, rowNames(d.run(t, &search.Index{}, "a-_-b", "--sort", "kb"))); diff != "" {
		t.Errorf("rows (-want +got):\n%s", diff)
	}
}

func TestIndexFollowsTheCatalog(t *testing.T) {
	t.Parallel()
	d := &plainDefender{catalog: []api.Software{{ID: "a-_-first"}, {ID: "a-_-other"}}, fetched: time.Now()}
	x := &search.Index{}
	for _, c := range []struct {
		later time.Duration
		add   string
		found string
	}{{0, "", "2 software ids found"}, {0, "a-_-late", "2 software ids found"}, {time.Minute, "", "3 software ids found"}} {
		if c.add != "" {
			d.catalog = append(d.catalog, api.Software{ID: c.add})
		}
		d.fetched = d.fetched.Add(c.later)
		if got := d.run(t, x, "search", "a").Lead; !cmp.Equal(got[:len(c.found)], c.found) {
			t.Errorf("got %q, want %q", got, c.found)
		}
	}
}

func TestSearchRanks(t *testing.T) {
	t.Parallel()
	d := &plainDefender{fetched: time.Now(), catalog: []api.Software{
		{ID: "contoso-_-edgeworth", ExposedMachines: 900},
		{ID: "microsoft-_-edge", ExposedMachines: 1},
		{ID: "microsoft-_-edge_chromium-based", ExposedMachines: 40},
		{ID: "google-_-chrome", ExposedMachines: 7},
		{ID: "x-_-ab", ExposedMachines: 1},
	}}
	for _, c := range []struct {
		words []string
		want  []string
	}{
		// The whole name beats a word of one, and that the beginning of one; of equals the more exposed is first.
		{[]string{"edge"}, []string{"microsoft-_-edge", "microsoft-_-edge_chromium-based", "contoso-_-edgeworth"}},
		{[]string{"microsoft"}, []string{"microsoft-_-edge_chromium-based", "microsoft-_-edge"}},
		{[]string{"hromium"}, []string{"microsoft-_-edge_chromium-based"}},                               // inside a word
		{[]string{"crome"}, []string{"google-_-chrome"}},                                                 // a letter too few
		{[]string{"chromme"}, []string{"google-_-chrome"}},                                               // a letter too many
		{[]string{"microsoftedge"}, []string{"microsoft-_-edge", "microsoft-_-edge_chromium-based"}},     // two words as one
		{[]string{"edge", "micrsoft"}, []string{"microsoft-_-edge_chromium-based", "microsoft-_-edge"}},  // one of two mistyped
		{[]string{"mircosoft", "egde"}, []string{"microsoft-_-edge_chromium-based", "microsoft-_-edge"}}, // both
	} {
		got := idsOf(d.run(t, &search.Index{}, append([]string{"search"}, c.words...)...))
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%q (-want +got):\n%s", c.words, diff)
		}
	}
	if got := d.run(t, &search.Index{}, "search", "chrome").Lead; got != "1 software found. Choose one to see its missing updates." {
		t.Errorf("one hit reads %q", got)
	}
	if got := d.run(t, &search.Index{}, "search", "ab").Parts[0].(view.Table).Rows; len(got) != 1 {
		t.Errorf("two letters fit %d, want the one of that name", len(got))
	}
}

// However often a word is typed it is looked for once, and however many words, only some are: each costs a look at all.
func TestRepeatedWordsCostNothing(t *testing.T) {
	t.Parallel()
	d := &plainDefender{fetched: time.Now()}
	for i := range 5000 {
		d.catalog = append(d.catalog, api.Software{ID: fmt.Sprintf("microsoft-_-product_%d_tool", i), Vendor: "microsoft"})
	}
	x := &search.Index{}
	x.Prepare(api.Answer[[]api.Software]{Value: d.catalog, FetchedAt: d.fetched})
	s := commands.NewSuggester(x, nil)
	once, err := s.Suggest(t.Context(), "", "microsoff tool", 100)
	if err != nil || len(once) != 100 {
		t.Fatalf("%d found, %v", len(once), err)
	}
	again, err := s.Suggest(t.Context(), "", strings.Repeat("microsoff tool ", 60), 100)
	if diff := cmp.Diff(once, again); diff != "" || err != nil {
		t.Errorf("%v, repeated (-once +again):\n%s", err, diff)
	}
	many, err := s.Suggest(t.Context(), "", "microsoft mi mic micr micro micros microso microsof m product nothing", 100)
	if err != nil || len(many) != 100 {
		t.Errorf("%d found by ten words that fit and one more, %v", len(many), err)
	}
	late, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.Suggest(late, "", "microsoff", 100); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want an end to the search", err)
	}
}
