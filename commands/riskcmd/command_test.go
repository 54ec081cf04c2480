package riskcmd_test

import (
	"context"
	"errors"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"github.com/missingkbs/missingkbs/api"
	"github.com/missingkbs/missingkbs/api/apitest"
	"github.com/missingkbs/missingkbs/commands"
	"github.com/missingkbs/missingkbs/commands/cmdline"
	"github.com/missingkbs/missingkbs/commands/riskcmd"
	"github.com/missingkbs/missingkbs/commands/search"
	"github.com/missingkbs/missingkbs/internal/access"
	"github.com/missingkbs/missingkbs/internal/advisory"
	"github.com/missingkbs/missingkbs/internal/audit"
	"github.com/missingkbs/missingkbs/internal/digest"
	"github.com/missingkbs/missingkbs/internal/patchgap"
	"github.com/missingkbs/missingkbs/internal/risk"
	"github.com/missingkbs/missingkbs/internal/store"
	"github.com/missingkbs/missingkbs/internal/view"
)

const (
	alice = "U0ALICE"
	bob   = "U0BOB"
	win11 = "microsoft-_-windows_11"
)

// credential is the token of a tenant in memory.
type credential struct{ *apitest.Server }

func (c credential) GetToken(context.Context, policy.TokenRequestOptions) (azcore.AccessToken, error) {
	return azcore.AccessToken{Token: c.Token(), ExpiresOn: time.Now().Add(time.Hour)}, nil
}

// desk is the command over a tenant in memory and a real database.
type desk struct {
	*apitest.Server
	router *commands.Router
	store  *store.Store
	now    time.Time
	listed map[string][]string // what CISA lists, by KB
	feeds  *advisory.Snapshot  // nil for none
}

func (d *desk) Listed(kb string) []string               { return d.listed[kb] }
func (d *desk) Contains(newer, older patchgap.Row) bool { return false }

