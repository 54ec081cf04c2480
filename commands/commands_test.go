package commands_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/google/go-cmp/cmp"

	"github.com/missingkbs/missingkbs/api"
	"github.com/missingkbs/missingkbs/api/apitest"
	"github.com/missingkbs/missingkbs/commands"
	"github.com/missingkbs/missingkbs/commands/cmdline"
	"github.com/missingkbs/missingkbs/commands/search"
	"github.com/missingkbs/missingkbs/internal/view"
)

// tenant is a Defender tenant with a router that asks it through the real client.
type tenant struct {
	*apitest.Server
	router *commands.Router
	client *api.Client
}

// credential hands out the tenant's own tokens; signing in is tested where credentials are made.
type credential struct{ server *apitest.Server }

func (c credential) GetToken(context.Context, policy.TokenRequestOptions) (azcore.AccessToken, error) {
	return azcore.AccessToken{Token: c.server.Token(), ExpiresOn: time.Now().Add(time.Hour)}, nil
}

// newTenant starts an empty tenant that knows Edge as Microsoft documents it.
func newTenant(t *testing.T) tenant {
	t.Helper()
	server, err := apitest.Start(apitest.Options{Empty: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Close)
	client, err := api.NewClient(credential{server}, &api.Options{
		Cloud:     api.Cloud{Name: "test", Endpoint: server.URL, Scope: server.Scope()},
		Transport: server.Client(),
		Retry:     policy.RetryOptions{RetryDelay: time.Millisecond, MaxRetryDelay: 2 * time.Millisecond},
		PerMinute: -1, PerHour: -1,
	})
	if err != nil {
		t.Fatal(err)
	}
	index := &search.Index{}
	router, err := commands.NewRouter(commands.Software(client, index), commands.Search(client, index))
	if err != nil {
		t.Fatal(err)
	}
	server.PutSoftware(
		apitest.Software{ID: "microsoft-_-edge", Name: "edge", Vendor: "microsoft", Weaknesses: 14, ExposedMachines: 240},
		apitest.KB{
			ID: "4540673", Name: "March 2020 Security Updates", ProductsNames: []string{"edge"},
			URL: edgeURL, MachineMissedOn: 240, CVEAddressed: 14,
		},
	)
	return tenant{server, router, client}
}

const edgeURL = "https://catalog.update.microsoft.com/v7/site/Search.aspx?q=KB4540673"

// ask answers a typed line.
func (n tenant) ask(t *testing.T, line string) (view.Page, error) {
	t.Helper()
	req, err := commands.Parse(line)
	if err != nil {
		return view.Page{}, err
	}
	return n.router.Run(t.Context(), req)
}

// page answers a typed line that must not fail.
func (n tenant) page(t *testing.T, line string) view.Page {
	t.Helper()
	p, err := n.ask(t, line)
	if err != nil {
		t.Fatalf("%s: %v", line, err)
	}
	return p
}

// failure answers a typed line that must fail, and returns the page that people see.
func (n tenant) failure(t *testing.T, line string) view.Page {
	t.Helper()
	p, err := n.ask(t, line)
	if err == nil {
		t.Fatalf("%s: got the page %q, want a failure", line, p.Title)
	}
	return commands.Explain(err)
}

func TestEdge(t *testing.T) {
	t.Parallel()
	n := newTenant(t)
	got := n.page(t, "microsoft-_-edge")
	want := view.Page{
		Title: "Missing updates: Edge",
		Lead:  "1 update missing, on 240 devices.",
		Parts: []view.Part{view.Table{
			Caption: "Missing updates of Edge",
			Columns: []view.Column{
				{Key: "kb", Title: "KB"},
				{Key: "devices", Title: "Devices", Kind: view.Number},
				{Key: "cves", Title: "CVEs", Kind: view.Number},
				{Key: "name", Title: "Update"},
				{Key: "url", Title: "Catalog", Kind: view.Button},
				{Key: "details", Title: "Details", Kind: view.Button, Optional: true},
				{Key: "products", Title: "Products", Kind: view.Words, Hidden: true},
				{Key: "os_build", Title: "OS build", Hidden: true},
				{Key: "software", Title: "Software", Hidden: true},
				{Key: "exploited", Title: "Exploited", Hidden: true},
				{Key: "severity", Title: "Severity (MSRC)", Hidden: true},
				{Key: "contains", Title: "Contains", Hidden: true},
				{Key: "contained_in", Title: "Contained in", Hidden: true},
				{Key: "why", Title: "Why", Hidden: true},
				{Key: "kev_due", Title: "KEV due", Hidden: true},
				{Key: "released", Title: "Released", Hidden: true},
			},
			Rows: [][]view.Cell{{
				{Text: "KB4540673"},
				{Number: 240},
				{Number: 14},
				{Text: "March 2020 Security Updates"},
				{Text: "Catalog", Action: &view.Action{Label: "Catalog", URL: edgeURL}},
				{Text: "kb 4540673", Action: &view.Action{Label: "Details", Command: "kb 4540673"}},
				{Text: "Edge", Words: []string{"edge"}},
				{},
				{Text: "microsoft-_-edge"},
				{Text: "unknown"},
				{Text: "unknown"},
				{},
				{},
				{},
				{},
				{},
			}},
			CSV:     []string{"kb", "name", "products", "os_build", "devices", "cves", "url", "exploited", "severity", "contained_in", "why", "kev_due", "released"},
			Command: "microsoft-_-edge",
		}},
		Actions: []view.Action{
			{Label: "Refresh", Command: "microsoft-_-edge --fresh", Effect: view.Replace},
			{Label: "Share to channel", Command: "microsoft-_-edge", Effect: view.Share},
			{Label: "Copy as text", Command: "microsoft-_-edge", Effect: view.PlainText},
			{Label: "CSV", Command: "microsoft-_-edge", Effect: view.CSVFile},
			{Label: "XLSX", Command: "microsoft-_-edge", Effect: view.XLSXFile},
			{Label: "Browse", Command: "browse"},
		},
		Software: "microsoft-_-edge",
	}
	if since := time.Since(got.AsOf.Time); since < 0 || since > time.Minute {
		t.Errorf("as of %v, want just now", got.AsOf.Time)
	}
	got.AsOf, got.Source = view.AsOf{}, view.Source{}
	if diff := cmp.Diff(want, made(got)); diff != "" {
		t.Errorf("page (-want +got):\n%s", diff)
	}
}

// Programs get the id of the software and lists of products, and the columns of files do not depend on what is in them.
func TestAnswersForPrograms(t *testing.T) {
	t.Parallel()
	n := newTenant(t)
	n.putGap("microsoft-_-windows_11")
	page := n.page(t, "microsoft-_-windows_11 --min-devices 20")
	var csv, raw strings.Builder
	if err := errors.Join(view.WriteCSV(&csv, page), view.WriteJSON(&raw, page)); err != nil {
		t.Fatal(err)
	}
	wantCSV := "kb,name,products,os_build,devices,cves,url,exploited,severity,contained_in,why,kev_due,released\n" +
		"KB5074224,November,\"windows_11, windows_10\",\"22631.4037, 26100\",29,74,https://www.catalog.update.microsoft.com/Search.aspx?q=KB5074224,unknown,unknown,,,,\n" +
		"KB5060001,July,,,20,80,https://www.catalog.update.microsoft.com/Search.aspx?q=KB5060001,unknown,unknown,,,,\n"
	if diff := cmp.Diff(wantCSV, csv.String()); diff != "" {
		t.Errorf("CSV (-want +got):\n%s", diff)
	}
	var got struct {
		Software string
		Tables   []struct{ Rows []map[string]any }
	}
	if err := json.Unmarshal([]byte(raw.String()), &got); err != nil {
		t.Fatal(err)
	}
	want := map[string]any{
		"kb": "KB5074224", "name": "November", "products": []any{"windows_11", "windows_10"}, "os_build": "22631.4037, 26100", "software": "microsoft-_-windows_11",
		"devices": 29.0, "cves": 74.0, "url": "https://www.catalog.update.microsoft.com/Search.aspx?q=KB5074224", "details": "kb 5074224",
		"exploited": "unknown", "severity": "unknown", "contains": "", "contained_in": "", "why": "", "kev_due": "", "released": "",
	}
	if diff := cmp.Diff(want, got.Tables[0].Rows[0]); diff != "" || got.Software != "microsoft-_-windows_11" {
		t.Errorf("JSON of %q (-want +got):\n%s", got.Software, diff)
	}
	if products, ok := got.Tables[0].Rows[1]["products"].([]any); !ok || len(products) > 0 {
		t.Errorf("products of none are %v", got.Tables[0].Rows[1]["products"])
	}
}

// putGap gives the tenant a software with rows that differ in every order.
func (n tenant) putGap(id string) {
	n.PutSoftware(apitest.Software{ID: id, Name: "windows_11", Vendor: "microsoft", ExposedMachines: 57},
		apitest.KB{ID: "5074224", Name: "November", OSBuild: 26100, MachineMissedOn: 9, CVEAddressed: 74, ProductsNames: []string{"windows_11", "windows_10"}},
		apitest.KB{ID: "5074224", Name: "November", OSBuild: "22631.4037", MachineMissedOn: 20, CVEAddressed: 66, ProductsNames: []string{"windows_11"}},
		apitest.KB{ID: "5060001", Name: "July", MachineMissedOn: 20, CVEAddressed: 80, URL: "https://evil.example/"},
		apitest.KB{ID: "ADV200002", Name: "Advisory", MachineMissedOn: 1, CVEAddressed: 1},
	)
}

func TestOrdersAndFilters(t *testing.T) {
	t.Parallel()
	n := newTenant(t)
	n.putGap("microsoft-_-windows_11")
	for _, c := range []struct {
		options string
		rows    []string
		lead    string
	}{
		{
			"",
			[]string{"KB5074224 22631.4037, 26100", "KB5060001", "ADV200002"},
			"3 updates missing, the largest on 29 devices.",
		},
		{
			"--sort cves",
			[]string{"KB5060001", "KB5074224 22631.4037, 26100", "ADV200002"},
			"3 updates missing, the largest on 29 devices.",
		},
		{
			"--sort kb",
			[]string{"KB5074224 22631.4037, 26100", "KB5060001", "ADV200002"},
			"3 updates missing, the largest on 29 devices.",
		},
		{
			"--all-rows",
			[]string{"KB5074224 22631.4037", "KB5074224 26100", "KB5060001", "ADV200002"},
			"3 updates missing, the largest on 29 devices. 4 rows: one for each OS build.",
		},
		{
			"--min-devices 21 --min-cves 70", // of all builds together
			[]string{"KB5074224 22631.4037, 26100"},
			"1 update missing, on 29 devices; 2 more hidden by your filter.",
		},
		{
			"--min-devices 21 --all-rows",
			[]string{"KB5074224 22631.4037", "KB5074224 26100"},
			"1 update missing, on 29 devices; 2 more hidden by your filter. 2 rows: one for each OS build.",
		},
		{"--min-cves 100", nil, "No missing update passes your filter; 3 are missing in all, the largest on 29 devices."},
	} {
		got := n.page(t, "microsoft-_-windows_11 "+c.options)
		if got.Lead != c.lead {
			t.Errorf("%q: lead %q, want %q", c.options, got.Lead, c.lead)
		}
		if diff := cmp.Diff(c.rows, rowNames(got)); diff != "" {
			t.Errorf("%q: rows (-want +got):\n%s", c.options, diff)
		}
	}
}

// made is a page with the rows of its tables made, so that they can be compared.
func made(p view.Page) view.Page {
	p.Parts = slices.Clone(p.Parts)
	for i, part := range p.Parts {
		if t, ok := part.(view.Table); ok {
			rows := make([][]view.Cell, t.Len())
			for at := range rows {
				rows[at] = t.Row(at)
			}
			t.Rows, t.More = rows, view.LazyRows{}
			p.Parts[i] = t
		}
	}
	return p
}

// rowNames are the KBs and OS builds of a page's table.
func rowNames(p view.Page) []string {
	var names []string
	for _, row := range made(p).Parts[0].(view.Table).Rows {
		names = append(names, strings.TrimSpace(row[0].Text+" "+row[7].Text))
	}
	return names
}

func TestOptionsTravelInButtons(t *testing.T) {
	t.Parallel()
	n := newTenant(t)
	n.putGap("microsoft-_-windows_11")
	p := n.page(t, "microsoft-_-windows_11 —sort cves –min-devices 2 --page 2")
	commandsOf := func(actions []view.Action) (lines []string) {
		for _, a := range actions {
			lines = append(lines, a.Label+": "+a.Command)
		}
		return lines
	}
	table := p.Parts[0].(view.Table)
	got := append(commandsOf(p.Actions), commandsOf(table.Sorts)...)
	want := []string{
		"Refresh: microsoft-_-windows_11 --sort cves --min-devices 2 --page 2 --fresh",
		"Share to channel: microsoft-_-windows_11 --sort cves --min-devices 2 --page 2",
		"Show all: microsoft-_-windows_11 --sort cves",
		"All rows as Defender gave them: microsoft-_-windows_11 --sort cves --min-devices 2 --all",
		"Copy as text: microsoft-_-windows_11 --sort cves --min-devices 2",
		"CSV: microsoft-_-windows_11 --sort cves --min-devices 2",
		"XLSX: microsoft-_-windows_11 --sort cves --min-devices 2",
		"Browse: browse",
		"Sort by devices: microsoft-_-windows_11 --min-devices 2",
		"Newest first: microsoft-_-windows_11 --sort kb --min-devices 2",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("buttons (-want +got):\n%s", diff)
	}
	if table.Page != 2 || table.Command != "microsoft-_-windows_11 --sort cves --min-devices 2" {
		t.Errorf("table: page %d of %q", table.Page, table.Command)
	}
	for _, a := range p.Actions {
		n.page(t, a.Command)
	}
}

// Only the catalog itself is linked to.
func TestCatalogLinks(t *testing.T) {
	t.Parallel()
	const made = "https://www.catalog.update.microsoft.com/Search.aspx?q=KB5074224"
	for _, c := range []struct{ id, url, want string }{
		{"4540673", edgeURL, edgeURL},
		{"5074224", "https://www.catalog.update.microsoft.com/Search.aspx?q=5074224", "https://www.catalog.update.microsoft.com/Search.aspx?q=5074224"},
		{"5074224", edgeURL, made}, // the page of another KB
		{"5074224", "https://www.catalog.update.microsoft.com/Search.aspx?q=KB1", made},
		{"5074224", "", made},
		{"5074224", "http://catalog.update.microsoft.com/", made},
		{"5074224", "https://catalog.update.microsoft.com.evil.example/", made},
		{"5074224", "https://catalog.update.microsoft.com@evil.example/", made},
		{"5074224", "https://user:pw@catalog.update.microsoft.com/", made},
		{"5074224", "javascript:alert(1)", made},
		{"5074224", "https://catalog.update.microsoft.com/" + strings.Repeat("x", 3000), made},
		{"RHSA-2024:9315", "https://access.redhat.com/", ""},
		{"12", "", ""},
		{"5074224/../x", "", ""},
	} {
		n := newTenant(t)
		n.PutSoftware(apitest.Software{ID: "a-_-b"}, apitest.KB{ID: c.id, URL: c.url, MachineMissedOn: 1})
		row := n.page(t, "a-_-b").Parts[0].(view.Table).Row(0)
		got := ""
		if a := row[4].Action; a != nil {
			got = a.URL
		}
		if got != c.want {
			t.Errorf("%s %q: got link %q, want %q", c.id, c.url, got, c.want)
		}
	}
}

func TestNothingMissing(t *testing.T) {
	t.Parallel()
	n := newTenant(t)
	n.PutSoftware(apitest.Software{ID: "google-_-chrome", Name: "chrome", Vendor: "google", Weaknesses: 34, ExposedMachines: 1029})
	got := n.page(t, "google-_-chrome")
	if want := "No missing updates: Defender knows this software and lists no KB for it. But 1,029 devices are exposed: update the software itself, with its own updater or by installing its newest version."; got.Lead != want {
		t.Errorf("lead %q, want %q", got.Lead, want)
	}
	n.PutSoftware(apitest.Software{ID: "contoso-_-safe", Name: "safe", Vendor: "contoso"})
	if safe, want := n.page(t, "contoso-_-safe").Lead, "No missing updates: Defender knows this software and lists no KB for it."; safe != want {
		t.Errorf("lead %q, want %q", safe, want)
	}
	if diff := cmp.Diff(view.Facts{{Name: "Exposed devices", Value: "1,029"}, {Name: "Known weaknesses", Value: "34"}}, got.Parts[1]); diff != "" {
		t.Errorf("facts (-want +got):\n%s", diff)
	}
	if !strings.Contains(got.Note, "KBs are Microsoft's") {
		t.Errorf("note %q does not say why another vendor has no KBs", got.Note)
	}
}

// An empty list whose software cannot be looked up is told as what it is.
func TestNothingMissingButUnchecked(t *testing.T) {
	t.Parallel()
	n := newTenant(t)
	n.PutSoftware(apitest.Software{ID: "a-_-b"})
	n.Inject(apitest.Fault{Path: "/api/Software/a-_-b/getmissingkbs", Body: `{"@odata.context":"c","value":[]}`, ContentType: "application/json"})
	n.Inject(apitest.Fault{Path: "/api/Software/a-_-b", Status: 503})
	got := n.page(t, "a-_-b")
	if !strings.Contains(got.Lead, "could not check") || strings.Contains(got.Lead, "knows this software") || strings.Contains(got.Lead, "No missing updates") {
		t.Errorf("an unchecked answer reads %q, note %q", got.Lead, got.Note)
	}
}

func TestWordsAreSearched(t *testing.T) {
	t.Parallel()
	n := newTenant(t)
	n.PutSoftware(apitest.Software{ID: "microsoft-_-edge_chromium-based", Name: "edge_chromium-based", Vendor: "microsoft", ExposedMachines: 41},
		apitest.KB{ID: "5074224", MachineMissedOn: 41})
	n.PutSoftware(apitest.Software{ID: "google-_-chrome", Name: "chrome", Vendor: "google", ExposedMachines: 29})
	n.PutSoftware(apitest.Software{ID: "7-zip-_-7-zip", Name: "7-zip", Vendor: "7-zip", ExposedMachines: 119})
	for _, c := range []struct {
		line  string
		title string
		hits  []string // of a choice
		note  string
	}{
		{"edg", `Software matching "edg"`, []string{"microsoft-_-edge", "microsoft-_-edge_chromium-based"}, ""},
		{"microsoft", `Software matching "microsoft"`, []string{"microsoft-_-edge", "microsoft-_-edge_chromium-based"}, ""},
		{"EDGE Chromium", "Missing updates: Edge (Chromium)", nil, `The only software matching "EDGE Chromium".`},
		{"“edge chromium”", "Missing updates: Edge (Chromium)", nil, `The only software matching "edge chromium".`},
		{"7zip", "Missing updates: 7-Zip", nil, "The only software matching"},
		{"chorme", "Missing updates: Chrome", nil, `Nothing matches "chorme" exactly; this is the closest.`},
		{"search mircosoft", `Software matching "mircosoft"`, []string{"microsoft-_-edge", "microsoft-_-edge_chromium-based"}, "Nothing matches exactly"},
		{"search", "All software", []string{"microsoft-_-edge_chromium-based", "microsoft-_-edge", "7-zip-_-7-zip", "google-_-chrome"}, "Microsoft's comes first"}, // the first was just seen to lack a KB
		{"Microsoft-_-EDGE", "Missing updates: Edge", nil, ""},
		{"microsoft-_-egde", "Defender knows no software microsoft-_-egde", []string{"microsoft-_-edge", "microsoft-_-edge_chromium-based"}, "Nothing matches exactly"},
	} {
		got := n.page(t, c.line)
		if got.Title != c.title || !strings.Contains(got.Note, c.note) {
			t.Errorf("%q: got %q with note %q, want %q with %q", c.line, got.Title, got.Note, c.title, c.note)
			continue
		}
		if c.hits == nil {
			continue
		}
		var hits []string
		for _, row := range got.Parts[0].(view.Table).Rows {
			hits = append(hits, row[2].Action.Command)
		}
		if diff := cmp.Diff(c.hits, hits); diff != "" {
			t.Errorf("%q: hits (-want +got):\n%s", c.line, diff)
		}
	}
}

func TestFailurePages(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		line  string
		fault apitest.Fault
		title string
		says  []string // in the lead
	}{
		{"unknown option", "microsoft-_-edge --srot cves", apitest.Fault{}, "That question could not be read", []string{"no option --srot", "mean --sort"}},
		{"unknown option without a likely one", "microsoft-_-edge --frobnicate", apitest.Fault{}, "That question could not be read", []string{"no option --frobnicate", "Usage: <software-id>"}},
		{"single dash", "microsoft-_-edge -srot cves", apitest.Fault{}, "That question could not be read", []string{"no option -srot", "mean --sort"}},
		{"wrong value", "microsoft-_-edge --sort name", apitest.Fault{}, "That question could not be read", []string{"devices, cves, kb"}},
		{"wrong number", "microsoft-_-edge --min-devices -3", apitest.Fault{}, "That question could not be read", []string{"must be a whole number, 0 or more"}},
		{"page zero", "microsoft-_-edge --page 0", apitest.Fault{}, "That question could not be read", []string{"must be a whole number, 1 or more"}},
		{"missing value", "microsoft-_-edge --page", apitest.Fault{}, "That question could not be read", []string{"--page needs a value"}},
		{"unknown command for help", "help serach", apitest.Fault{}, "That question could not be read", []string{"Did you mean search"}},
		{"options alone", "--sort cves", apitest.Fault{}, "That question could not be read", []string{"Which software?"}},
		{"too long", strings.Repeat("x", cmdline.MaxTyped+1), apitest.Fault{}, "That question could not be read", []string{"1001 bytes"}},
		{"unknown id", "nobody-_-nothing", apitest.Fault{}, "Unknown software", []string{"nobody-_-nothing", "Search for it"}},
		{"unknown words", "xyzzy plugh", apitest.Fault{}, "Nothing found", []string{`"xyzzy plugh"`}},
		{
			"no rights", "microsoft-_-edge",
			apitest.Fault{Status: 403, Code: "Forbidden", Message: "Missing application roles. API required roles: Software.Read.All, application roles: Machine.Isolate."},
			"This bot lacks a permission in Defender",
			[]string{"Software.Read.All", "admin consent"},
		},
		{
			"no licence", "microsoft-_-edge",
			apitest.Fault{Status: 401, Code: "Unauthorized", Message: "Unauthorized request - reason of failure: No Tvm license"},
			"Defender Vulnerability Management is not available in this tenant",
			[]string{"licence"},
		},
		{"throttled", "microsoft-_-edge", apitest.Fault{Status: 429, Code: "429", RetryAfter: 600 * time.Second}, "Defender asks for a pause", []string{"Try again in 10 min"}},
		{"down", "microsoft-_-edge", apitest.Fault{Status: 503}, "Defender cannot be reached", []string{"Nothing is known"}},
		{"cut", "microsoft-_-edge", apitest.Fault{Cut: 10}, "", nil},
		{"lying", "microsoft-_-edge", apitest.Fault{Body: "<html>login</html>", ContentType: "text/html"}, "Defender's answer could not be read", []string{"proxy"}},
		{"search while down", "edge", apitest.Fault{Status: 503}, "Defender cannot be reached", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			n := newTenant(t)
			if c.fault != (apitest.Fault{}) {
				n.Inject(c.fault)
			}
			got := n.failure(t, c.line)
			if c.title != "" && got.Title != c.title {
				t.Errorf("title %q, want %q", got.Title, c.title)
			}
			for _, s := range c.says {
				if !strings.Contains(got.Lead, s) {
					t.Errorf("lead %q does not say %q", got.Lead, s)
				}
			}
			for _, secret := range []string{n.URL, n.Token(), "<html>"} {
				if strings.Contains(fmt.Sprint(got), secret) {
					t.Errorf("the page %v holds %q", got, secret)
				}
			}
		})
	}
}

