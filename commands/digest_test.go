package commands_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/missingkbs/missingkbs/commands/digestcmd"

	"github.com/google/go-cmp/cmp"

	"github.com/missingkbs/missingkbs/api/apitest"
	"github.com/missingkbs/missingkbs/commands"
	"github.com/missingkbs/missingkbs/internal/audit"
	"github.com/missingkbs/missingkbs/internal/digest"
	"github.com/missingkbs/missingkbs/internal/digest/schedule"
	"github.com/missingkbs/missingkbs/internal/patchgap"
	"github.com/missingkbs/missingkbs/internal/view"
)

// wantAudit compares what was written down with one change.
func (d *desk) wantAudit(t *testing.T, user, action, subject, detail string) {
	t.Helper()
	want := []audit.Entry{{
		At: aMonday, Tenant: digest.DefaultTenant, User: user, Channel: here, Action: action, Subject: subject, Detail: detail,
		Result: audit.ResultDone, Request: question,
	}}
	if diff := cmp.Diff(want, d.store.audits); diff != "" {
		t.Errorf("audit (-want +got):\n%s", diff)
	}
}

func TestDigestAdd(t *testing.T) {
	t.Parallel()
	// want is what differs from a digest of Edge, silent on Mondays at nine in Stockholm.
	tests := []struct {
		name, user, line string
		want             func(*digest.Subscription)
	}{
		{"nothing but an id", alice, "digest add microsoft-_-edge", func(*digest.Subscription) {}},
		{"the person's zone", bob, "digest add microsoft-_-edge", func(s *digest.Subscription) {
			s.Owner, s.Schedule.Zone, s.NextRun = bob, "America/New_York", utc(23, 13, 0)
		}},
		{"several ids in any spelling, each once", alice, "digest add Microsoft-_-Windows_11 microsoft-_-edge microsoft-_-EDGE", func(s *digest.Subscription) {
			s.Watch = []string{"microsoft-_-edge", "microsoft-_-windows_11"}
		}},
		{"ids with commas", alice, "digest add microsoft-_-windows_11, microsoft-_-edge,", func(s *digest.Subscription) {
			s.Watch = []string{"microsoft-_-edge", "microsoft-_-windows_11"}
		}},
		{"all", alice, "digest add ALL", func(s *digest.Subscription) { s.Watch = []string{digest.All} }},
		{"a pattern", alice, "digest add microsoft-_-win*", func(s *digest.Subscription) { s.Watch = []string{"microsoft-_-win*"} }},
		{"a schedule in quotes", alice, `digest add --at "weekdays 08:30" microsoft-_-edge`, func(s *digest.Subscription) {
			s.Schedule.Words, s.NextRun = "weekdays 08:30", utc(24, 7, 30)
		}},
		{"a schedule as a phone writes it", alice, "digest add microsoft-_-edge —at “weekdays 08:30”", func(s *digest.Subscription) {
			s.Schedule.Words, s.NextRun = "weekdays 08:30", utc(24, 7, 30)
		}},
		{"a schedule without quotes", alice, "digest add --at weekdays 08:30 microsoft-_-edge", func(s *digest.Subscription) {
			s.Schedule.Words, s.NextRun = "weekdays 08:30", utc(24, 7, 30)
		}},
		{"a schedule without quotes behind =", alice, "digest add --at=weekdays 08:30 all", func(s *digest.Subscription) {
			s.Watch, s.Schedule.Words, s.NextRun = []string{"all"}, "weekdays 08:30", utc(24, 7, 30)
		}},
		{"cron without quotes", alice, "digest add microsoft-_-edge --cron 0 7 * * 1 --min-cves 3", func(s *digest.Subscription) {
			s.Schedule.Words, s.NextRun, s.Filter.MinCVEs = "0 7 * * 1", utc(30, 5, 0), 3
		}},
		{"a report", alice, "digest add microsoft-_-edge --report", func(s *digest.Subscription) { s.Report = true }},
		{"everything", alice, `digest add microsoft-_-edge --cron "30 6 * * 2" --tz UTC --min-devices 5 --min-cves 2 --quiet heartbeat`, func(s *digest.Subscription) {
			s.Schedule, s.NextRun = schedule.Schedule{Words: "30 6 * * 2", Zone: "UTC"}, utc(24, 6, 30)
			s.Filter, s.Quiet = patchgap.Filter{MinDevices: 5, MinCVEs: 2}, digest.Heartbeat
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			d := newDesk(t)
			page, err := d.from(t, tt.user, here, tt.line)
			if err != nil {
				t.Fatal(err)
			}
			want := edge("4711", tt.want)
			want.Created = aMonday
			if diff := cmp.Diff(want, d.store.held["4711"]); diff != "" {
				t.Errorf("subscription (-want +got):\n%s", diff)
			}
			d.wantAudit(t, tt.user, "digest.add", "4711",
				strings.Join(want.Watch, " ")+"; "+want.Schedule.Words+" "+want.Schedule.Zone)
			if page.Title != "Digest 4711 is set up" || page.Note != "" {
				t.Errorf("page = %q with the note %q", page.Title, page.Note)
			}
		})
	}
}

// utc is a moment of March 2026; Stockholm's clocks go forward on the 29th, New York's did on the 8th.
func utc(day, hour, minute int) time.Time {
	return time.Date(2026, 3, day, hour, minute, 0, 0, time.UTC)
}

