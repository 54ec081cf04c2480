package commands_test

import (
	"bytes"
	"context"
	"errors"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/google/go-cmp/cmp"

	"github.com/missingkbs/missingkbs/api"
	"github.com/missingkbs/missingkbs/api/apitest"
	"github.com/missingkbs/missingkbs/commands"
	"github.com/missingkbs/missingkbs/commands/search"
	"github.com/missingkbs/missingkbs/internal/digest"
	"github.com/missingkbs/missingkbs/internal/patchgap"
	"github.com/missingkbs/missingkbs/internal/view"
)

// readings are what digests have read, by software id.
type readings map[string]patchgap.Snapshot

func (r readings) Reading(_ context.Context, _, software string) (patchgap.Snapshot, bool, error) {
	if software == "broken" {
		return patchgap.Snapshot{}, false, errors.New("secret of the database")
	}
	snap, ok := r[software]
	return snap, ok, nil
}

// forgetful is a tenant whose client has a memory and whose clock can be moved on.
type forgetful struct {
	tenant
	now      time.Time
	readings readings
	refused  bool // another process was
}

const edgeID = "microsoft-_-edge"

func newForgetful(t *testing.T) *forgetful {
	t.Helper()
	f := &forgetful{tenant: newTenant(t), now: time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC), readings: readings{}}
	f.restart(t)
	return f
}

// restart makes the client anew, which forgets everything.
func (f *forgetful) restart(t *testing.T) {
	t.Helper()
	now := func() time.Time { return f.now }
	client, err := api.NewClient(credential{f.Server}, &api.Options{
		Cloud: api.Cloud{Endpoint: f.URL, Scope: f.Scope()}, Transport: f.Client(),
		Retry: policy.RetryOptions{MaxRetries: -1}, StaleFor: 24 * time.Hour, Now: now, PerMinute: -1, PerHour: -1,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	d := commands.WithStoredAnswers(client, commands.StoredAnswersOptions{Readings: f.readings, Life: 7 * 24 * time.Hour, Now: now, Refused: func(context.Context) bool { return f.refused }})
	index := &search.Index{}
	if f.router, err = commands.NewRouter(commands.Software(d, index), commands.Search(d, index)); err != nil {
		t.Fatal(err)
	}
}

func (f *forgetful) wait(d time.Duration) { f.now = f.now.Add(d) }

func (f *forgetful) mustAsk(t *testing.T, line string) view.Page {
	t.Helper()
	page, err := f.ask(t, line)
	if err != nil {
		t.Fatal(err)
	}
	return page
}

func read(at time.Time) patchgap.Snapshot {
	return patchgap.Snapshot{Tenant: digest.DefaultTenant, At: at, Software: []string{edgeID}, Rows: []patchgap.Row{
		{Key: patchgap.Key{Software: edgeID, KB: "4540673"}, Name: "March 2020 Security Updates", URL: edgeURL, Devices: 77, CVEs: 14},
	}}
}

// A page made of what a digest has read is the page that Defender's answer makes, but for its age.
func TestPageOfAReadingIsThePageOfAnAnswer(t *testing.T) {
	t.Parallel()
	f := newForgetful(t)
	live := f.mustAsk(t, edgeID)
	f.readings[edgeID] = patchgap.Snapshot{Tenant: digest.DefaultTenant, At: f.now, Software: []string{edgeID}, Rows: []patchgap.Row{
		{Key: patchgap.Key{Software: edgeID, KB: "4540673"}, Name: "March 2020 Security Updates", Products: "edge", URL: edgeURL, Devices: 240, CVEs: 14},
	}}
	f.restart(t)
	f.wait(time.Hour)
	f.Inject(apitest.Throttled(10 * time.Minute))
	stored := f.mustAsk(t, edgeID)
	if stored.AsOf.Stale != view.UsedUp {
		t.Fatalf("the page is no stored one: %+v", stored.AsOf)
	}
	stored.AsOf, live.AsOf, live.Source = view.AsOf{}, view.AsOf{}, stored.Source
	if diff := cmp.Diff(made(live), made(stored)); diff != "" {
		t.Errorf("a stored page (-live +stored):\n%s", diff)
	}
}

// When Defender cannot be asked, the page is the one of before, and says first that it is, why, and until when.
func TestStalePage(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		fault apitest.Fault
		stale view.Stale
		says  string
	}{
		"quota": {
			apitest.Throttled(10 * time.Minute), view.UsedUp,
			"Defender's quota is used up: this is the stored answer of 2026-11-23 09:00 UTC, 2 h ago. A fresh one can be had from about 11:10 UTC.",
		},
		"down": {
			apitest.Failing(), view.Unreachable,
			"Defender cannot be reached: this is the stored answer of 2026-11-23 09:00 UTC, 2 h ago. Try again in a few minutes for a fresh one.",
		},
	} {
		f := newForgetful(t)
		before := f.mustAsk(t, edgeID)
		f.wait(2 * time.Hour)
		f.Inject(tc.fault)
		page := f.mustAsk(t, edgeID)
		if page.AsOf.Stale != tc.stale || page.AsOf.Age != 2*time.Hour || !page.AsOf.Time.Equal(before.AsOf.Time) || page.Lead != before.Lead {
			t.Errorf("%s: page as of %+v: %s", name, page.AsOf, page.Lead)
		}
		if !strings.Contains(strings.Join(labels(page.Actions), " "), "Refresh") {
			t.Errorf("%s: no button asks again", name)
		}
		var text, object, rows bytes.Buffer
		if err := errors.Join(view.WriteText(&text, page), view.WriteJSON(&object, page), view.WriteCSV(&rows, page)); err != nil {
			t.Fatal(err)
		}
		if lines := strings.Split(text.String(), "\n"); lines[1] != tc.says {
			t.Errorf("%s: the second line is %q, want %q", name, lines[1], tc.says)
		}
		if want := `"stale": "` + string(tc.stale) + `"`; !strings.Contains(object.String(), want) {
			t.Errorf("%s: JSON without %s:\n%s", name, want, &object)
		}
		if lines := strings.Split(rows.String(), "\n"); !strings.HasSuffix(lines[0], ",as_of,stale") || !strings.HasSuffix(lines[1], ",2026-11-23T09:00:00Z,"+string(tc.stale)) {
			t.Errorf("%s: CSV\n%s", name, &rows)
		}
		f.Heal()
		f.wait(10 * time.Minute)
		f.restart(t)
		if page := f.mustAsk(t, edgeID); page.AsOf.Stale != view.NotStale || page.AsOf.Age != 0 {
			t.Errorf("%s: later: %+v", name, page.AsOf)
		}
	}
}

func labels(actions []view.Action) (out []string) {
	for _, a := range actions {
		out = append(out, a.Label)
	}
	return out
}

// After a restart, and for what another replica has read since, the reading of a digest serves; never one that is older
// than what is known, and none that is too old.
func TestStaleReading(t *testing.T) {
	t.Parallel()
	start := time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)
	for name, tc := range map[string]struct {
		asked    bool // before, by this process
		readings readings
		fault    apitest.Fault
		devices  string // "" for the error's page
	}{
		"after a restart":            {false, readings{edgeID: read(start.Add(-24 * time.Hour))}, apitest.Throttled(time.Hour), "77 devices"},
		"after a restart, down":      {false, readings{edgeID: read(start.Add(-24 * time.Hour))}, apitest.Failing(), "77 devices"},
		"newer than what is known":   {true, readings{edgeID: read(start.Add(time.Hour))}, apitest.Throttled(time.Hour), "77 devices"},
		"older than what is known":   {true, readings{edgeID: read(start.Add(-time.Hour))}, apitest.Throttled(time.Hour), "240 devices"},
		"too old":                    {false, readings{edgeID: read(start.Add(-8 * 24 * time.Hour))}, apitest.Throttled(time.Hour), ""},
		"never read":                 {false, readings{}, apitest.Throttled(time.Hour), ""},
		"no reason for an old one":   {false, readings{edgeID: read(start)}, apitest.Unlicensed(), ""},
		"the answer makes no sense":  {false, readings{edgeID: read(start)}, apitest.Lying(), ""},
		"lacked nothing when it was": {false, readings{edgeID: {At: start, Software: []string{edgeID}}}, apitest.Throttled(time.Hour), "No missing updates"},
	} {
		f := newForgetful(t)
		if tc.asked {
			f.mustAsk(t, edgeID)
		}
		maps.Copy(f.readings, tc.readings)
		f.wait(2 * time.Hour)
		f.Inject(tc.fault)
		page, err := f.ask(t, edgeID)
		if (err != nil) != (tc.devices == "") {
			t.Errorf("%s: error = %v", name, err)
		}
		if err == nil && (!strings.Contains(page.Lead, tc.devices) || page.AsOf.Stale == view.NotStale) {
			t.Errorf("%s: %q as of %+v", name, page.Lead, page.AsOf)
		}
	}
}

