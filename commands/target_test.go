package commands_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/missingkbs/missingkbs/commands/cmdline/cmdlinetest"
	"github.com/missingkbs/missingkbs/commands/digestcmd"

	"github.com/google/go-cmp/cmp"

	"github.com/missingkbs/missingkbs/api"
	"github.com/missingkbs/missingkbs/api/apitest"
	"github.com/missingkbs/missingkbs/commands"
	"github.com/missingkbs/missingkbs/commands/cmdline"
	"github.com/missingkbs/missingkbs/commands/search"
	"github.com/missingkbs/missingkbs/internal/digest"
	"github.com/missingkbs/missingkbs/internal/product"
	"github.com/missingkbs/missingkbs/internal/view"
)

// idsOf are the software of a page of choices, or the one whose missing updates it shows.
func idsOf(p view.Page) []string {
	if p.Software != "" {
		return []string{p.Software}
	}
	var ids []string
	for _, part := range p.Parts {
		if t, ok := part.(view.Table); ok {
			for i := range t.Rows {
				ids = append(ids, textOf(t, i, "software"))
			}
		}
	}
	return ids
}

// textOf is the text of a row in the column of a key; empty where there is none.
func textOf(t view.Table, row int, key string) string {
	at := slices.IndexFunc(t.Columns, func(c view.Column) bool { return c.Key == key })
	if at < 0 {
		return ""
	}
	return t.Row(row)[at].Text
}