func TestDigestAddPage(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	got := d.does(t, "digest add microsoft-_-edge --min-devices 5")
	want := view.Page{
		Title: "Digest 4711 is set up",
		Lead:  "Posts here every Monday at 09:00, Europe/Stockholm time. The first digest comes Mon 30 Mar 2026 09:00 CEST.",
		Parts: []view.Part{view.Facts{
			{Name: "Watches", Value: "microsoft-_-edge"},
			{Name: "Only updates", Value: "that 5 devices or more lack"},
			{Name: "When", Value: "every Monday at 09:00, Europe/Stockholm time"},
			{Name: "Next", Value: "Mon 30 Mar 2026 09:00 CEST"},
			{Name: "Then", Value: "Mon 6 Apr 2026 09:00 CEST, Mon 13 Apr 2026 09:00 CEST"},
			{Name: "When nothing changed", Value: "nothing is posted (silent)"},
			{Name: "Subscribed by", Value: "you, on Mon 23 Mar 2026 10:00 CET"},
		}},
		Actions: []view.Action{
			{Label: "Pause", Command: "digest pause 4711", Effect: view.Replace},
			{Label: "Pause for a week", Command: "digest pause 4711 until 7d", Effect: view.Replace},
			{Label: "Settings", Command: "digest edit 4711"},
			{Label: "Preview", Command: "digest preview 4711"},
			{Label: "Run now", Command: "digest run 4711"},
			{Label: "Details", Command: "digest details 4711"},
			{Label: "Remove", Command: "digest remove 4711"},
			{Label: "List", Command: "digest"},
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("page (-want +got):\n%s", diff)
	}
}

// When a digest will really come is seen before it is relied upon.
func TestDigestShowsItsNextRuns(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ when, next, then, caution string }{
		{`--at “patch‑tuesday 09:00”`, "Tue 14 Apr 2026 09:00 CEST", "Tue 12 May 2026 09:00 CEST, Tue 9 Jun 2026 09:00 CEST", ""},
		{"--at tue#2 09:00", "Tue 14 Apr 2026 09:00 CEST", "Tue 12 May 2026 09:00 CEST, Tue 9 Jun 2026 09:00 CEST", ""},
		{`--cron "0 9 8-14 * 2"`, "Tue 24 Mar 2026 09:00 CET", "Tue 31 Mar 2026 09:00 CEST, Tue 7 Apr 2026 09:00 CEST", `write 0 9 * * 2#2, or --at "patch-tuesday 09:00".`},
		{"--cron 0 9 8–14 * tue", "Tue 24 Mar 2026 09:00 CET", "Tue 31 Mar 2026 09:00 CEST, Tue 7 Apr 2026 09:00 CEST", "on every day that is one or the other"},
		{"--at mon–fri 08:30", "Tue 24 Mar 2026 08:30 CET", "Wed 25 Mar 2026 08:30 CET, Thu 26 Mar 2026 08:30 CET", ""},
	} {
		d := newDeskWith(t, func(o *digestcmd.Options) { o.Preview = fixedPreview{} })
		added := d.does(t, "digest add microsoft-_-edge "+c.when)
		shown, preview := d.does(t, "digest show 4711"), d.does(t, "digest preview 4711")
		for _, page := range []view.Page{added, shown} {
			facts := page.Parts[0].(view.Facts)
			if !slices.Contains(facts, view.Fact{Name: "Next", Value: c.next}) || !slices.Contains(facts, view.Fact{Name: "Then", Value: c.then}) {
				t.Errorf("%s: %s says %v, want %s, then %s", c.when, page.Title, facts, c.next, c.then)
			}
		}
		if !strings.Contains(preview.Note, "Next: "+c.next+", then "+c.then+".") {
			t.Errorf("%s: the preview says %q", c.when, preview.Note)
		}
		for _, page := range []view.Page{added, shown, preview} {
			if !strings.Contains(page.Note, c.caution) || c.caution == "" && strings.Contains(page.Note, "both set") {
				t.Errorf("%s: %s has the note %q, want %q in it", c.when, page.Title, page.Note, c.caution)
			}
		}
		paused := d.does(t, "digest pause 4711")
		if slices.ContainsFunc(paused.Parts[0].(view.Facts), func(f view.Fact) bool { return f.Name == "Then" }) {
			t.Errorf("%s: paused for good, it still comes: %v", c.when, paused.Parts)
		}
	}
}

func TestDigestAddWithoutAKnownZone(t *testing.T) {
	t.Parallel()
	for name, zones := range map[string]map[string]string{"Slack does not say": {}, "a zone of another planet": {nomad: "Mars/Olympus"}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newDeskWith(t, func(o *digestcmd.Options) { o.People = town{zones: zones} })
			page, err := d.from(t, nomad, here, "digest add microsoft-_-edge")
			if err != nil {
				t.Fatal(err)
			}
			if zone := d.store.held["4711"].Schedule.Zone; zone != "UTC" || !strings.Contains(page.Note, "times are in UTC") {
				t.Errorf("zone = %q, note = %q; want UTC and a note that says so", zone, page.Note)
			}
		})
	}
}

func TestDigestAddWhileDefenderIsDown(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.Inject(apitest.Fault{Path: "/api/", Status: 503})
	page := d.does(t, "digest add microsoft-_-edge")
	if want := "The bot could not check now whether Defender knows this software: Defender cannot be reached."; page.Note != want {
		t.Errorf("note = %q, want %q", page.Note, want)
	}
	if len(d.store.held) != 1 {
		t.Error("nothing was added")
	}
}

func TestDigestAddTakesAnotherNumber(t *testing.T) {
	t.Parallel()
	d := newDesk(t, edge("4711", elsewhere), edge("4712", elsewhere))
	if page := d.does(t, "digest add microsoft-_-edge"); page.Title != "Digest 4713 is set up" {
		t.Errorf("title = %q, want the first number that is free", page.Title)
	}
}

func TestDigestNumbersAreShort(t *testing.T) {
	t.Parallel()
	d := newDeskWith(t, func(o *digestcmd.Options) { o.NewID = nil })
	d.does(t, "digest add microsoft-_-edge")
	for id := range d.store.held {
		if n, err := strconv.Atoi(id); err != nil || n < 1000 || n > 9999 {
			t.Errorf("id = %q, want four digits", id)
		}
	}
}