// A database that is away as well leaves what Defender's failure says.
func TestStaleReadingFails(t *testing.T) {
	t.Parallel()
	f := newForgetful(t)
	f.Inject(apitest.Throttled(time.Minute))
	d := commands.WithStoredAnswers(f.client, commands.StoredAnswersOptions{Readings: f.readings, Life: time.Hour, Now: time.Now, Refused: func(context.Context) bool { return false }})
	if _, err := d.MissingKBs(t.Context(), "broken"); !errors.Is(err, api.ErrThrottled) || strings.Contains(err.Error(), "secret") {
		t.Errorf("error = %v", err)
	}
}

// A search goes on with the software list of before, and says so.
func TestStaleSearch(t *testing.T) {
	t.Parallel()
	f := newForgetful(t)
	f.mustAsk(t, "search edge")
	f.wait(2 * time.Hour)
	f.Inject(apitest.Throttled(time.Minute))
	if page := f.mustAsk(t, "search edge"); page.AsOf.Stale != view.UsedUp || !strings.Contains(page.Lead, "1 software") {
		t.Errorf("%q as of %+v", page.Lead, page.AsOf)
	}
}

// What is known from before is not shown while Defender's last word to any process is a refusal.
func TestNothingOldAfterARefusal(t *testing.T) {
	t.Parallel()
	for name, restart := range map[string]bool{"own memory": false, "readings": true} {
		f := newForgetful(t)
		f.mustAsk(t, edgeID)
		f.mustAsk(t, "search edge")
		f.readings[edgeID] = read(f.now)
		if restart {
			f.restart(t)
		}
		f.wait(time.Hour)
		f.Inject(apitest.Throttled(10 * time.Minute))
		lines := []string{edgeID}
		if !restart {
			lines = append(lines, "search edge")
		}
		for _, line := range lines {
			f.refused = true
			if page, err := f.ask(t, line); !errors.Is(err, api.ErrThrottled) {
				t.Errorf("%s: %q after a refusal: %q, %v", name, line, page.Title, err)
			}
			f.refused = false
			if page := f.mustAsk(t, line); page.AsOf.Stale != view.UsedUp {
				t.Errorf("%s: %q without one: %+v", name, line, page.AsOf)
			}
		}
	}
}