func TestTooSlow(t *testing.T) {
	t.Parallel()
	n := newTenant(t)
	n.Inject(apitest.Fault{Delay: time.Minute})
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Millisecond)
	defer cancel()
	_, err := n.router.Run(ctx, commands.Request{Words: []string{"microsoft-_-edge"}})
	if got := commands.Explain(err); got.Title != "That took too long" {
		t.Errorf("got %q for %v", got.Title, err)
	}
}

// Whose time ended while an answer waited for other ones does not hear that Defender is slow.
func TestTooManyLongAnswers(t *testing.T) {
	t.Parallel()
	err := fmt.Errorf("missing KBs of a-_-b: %w", &api.Error{Kind: api.ErrBusy, Err: context.DeadlineExceeded})
	if got := commands.Explain(err); got.Title != "Too many long answers at once" || commands.Reason(err) != "busy" {
		t.Errorf("got %q, counted as %q", got.Title, commands.Reason(err))
	}
}

// An error nobody thought of must not carry its text to people.
func TestUnknownErrorsSayNothing(t *testing.T) {
	t.Parallel()
	got := commands.Explain(errors.New("dial tcp: secret=hunter2"))
	if strings.Contains(fmt.Sprint(got), "hunter2") || got.Lead == "" {
		t.Errorf("got %v", got)
	}
}