func TestDigestAddRefusals(t *testing.T) {
	t.Parallel()
	full := make([]digest.Subscription, 50)
	for i := range full {
		full[i] = edge(strconv.Itoa(100+i), func(s *digest.Subscription) { s.Filter.MinDevices = i + 1 })
	}
	tests := []struct {
		name, channel, line string
		held                []digest.Subscription
		title, message      string
	}{
		{name: "on a terminal", line: "digest add microsoft-_-edge", title: "Only in Slack", message: "Change digests in Slack"},
		{name: "no software", channel: here, line: "digest add --at daily 07:00", message: "Which software?"},
		{name: "no schedule", channel: here, line: "digest add microsoft-_-edge --at sometimes 09:00", message: `"sometimes"`},
		{name: "no time", channel: here, line: "digest add microsoft-_-edge --at monday", message: "needs days and a time"},
		{name: "no value", channel: here, line: "digest add microsoft-_-edge --at", message: "--at needs a value"},
		{name: "no cron", channel: here, line: `digest add microsoft-_-edge --cron "61 9 * * 1"`, message: "minute cannot be"},
		{name: "too often", channel: here, line: `digest add microsoft-_-edge --cron "* * * * *"`, message: "15 minutes apart"},
		{name: "two schedules", channel: here, line: "digest add microsoft-_-edge --at daily 07:00 --cron 0 9 * * 1", message: "either --at or --cron"},
		{name: "no zone", channel: here, line: "digest add microsoft-_-edge --tz Stockholm", message: `no time zone "Stockholm"`},
		{name: "no such quiet", channel: here, line: "digest add microsoft-_-edge --quiet loud", message: "silent, heartbeat, always"},
		{name: "no number", channel: here, line: "digest add microsoft-_-edge --min-devices many", message: "whole number"},
		{name: "no such option", channel: here, line: "digest add microsoft-_-edge --min-device 4", message: "Did you mean --min-devices?"},
		{name: "no such pattern", channel: here, line: "digest add microsoft-_-lin*", title: "Unknown software", message: "matches the pattern microsoft-_-lin*"},
		{name: "no such software", channel: here, line: "digest add acme-_-anvil", title: "Unknown software", message: "acme-_-anvil"},
		{name: "no id", channel: here, line: "digest add qqqqqq", title: "Nothing found", message: `matches "qqqqqq", so nothing was added`},
		{name: "no letters", channel: here, line: "digest add ? --at daily 07:00", title: "Nothing to search for", message: "no letter and no digit"},
		{
			name: "the same again", channel: here, line: "digest add microsoft-_-edge", held: []digest.Subscription{edge("77")},
			title: "This channel has that digest", message: "Digest 77",
		},
		{name: "enough", channel: here, line: "digest add all", held: full, title: "Too many digests in this channel", message: "may have 50"},
		{name: "no invitation", channel: there, line: "digest add all", title: "Not here", message: "Invite me first."},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			d := newDeskWith(t, func(o *digestcmd.Options) {
				o.People = town{zones: map[string]string{alice: "Europe/Stockholm"}, refused: map[string]string{there: "Invite me first."}}
			}, tt.held...)
			user := alice
			if tt.channel == "" {
				user = ""
			}
			page := d.refuses(t, user, tt.channel, tt.line)
			if want := titleOr(tt.title); page.Title != want {
				t.Errorf("title = %q, want %q", page.Title, want)
			}
			if !strings.Contains(page.Lead, tt.message) {
				t.Errorf("lead = %q, want %q in it", page.Lead, tt.message)
			}
		})
	}
}

// titleOr is a page's title, or that of questions that could not be read.
func titleOr(title string) string {
	if title == "" {
		return "That question could not be read"
	}
	return title
}

func TestDigestAddOffersWhatWasMeant(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	for line, want := range map[string]string{
		`digest add egde --at "daily 07:00"`:                 `digest add microsoft-_-edge --at "daily 07:00"`,
		`digest add Microsoft-_-Egde all --min-cves 2`:       `digest add microsoft-_-edge all --min-cves 2`,
		`digest add microsoft-_-edge,chorme --at daily 7:00`: `digest add microsoft-_-edge google-_-chrome --at "daily 7:00"`,
		`digest add *wnidows 11* --cron 0 9 * * 1 --tz UTC`:  `digest add microsoft-_-windows_11 --cron "0 9 * * 1" --tz UTC`,
	} {
		page := d.refuses(t, alice, here, line)
		if page.Title != "Unknown software" || len(page.Actions) == 0 || page.Actions[0].Command != want {
			t.Errorf("%s: %q with %+v, want a first button %s", line, page.Title, page.Actions, want)
			continue
		}
		if _, err := d.from(t, alice, here, page.Actions[0].Command); err != nil {
			t.Errorf("%s: the offered line fails: %v", line, err)
		}
		d.store.held = map[string]digest.Subscription{}
	}
}

func TestDigestRefusals(t *testing.T) {
	t.Parallel()
	held := []digest.Subscription{edge("1"), edge("2", elsewhere), edge("3", paused), edge("team-weekly", inFile)}
	tests := []struct {
		name, user, channel, line string
		title, message            string
	}{
		{"an unknown word", alice, here, "digest lsit", "", "Did you mean digest list?"},
		{"a word of no kind", alice, here, "digest frobnicate", "", "There are: add, watch, edit, list, show"},
		{"no number", alice, here, "digest show", "", "Which digest?"},
		{"an unknown number", alice, here, "digest show 99", "No such digest", "no digest 99 in this channel"},
		{"a digest of another channel", alice, here, "digest show 2", "No such digest", "no digest 2 in this channel"},
		{"pausing one of another channel", alice, here, "digest pause 2", "No such digest", "no digest 2"},
		{"removing one of another channel", alice, here, "digest remove 2 --yes", "No such digest", "no digest 2"},
		{"details of another channel", alice, here, "digest details 2", "No such digest", "no digest 2"},
		{"pausing by a guest", "U0GUEST", here, "digest pause 1", "Not here", "no guests"},
		{"resuming by a guest", "U0GUEST", here, "digest resume 3", "Not here", "no guests"},
		{"running by a guest", "U0GUEST", here, "digest run 1", "Not here", "no guests"},
		{"removing by a guest", "U0GUEST", here, "digest remove 1 --yes", "Not here", "no guests"},
		{"pausing on a terminal", "", "", "digest pause 1", "Only in Slack", "nor who asks"},
		{"resuming on a terminal", "", "", "digest resume 3", "Only in Slack", "nor who asks"},
		{"running on a terminal", "", "", "digest run 1", "Only in Slack", "nor who asks"},
		{"removing on a terminal", "", "", "digest remove 1 --yes", "Only in Slack", "nor who asks"},
		{"removing what a file holds", alice, here, "digest remove team-weekly --yes", "Digest team-weekly comes from a file", "Remove it from that file"},
		{"running what is paused", alice, here, "digest run 3", "Digest 3 is paused", "Resume it first"},
		{"an end without a date", alice, here, "digest pause 1 until", "", "Until when?"},
		{"an end of no kind", alice, here, "digest pause 1 until christmas", "", `"christmas" is not a date`},
		{"an end without a unit", alice, here, "digest pause 1 7", "", "12h, 7d or 2w"},
		{"an end that is over", alice, here, "digest pause 1 until 2026-03-23", "", "is in the past"},
		{"an end too far", alice, here, "digest pause 1 until 2030-01-01", "", "two years at most"},
		{"a word too many", alice, here, "digest resume 3 tomorrow", "", `Unexpected word "tomorrow"`},
		{"a word too many for remove", alice, here, "digest remove 1 3 --yes", "", `Unexpected word "3"`},
		{"a word too many for list", alice, here, "digest list all", "", "Unexpected word"},
		{"an unknown option of remove", alice, here, "digest remove 1 --force", "", "no option --force"},
		{"details before the first digest", alice, here, "digest details 1", "Nothing to show yet", "Next run: Mon 30 Mar 2026"},
		{"csv before the first digest", alice, here, "digest csv 1", "Nothing to show yet", "Next run: Mon 30 Mar 2026"},
		{"a preview where there is none", alice, here, "digest preview 1", "No previews here", "Preview the digest in Slack"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			d := newDeskWith(t, func(o *digestcmd.Options) {
				o.People = town{refused: map[string]string{"U0GUEST": "Members only, no guests."}}
			}, held...)
			page := d.refuses(t, tt.user, tt.channel, tt.line)
			if want := titleOr(tt.title); page.Title != want {
				t.Errorf("title = %q, want %q", page.Title, want)
			}
			if !strings.Contains(page.Lead, tt.message) {
				t.Errorf("lead = %q, want %q in it", page.Lead, tt.message)
			}
			if len(d.queue.jobs) != 0 {
				t.Errorf("jobs = %v, want none", d.queue.jobs)
			}
		})
	}
}

