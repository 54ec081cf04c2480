package commands_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/missingkbs/missingkbs/api/apitest"
	"github.com/missingkbs/missingkbs/commands"
	"github.com/missingkbs/missingkbs/commands/digestcmd"
	"github.com/missingkbs/missingkbs/internal/digest"
	"github.com/missingkbs/missingkbs/internal/patchgap"
	"github.com/missingkbs/missingkbs/internal/view"
)

// What a line names replaces what the digest has, all else stays, and another schedule moves the next run.
func TestDigestEdit(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		line, detail string
		was          []func(*digest.Subscription)
		want         func(*digest.Subscription)
	}{
		{"--min-devices 5", "least devices 0 → 5", nil, func(s *digest.Subscription) { s.Filter.MinDevices = 5 }},
		{
			"--min-devices 0 --min-cves 2", "least devices 7 → 0; least CVEs 0 → 2",
			[]func(*digest.Subscription){func(s *digest.Subscription) { s.Filter.MinDevices = 7 }},
			func(s *digest.Subscription) { s.Filter = patchgap.Filter{MinCVEs: 2} },
		},
		{"--exploited", "only exploited false → true", nil, func(s *digest.Subscription) { s.Filter.Exploited = true }},
		{
			"--exploited=false", "only exploited true → false",
			[]func(*digest.Subscription){func(s *digest.Subscription) { s.Filter.Exploited = true }},
			func(s *digest.Subscription) { s.Filter.Exploited = false },
		},
		{"--alert exploited", "alert none → exploited", nil, func(s *digest.Subscription) { s.Alert = digest.AlertExploited }},
		{
			"--alert none", "alert exploited → none",
			[]func(*digest.Subscription){func(s *digest.Subscription) { s.Alert = digest.AlertExploited }},
			func(s *digest.Subscription) { s.Alert = "" },
		},
		{"--report", "report false → true", nil, func(s *digest.Subscription) { s.Report = true }},
		{"--quiet always", "quiet silent → always", nil, func(s *digest.Subscription) { s.Quiet = digest.Always }},
		{"windows 11", "watches microsoft-_-edge → microsoft-_-windows_11", nil, func(s *digest.Subscription) { s.Watch = []string{"microsoft-_-windows_11"} }},
		{"--at weekdays 08:30", "when mon 09:00 Europe/Stockholm → weekdays 08:30 Europe/Stockholm", nil, func(s *digest.Subscription) {
			s.Schedule.Words, s.NextRun = "weekdays 08:30", utc(24, 7, 30)
		}},
		{"--tz UTC", "when mon 09:00 Europe/Stockholm → mon 09:00 UTC", nil, func(s *digest.Subscription) {
			s.Schedule.Zone, s.NextRun = "UTC", utc(30, 9, 0)
		}},
		{"--tz UTC", "when mon 09:00 Europe/Stockholm → mon 09:00 UTC", []func(*digest.Subscription){paused}, func(s *digest.Subscription) {
			paused(s)
			s.Schedule.Zone = "UTC"
		}},
		{"--channel <#C0OTHER|other>", "channel C0HERE → C0OTHER (a digest of C0OTHER)", nil, func(s *digest.Subscription) { s.Channel = "C0OTHER" }},
	} {
		t.Run(tt.line, func(t *testing.T) {
			t.Parallel()
			d := newDesk(t, edge("1", tt.was...))
			page := d.does(t, "digest edit 1 "+tt.line)
			if diff := cmp.Diff(edge("1", tt.want), d.store.held["1"]); diff != "" {
				t.Errorf("subscription (-want +got):\n%s", diff)
			}
			if page.Title != "Digest 1 is changed" {
				t.Errorf("title = %q", page.Title)
			}
			d.wantAudit(t, alice, "digest.change", "1", tt.detail)
		})
	}
}