func newDesk(t *testing.T, twoPerson bool) *desk {
	t.Helper()
	server, err := apitest.Start(apitest.Options{Empty: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Close)
	client, err := api.NewClient(credential{server}, &api.Options{
		Cloud: api.Cloud{Name: "test", Endpoint: server.URL, Scope: server.Scope()}, Transport: server.Client(), PerMinute: -1, PerHour: -1,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	database, err := store.Open(t.Context(), "sqlite://"+filepath.ToSlash(filepath.Join(t.TempDir(), "missingkbs.db")), store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = database.Close() })
	if err := database.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	d := &desk{Server: server, store: database, now: time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC), listed: map[string][]string{}}
	d.PutSoftware(apitest.Software{ID: win11, Name: "windows_11", Vendor: "microsoft", ExposedMachines: 57},
		apitest.KB{ID: "5074202", Name: "November 2026 Security Updates", OSBuild: "10.0.26100", MachineMissedOn: 40, CVEAddressed: 9})
	d.PutSoftware(apitest.Software{ID: "microsoft-_-edge", Name: "edge", Vendor: "microsoft", ExposedMachines: 20},
		apitest.KB{ID: "5074202", Name: "November 2026 Security Updates", MachineMissedOn: 3, CVEAddressed: 9})
	index := &search.Index{}
	clock := func() time.Time { return d.now }
	id := 4710
	register := &risk.Register{Tenant: digest.DefaultTenant, Store: database, Published: func() risk.Advisories { return d }, Now: clock}
	known, feeds := commands.WithAccepted(register), func() *advisory.Snapshot { return d.feeds }
	published := commands.WithAdvisories(feeds)
	d.router, err = commands.NewRouter(commands.Software(client, index, known, published), commands.KB(client, index, known, published), commands.Machine(client, clock, known), commands.Search(client, index), riskcmd.New(register, riskcmd.Options{
		Defender: client, Index: index, Advisories: feeds, TwoPerson: twoPerson, Now: clock, NewID: func(int) string { id++; return strconv.Itoa(id) },
	}))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func (d *desk) ask(t *testing.T, user, line string) (view.Page, error) {
	t.Helper()
	req, err := commands.Parse(line)
	if err != nil {
		t.Fatal(err)
	}
	req.User, req.Channel, req.Terminal = user, "C1", user == ""
	return d.router.Run(t.Context(), req)
}

func (d *desk) does(t *testing.T, user, line string) view.Page {
	t.Helper()
	page, err := d.ask(t, user, line)
	if err != nil {
		t.Fatalf("%s: %v", line, err)
	}
	for _, a := range page.Actions {
		if a.Command == "" {
			continue
		}
		if _, err := commands.ParseOffered(a.Command); err != nil {
			t.Errorf("%s offers %q: %v", line, a.Command, err)
		}
	}
	return page
}

func (d *desk) refuses(t *testing.T, user, line string) string {
	t.Helper()
	before := len(d.actions(t))
	page, err := d.ask(t, user, line)
	if err == nil {
		t.Fatalf("%s: got the page %q, want a refusal", line, page.Title)
	}
	if after := len(d.actions(t)); after != before {
		t.Errorf("%s: something was changed", line)
	}
	page = commands.Explain(err)
	return page.Title + ". " + page.Lead
}

func (d *desk) actions(t *testing.T) []string {
	t.Helper()
	var all []string
	for a, err := range d.store.Audits(t.Context(), store.AuditFilter{}) {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, a.Action+" "+a.User+" "+a.Subject)
	}
	return all
}

// rows are the cells of the list of accepted risks: KB, software, state, until.
func (d *desk) rows(t *testing.T) []string {
	t.Helper()
	var out []string
	for _, part := range d.does(t, alice, "accept list").Parts {
		if table, ok := part.(view.Table); ok {
			for _, r := range table.Rows {
				out = append(out, strings.Join([]string{r[0].Text, r[1].Text, r[2].Text, r[3].Text}, " | "))
			}
		}
	}
	return out
}

func text(t *testing.T, p view.Page) string {
	t.Helper()
	var b strings.Builder
	if err := view.WriteText(&b, p); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestAcceptListEnd(t *testing.T) {
	t.Parallel()
	d := newDesk(t, false)
	if got := d.does(t, alice, "accept list").Title; got != "No accepted risks" {
		t.Errorf("an empty list is titled %q", got)
	}
	page := d.does(t, alice, "accept kb5074202 --until 2026-12-31 --reason line 3 is frozen until the move")
	if page.Title != "KB5074202 is accepted until 31 Dec 2026" || !strings.Contains(page.Lead, "40 devices") {
		t.Errorf("page %q: %s", page.Title, page.Lead)
	}
	d.does(t, alice, `accept 5074202 --software microsoft-_-edge --until 10d --reason "tested next week"`)
	d.does(t, bob, `accept 5074202 --until 30d --reason "longer"`) // in place of the first
	want := []string{"KB5074202 | microsoft-_-edge | accepted | 9 Dec 2026", "KB5074202 | all | accepted | 29 Dec 2026"}
	if got := d.rows(t); !slices.Equal(got, want) {
		t.Errorf("list %q, want %q", got, want)
	}
	if got := d.does(t, alice, "accept show 4713"); !strings.Contains(text(t, got), "longer") {
		t.Errorf("page of one:\n%s", text(t, got))
	}
	d.does(t, alice, "accept end KB5074202")
	d.now = d.now.AddDate(0, 0, 11)
	want = []string{"KB5074202 | microsoft-_-edge | ended 10 Dec: its date has passed | 9 Dec 2026", "KB5074202 | all | ended 29 Nov: a person ended it | 29 Dec 2026"}
	if got := d.rows(t); !slices.Equal(got, want) {
		t.Errorf("list %q, want %q", got, want)
	}
	actions := []string{
		audit.ActionAccept + " U0ALICE KB5074202", audit.ActionAccept + " U0ALICE KB5074202 in microsoft-_-edge", audit.ActionAccept + " U0BOB KB5074202",
		audit.ActionAcceptEnd + " U0ALICE KB5074202", audit.ActionAcceptEnd + "  KB5074202 in microsoft-_-edge",
	}
	got := d.actions(t)
	slices.Sort(got) // those of one moment have no order
	slices.Sort(actions)
	if !slices.Equal(got, actions) {
		t.Errorf("audit %q, want %q", got, actions)
	}
}

// What cannot be accepted is refused with what to do next, and changes nothing.
func TestWhatIsRefused(t *testing.T) {
	t.Parallel()
	d := newDesk(t, false)
	for line, want := range map[string]string{
		"accept KB5074202 --until soon --reason x":                              "is not a date",
		"accept KB5074202 --until 2026-11-28 --reason x":                        "is in the past",
		"accept KB5074202 --until 2028-01-01 --reason x":                        "a year at most",
		"accept KB5074202 --until 30d --reason " + strings.Repeat("x ", 301):    "at most 300 fit",
		"accept edge --until 30d --reason x":                                    "Type its KB number",
		"accept KB5074202 --until \"next friday\" --reason x":                   `"next friday" is not a date`,
		"accept KB5074202 KB5074203 --until 30d --reason x":                     "Unexpected word",
		"accept CVE-2026-60052 --until 30d --reason x":                          "Type its KB number",
		"accept KB5074202 edge --until 30d --reason x":                          "Unexpected word",
		"accept KB5000009 --until 30d --reason x":                               "Nothing is known to lack KB5000009",
		"accept KB5074202 --software microsoft-_-office --until 30d --reason x": "Nothing is known to lack KB5074202 in microsoft-_-office",
		"accept end KB5074202":                                                  "is not accepted",
		"accept end":                                                            "Type its KB number",
		"accept approve 4711":                                                   "no accepted risk 4711",
		"accept show":                                                           "Which one?",
	} {
		if got := d.refuses(t, alice, line); !strings.Contains(got, want) {
			t.Errorf("%s: %q, want %q", line, got, want)
		}
	}
	if got := d.refuses(t, "", "accept KB5074202 --until 30d --reason x"); !strings.Contains(got, "Only in Slack") {
		t.Errorf("on a terminal: %q", got)
	}
}

// However the number of an update is pasted, it is the one that is accepted.
func TestAcceptsWhatIsPasted(t *testing.T) {
	t.Parallel()
	d := newDesk(t, false)
	for _, typed := range []string{
		"https://support.microsoft.com/help/5074202", "<https://catalog.update.microsoft.com/v7/site/Search.aspx?q=KB5074202|the catalog>", "windows11.0-kb5074202-x64.msu",
		"kb 5074202", "#5074202", "`KB5074202`,", "KB-5074202.", "ＫＢ５０７４２０２",
	} {
		page := d.does(t, alice, "accept "+typed+" --until 30d --reason x")
		if !strings.HasPrefix(page.Title, "KB5074202 is ") {
			t.Errorf("accept %s: %q", typed, page.Title)
		}
		if page = d.does(t, alice, "accept end "+typed); !strings.HasPrefix(page.Title, "KB5074202 is no longer") {
			t.Errorf("accept end %s: %q", typed, page.Title)
		}
	}
}

// Where two persons are needed, a request holds once another person has approved it, and expires.
func TestTwoPersons(t *testing.T) {
	t.Parallel()
	d := newDesk(t, true)
	page := d.does(t, alice, "accept KB5074202 --until 30d --reason frozen")
	if i := slices.IndexFunc(page.Actions, func(a view.Action) bool { return a.Effect == view.Share && a.Command == "accept show 4711" }); i < 0 || page.Actions[0].Label != "Approve" {
		t.Errorf("the request offers %v", page.Actions)
	}
	if req, _ := commands.Parse("accept show 4711"); !d.router.Shared(req) {
		t.Error("a request cannot be posted in its channel")
	}
	if got := d.refuses(t, alice, "accept approve 4711"); !strings.Contains(got, "Another person has to approve it") {
		t.Errorf("the same person: %q", got)
	}
	d.does(t, bob, "accept approve 4711")
	if got, want := d.rows(t), []string{"KB5074202 | all | accepted | 29 Dec 2026"}; !slices.Equal(got, want) {
		t.Errorf("list %q, want %q", got, want)
	}
	if got := d.refuses(t, bob, "accept approve 4711"); !strings.Contains(got, "accepted already") {
		t.Errorf("a second time: %q", got)
	}
	d.does(t, bob, "accept KB5074202 --until 60d --reason longer")
	d.now = d.now.Add(risk.RequestLife)
	d.rows(t) // notices that the request has expired
	if got := d.refuses(t, alice, "accept approve 4712"); !strings.Contains(got, "no second person approved it") {
		t.Errorf("after a week: %q", got)
	}
	d.does(t, bob, "accept KB5074202 --until 60d --reason longer")
	d.does(t, alice, "accept end KB5074202") // ends what holds and declines what waits
	if got := d.rows(t); slices.ContainsFunc(got, func(r string) bool { return !strings.Contains(r, "ended") }) {
		t.Errorf("list %q, want nothing open", got)
	}
}

// What CISA listed when a risk was accepted is told, and does not end it.
func TestAcceptingWhatIsExploited(t *testing.T) {
	t.Parallel()
	d := newDesk(t, false)
	d.listed["5074202"] = []string{"CVE-2026-1"}
	if page := d.does(t, alice, "accept KB5074202 --until 30d --reason frozen"); !strings.Contains(text(t, page), "CVE-2026-1: CISA listed it") {
		t.Errorf("page:\n%s", text(t, page))
	}
}

// Accepting an update leaves an exploited one inside it as it is, and every page that accepts or shows that says so.
func TestExploitedInsideIsNotCovered(t *testing.T) {
	t.Parallel()
	d := newDesk(t, false)
	d.PutSoftware(apitest.Software{ID: win11, Name: "windows_11", Vendor: "microsoft", ExposedMachines: 57},
		apitest.KB{ID: "5074202", Name: "November 2026 Security Updates", OSBuild: "10.0.26100", MachineMissedOn: 40, CVEAddressed: 9},
		apitest.KB{ID: "5073000", Name: "October 2026 Security Updates", OSBuild: "10.0.26100", MachineMissedOn: 6, CVEAddressed: 9})
	if got := d.does(t, alice, "accept KB5074202").Dialog.Lead; !strings.HasPrefix(got, "Older updates that it contains are not accepted with it") {
		t.Errorf("the form without feeds: %q", got)
	}
	build := func(revision int) []advisory.Build {
		return []advisory.Build{{Product: "1", Line: 26100, Revision: revision}}
	}
	d.feeds = advisory.NewSnapshot([]advisory.Document{{ID: "2026-Nov", Released: d.now, Revised: d.now, Updates: []advisory.Update{
		{KB: "5073000", Builds: build(10), CVEs: []string{"CVE-2026-1"}}, {KB: "5074202", Builds: build(20), CVEs: []string{"CVE-2026-2"}},
	}}}, advisory.Catalog{Released: d.now, Entries: []advisory.Exploited{{CVE: "CVE-2026-1", Due: d.now.AddDate(0, 0, 3)}}})

	const inside = "KB5073000 (CVE-2026-1, KEV, due 2 Dec 2026), which it contains and which is exploited. That one still counts until it is installed or accepted itself."
	form := d.does(t, alice, "accept KB5074202")
	if form.Dialog.Lead != "Not accepted with it: "+inside || !strings.Contains(form.Note, inside) {
		t.Errorf("the form says %q and %q", form.Dialog.Lead, form.Note)
	}
	page := d.does(t, alice, "accept KB5074202 --until 2026-12-31 --reason frozen")
	if !strings.HasSuffix(page.Lead, inside) || !slices.Contains(commandsOf(page), "accept KB5073000") {
		t.Errorf("accepted: %q, %q", page.Lead, commandsOf(page))
	}
	if got := text(t, d.does(t, alice, "accept show 4711")); !strings.Contains(got, "Older updates that it contains are not covered.") {
		t.Errorf("one of the list:\n%s", got)
	}
	if got := text(t, d.does(t, alice, win11)); !strings.Contains(got, "until 31 Dec 2026, not KB5073000 (exploited)") {
		t.Errorf("the list of updates:\n%s", got)
	}
	if got := text(t, d.does(t, alice, "kb KB5074202")); !strings.Contains(got, "Not accepted with it: "+inside) {
		t.Errorf("the page of the update:\n%s", got)
	}

	d.listed["5073000"] = []string{"CVE-2026-1"} // it was listed before it is accepted
	d.does(t, alice, "accept KB5073000 --until 2026-12-31 --reason frozen")
	if got := text(t, d.does(t, alice, win11)); strings.Contains(got, "not KB5073000") {
		t.Errorf("both are accepted:\n%s", got)
	}
	if got := d.does(t, alice, "accept KB5074202").Dialog.Lead; strings.Contains(got, "KB5073000") {
		t.Errorf("both are accepted, and the form says %q", got)
	}
	d.listed["5073000"] = []string{"CVE-2026-1", "CVE-2026-3"} // CISA lists one more of the older update: that one alone comes back
	d.does(t, alice, win11)
	want := []string{"KB5074202 | all | accepted | 31 Dec 2026", "KB5073000 | all | ended 29 Nov: CISA lists CVE-2026-3 as exploited | 31 Dec 2026"}
	if got := d.rows(t); !slices.Equal(got, want) {
		t.Errorf("list %q, want %q", got, want)
	}
	if got := text(t, d.does(t, alice, win11)); !strings.Contains(got, "until 31 Dec 2026, not KB5073000 (exploited)") {
		t.Errorf("the list of updates after that:\n%s", got)
	}
}

func commandsOf(p view.Page) []string {
	var all []string
	for _, a := range p.Actions {
		all = append(all, a.Command)
	}
	return all
}

// Every line asks for the right that it takes.
func TestRights(t *testing.T) {
	t.Parallel()
	d := newDesk(t, false)
	for line, want := range map[string]access.Right{
		"accept": access.Accept, "accept list": access.Ask, "accept show 1": access.Ask, "accept KB5074202 --until 30d --reason x": access.Accept,
		"accept end KB5074202": access.Accept, "accept approve 1": access.Accept, "help accept": access.Ask,
	} {
		req, err := commands.Parse(line)
		if err != nil {
			t.Fatal(err)
		}
		if got := d.router.Intent(req).Needs; got != want {
			t.Errorf("%s takes %q, want %q", line, got, want)
		}
	}
}

// An accepted update stays in every count of every page, marked, and comes back with the reason when it ends.
func TestPagesMarkAcceptedUpdates(t *testing.T) {
	t.Parallel()
	d := newDesk(t, false)
	d.PutSoftware(apitest.Software{ID: win11, Name: "windows_11", Vendor: "microsoft", ExposedMachines: 57},
		apitest.KB{ID: "5074202", Name: "November 2026 Security Updates", OSBuild: "10.0.26100", MachineMissedOn: 40, CVEAddressed: 9},
		apitest.KB{ID: "5070001", Name: "September 2026 Servicing Stack Update", OSBuild: "10.0.22631", MachineMissedOn: 5, CVEAddressed: 1})
	before := text(t, d.does(t, alice, win11))
	page := text(t, d.does(t, alice, "kb KB5074202"))
	if strings.Contains(before, "ccepted") || strings.Contains(page, "Accepted") {
		t.Errorf("something is marked though nothing is accepted:\n%s\n%s", before, page)
	}
	if got := d.does(t, alice, "kb KB5074202").Actions; !slices.ContainsFunc(got, func(a view.Action) bool { return a.Command == "accept KB5074202" }) {
		t.Errorf("the page of the update does not offer to accept it: %v", got)
	}
	d.does(t, alice, "accept KB5074202 --until 2026-12-31 --reason frozen")
	for line, want := range map[string][]string{
		win11:          {"2 updates missing", "1 of 2 accepted until 31 Dec 2026.", "until 31 Dec 2026"},
		"kb KB5074202": {"Missing on at least 40 devices, in 2 software.", "Accepted until 31 Dec 2026 by U0ALICE: frozen."},
	} {
		got := text(t, d.does(t, alice, line))
		for _, words := range want {
			if !strings.Contains(got, words) {
				t.Errorf("%s lacks %q:\n%s", line, words, got)
			}
		}
	}
	d.listed["5074202"] = []string{"CVE-2026-1"}
	for _, line := range []string{win11, "kb KB5074202"} {
		got := text(t, d.does(t, alice, line))
		if want := "The accepted risk of KB5074202 ended on 29 Nov: CISA lists CVE-2026-1 as exploited."; !strings.Contains(got, want) || strings.Contains(got, "until 31 Dec") {
			t.Errorf("%s lacks %q, or marks it still:\n%s", line, want, got)
		}
	}
	if got, want := d.rows(t), []string{"KB5074202 | all | ended 29 Nov: CISA lists CVE-2026-1 as exploited | 31 Dec 2026"}; !slices.Equal(got, want) {
		t.Errorf("list %q, want %q", got, want)
	}
}

// Pages answer without what is accepted when the database does not.
func TestPagesWithoutTheDatabase(t *testing.T) {
	t.Parallel()
	d := newDesk(t, false)
	if err := d.store.Close(); err != nil {
		t.Fatal(err)
	}
	if got := text(t, d.does(t, alice, win11)); !strings.Contains(got, "KB5074202") || !strings.Contains(got, "could not read now which updates are accepted") {
		t.Errorf("page:\n%s", got)
	}
}

// A line without a date or a reason asks for them in a window, which runs the line that is typed otherwise.
func TestAcceptAsksForTheRest(t *testing.T) {
	t.Parallel()
	d := newDesk(t, false)
	page := d.does(t, alice, "accept KB5074202 --reason frozen")
	if page.Dialog == nil || !strings.Contains(page.Lead, `accept KB5074202 --until 2026-12-29 --reason "why`) {
		t.Fatalf("page %q: %s, %v", page.Title, page.Lead, page.Dialog)
	}
	line := slices.Clone(page.Dialog.Command)
	for _, f := range page.Dialog.Fields {
		if len(f.Values) > 0 {
			line = append(line, "--"+f.Option+"="+strings.Join(f.Values, " "))
		}
	}
	d.does(t, alice, cmdline.Join(line...))
	if got, want := d.rows(t), []string{"KB5074202 | all | accepted | 29 Dec 2026"}; !slices.Equal(got, want) {
		t.Errorf("list %q, want %q", got, want)
	}
	_, err := d.ask(t, alice, "accept KB5074202 --until soon --reason x")
	if e, ok := errors.AsType[*commands.Error](err); !ok || e.Field != "until" {
		t.Errorf("the mistake is at no field: %v", err)
	}
}