func TestDigestList(t *testing.T) {
	t.Parallel()
	many := edge("3", func(s *digest.Subscription) {
		s.Watch = []string{"a-_-b", "all", "c-_-d", "e-_-f", "g-_-h"}
		*s = s.Pause(utc(27, 23, 0), "")
	})
	d := newDesk(t, edge("1"), edge("2", elsewhere), many, edge("4", func(s *digest.Subscription) {
		*s = s.Pause(time.Time{}, "Its channel refused 3 digests in a row.")
		s.Alert, s.Filter.Exploited = digest.AlertExploited, true
	}))
	show := func(id string) view.Cell {
		return view.Cell{Text: id, Action: &view.Action{Label: "Show", Command: "digest show " + id}}
	}
	const mondays = "every Monday at 09:00, Europe/Stockholm time"
	want := view.Page{
		Title: "Digests of this channel",
		Lead:  "3 digests. Show one to change, pause, run or remove it.",
		Parts: []view.Part{view.Table{
			Caption: "Digests",
			Columns: []view.Column{
				{Key: "digest", Title: "Digest"},
				{Key: "watches", Title: "Watches"},
				{Key: "when", Title: "When"},
				{Key: "next", Title: "Next"},
				{Key: "options", Title: "Options"},
				{Key: "show", Title: "Settings", Kind: view.Button},
			},
			CSV: []string{"digest", "watches", "when", "next", "show", "options"},
			Rows: [][]view.Cell{
				{{Text: "1"}, {Text: "Edge"}, {Text: mondays}, {Text: "Mon 30 Mar 2026 09:00 CEST"}, {}, show("1")},
				{{Text: "3"}, {Text: "B, all Microsoft software and 3 more"}, {Text: mondays}, {Text: "paused; resumes with the run of Mon 30 Mar 2026 09:00 CEST"}, {}, show("3")},
				{{Text: "4"}, {Text: "Edge"}, {Text: mondays}, {Text: "paused. Its channel refused 3 digests in a row."}, {Text: "--alert exploited --exploited"}, show("4")},
			},
			Page:    2,
			Command: "digest list",
		}},
	}
	if diff := cmp.Diff(want, d.does(t, "digest list --page 2")); diff != "" {
		t.Errorf("page (-want +got):\n%s", diff)
	}
	first := d.does(t, "digest")
	if table := first.Parts[0].(view.Table); table.Page != 0 || len(table.Rows) != 3 {
		t.Errorf("digest alone lists page %d of %d rows, want all", table.Page, len(table.Rows))
	}
	everywhere, err := d.from(t, "", "", "digest list")
	if err != nil {
		t.Fatal(err)
	}
	if table := everywhere.Parts[0].(view.Table); len(table.Rows) != 4 || table.Rows[1][6].Text != there {
		t.Errorf("on a terminal: %+v, want the digests of all channels with their channels", table.Rows)
	}
	empty, err := d.from(t, bob, "C0EMPTY", "digest")
	if err != nil || empty.Title != "No digests here" {
		t.Errorf("empty channel: %q, %v", empty.Title, err)
	}
}

func TestDigestShow(t *testing.T) {
	t.Parallel()
	d := newDesk(t, edge("1", func(s *digest.Subscription) { s.Owner, s.Failures, s.Quiet = bob, 2, digest.Always }))
	due := utc(16, 8, 0)
	for i, kind := range []digest.Kind{digest.Same, digest.Changed, digest.Failed, digest.Failed, digest.First, digest.First} {
		sent := digest.Delivery{Subscription: "1", Due: due.AddDate(0, 0, -7*i), Kind: kind, Totals: patchgap.Totals{KBs: i, Missing: 10 * i}}
		if i == 1 || i == 2 || i == 4 {
			sent.Message = "1.2"
		}
		d.store.deliveries = append(d.store.deliveries, sent)
	}
	page := d.does(t, "digest show #1")
	if want := "The last digest was due Mon 16 Mar 2026 09:00 CET."; page.Lead != want {
		t.Errorf("lead = %q, want %q", page.Lead, want)
	}
	var what []string
	for _, row := range page.Parts[1].(view.Table).Rows {
		what = append(what, fmt.Sprint(row[1].Text, " ", row[2].Number, " ", row[3].Number))
	}
	want := []string{"nothing changed, not posted 0 0", "changes, posted 1 10", "nothing could be read, posted 2 20", "could not be posted 3 30", "first digest, posted 4 40"}
	if diff := cmp.Diff(want, what); diff != "" {
		t.Errorf("deliveries (-want +got):\n%s", diff)
	}
	facts := page.Parts[0].(view.Facts)
	for _, f := range []view.Fact{
		{Name: "When nothing changed", Value: "the whole digest (always)"},
		{Name: "Subscribed by", Value: bob + ", on Mon 9 Mar 2026 10:00 CET"},
		{Name: "Refused by its channel", Value: "2 digests in a row"},
	} {
		if !slices.Contains(facts, f) {
			t.Errorf("facts = %v, want %v among them", facts, f)
		}
	}
}

