package plancmd_test

import (
	"bytes"
	"context"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"github.com/missingkbs/missingkbs/api"
	"github.com/missingkbs/missingkbs/api/apitest"
	"github.com/missingkbs/missingkbs/commands"
	"github.com/missingkbs/missingkbs/commands/plancmd"
	"github.com/missingkbs/missingkbs/commands/reading"
	"github.com/missingkbs/missingkbs/commands/search"
	"github.com/missingkbs/missingkbs/internal/advisory"
	"github.com/missingkbs/missingkbs/internal/patchgap"
	"github.com/missingkbs/missingkbs/internal/view"
)

// tenant is a Defender tenant with a router that asks it through the real client.
type tenant struct {
	*testing.T
	*apitest.Server

	router *commands.Router
}

type credential struct{ server *apitest.Server }

func (c credential) GetToken(context.Context, policy.TokenRequestOptions) (azcore.AccessToken, error) {
	return azcore.AccessToken{Token: c.server.Token(), ExpiresOn: time.Now().Add(time.Hour)}, nil
}

type options struct {
	known  *advisory.Snapshot
	stored commands.Readings
}

// newTenant starts an empty tenant.
func newTenant(t *testing.T, o options) tenant {
	t.Helper()
	server, err := apitest.Start(apitest.Options{Empty: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Close)
	client, err := api.NewClient(credential{server}, &api.Options{
		Cloud:     api.Cloud{Name: "test", Endpoint: server.URL, Scope: server.Scope()},
		Transport: server.Client(),
		Retry:     policy.RetryOptions{MaxRetries: 1, RetryDelay: time.Millisecond, MaxRetryDelay: 2 * time.Millisecond},
		PerMinute: -1, PerHour: -1,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	index := &search.Index{}
	router, err := commands.NewRouter(
		commands.Software(client, index), commands.Search(client, index), commands.KB(client, index),
		plancmd.New(plancmd.Options{
			Reader: &reading.Reader{Defender: client, Index: index, Stored: o.stored}, Now: func() time.Time { return time.Date(2026, 12, 10, 9, 0, 0, 0, time.UTC) },
			Advisories: func() *advisory.Snapshot { return o.known },
		}),
	)
	if err != nil {
		t.Fatal(err)
	}
	return tenant{t, server, router}
}

func kb(id, name string, devices, cves int) apitest.KB {
	return apitest.KB{ID: id, Name: name, OSBuild: 26100, ProductsNames: []string{"windows_11"}, MachineMissedOn: devices, CVEAddressed: cves}
}

// put adds software of Microsoft's that lacks updates.
func (n tenant) put(name string, exposed int, kbs ...apitest.KB) {
	n.PutSoftware(apitest.Software{ID: "microsoft-_-" + name, Name: name, Vendor: "microsoft", Weaknesses: 3, ExposedMachines: exposed}, kbs...)
}

func (n tenant) ask(line string) (view.Page, error) {
	req, err := commands.Parse(line)
	if err != nil {
		n.Fatal(err)
	}
	return n.router.Run(n.Context(), req)
}

func (n tenant) page(line string) view.Page {
	n.Helper()
	p, err := n.ask(line)
	if err != nil {
		n.Fatalf("%s: %v", line, err)
	}
	return p
}

// said is everything that a page says in words.
func said(p view.Page) string { return p.Title + "\n" + p.Lead + "\n" + p.Note }

func wants(t *testing.T, got string, words ...string) {
	t.Helper()
	for _, w := range words {
		if !strings.Contains(got, w) {
			t.Errorf("it does not say %q:\n%s", w, got)
		}
	}
}

func windows(n tenant) {
	n.put("windows_11", 60,
		kb("5000001", "October 2026 Security Updates", 20, 10), kb("5000002", "November 2026 Security Updates", 40, 15), kb("5000003", "Malicious Software Removal Tool", 9, 0))
	n.put("office", 50, kb("5000009", "November 2026 Security Updates", 50, 2))
}

func TestPlan(t *testing.T) {
	t.Parallel()
	n := newTenant(t, options{})
	windows(n)
	all := n.page("plan all")
	wants(t, said(all), "What to install first: all Microsoft software", "Install the first one: it closes 88 % of 900 device × CVE pairs (approximate).",
		"1 older update is not listed: newer updates contain it", "What is exploited is not known here")
	if got, want := rows(all), "KB5000002 88 % | KB5000009 11 % | KB5000003 0 %"; got != want {
		t.Errorf("rows %s, want %s", got, want)
	}
	one := n.page("plan windows 11")
	wants(t, said(one), "What to install first: Windows 11", "800 device × CVE pairs")
	var csv bytes.Buffer
	if err := view.WriteCSV(&csv, one); err != nil {
		t.Fatal(err)
	}
	wants(t, csv.String(), "step,kb,name,devices,cves,exploited,contains,pairs,pairs_sum,closes_percent,sum_percent,assumed\n1,KB5000002,")
}

// rows are the labels and shares of a plan.
func rows(p view.Page) string {
	t := p.Parts[0].(view.Table)
	var all []string
	for i := range t.Len() {
		all = append(all, t.Row(i)[0].Text+" "+t.Row(i)[1].Text)
	}
	return strings.Join(all, " | ")
}

func TestWhatIf(t *testing.T) {
	t.Parallel()
	n := newTenant(t, options{})
	windows(n)
	p := n.page("plan all --install KB5000009, 5000001 kb4999999")
	wants(t, said(p), "With KB5000009 and KB5000001 installed everywhere, 33 % of 900 device × CVE pairs are closed and 600 remain (approximate). The next one closes 100 % of these.",
		"KB4999999 is not missing here", "KB5000001 is contained in KB5000002, which closes more")
	if got, want := rows(p), "KB5000009 11 % | KB5000001 22 % | KB5000002 66 % | KB5000003 0 %"; got != want {
		t.Errorf("rows %s, want %s", got, want)
	}
	for _, pasted := range []string{"https://support.microsoft.com/help/5000009", "<https://catalog.update.microsoft.com/Search.aspx?q=KB5000009|KB5000009>", "windows11.0-kb5000009-x64.msu", "`kb5000009`."} {
		wants(t, said(n.page("plan all --install "+pasted)), "With KB5000009 installed everywhere")
	}
	wants(t, said(n.page("plan all --install 5000002,5000009,5000003")), "100 % of 900", "0 remain", "Nothing else that is missing closes any more.")
}

// Updates under attack come first, and the page says how old its data is.
func TestExploitedFirst(t *testing.T) {
	t.Parallel()
	known := advisory.NewSnapshot(
		[]advisory.Document{{ID: "2026-Nov", Revised: time.Date(2026, 11, 20, 0, 0, 0, 0, time.UTC), Updates: []advisory.Update{{KB: "5000009", CVEs: []string{"CVE-2026-1"}}}}},
		advisory.Catalog{Released: time.Date(2026, 11, 28, 0, 0, 0, 0, time.UTC), Entries: []advisory.Exploited{{CVE: "CVE-2026-1", Due: time.Date(2026, 12, 9, 0, 0, 0, 0, time.UTC)}}},
	)
	n := newTenant(t, options{known: known})
	windows(n)
	p := n.page("plan all")
	wants(t, said(p), "1 of 3 updates to install fixes vulnerabilities under attack, on 50 devices, and comes first.", "Exploited by KEV of 28 Nov 2026 and MSRC to 2026-Nov.")
	if got := rows(p); !strings.HasPrefix(got, "KB5000009 ") {
		t.Errorf("rows %s", got)
	}
	table := p.Parts[0].(view.Table)
	if got := table.Row(0)[5].Text + ", " + table.Row(1)[5].Text; got != "KEV, due 9 Dec, unknown" {
		t.Errorf("exploited: %s", got)
	}
}

// An update that is not exploited itself says which of those that it contains is, in files too.
func TestExploitedInside(t *testing.T) {
	t.Parallel()
	build := func(revision int) []advisory.Build {
		return []advisory.Build{{Product: "11", Line: 26100, Revision: revision}}
	}
	known := advisory.NewSnapshot([]advisory.Document{{ID: "2026-Nov", Updates: []advisory.Update{
		{KB: "5000001", Kind: advisory.Cumulative, CVEs: []string{"CVE-2026-1"}, Builds: build(1)}, {KB: "5000002", Kind: advisory.Cumulative, CVEs: []string{"CVE-2026-2"}, Builds: build(2)},
	}}}, advisory.Catalog{Released: time.Date(2026, 11, 28, 0, 0, 0, 0, time.UTC), Entries: []advisory.Exploited{{CVE: "CVE-2026-1", Due: time.Date(2026, 12, 9, 0, 0, 0, 0, time.UTC)}}})
	n := newTenant(t, options{known: known})
	windows(n)
	p := n.page("plan all")
	table := p.Parts[0].(view.Table)
	if got, want := table.Row(0)[0].Text+": "+table.Row(0)[5].Text, "KB5000002: KEV, due 9 Dec (KB5000001)"; got != want {
		t.Errorf("first %q, want %q", got, want)
	}
	var csv bytes.Buffer
	if err := view.WriteCSV(&csv, p); err != nil {
		t.Fatal(err)
	}
	wants(t, csv.String(), `"KEV, due 9 Dec (KB5000001)",KB5000001`)
	wants(t, said(p), "The KEV list is 12 days old, so newer entries are not in it.")
}

// Every button of every page leads to an answer.
func TestEveryButtonAnswers(t *testing.T) {
	t.Parallel()
	n := newTenant(t, options{})
	windows(n)
	lines, seen := []string{"plan all", "plan microsoft-_-office"}, map[string]bool{}
	for len(lines) > 0 {
		line := lines[0]
		if lines = lines[1:]; seen[line] {
			continue
		}
		seen[line] = true
		req, err := commands.ParseOffered(line)
		if err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		p, err := n.router.Run(t.Context(), req)
		if err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		if !strings.HasPrefix(line, plancmd.Name) {
			continue
		}
		for _, a := range p.Actions {
			if a.Effect == view.Share && !n.router.Shared(commands.Request{Words: strings.Fields(a.Command)}) {
				t.Errorf("%s cannot be shared", a.Command)
			}
			lines = append(lines, a.Command)
		}
		table := p.Parts[0].(view.Table)
		for i := range table.Len() {
			for _, c := range table.Row(i) {
				if c.Action != nil {
					lines = append(lines, c.Action.Command)
				}
			}
		}
	}
	if len(seen) < 20 {
		t.Errorf("only %d lines were asked", len(seen))
	}
}

func TestPlanOfNames(t *testing.T) {
	t.Parallel()
	n := newTenant(t, options{})
	windows(n)
	n.put("windows_10", 5, kb("5000004", "November 2026 Security Updates", 5, 1))
	_, err := n.ask("plan windows --install KB5000002")
	if err == nil {
		t.Fatal("it did not ask which one")
	}
	p := commands.Explain(err)
	wants(t, p.Lead+p.Title, "Which one?", `"windows" matches several.`)
	for _, a := range p.Actions {
		if _, err := n.ask(a.Command); err != nil {
			t.Errorf("%s: %v", a.Command, err)
		}
	}
	if got, want := p.Actions[0].Command, "plan microsoft-_-windows_1"; !strings.HasPrefix(got, want) || !strings.Contains(got, "--install KB5000002") && !strings.Contains(got, "--install 5000002") {
		t.Errorf("the first button is %s", got)
	}
	if _, err := n.ask("plan nothing-like-it"); err == nil {
		t.Error("it planned software that is not there")
	}
	var many []string
	for i := range 51 {
		many = append(many, strconv.Itoa(5000000+i))
	}
	if _, err := n.ask("plan all --install " + strings.Join(many, ",")); err == nil {
		t.Error("it took 51 updates")
	}
}

// A name that one software fits far better is planned at once, as it is looked up at once; so are several such names.
func TestPlanOfWhatIsClearlyMeant(t *testing.T) {
	t.Parallel()
	n := newTenant(t, options{})
	windows(n)
	n.put("edge", 5, kb("5000004", "November 2026 Security Updates", 5, 1))
	n.put("edge_chromium-based", 4, kb("5000005", "November 2026 Security Updates", 4, 1))
	wants(t, said(n.page("plan edge")), "What to install first: Edge\n", `The best match for "edge"; 1 more matches less closely.`)
	wants(t, said(n.page("plan edge, windows 11")), "What to install first: Edge and Windows 11\n")
}

// What could not be read is said, and nothing at all is a failure.
func TestPlanOfWhatCannotBeRead(t *testing.T) {
	t.Parallel()
	n := newTenant(t, options{})
	windows(n)
	n.Inject(apitest.Fault{Path: "/api/Software/microsoft-_-office/getmissingkbs", Status: 503})
	wants(t, said(n.page("plan all")), "1 software could not be read: Defender cannot be reached.", "800 device × CVE pairs")
	none := newTenant(t, options{})
	windows(none)
	none.Inject(apitest.Fault{Path: "/api/Software/", Status: 503})
	if _, err := none.ask("plan all"); err == nil {
		t.Error("it planned nothing")
	}
}

// readings are what digests have read.
type readings map[string]patchgap.Snapshot

func (r readings) Reading(_ context.Context, _, software string) (patchgap.Snapshot, bool, error) {
	s, ok := r[software]
	return s, ok, nil
}

// A question asks Defender about a bounded number of software; the rest is as digests have read it.
func TestPlanOfManySoftware(t *testing.T) {
	t.Parallel()
	stored := readings{}
	n := newTenant(t, options{stored: stored})
	for i := range 30 {
		n.put(fmt.Sprintf("product_%02d", i), 1000-i, kb(strconv.Itoa(5000000+i), "November 2026 Security Updates", 10, 1))
	}
	read := func(name string, at time.Time) {
		stored[name] = patchgap.Snapshot{At: at, Software: []string{name}, Rows: []patchgap.Row{{Key: patchgap.Key{Software: name, KB: "5009999"}, Devices: 900, CVEs: 9}}}
	}
	read("microsoft-_-product_25", time.Now().Add(-time.Hour))
	read("microsoft-_-product_26", time.Now().Add(-30*24*time.Hour)) // too old
	p := n.page("plan all")
	wants(t, said(p), "4 software ids of Microsoft's with fewer exposed devices were not read: a question asks about 25 at most.", "1 software is as a digest read them.")
	if got := rows(p); !strings.HasPrefix(got, "KB5009999 ") || p.AsOf.Age < time.Hour {
		t.Errorf("rows %s as of %v ago", got, p.AsOf.Age)
	}
	if got := len(n.Calls()); got > 27 {
		t.Errorf("it made %d calls", got)
	}
}

// A name that surely means one software is planned at once, as it is answered at once elsewhere.
func TestPlanOfTheBestMatch(t *testing.T) {
	t.Parallel()
	n := newTenant(t, options{})
	n.put("windows_server_2022", 5, kb("5000001", "November 2026 Security Updates", 5, 1))
	n.put("windows_server_2022_azure_edition_tools", 1, kb("5000002", "November 2026 Security Updates", 1, 1))
	p, err := n.ask("plan server 2022")
	if err != nil {
		t.Fatal(err)
	}
	wants(t, p.Title+" "+p.Note, "What to install first: Windows Server 2022", `The best match for "server 2022"; 1 more matches less closely.`)
}