func TestHelp(t *testing.T) {
	t.Parallel()
	n := newTenant(t)
	for _, line := range []string{"", "help", "HELP", "browse"} {
		got := n.page(t, line)
		facts, ok := got.Parts[0].(view.Facts)
		if dialog := line == "" || line == "browse"; (got.Dialog != nil) != dialog {
			t.Errorf("%q: got the dialog %v", line, got.Dialog)
		}
		if !ok || len(facts) != 4 || !strings.HasPrefix(facts[0].Name, "<software-id>") {
			t.Errorf("%q: got %v", line, got)
		}
	}
	for _, line := range []string{"help search", "search --help", "search -h"} {
		if got := n.page(t, line); got.Title != "search [words] [--page N]" {
			t.Errorf("%q: got title %q", line, got.Title)
		}
	}
}

func TestRefreshAsksAgain(t *testing.T) {
	t.Parallel()
	n := newTenant(t)
	n.page(t, "microsoft-_-edge")
	n.page(t, "microsoft-_-edge")
	if got := n.Count("/api/Software/microsoft-_-edge/getmissingkbs"); got != 1 {
		t.Errorf("two questions cost %d calls, want 1", got)
	}
	// Within its ten seconds a refresh is content with what there is.
	n.page(t, "microsoft-_-edge --fresh")
	if got := n.Count("/api/Software/microsoft-_-edge/getmissingkbs"); got != 1 {
		t.Errorf("a refresh right after cost a call: %d in all, want 1", got)
	}
}