// Sums that an earlier version recorded are told as such where they count something else.
func TestDigestShowsOldSums(t *testing.T) {
	t.Parallel()
	all := func(s *digest.Subscription) { s.Watch = []string{digest.All} }
	d := newDesk(t, edge("1"), edge("2", all), edge("3", all))
	for id, rows := range map[string]int{"1": 9, "2": 9, "3": 0} {
		d.store.deliveries = []digest.Delivery{{Subscription: id, Due: aMonday, Kind: digest.First, Message: "1.2", Totals: patchgap.Totals{KBs: 3, Rows: rows, Missing: 57}}}
		if got, want := strings.Contains(d.does(t, "digest show "+id).Note, "an earlier version"), id == "2"; got != want {
			t.Errorf("digest %s: told of old sums: %v, want %v", id, got, want)
		}
	}
}

func TestDigestShowOffersWhatCanBeDone(t *testing.T) {
	t.Parallel()
	d := newDesk(t, edge("1"), edge("2", paused), edge("team-weekly", inFile))
	for id, want := range map[string][]string{
		"1":           {"Pause", "Pause for a week", "Settings", "Preview", "Run now", "Details", "Remove", "List"},
		"2":           {"Resume", "Settings", "Preview", "Details", "Remove", "List"},
		"team-weekly": {"Pause", "Pause for a week", "Preview", "Run now", "Details", "List"},
	} {
		var got []string
		for _, a := range d.does(t, "digest show "+id).Actions {
			got = append(got, a.Label)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: buttons (-want +got):\n%s", id, diff)
		}
	}
}

func TestDigestPause(t *testing.T) {
	t.Parallel()
	tests := []struct {
		words   string
		until   time.Time
		nextRun time.Time
		lead    string
		skipped string
	}{
		{"", time.Time{}, time.Time{}, "until someone resumes it", "Digests due before then are skipped."},
		// An hour after a run, and clocks go forward: what is due within the week is skipped, and no other.
		{"until 7d", aMonday.Add(7*24*time.Hour - time.Hour), utc(37, 7, 0), "until Mon 30 Mar 2026 10:00 CEST", "The run of Mon 30 Mar 2026 09:00 CEST is skipped. The next run is Mon 6 Apr 2026 09:00 CEST."},
		{"for 2w", aMonday.Add(14*24*time.Hour - time.Hour), utc(44, 7, 0), "until Mon 6 Apr 2026 10:00 CEST", "The runs of Mon 30 Mar 2026 09:00 CEST and Mon 6 Apr 2026 09:00 CEST are skipped. The next run is Mon 13 Apr 2026 09:00 CEST."},
		{"for 3w", aMonday.Add(21*24*time.Hour - time.Hour), utc(51, 7, 0), "until Mon 13 Apr 2026 10:00 CEST", "The runs of Mon 30 Mar 2026 09:00 CEST, Mon 6 Apr 2026 09:00 CEST and Mon 13 Apr 2026 09:00 CEST are skipped. The next run is Mon 20 Apr"},
		{"for 5w", aMonday.Add(35*24*time.Hour - time.Hour), utc(65, 7, 0), "until Mon 27 Apr 2026 10:00 CEST", "5 runs are skipped, from Mon 30 Mar 2026 09:00 CEST to Mon 27 Apr 2026 09:00 CEST. The next run is Mon 4 May"},
		{"12h", aMonday.Add(12 * time.Hour), utc(30, 7, 0), "until Mon 23 Mar 2026 22:00 CET", "No digest is due before then, so none is skipped. The next run is Mon 30 Mar 2026 09:00 CEST."},
		{"3 days", aMonday.Add(72 * time.Hour), utc(30, 7, 0), "until Thu 26 Mar 2026 10:00 CET", "none is skipped"},
		{"UNTIL 2026-03-30", utc(29, 22, 0), utc(30, 7, 0), "until Mon 30 Mar 2026 00:00 CEST", "none is skipped"},
		{"until 2026-03-30 09:00", utc(30, 7, 0), utc(30, 7, 0), "until Mon 30 Mar 2026 09:00 CEST", "none is skipped"},
	}
	for _, tt := range tests {
		t.Run(tt.words, func(t *testing.T) {
			t.Parallel()
			d := newDesk(t, edge("1"))
			page := d.does(t, "digest pause 1 "+tt.words)
			got := d.store.held["1"]
			if !got.Paused || !got.PausedUntil.Equal(tt.until) || !got.NextRun.Equal(tt.nextRun) {
				t.Errorf("paused %v until %v, next %v; want until %v, next %v", got.Paused, got.PausedUntil.UTC(), got.NextRun.UTC(), tt.until, tt.nextRun)
			}
			if !strings.Contains(page.Lead, tt.lead) || !strings.Contains(page.Lead, tt.skipped) || page.Title != "Digest 1 is paused" || commandsOf(page)["Resume"] != "digest resume 1" {
				t.Errorf("page = %q, %q with %v; want %q", page.Title, page.Lead, commandsOf(page), tt.lead)
			}
			d.wantAudit(t, alice, "digest.pause", "1", tt.lead)
		})
	}
}

func TestDigestResume(t *testing.T) {
	t.Parallel()
	d := newDesk(t, edge("1", func(s *digest.Subscription) { s.Failures = 3 }, paused), edge("2"))
	page := d.does(t, "digest resume 1")
	if diff := cmp.Diff(edge("1"), d.store.held["1"]); diff != "" {
		t.Errorf("subscription (-want +got):\n%s", diff)
	}
	if page.Title != "Digest 1 resumed" || page.Lead != "The next one comes Mon 30 Mar 2026 09:00 CEST." {
		t.Errorf("page = %q, %q", page.Title, page.Lead)
	}
	if page := d.does(t, "digest resume 2"); page.Title != "Digest 2 is not paused" {
		t.Errorf("title = %q, want to be told that it is not paused", page.Title)
	}
	if len(d.store.audits) != 1 || d.store.audits[0].Action != "digest.resume" {
		t.Errorf("audits = %+v, want the one that changed something", d.store.audits)
	}
}