// prepared is an index of the software of a tenant.
func (n *tenant) prepared(t *testing.T) *search.Index {
	t.Helper()
	catalog, err := n.client.Catalog(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	x := &search.Index{}
	x.Prepare(catalog)
	return x
}

// However an id is pasted, every command reads it: each line asks for that very software.
func TestEveryCommandReadsEveryWrapping(t *testing.T) {
	t.Parallel()
	const id = "microsoft-_-.net_framework"
	d := newDesk(t)
	d.PutSoftware(apitest.Software{ID: id, Name: ".net_framework", Vendor: "microsoft", ExposedMachines: 8}, apitest.KB{ID: "5000001", MachineMissedOn: 3})
	suggester := commands.NewSuggester(d.prepared(t), nil)
	for _, form := range cmdlinetest.Pasted() {
		if strings.HasPrefix(form, "/missingkbs") || strings.HasPrefix(form, "missingkbs") || strings.HasPrefix(form, "GET ") {
			continue // stands in front of a command
		}
		typed := fmt.Sprintf(form, id, strings.ReplaceAll(id, "_", "%5F"))
		for _, command := range []string{"", "search ", "*search* "} {
			if got := idsOf(d.does(t, command+typed)); len(got) == 0 || got[0] != id {
				t.Errorf("%s%s: found %q, want %s first", command, typed, got, id)
			}
		}
		if got, err := suggester.Suggest(t.Context(), "", typed, 3); err != nil || len(got) == 0 || got[0].ID != id {
			t.Errorf("a select given %s: %q, %v", typed, got, err)
		}
		d.store.held = map[string]digest.Subscription{}
		d.does(t, "digest add "+typed)
		if got := d.store.held["4711"].Watch; !cmp.Equal(got, []string{id}) {
			t.Errorf("digest add %s: watches %q", typed, got)
		}
		d.store.held = map[string]digest.Subscription{}
		d.does(t, "digest add "+typed+" microsoft-_-edge —at daily 07:00")
		if got := d.store.held["4711"]; !cmp.Equal(got.Watch, []string{id, "microsoft-_-edge"}) || got.Schedule.Words != "daily 07:00" {
			t.Errorf("digest add %s and another: watches %q %s", typed, got.Watch, got.Schedule.Words)
		}
	}
	for _, typed := range []string{"4711", "*4711*", "_4711_", "`4711`", "“4711”", "#4711", "4711.", "4711,", "(4711)", "４７１１", "47\u200b11"} {
		for _, word := range []string{"show", "pause", "resume", "remove", "_show_", "show:", "Show"} {
			if page := d.does(t, "digest "+word+" "+typed); !strings.Contains(page.Title, "4711") {
				t.Errorf("digest %s %s: %q", word, typed, page.Title)
			}
		}
	}
}

// What one command understands the others do.
func TestCommandsUnderstandTheSame(t *testing.T) {
	t.Parallel()
	const edgeID, newEdge, win11, win10, chrome = "microsoft-_-edge", "microsoft-_-edge_chromium-based", "microsoft-_-windows_11", "microsoft-_-windows_10", "google-_-chrome"
	d := newDesk(t)
	for i, id := range []string{newEdge, win10} {
		d.PutSoftware(apitest.Software{ID: id, ExposedMachines: 20 - i}, apitest.KB{ID: "5000001", MachineMissedOn: 3})
	}
	for _, c := range []struct {
		words string
		found []string // by the lookup and by search
		added []string // by digest add; nil where it offers what was found
	}{
		{"windows 11", []string{win11}, []string{win11}},
		{"“windows 11”", []string{win11}, []string{win11}},
		{"WINDOWS　１１.", []string{win11}, []string{win11}},
		{"win11", []string{win11}, []string{win11}},
		{"Microsoft-_-Windows_11", []string{win11}, []string{win11}},
		{"windows", []string{win11, win10}, nil},
		{"edg", []string{edgeID, newEdge}, nil},
		{"microsoft-_-edge chrome", []string{edgeID, chrome}, []string{chrome, edgeID}},
		{"microsoft-_-edge,google-_-chrome", []string{edgeID, chrome}, []string{chrome, edgeID}},
		{"microsoft-_-edge; google-_-chrome", []string{edgeID, chrome}, []string{chrome, edgeID}},
		{"windows 11, chrome", []string{win11, chrome}, []string{chrome, win11}},
		{"windows 11 chrome", []string{win11, chrome}, []string{chrome, win11}},
		{"edge chrome", []string{edgeID, newEdge, chrome}, []string{chrome, edgeID}},
		{"edge, chrome, windows 11", []string{edgeID, newEdge, chrome, win11}, []string{chrome, edgeID, win11}},
		{"edg chrome", []string{edgeID, newEdge, chrome}, nil},
		{`"windows 11" chrome`, []string{win11, chrome}, []string{chrome, win11}},
		{"microsoft-_-windows*", []string{win11, win10}, []string{"microsoft-_-windows*"}},
		{"*Microsoft-_-Windows**", []string{win11, win10}, []string{"microsoft-_-windows*"}},
		{"all", []string{edgeID, win11, newEdge, win10}, []string{"all"}},
	} {
		for _, command := range []string{"", "search "} {
			got := idsOf(d.does(t, command+c.words))
			if diff := cmp.Diff(c.found, got); diff != "" {
				t.Errorf("%s%s (-want +got):\n%s", command, c.words, diff)
			}
		}
		d.store.held = map[string]digest.Subscription{}
		if c.added != nil {
			d.does(t, "digest add "+c.words)
			if diff := cmp.Diff(c.added, d.store.held["4711"].Watch); diff != "" {
				t.Errorf("digest add %s (-want +got):\n%s", c.words, diff)
			}
			continue
		}
		page, err := d.from(t, alice, here, "digest add "+c.words+" --min-devices 3")
		if err == nil {
			t.Errorf("digest add %s: %q", c.words, page.Title)
			continue
		}
		page = commands.Explain(err)
		for i, id := range c.found {
			if want := "digest add " + id + " --min-devices 3"; len(page.Actions) <= i || page.Actions[i].Label != product.Name(id, "") || page.Actions[i].Command != want {
				t.Errorf("digest add %s: offers %+v, want %s", c.words, page.Actions, want)
			}
		}
	}
}

func TestAllIsTitledAsSuch(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	for _, line := range []string{"all", "search ALL."} {
		if got := d.does(t, line).Title; got != "All Microsoft software" {
			t.Errorf("%s: %q", line, got)
		}
	}
}

// A name beside an id may be the rest of one that was cut.
func TestAnIDAndMore(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.PutSoftware(apitest.Software{ID: "microsoft-_-edge_chromium-based"}, apitest.KB{ID: "5000001", MachineMissedOn: 3})
	for line, want := range map[string][]string{
		"microsoft-_-edge chromium": {"microsoft-_-edge_chromium-based"},
		"microsoft-_-edge zzzzz":    {"microsoft-_-edge"},
	} {
		page := d.does(t, line)
		if got := idsOf(page); !cmp.Equal(got, want) || strings.Contains(line, "zzzzz") != strings.Contains(page.Note, `Nothing matches "zzzzz"`) {
			t.Errorf("%s: %q with the note %q", line, got, page.Note)
		}
	}
}

// A name that fits several is added with one press, whatever else was typed.
func TestDigestAddOffersSeveral(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.PutSoftware(apitest.Software{ID: "microsoft-_-windows_10", ExposedMachines: 3})
	page := d.refuses(t, alice, here, `digest add windows microsoft-_-edge all --at “patch-tuesday 09:00” --min-cves 2`)
	want := map[string]string{
		"Windows 11": `digest add microsoft-_-windows_11 microsoft-_-edge all --at "patch-tuesday 09:00" --min-cves 2`,
		"Windows 10": `digest add microsoft-_-windows_10 microsoft-_-edge all --at "patch-tuesday 09:00" --min-cves 2`,
		"All 2":      `digest add microsoft-_-windows_11 microsoft-_-windows_10 microsoft-_-edge all --at "patch-tuesday 09:00" --min-cves 2`,
		"Search":     "search windows",
	}
	if diff := cmp.Diff(want, commandsOf(page)); diff != "" || page.Title != "Which one?" {
		t.Errorf("%s: buttons (-want +got):\n%s", page.Title, diff)
	}
	for _, line := range commandsOf(page) {
		d.store.held = map[string]digest.Subscription{}
		d.does(t, line)
	}
}

// Software that appeared after the list was read is asked of Defender before it is refused.
func TestSoftwareNewerThanTheList(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.does(t, "search")
	d.PutSoftware(apitest.Software{ID: "microsoft-_-new_thing", Name: "new_thing", Vendor: "microsoft", ExposedMachines: 1}, apitest.KB{ID: "5000001", MachineMissedOn: 1})
	for _, typed := range []string{"microsoft-_-new_thing", "Microsoft-_-New_Thing", "`va-_-microsoft-_-new_thing`"} {
		d.store.held = map[string]digest.Subscription{}
		page := d.does(t, "digest add "+typed)
		if got := d.store.held["4711"].Watch; !cmp.Equal(got, []string{"microsoft-_-new_thing"}) || page.Note != "" {
			t.Errorf("%s: watches %q, note %q", typed, got, page.Note)
		}
		if got := idsOf(d.does(t, "search "+typed)); !cmp.Equal(got, []string{"microsoft-_-new_thing"}) {
			t.Errorf("search %s: %q", typed, got)
		}
	}
	if page := d.refuses(t, alice, here, "digest add microsoft-_-nothing"); page.Title != "Unknown software" {
		t.Errorf("an id that Defender does not know: %q", page.Title)
	}
	// Where Defender does not say, nothing is refused.
	d.store.held = map[string]digest.Subscription{}
	d.Inject(apitest.Fault{Path: "/api/Software/microsoft-_-newer", Status: 503})
	page := d.does(t, "digest add microsoft-_-newer")
	if want := "The bot could not check now whether Defender knows microsoft-_-newer: Defender cannot be reached."; page.Note != want {
		t.Errorf("note %q, want %q", page.Note, want)
	}
}

func TestNothingToSearchFor(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	for _, typed := range []string{"?", "-", "—", "…", "🙂", "*", "!!! ???", "'", "\u200b?", "&", "-_-", "<>", "- - -"} {
		for _, command := range []string{"", "search ", "digest add "} {
			if command+typed == "digest add …" { // no words at all, which open the form
				continue
			}
			page := d.refuses(t, alice, here, command+typed)
			if !strings.Contains(page.Lead, "windows 11") && !strings.HasPrefix(page.Lead, "Which software?") || strings.Contains(page.Lead, "Defender knows no") || len(idsOf(page)) > 0 {
				t.Errorf("%s%s: %q, want what to type instead", command, typed, page.Lead)
			}
		}
		if got, err := commands.NewSuggester(d.prepared(t), nil).Suggest(t.Context(), "", typed, 9); err != nil || len(got) > 0 {
			t.Errorf("a select given %s offers %q, %v", typed, got, err)
		}
	}
	if got := idsOf(d.does(t, "edge ?")); !cmp.Equal(got, []string{"microsoft-_-edge"}) {
		t.Errorf("edge ? finds %q", got)
	}
}

// An address without an id is told as one, whatever its words may fit.
func TestAddressWithoutAnID(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	for _, address := range []string{"https://security.microsoft.com/vulnerabilities", "<https://microsoft.com/edge>", "http://edge"} {
		for _, command := range []string{"", "search ", "digest add "} {
			if page := d.refuses(t, alice, here, command+address); page.Title != "No software in that address" {
				t.Errorf("%s%s: %q", command, address, page.Title)
			}
		}
	}
}

// foundIn are the ids that a search gives, by a Defender of plain values.
func foundIn(t *testing.T, d commands.Defender, words ...string) []string {
	t.Helper()
	page, err := commands.Search(d, &search.Index{}).Run(t.Context(), commands.Request{Words: words})
	if err != nil {
		t.Fatalf("%q: %v", words, err)
	}
	return idsOf(page)
}

// Short words fit whole words and initials; letters that stand by chance within others fit nothing.
func TestShortWords(t *testing.T) {
	t.Parallel()
	d := &plainDefender{fetched: time.Now()}
	for i, id := range []string{
		"microsoft-_-internet_explorer", "cisco-_-secure_client", "microsoft-_-.net_framework", "microsoft-_-.net", "microsoft-_-asp.net_core", "netgear-_-genie",
		"microsoft-_-visual_studio_2022", "microsoft-_-visual_studio_code", "microsoft-_-365_apps", "microsoft-_-windows_10", "microsoft-_-windows_11", "microsoft-_-windows_server_2022",
		"microsoft-_-sql_server_management_studio", "7-zip-_-7-zip", "microsoft-_-edge", "microsoft-_-powershell", "adobe-_-acrobat_reader_dc",
	} {
		d.catalog = append(d.catalog, api.Software{ID: id, ExposedMachines: 1000 - i})
	}
	for typed, want := range map[string][]string{
		"IE":               {"microsoft-_-internet_explorer"},
		".net":             {"microsoft-_-.net", "microsoft-_-.net_framework", "microsoft-_-asp.net_core"},
		".NET Framework":   {"microsoft-_-.net_framework"},
		"dotnet":           {"microsoft-_-.net", "microsoft-_-.net_framework", "microsoft-_-asp.net_core"},
		"net":              {"microsoft-_-.net", "microsoft-_-.net_framework", "microsoft-_-asp.net_core"},
		"netg":             {"netgear-_-genie"},
		"dc":               {"adobe-_-acrobat_reader_dc"},
		"vsc":              {"microsoft-_-visual_studio_code"},
		"VS Code":          {"microsoft-_-visual_studio_code"},
		"vs 2022":          {"microsoft-_-visual_studio_2022"},
		"vs":               {"microsoft-_-visual_studio_2022", "microsoft-_-visual_studio_code"},
		"win10":            {"microsoft-_-windows_10"},
		"W11":              {"microsoft-_-windows_11"},
		"server 2022":      {"microsoft-_-windows_server_2022"},
		"win":              {"microsoft-_-windows_10", "microsoft-_-windows_11", "microsoft-_-windows_server_2022"},
		"win 11":           {"microsoft-_-windows_11"},
		"ssms":             {"microsoft-_-sql_server_management_studio"},
		"m365":             {"microsoft-_-365_apps"},
		"365":              {"microsoft-_-365_apps"},
		"ms edge":          {"microsoft-_-edge"},
		"7z":               {"7-zip-_-7-zip"},
		"7zip":             {"7-zip-_-7-zip"},
		"client":           {"cisco-_-secure_client"},
		"microsoft-_-.net": {"microsoft-_-.net"},
	} {
		if diff := cmp.Diff(want, foundIn(t, d, cmdline.Read(typed)...)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", typed, diff)
		}
	}
	// A software of that very name wins over what the word stands for elsewhere, and both are shown.
	d.catalog = append(d.catalog, api.Software{ID: "acme-_-ie"})
	if got := foundIn(t, d, "ie"); !cmp.Equal(got, []string{"microsoft-_-internet_explorer", "acme-_-ie"}) && !cmp.Equal(got, []string{"acme-_-ie", "microsoft-_-internet_explorer"}) {
		t.Errorf("ie finds %q", got)
	}
}

// Without words, what can lack KBs comes first.
func TestSearchWithoutWords(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	for i, id := range []string{"7-zip-_-7-zip", "microsoft-_-edge_chromium-based", "microsoft-_-sql_server_2022", "microsoft-_-word"} {
		d.PutSoftware(apitest.Software{ID: id, ExposedMachines: 900 - i})
	}
	before := []string{
		"microsoft-_-sql_server_2022", "microsoft-_-word", "microsoft-_-edge", "microsoft-_-windows_11", "microsoft-_-edge_chromium-based", "7-zip-_-7-zip", "google-_-chrome",
	}
	if diff := cmp.Diff(before, idsOf(d.does(t, "search"))); diff != "" {
		t.Errorf("at first (-want +got):\n%s", diff)
	}
	d.does(t, "microsoft-_-edge")
	d.does(t, "microsoft-_-sql_server_2022")
	after := []string{
		"microsoft-_-edge", "microsoft-_-word", "microsoft-_-windows_11", "microsoft-_-edge_chromium-based", "microsoft-_-sql_server_2022", "7-zip-_-7-zip", "google-_-chrome",
	}
	slices.SortStableFunc(after[3:5], func(a, b string) int { return strings.Compare(b, a) }) // both lack none; the one that exposes more is first
	if got := idsOf(d.does(t, "search")); !cmp.Equal(got, after) && !cmp.Equal(got, []string{after[0], after[1], after[2], after[4], after[3], after[5], after[6]}) {
		t.Errorf("once looked at: %q, want %q", got, after)
	}
}

// A misspelt command is told, with its line on a button; what is software is searched.
func TestMisspeltCommands(t *testing.T) {
	t.Parallel()
	d := newDesk(t, edge("1"))
	d.PutSoftware(apitest.Software{ID: "acme-_-serach", ExposedMachines: 1})
	withHome := func(d *desk) {
		index := &search.Index{}
		router, err := commands.NewRouter(commands.Software(d.client, index), commands.Search(d.client, index),
			digestcmd.New(d.store, digestcmd.Options{Defender: d.client, Index: index}), commands.Home(d.client, index, commands.HomeOptions{}))
		if err != nil {
			t.Fatal(err)
		}
		d.router = router
	}
	withHome(d)
	for line, want := range map[string]string{
		"hlep":                 "help",
		"hepl digest":          "help digest",
		"Serch edge":           "search edge",
		"saerch windows 11":    `search windows 11`,
		"searhc edge --page 2": "search edge --page 2",
		"digset list":          "digest list",
		"dgiest add microsoft-_-edge —at “daily 07:00”": `digest add microsoft-_-edge --at "daily 07:00"`,
		"*digets* show 1":      "digest show 1",
		"digests":              "digest",
		"list":                 "digest list",
		"pause 1":              "digest pause 1",
		"pasue 1 until 7d":     "digest pause 1 until 7d",
		"add microsoft-_-edge": "digest add microsoft-_-edge",
		"preview #1":           "digest preview #1",
		"hoem":                 "home",
		"esarhc":               "search", // two swaps, and like no software
	} {
		page := d.refuses(t, alice, here, line)
		if page.Title != "Did you mean "+want+"?" || page.Actions[0].Command != want || page.Actions[0].Label != want {
			t.Errorf("%s: %q with %+v, want %s", line, page.Title, page.Actions, want)
		}
	}
	for line, want := range map[string]string{"serach": "acme-_-serach", "chrom": "google-_-chrome", "chorme": "google-_-chrome", "serach acme": "acme-_-serach"} {
		if got := idsOf(d.does(t, line)); !cmp.Equal(got, []string{want}) {
			t.Errorf("%s finds %q, want %s", line, got, want)
		}
	}
	if page := d.refuses(t, alice, here, "show me something"); page.Title != "Nothing found" {
		t.Errorf("a sentence: %q", page.Title)
	}
	if page := d.does(t, "search serach"); !cmp.Equal(idsOf(page), []string{"acme-_-serach"}) {
		t.Errorf("search serach: %q", page.Title)
	}
	fresh := newDesk(t)
	withHome(fresh)
	fresh.Inject(apitest.Fault{Path: "/api/", Status: 503})
	if page := fresh.refuses(t, alice, here, "hlep"); page.Title != "Did you mean help?" {
		t.Errorf("while Defender is away: %q", page.Title)
	}
	if _, err := fresh.from(t, alice, here, "edge"); !errors.Is(err, api.ErrUnavailable) {
		t.Errorf("while Defender is away, edge: %v", err)
	}
}

// A search ends when its time is over, also where words are tried as several names.
func TestSearchEndsWithItsTime(t *testing.T) {
	t.Parallel()
	d := &plainDefender{fetched: time.Now(), catalog: []api.Software{{ID: "a-_-b"}}}
	late, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := commands.Search(d, &search.Index{}).Run(late, commands.Request{Words: []string{"x", "y", "z"}}); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

// A name that fits much better than others is answered at once, with buttons to the others; every button asks for what it names.
func TestBestMatchIsAnsweredAtOnce(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	for i, id := range []string{"microsoft-_-edge_chromium-based", "contoso-_-edgeworth", "acme-_-edge_tool", "acme-_-edger"} {
		d.PutSoftware(apitest.Software{ID: id, ExposedMachines: 20 - i})
	}
	for line, want := range map[string][]view.Action{
		"edge": {
			{Label: "Also: Edge (Chromium)", Command: "microsoft-_-edge_chromium-based"},
			{Label: "Also: Edge Tool", Command: "acme-_-edge_tool"},
			{Label: "Also: Edgeworth", Command: "contoso-_-edgeworth"},
			{Label: "1 more", Command: "search edge"},
		},
		"edge --min-devices 5 --sort cves": {
			{Label: "Also: Edge (Chromium)", Command: "microsoft-_-edge_chromium-based --sort cves --min-devices 5"},
			{Label: "Also: Edge Tool", Command: "acme-_-edge_tool --sort cves --min-devices 5"},
			{Label: "Also: Edgeworth", Command: "contoso-_-edgeworth --sort cves --min-devices 5"},
			{Label: "1 more", Command: "search edge"},
		},
	} {
		page := d.does(t, line)
		if page.Software != "microsoft-_-edge" || len(page.Actions) < 4 {
			t.Errorf("%s: %q about %s with %v", line, page.Title, page.Software, page.Actions)
			continue
		}
		if diff := cmp.Diff(want, page.Actions[:4]); diff != "" {
			t.Errorf("%s (-want +got):\n%s", line, diff)
		}
		for _, a := range want {
			if page := d.does(t, a.Command); page.Title == "" {
				t.Errorf("%s answers nothing", a.Command)
			}
		}
	}
}