func TestBadRequestIsExplained(t *testing.T) {
	t.Parallel()
	n := newTenant(t)
	n.Inject(apitest.Fault{Status: 400, Code: "BadRequest"})
	if got := n.failure(t, "microsoft-_-edge"); got.Title != "Defender does not understand that question" {
		t.Errorf("got %q", got.Title)
	}
}

func TestRouterRefusesTwins(t *testing.T) {
	t.Parallel()
	c := commands.Command{Name: "a"}
	if _, err := commands.NewRouter(c, c); err == nil {
		t.Error("two commands of one name: got no error")
	}
	if _, err := commands.NewRouter(c); err == nil {
		t.Error("no command for unclaimed lines: got no error")
	}
}

func ExampleRouter_Run() {
	greet := commands.Command{Usage: "<name>", Run: func(_ context.Context, req commands.Request) (view.Page, error) {
		return view.Page{Title: "Hello, " + strings.Join(req.Words, " ")}, nil
	}}
	router, err := commands.NewRouter(greet)
	if err != nil {
		panic(err)
	}
	req, err := commands.Parse(`“Ada Lovelace”`)
	if err != nil {
		panic(err)
	}
	page, err := router.Run(context.Background(), req)
	fmt.Println(page.Title, err)
	// Output: Hello, Ada Lovelace <nil>
}

