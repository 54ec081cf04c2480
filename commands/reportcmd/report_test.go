package reportcmd_test

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"
	"time"
	_ "time/tzdata"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"github.com/missingkbs/missingkbs/api"
	"github.com/missingkbs/missingkbs/api/apitest"
	"github.com/missingkbs/missingkbs/commands"
	"github.com/missingkbs/missingkbs/commands/plancmd"
	"github.com/missingkbs/missingkbs/commands/reading"
	"github.com/missingkbs/missingkbs/commands/reportcmd"
	"github.com/missingkbs/missingkbs/commands/search"
	"github.com/missingkbs/missingkbs/internal/advisory"
	"github.com/missingkbs/missingkbs/internal/deadline"
	"github.com/missingkbs/missingkbs/internal/digest"
	"github.com/missingkbs/missingkbs/internal/digest/schedule"
	"github.com/missingkbs/missingkbs/internal/patchgap"
	"github.com/missingkbs/missingkbs/internal/view"
)

var now = time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)

const windows = "microsoft-_-windows_11"

// past is what digests have read.
type past struct {
	snaps  []patchgap.Snapshot
	seen   map[patchgap.Key]patchgap.Seen
	failed int
	err    error
}

func (p past) History(_ context.Context, _ string, since time.Time, wanted func(string) bool) (all []patchgap.Snapshot, err error) {
	for _, s := range p.snaps {
		if wanted(s.Software[0]) && !s.At.Before(since) {
			all = append(all, s)
		}
	}
	return all, p.err
}

func (p past) FirstSeen(context.Context, string, string) (map[patchgap.Key]patchgap.Seen, error) {
	return p.seen, p.err
}

func (p past) FailedDigests(context.Context, string, time.Time) (int, error) { return p.failed, p.err }

func row(kb, name string, devices int) patchgap.Row {
	return patchgap.Row{Key: patchgap.Key{Software: windows, KB: kb, OSBuild: "26100"}, Name: name, Devices: devices, CVEs: 2}
}

// threeMonths are weekly readings of Windows, to this morning.
func threeMonths() past {
	p := past{seen: map[patchgap.Key]patchgap.Seen{}, failed: 1}
	for week := -12; week <= 0; week++ {
		at := now.AddDate(0, 0, 7*week).Add(-time.Hour)
		rows := []patchgap.Row{}
		if week >= -9 {
			rows = append(rows, row("5000009", "Update for .NET", 20))
		}
		if week >= -1 {
			rows = append(rows, row("5000011", "November 2026 Security Updates", 80-20*(week+1)))
		}
		if week == -5 { // not read
			continue
		}
		p.snaps = append(p.snaps, patchgap.Snapshot{At: at, Software: []string{windows}, Rows: rows})
	}
	return p
}

type credential struct{ server *apitest.Server }

func (c credential) GetToken(context.Context, policy.TokenRequestOptions) (azcore.AccessToken, error) {
	return azcore.AccessToken{Token: c.server.Token(), ExpiresOn: time.Now().Add(time.Hour)}, nil
}

// tenant is a Defender tenant whose Windows lacks an update, with a router that asks it through the real client.
type tenant struct {
	*testing.T
	*apitest.Server

	router   *commands.Router
	reporter reportcmd.Reporter
}