func TestDigestFileSubscriptionsMayPauseResumeAndRun(t *testing.T) {
	t.Parallel()
	d := newDesk(t, edge("team-weekly", inFile))
	for _, line := range []string{"digest pause team-weekly", "digest resume TEAM-weekly", "digest run team-weekly"} {
		d.does(t, line)
	}
	if len(d.store.audits) != 3 {
		t.Errorf("audits = %+v, want all three", d.store.audits)
	}
}

func TestDigestRun(t *testing.T) {
	t.Parallel()
	d := newDesk(t, edge("1"))
	if page := d.does(t, "digest run 1"); page.Title != "Digest 1 is being made" {
		t.Errorf("title = %q", page.Title)
	}
	d.now = aMonday.Add(30 * time.Second) // pressed again
	d.does(t, "digest run 1")
	want := []digest.Job{{Subscription: "1", Due: aMonday.Truncate(time.Minute).Add(time.Second)}}
	if diff := cmp.Diff(want, d.queue.jobs); diff != "" {
		t.Errorf("jobs (-want +got):\n%s", diff)
	}
	d.now = aMonday.Add(time.Minute)
	d.does(t, "digest run 1")
	if len(d.queue.jobs) != 2 {
		t.Errorf("jobs = %v, want another one a minute later", d.queue.jobs)
	}
	for _, a := range d.store.audits {
		if a.Action != "digest.run" || a.User != alice || a.Subject != "1" {
			t.Errorf("audit = %+v, want who ran what", a)
		}
	}
}

// Whoever subscribed a channel may end that elsewhere too; then the audit says which channel it was.
func TestDigestAuditNamesTheOtherChannel(t *testing.T) {
	t.Parallel()
	d := newDesk(t, edge("1", func(s *digest.Subscription) { s.Channel = there }))
	d.does(t, "digest remove 1 --yes")
	d.wantAudit(t, alice, "digest.remove", "1", "microsoft-_-edge (a digest of "+there+")")
}

// What fails to be queued was not run, and is in no audit of a run.
func TestDigestRunFails(t *testing.T) {
	t.Parallel()
	d := newDeskWith(t, func(o *digestcmd.Options) { o.Queue = fullQueue{} }, edge("1"))
	d.refuses(t, alice, here, "digest run 1")
}

type fullQueue struct{}

func (fullQueue) Enqueue(context.Context, digest.Job) error { return errors.New("full") }

func TestDigestRemoveAsksFirst(t *testing.T) {
	t.Parallel()
	d := newDesk(t, edge("1"))
	page := d.does(t, "digest remove 1")
	if len(d.store.held) != 1 || len(d.store.audits) != 0 {
		t.Fatal("removed without a question")
	}
	if page.Title != "Remove digest 1?" || page.Actions[0].Command != "digest remove 1 --yes" || page.Actions[0].Effect != view.Replace {
		t.Fatalf("page = %q with %+v, want a question with a button that removes", page.Title, page.Actions)
	}
	if page := d.does(t, page.Actions[0].Command); page.Title != "Digest 1 is removed" {
		t.Errorf("title = %q", page.Title)
	}
	if d.wantAudit(t, alice, "digest.remove", "1", "microsoft-_-edge"); len(d.store.held) != 0 {
		t.Errorf("held %v", d.store.held)
	}
	if page := d.refuses(t, alice, here, "digest remove 1 --yes"); page.Title != "No such digest" {
		t.Errorf("pressed again: %q", page.Title)
	}
}

// Whoever subscribed is told, by the bot alone, that a channel is gone; the buttons of that message must work.
func TestDigestOwnerElsewhere(t *testing.T) {
	t.Parallel()
	gone := func(o *digestcmd.Options) {
		o.People = town{refused: map[string]string{here: "This channel is archived."}}
	}
	d := newDeskWith(t, gone, edge("1"))
	for line, want := range map[string]string{
		"digest show 1":   "Digest 1: Edge",
		"digest remove 1": "Remove digest 1?",
		"digest pause 1":  "Digest 1 is paused",
	} {
		if page, err := d.from(t, alice, direct, line); err != nil || page.Title != want {
			t.Errorf("%s: %q, %v; want %q", line, page.Title, err, want)
		}
	}
	if page := d.refuses(t, alice, direct, "digest resume 1"); page.Lead != "This channel is archived." {
		t.Errorf("resume: %q, want the reason why it cannot go on", page.Lead)
	}
	if page := d.refuses(t, bob, "D0BOB", "digest show 1"); page.Title != "No such digest" {
		t.Errorf("somebody else sees %q", page.Title)
	}
	if page, err := d.from(t, alice, direct, "digest remove 1 --yes"); err != nil || page.Title != "Digest 1 is removed" {
		t.Errorf("remove: %q, %v", page.Title, err)
	}
}

// The owner of a digest who has left its channel sees the settings, and can end it. Only readers of the channel see what it is
// told, and when it is told more.
func TestDigestOwnerWhoLeft(t *testing.T) {
	t.Parallel()
	d := newDeskWith(t, func(o *digestcmd.Options) {
		o.People = town{left: map[string]bool{alice: true}}
		o.Preview = fixedPreview{}
	}, edge("1"), edge("2", paused))
	d.store.baseline["1"] = aSnapshot()
	d.store.deliveries = []digest.Delivery{{Subscription: "1", Due: aMonday, Kind: digest.First, Message: "1.2", Totals: patchgap.Totals{KBs: 31, Missing: 577}}}
	for _, channel := range []string{there, direct, ""} { // the last is the Home tab
		for _, line := range []string{"digest preview 1", "digest details 1", "digest csv 1", "digest run 1", "digest resume 2"} {
			if page := d.refuses(t, alice, channel, line); page.Title != "Not for you" {
				t.Errorf("%s in %q: %q", line, channel, page.Title)
			}
		}
		page, err := d.from(t, alice, channel, "digest show 1")
		if err != nil || page.Lead != "You are not in that channel." || len(page.Parts) != 1 {
			t.Errorf("show in %q: %+v, %v; want the settings alone", channel, page, err)
		}
		if diff := cmp.Diff(map[string]string{"Pause": "digest pause 1", "Pause for a week": "digest pause 1 until 7d", "Remove": "digest remove 1"}, commandsOf(page)); diff != "" {
			t.Errorf("the buttons of show in %q (-want +got):\n%s", channel, diff)
		}
	}
	if page := d.does(t, "digest details 1"); len(page.Parts) == 0 { // in its channel
		t.Error("the channel itself is shown nothing")
	}
	if len(d.queue.jobs) > 0 {
		t.Errorf("posted: %v", d.queue.jobs)
	}
	if page, err := d.from(t, alice, direct, "digest pause 1"); err != nil || page.Title != "Digest 1 is paused" {
		t.Errorf("pause: %q, %v", page.Title, err)
	}
}