// Pages of the same stored answer name the same source, whoever asks; a refresh, another question or other words make
// another, and an old answer has none.
func TestSourceOfAPage(t *testing.T) {
	t.Parallel()
	n := newTenant(t)
	source := func(line string) view.Source {
		t.Helper()
		page, err := n.ask(t, line)
		if err != nil {
			t.Fatal(err)
		}
		return page.Source
	}
	first := source("microsoft-_-edge")
	if again := source("microsoft-_-edge"); first.Answer == 0 || again != first {
		t.Errorf("the same question has source %+v, and then %+v", first, again)
	}
	seen := map[view.Source]string{first: "microsoft-_-edge"}
	for _, line := range []string{
		"edge", "microsoft-_-edge --sort cves", "microsoft-_-edge --min-devices 2", "microsoft-_-edge --min-cves 2", "microsoft-_-edge --all-rows",
		"microsoft-_-edge --page 2", "microsoft-_-edge --page 1",
	} {
		got := source(line)
		if other, known := seen[got]; known || got.Answer != first.Answer {
			t.Errorf("%q has source %+v, as %q", line, got, other)
		}
		seen[got] = line
	}
	if _, err := n.client.MissingKBs(t.Context(), "microsoft-_-edge", api.MaxAge(0)); err != nil {
		t.Fatal(err)
	}
	if got := source("microsoft-_-edge"); got.Question != first.Question || got.Answer == first.Answer {
		t.Errorf("a new answer has source %+v, and the old one %+v", got, first)
	}
}