func newTenant(t *testing.T, history reportcmd.History, sla string, known *advisory.Snapshot) tenant {
	t.Helper()
	server, err := apitest.Start(apitest.Options{Empty: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Close)
	client, err := api.NewClient(credential{server}, &api.Options{
		Cloud:     api.Cloud{Name: "test", Endpoint: server.URL, Scope: server.Scope()},
		Transport: server.Client(), PerMinute: -1, PerHour: -1,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	server.PutSoftware(
		apitest.Software{ID: windows, Name: "windows_11", Vendor: "microsoft", Weaknesses: 3, ExposedMachines: 80},
		apitest.KB{ID: "5000012", Name: "November 2026 Security Updates", OSBuild: 26100, MachineMissedOn: 33, CVEAddressed: 4},
	)
	p, err := deadline.Parse(sla)
	if err != nil {
		t.Fatal(err)
	}
	index := &search.Index{}
	reader := &reading.Reader{Defender: client, Index: index, Now: func() time.Time { return now }}
	o := reportcmd.Options{
		Reader: reader, History: history, Advisories: func() *advisory.Snapshot { return known },
		Policy: func() deadline.Policy { return p }, Now: func() time.Time { return now },
	}
	router, err := commands.NewRouter(commands.Software(client, index), commands.Search(client, index), commands.KB(client, index),
		plancmd.New(plancmd.Options{Reader: reader}), reportcmd.New(o))
	if err != nil {
		t.Fatal(err)
	}
	return tenant{t, server, router, reportcmd.Reporter{Options: o}}
}

func (n tenant) page(line string) view.Page {
	n.Helper()
	req, err := commands.Parse(line)
	if err != nil {
		n.Fatal(err)
	}
	p, err := n.router.Run(n.Context(), req)
	if err != nil {
		n.Fatalf("%s: %v", line, err)
	}
	return p
}

// text is a page as a terminal shows it.
func text(t *testing.T, p view.Page) string {
	t.Helper()
	var out bytes.Buffer
	if err := view.WriteText(&out, p); err != nil {
		t.Fatal(err)
	}
	return strings.Join(strings.Fields(out.String()), " ")
}

func wants(t *testing.T, got string, words ...string) {
	t.Helper()
	for _, w := range words {
		if !strings.Contains(got, w) {
			t.Errorf("it does not say %q:\n%s", w, got)
		}
	}
}

func TestReport(t *testing.T) {
	t.Parallel()
	n := newTenant(t, threeMonths(), deadline.Example, nil)
	p := n.page("report windows 11")
	wants(t, text(t, p),
		"Patch report: Windows 11",
		"1 of 2 missing updates is overdue: KB5000009, by 3 days.", "75 % of devices have no gap older than 30 days.",
		"Day 13 of the November 2026 cycle.",
		"75 %: 60 of 80 devices. Counted are, for each software, the most devices that lacked one update at the same time since 8 Sep 2026",
		"Deadlines exploited within 3 days, critical 14, important 30, other 60",
		"14 days or less 1 60 60", "over 60 days 1 20 20",
		"Nov 2026 25 % 1 60 80", "Sep 2026 0 % 1 20 20", "Oct 2026 unknown: no updates known",
		"KB5000009 63 days overdue by 3 days 20", "KB5000011 7 days due in 53 days 60",
		"Nothing of 1 software id was read between 12 Oct 2026 and 26 Oct 2026.", "For 1 digest since 12 May 2026 nothing could be read.",
	)
	if calls := n.Calls(); len(calls) > 1 { // the list of software
		t.Errorf("it asked Defender %d times, though a digest has read all this morning", len(calls))
	}
	var csv bytes.Buffer
	if err := view.WriteCSV(&csv, p); err != nil {
		t.Fatal(err)
	}
	wants(t, csv.String(), "age,kbs,devices_at_least,open_installs\n", "kb,name,age,since,due,deadline,class,devices,exploited\n", "KB5000009,Update for .NET,63 days,2026-09-21,2026-11-20,overdue by 3 days,other,20,unknown")
}

// Fresh data replaces that of digests, and an update that was never seen before is of unknown age.
func TestReportOfNow(t *testing.T) {
	t.Parallel()
	n := newTenant(t, threeMonths(), "", nil)
	wants(t, text(t, n.page("report all --fresh")), "Patch report: all Microsoft software", "1 update missing, the oldest for 0 days.", "KB5000012 0 days 33", "No deadlines are set (MISSINGKBS_SLA)")
	none := newTenant(t, nil, "", nil)
	got := text(t, none.page("report all"))
	wants(t, got, "1 update missing, the oldest for 0+ days.", "not known 1 33 33", "Nothing is stored here, so ages count from today", "fewer if any of 1 update of unknown age is that old")
	if strings.Contains(got, "% of devices have no gap older") {
		t.Errorf("it calls an update of unknown age fresh:\n%s", got)
	}
}

func TestReportOfExploited(t *testing.T) {
	t.Parallel()
	known := advisory.NewSnapshot(
		[]advisory.Document{{ID: "2026-Nov", Released: now.AddDate(0, 0, -13), Revised: now, Updates: []advisory.Update{{KB: "5000011", CVEs: []string{"CVE-2026-1"}}}}},
		advisory.Catalog{Released: now, Entries: []advisory.Exploited{{CVE: "CVE-2026-1", Added: now.AddDate(0, 0, -5)}}},
	)
	n := newTenant(t, threeMonths(), deadline.Example, known)
	wants(t, text(t, n.page("report "+windows)), "2 of 2 missing updates are overdue, KB5000009 by 3 days.", "14 days or less 1 60 60 1", "KB5000011 13 days overdue by 2 days 60 yes", "KB5000009 63 days overdue by 3 days 20 unknown")
}

// An update that is not exploited itself says which of those that it contains is.
func TestReportOfExploitedInside(t *testing.T) {
	t.Parallel()
	build := func(revision int) []advisory.Build {
		return []advisory.Build{{Product: "11", Line: 26100, Revision: revision}}
	}
	known := advisory.NewSnapshot([]advisory.Document{{ID: "2026-Nov", Released: now.AddDate(0, 0, -13), Updates: []advisory.Update{
		{KB: "5000009", Kind: advisory.Cumulative, CVEs: []string{"CVE-2026-1"}, Builds: build(1)}, {KB: "5000011", Kind: advisory.Cumulative, CVEs: []string{"CVE-2026-2"}, Builds: build(2)},
	}}}, advisory.Catalog{Released: now, Entries: []advisory.Exploited{{CVE: "CVE-2026-1", Added: now.AddDate(0, 0, -5)}}})
	n := newTenant(t, threeMonths(), deadline.Example, known)
	p := n.page("report " + windows)
	var csv bytes.Buffer
	if err := view.WriteCSV(&csv, p); err != nil {
		t.Fatal(err)
	}
	wants(t, csv.String(), ",20,yes\n", ",60,yes (KB5000009)\n")
}

// A database that fails is a failure, not a report of nothing.
func TestReportWithoutDatabase(t *testing.T) {
	t.Parallel()
	n := newTenant(t, past{err: errors.New("the disk is gone")}, "", nil)
	if _, err := n.router.Run(t.Context(), commands.Request{Words: []string{"report", "all"}}); err == nil {
		t.Error("it reported on nothing")
	}
}

func TestEveryButtonAnswers(t *testing.T) {
	t.Parallel()
	n := newTenant(t, threeMonths(), deadline.Example, nil)
	n.PutSoftware(
		apitest.Software{ID: "microsoft-_-net", Name: "net", Vendor: "microsoft", Weaknesses: 3, ExposedMachines: 80},
		apitest.KB{ID: "5000009", Name: "Update for .NET", MachineMissedOn: 20, CVEAddressed: 2}, apitest.KB{ID: "5000011", Name: "x", MachineMissedOn: 20, CVEAddressed: 2},
	)
	p := n.page("report " + windows)
	var lines []string
	for _, a := range p.Actions {
		lines = append(lines, a.Command)
		if a.Effect == view.Share && !n.router.Shared(commands.Request{Words: strings.Fields(a.Command)}) {
			t.Errorf("%s cannot be shared", a.Command)
		}
	}
	for _, part := range p.Parts {
		if table, ok := part.(view.Table); ok {
			for i := range table.Len() {
				for _, c := range table.Row(i) {
					if c.Action != nil {
						lines = append(lines, c.Action.Command)
					}
				}
			}
		}
	}
	for _, line := range lines {
		req, err := commands.ParseOffered(line)
		if err == nil {
			_, err = n.router.Run(t.Context(), req)
		}
		if err != nil {
			t.Errorf("%s: %v", line, err)
		}
	}
	if len(lines) < 6 {
		t.Errorf("only %d buttons", len(lines))
	}
}

// A digest reports on what it has just read, in its own zone.
func TestReportOfDigest(t *testing.T) {
	t.Parallel()
	n := newTenant(t, threeMonths(), deadline.Example, nil)
	s := digest.Subscription{Watch: []string{digest.All}, Schedule: schedule.Schedule{Words: "mon 09:00", Zone: "Pacific/Auckland"}} // where it is 22:00
	snap := patchgap.Snapshot{
		At: now, Software: []string{"microsoft-_-office", windows}, Rows: []patchgap.Row{row("5000011", "November 2026 Security Updates", 8)},
		Unread: []patchgap.Unread{{Software: "microsoft-_-office", Reason: "Defender did not answer."}},
	}
	p, err := n.reporter.Digest(t.Context(), s, snap)
	if err != nil {
		t.Fatal(err)
	}
	wants(t, text(t, p), "Patch report: all Microsoft software", "1 update missing, the oldest for 7 days. None is overdue.", "Day 13 of", "1 software id could not be read now.", "35 days, of 2 updates")
}