// A refusal changes nothing, and says at which field of the form it belongs.
func TestDigestEditRefusals(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		line, words, field string
		refused            map[string]string
	}{
		"schedule":       {"digest edit 1 --at never", "", "at", nil},
		"zone":           {"digest edit 1 --tz Mars/Base", "time zone", "tz", nil},
		"number":         {"digest edit 1 --min-cves many", "whole number", "min-cves", nil},
		"word":           {"digest edit 1 --quiet loud", "", "quiet", nil},
		"software":       {"digest edit 1 zzzz", "", view.WordsField, nil},
		"channel":        {"digest edit 1 --channel general", "id of a channel", "channel", nil},
		"closed channel": {"digest edit 1 --channel C0OTHER", "archived", "channel", map[string]string{"C0OTHER": "It is archived."}},
		"its channel":    {"digest edit 1 --min-devices 1", "archived", "", map[string]string{here: "It is archived."}},
		"twice":          {"digest edit 1 --quiet always windows 11", "Digest 2 is about the same", "", nil},
		"old form":       {"digest edit 1 --expect=00000000 --min-devices 1", "changed digest 1 meanwhile", "", nil},
		"no digest":      {"digest edit 9 --min-devices 1", "no digest 9", "", nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			windows := edge("2", func(s *digest.Subscription) { s.Watch = []string{"microsoft-_-windows_11"} })
			d := newDeskWith(t, func(o *digestcmd.Options) {
				o.People = town{zones: map[string]string{alice: "UTC"}, refused: tt.refused}
			}, edge("1"), windows)
			_, err := d.from(t, alice, here, tt.line)
			own, ok := errors.AsType[*commands.Error](err)
			if !ok || !strings.Contains(own.Message, tt.words) || own.Field != tt.field {
				t.Errorf("got %+v, want %q at %q", err, tt.words, tt.field)
			}
			if len(d.store.audits) != 0 || !cmp.Equal(d.store.held["1"], edge("1")) {
				t.Errorf("changed: %+v, %+v", d.store.held["1"], d.store.audits)
			}
		})
	}
}

func TestDigestOfAFileIsEditedInTheFile(t *testing.T) {
	t.Parallel()
	d := newDesk(t, edge("weekly", inFile))
	for _, line := range []string{"digest edit weekly", "digest edit weekly --min-devices 5"} {
		_, err := d.from(t, alice, here, line)
		if own, ok := errors.AsType[*commands.Error](err); !ok || !strings.Contains(own.Message, "Change it in that file") {
			t.Errorf("%s: got %v", line, err)
		}
	}
}

// What the scheduler moves meanwhile is kept; what a person changes meanwhile is not overwritten.
func TestDigestEditsMeet(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		meanwhile func(*digest.Subscription)
		changed   bool
	}{
		"the scheduler": {func(s *digest.Subscription) { s.NextRun = utc(37, 7, 0) }, true},
		"a pause":       {paused, true},
		"a person":      {func(s *digest.Subscription) { s.Filter.MinCVEs = 3 }, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newDesk(t, edge("1"))
			d.store.beforeEdit = func() {
				d.store.beforeEdit = nil
				d.store.held["1"] = edge("1", tt.meanwhile)
			}
			_, err := d.from(t, alice, here, "digest edit 1 --min-devices 5")
			want := edge("1", tt.meanwhile)
			if tt.changed {
				want.Filter.MinDevices = 5
			}
			if diff := cmp.Diff(want, d.store.held["1"]); diff != "" || (err == nil) != tt.changed {
				t.Errorf("%v, subscription (-want +got):\n%s", err, diff)
			}
		})
	}
}