// The buttons of the Home tab, where there is no channel, work for whoever made a digest.
func TestDigestFromTheHomeTab(t *testing.T) {
	t.Parallel()
	d := newDesk(t, edge("1"))
	if page, err := d.from(t, alice, "", "digest show 1"); err != nil || page.Title != "Digest 1: Edge" {
		t.Errorf("got %q, %v", page.Title, err)
	}
	for line, want := range map[string]string{"digest show 1": "No such digest", "digest list": "Only in a channel", "digest add all": "Only in a channel"} {
		if page := d.refuses(t, bob, "", line); page.Title != want {
			t.Errorf("%s: %q, want %q", line, page.Title, want)
		}
	}
}

// Nothing of a digest is offered to be shared: it belongs to its channel, and is posted there.
func TestDigestsAreNotShared(t *testing.T) {
	t.Parallel()
	d := newDeskWith(t, func(o *digestcmd.Options) { o.Preview = fixedPreview{} }, edge("1"))
	d.store.baseline["1"] = aSnapshot()
	for _, line := range []string{
		"digest", "digest show 1", "digest preview 1", "digest details 1", "digest csv 1", "digest export",
		"digest run 1", "digest pause 1", "digest resume 1", "digest remove 1", "digest add all", "digest remove 1 --yes",
	} {
		for _, a := range d.does(t, line).Actions {
			if a.Effect == view.Share {
				t.Errorf("%s offers %q", line, a.Label)
			}
		}
	}
}

func aSnapshot() patchgap.Snapshot {
	return patchgap.Snapshot{
		Tenant: digest.DefaultTenant, At: aMonday.Add(-time.Hour), Software: []string{"microsoft-_-edge"},
		Rows: []patchgap.Row{{
			Key: patchgap.Key{Software: "microsoft-_-edge", KB: "4540673"}, Name: "March 2020 Security Updates", URL: edgeURL, Devices: 240, CVEs: 14,
		}},
	}
}

func TestDigestDetails(t *testing.T) {
	t.Parallel()
	d := newDesk(t, edge("1"))
	d.store.baseline["1"] = aSnapshot()
	page := d.does(t, "digest details 1 --page 2")
	table := page.Parts[0].(view.Table)
	if table.Page != 2 || table.Command != "digest details 1" || table.Len() != 1 || table.Row(0)[0].Text != "KB4540673" {
		t.Errorf("table = %+v, want page 2 of the last snapshot", table)
	}
	if page.AsOf.Age != time.Hour || page.Note != "" {
		t.Errorf("as of %v, note %q", page.AsOf, page.Note)
	}
	csv := d.does(t, "digest csv 1")
	if diff := cmp.Diff(view.Copies("digest details 1"), csv.Actions); diff != "" {
		t.Errorf("buttons (-want +got):\n%s", diff)
	}
	onTerminal, err := d.from(t, "", "", "digest csv 1")
	if err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	if err := view.WriteCSV(&text, onTerminal); err != nil {
		t.Fatal(err)
	}
	want := "kb,name,software,os_build,devices,cves,url\nKB4540673,March 2020 Security Updates,microsoft-_-edge,,240,14," + edgeURL + "\n"
	if diff := cmp.Diff(want, text.String()); diff != "" || onTerminal.Note != "" {
		t.Errorf("note %q, CSV (-want +got):\n%s", onTerminal.Note, diff)
	}
}

func TestDigestPreview(t *testing.T) {
	t.Parallel()
	seen := digest.Report{Kind: digest.First, Due: aMonday, Now: aMonday, After: aSnapshot()}
	unread := digest.Report{Due: aMonday, Now: aMonday, After: patchgap.Snapshot{Unread: []patchgap.Unread{{Software: "microsoft-_-edge", Reason: "It is gone."}}}}
	tests := []struct {
		name    string
		preview fixedPreview
		title   string
		lead    string
	}{
		{"a digest", fixedPreview{report: seen}, "Preview: Worth a look: Edge", "1 update missing"},
		{"nothing could be read", fixedPreview{unread, errors.New("nothing")}, "Preview: Could not tell: Edge", "nothing to preview"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			d := newDeskWith(t, func(o *digestcmd.Options) { o.Preview = tt.preview }, edge("1"), edge("2", paused))
			page := d.does(t, "digest preview 1")
			if page.Title != tt.title || !strings.Contains(page.Lead, tt.lead) || !strings.HasPrefix(page.Note, "Only you see this") {
				t.Errorf("page = %q, %q, note %q; want %q", page.Title, page.Lead, page.Note, tt.title)
			}
			want := map[string]string{"Run now": "digest run 1", "Settings": "digest show 1"}
			if diff := cmp.Diff(want, commandsOf(page)); diff != "" {
				t.Errorf("buttons (-want +got):\n%s", diff)
			}
			if page := d.does(t, "digest preview 2"); commandsOf(page)["Run now"] != "" {
				t.Error("a paused digest is offered to be run")
			}
			if len(d.store.audits)+len(d.queue.jobs) != 0 {
				t.Error("a preview left traces")
			}
		})
	}
}