// The forms of a new digest and of a digest are filled in, and what they make is a line that the command reads.
func TestDigestForms(t *testing.T) {
	t.Parallel()
	d := newDesk(t, edge("1", func(s *digest.Subscription) { s.Schedule.Words, s.Filter.MinDevices = "fri 15:00", 5 }))
	for line, want := range map[string]map[string][]string{
		"digest add":              {"words": nil, "at": {"mon 09:00"}, "words-at": nil, "tz": {"Europe/Stockholm"}, "min-devices": {}, "min-cves": {}, "exploited": {"false"}, "alert": {"none"}, "quiet": {"silent"}, "channel": nil},
		"digest watch windows 11": {"words": {"microsoft-_-windows_11"}, "at": {"mon 09:00"}, "words-at": nil, "tz": {"Europe/Stockholm"}, "min-devices": {}, "min-cves": {}, "exploited": {"false"}, "alert": {"none"}, "quiet": {"silent"}, "channel": nil},
		"digest edit 1":           {"words": {"microsoft-_-edge"}, "at": nil, "words-at": {"fri 15:00"}, "tz": {"Europe/Stockholm"}, "min-devices": {"5"}, "min-cves": {}, "exploited": {"false"}, "alert": {"none"}, "quiet": {"silent"}, "channel": {here}},
	} {
		page := d.does(t, line)
		if page.Dialog == nil {
			t.Errorf("%s: no form", line)
			continue
		}
		got := map[string][]string{}
		made := slices.Clone(page.Dialog.Command)
		for _, f := range page.Dialog.Fields {
			got[f.Name] = f.Values
			switch value := strings.Join(f.Values, " "); {
			case f.Option != "" && value != "":
				made = append(made, "--"+f.Option+"="+value)
			case f.Option == "":
				made = append(made, f.Values...)
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: form (-want +got):\n%s", line, diff)
		}
		if _, err := d.router.Run(t.Context(), commands.Request{Words: made, User: alice, Channel: here, Exact: true}); err != nil && line != "digest add" {
			t.Errorf("%s: the form as it opens makes %q: %v", line, made, err)
		}
	}
	if len(d.store.audits) != 1 { // watch; saving a form as it opened changes nothing
		t.Errorf("audits = %+v", d.store.audits)
	}
}

// Where there are digests, a page about software offers to watch it; that of an update says which software it is. A terminal
// cannot add one, so it is not offered there.
func TestWatchThis(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	if got := commandsOf(d.does(t, "microsoft-_-edge"))["Watch this"]; got != "digest watch microsoft-_-edge" {
		t.Errorf("got %q", got)
	}
	page, err := d.from(t, "", "", "microsoft-_-edge")
	if _, offered := commandsOf(page)["Watch this"]; err != nil || offered {
		t.Errorf("on a terminal: %v, %v", page.Actions, err)
	}
	for _, id := range []string{"microsoft-_-windows_10", "microsoft-_-windows_11"} {
		one := apitest.KB{ID: "5074202", Name: "November 2026 Security Updates", ProductsNames: []string{id[12:]}, MachineMissedOn: 40, CVEAddressed: 3}
		d.PutSoftware(apitest.Software{ID: id, Name: id[12:], Vendor: "microsoft"}, one)
		d.does(t, id) // what lacks an update is known once it was seen
		want := map[string]string{"microsoft-_-windows_10": "Watch Windows 10", "microsoft-_-windows_11": "Watch these 2 software"}[id]
		offered := commandsOf(d.does(t, "kb KB5074202"))
		if !strings.HasPrefix(offered[want], "digest watch microsoft-_-windows_10") {
			t.Errorf("no %q in %v", want, offered)
		}
	}
	watch := d.does(t, "digest watch microsoft-_-edge") // where no form can be opened, its page has the second click
	if got := commandsOf(watch)["Add this digest"]; got != "digest add microsoft-_-edge" {
		t.Errorf("got %v", watch.Actions)
	}
	d = newDeskWith(t, func(o *digestcmd.Options) { o.People = town{direct: "D1"} })
	for _, channel := range []string{"", "D1"} { // from the Home tab and a direct message: the form asks for the channel
		if page, err := d.from(t, alice, channel, "digest watch microsoft-_-edge"); err != nil || page.Dialog == nil {
			t.Errorf("%q: %v", channel, err)
		}
	}
	d.refuses(t, alice, "D1", "digest add microsoft-_-edge")
}