func TestDigestExport(t *testing.T) {
	t.Parallel()
	held := []digest.Subscription{
		edge("1"),
		edge("2", func(s *digest.Subscription) {
			s.Watch, s.Schedule.Words = []string{"all", "microsoft-_-win*"}, "0 9 * * 1"
			s.Filter, s.Quiet = patchgap.Filter{MinDevices: 5, MinCVEs: 2}, digest.Heartbeat
		}),
	}
	d := newDesk(t, append(held, edge("3", elsewhere))...)
	facts := d.does(t, "digest export").Parts[0].(view.Facts)
	lines := []string{"digests:"}
	for _, f := range facts {
		lines = append(lines, f.Value)
	}
	text := strings.Join(lines, "\n")
	got, err := digest.ReadFile([]byte(text))
	if err != nil {
		t.Fatalf("%v in\n%s", err, text)
	}
	for i := range held {
		held[i].Origin, held[i].Created, held[i].NextRun = digest.FromFile, time.Time{}, time.Time{}
	}
	if diff := cmp.Diff(held, got); diff != "" {
		t.Errorf("subscriptions read back (-want +got):\n%s", diff)
	}
	onTerminal, err := d.from(t, "", "", "digest export")
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	if err := view.WriteText(&out, onTerminal); err != nil {
		t.Fatal(err)
	}
	_, yaml, _ := strings.Cut(out.String(), "digests:\n")
	yaml, _, _ = strings.Cut(yaml, "\n\n")
	if all, err := digest.ReadFile([]byte("digests:\n" + yaml)); err != nil || len(all) != 3 {
		t.Errorf("on a terminal: %d digests, %v in\n%s", len(all), err, out.String())
	}
}

func TestDigestExportSaysWhatIsTooLong(t *testing.T) {
	t.Parallel()
	long := edge("1", func(s *digest.Subscription) {
		s.Watch = nil
		for i := range 50 {
			s.Watch = append(s.Watch, fmt.Sprintf("microsoft-_-some_product_%d", i))
		}
	})
	d := newDesk(t, long)
	facts := d.does(t, "digest export").Parts[0].(view.Facts)
	if !strings.Contains(facts[0].Value, "too long to show here (50 software ids)") {
		t.Errorf("fact = %q", facts[0].Value)
	}
}

func TestDigestStoreFailures(t *testing.T) {
	t.Parallel()
	d := newDesk(t, edge("1"))
	d.store.err = errors.New("disk I/O error at /secret/path")
	for _, line := range []string{
		"digest", "digest show 1", "digest add microsoft-_-edge", "digest pause 1", "digest resume 1", "digest run 1", "digest remove 1 --yes", "digest details 1", "digest export",
	} {
		page := d.refuses(t, alice, here, line)
		if page.Title != "Something went wrong here" || strings.Contains(fmt.Sprint(page), "secret") {
			t.Errorf("%s: %+v, want a page without the cause", line, page)
		}
	}
}

func TestDigestHelp(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	page := d.does(t, "help digest")
	if want := "digest add | watch | edit | list | show | pause | resume | run | preview | details | csv | remove | export"; page.Title != want {
		t.Errorf("title = %q, want %q", page.Title, want)
	}
	if facts := page.Parts[0].(view.Facts); len(facts) != 15 || facts[0].Name != `digest add <software-id>… | all [--at "mon 09:00" | --cron "0 9 * * 1"] [--tz Europe/Stockholm] [--exploited] [--min-devices N] [--min-cves N] [--quiet silent|heartbeat|always] [--alert exploited] [--report] [--channel C0123ABCD]` {
		t.Errorf("facts = %v", facts)
	}
}

// Once no file is in use, what it left behind can be removed.
func TestDigestOfAFileThatIsGone(t *testing.T) {
	t.Parallel()
	d := newDeskWith(t, func(o *digestcmd.Options) { o.File = false }, edge("team-weekly", inFile))
	if got := d.does(t, "digest remove team-weekly --yes"); got.Title != "Digest team-weekly is removed" {
		t.Errorf("got %q", got.Title)
	}
}

// Neither a terminal nor a channel: nobody's digests are shown.
func TestDigestsNowhere(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	_, err := d.router.Run(t.Context(), commands.Request{Words: []string{"digest", "list"}, User: alice})
	if got := commands.Explain(err).Title; got != "Only in a channel" {
		t.Errorf("got %q, want a refusal", got)
	}
}

// A digest has one name and one next time, wherever it is shown.
func TestADigestHasOneName(t *testing.T) {
	t.Parallel()
	for _, watch := range [][]string{{"a-_-b"}, {"a-_-b", "c-_-d"}, {"a-_-b", "c-_-d", "e-_-f"}, {"a-_-b", "c-_-d", "e-_-f", "g-_-h"}, {"a-_-b", digest.All, "c-_-d", "e-_-f", "g-_-h"}} {
		s := edge("1", func(s *digest.Subscription) { s.Watch = watch })
		d := newDesk(t, s)
		row := d.does(t, "digest list").Parts[0].(view.Table).Row(0)
		home := homePage(t, newTenant(t).client, commands.HomeOptions{Digests: d.store}, s.Owner)
		i := slices.IndexFunc(home.Parts, func(p view.Part) bool {
			table, ok := p.(view.Table)
			return ok && table.Caption == "The digests you made"
		})
		if i < 0 {
			t.Fatalf("no digests on %+v", home)
		}
		onHome := home.Parts[i].(view.Table).Row(0)
		name, r := row[1].Text, digest.Report{Subscription: s}
		if got := strings.TrimPrefix(d.does(t, "digest show 1").Title, "Digest 1: "); got != name || onHome[1].Text != name {
			t.Errorf("the settings say %q, Home says %q, the list %q", got, onHome[1].Text, name)
		}
		for where, got := range map[string]string{"digest": r.Page().Title, "heartbeat": r.Heartbeat().Title, "failure": r.Failure().Title, "details": r.Details().Title} {
			if got = strings.TrimSuffix(got, " (late)"); !strings.HasSuffix(got, ": "+name) {
				t.Errorf("the title of a %s is %q, the list says %q", where, got, name)
			}
		}
		if row[3].Text != onHome[3].Text {
			t.Errorf("Home says %q, the list %q", onHome[3].Text, row[3].Text)
		}
	}
}

// A digest of exploited updates alone keeps its filter, in what it shows, in its file and in what a choice offers again.
func TestDigestOfExploitedUpdates(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	page := d.does(t, "digest add microsoft-_-edge --exploited")
	if !hasFact(page, "Only updates", "that fix vulnerabilities under attack") {
		t.Errorf("the page does not say what it is about:\n%s", text(t, page))
	}
	if all := d.does(t, "digest export"); !strings.Contains(text(t, all), "exploited: true") {
		t.Errorf("the file does not have the filter:\n%s", text(t, all))
	}
}
