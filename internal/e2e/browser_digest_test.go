package e2e

import (
	"slices"
	"strings"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/missingkbs/missingkbs/internal/sandbox"
)

const (
	week      = 7 * 24 * time.Hour
	edgeLate  = "Action required (1 overdue): "              // of Edge, whose only update is of 2020
	exploited = "Action required (4 exploited, 2 overdue): " // of Windows 11, in its first digest too
)

// digestChanges subscribes #patching and moves the clock twice: the first digest compares with nothing, the second says
// what changed and draws it.
func digestChanges(p *tab) {
	const software = "microsoft-_-windows_11"
	p.enter(sandbox.Patching)
	id := p.subscribe(software+` --at "mon 10:00"`, "Mon 30 Nov 2026 10:00 CET") // the tenant's clock begins a week before
	p.nextWeek()
	first := p.answer(exploited + called(software))
	p.says(first, false, "4 of 5 missing updates fix vulnerabilities under attack", "This is the first digest", "First digest, read 30 Nov 10:00 CET.", "KB", "Catalog")
	p.catalogLinks(first)
	p.see("no chart of a single digest", `(ts) => !document.querySelector("[data-ts='" + ts + "'] [data-testid=chart]")`, first.TS)
	p.threadOf(first, software)
	p.delivered(id, "first digest, posted")

	p.nextWeek()
	second := p.answer("Action required (3 exploited, 2 overdue): " + called(software)) // two KBs are no longer listed
	p.says(second, false, "Shrank", "Since Mon 30 Nov, read 7 Dec 10:00 CET.", "fewer than last time")
	if strings.Contains(second.Text, "first digest") {
		p.t.Errorf("the second digest calls itself the first: %q", second.Text)
	}
	p.catalogLinks(second)
	p.chartOf(second, "30 Nov", "7 Dec")
	p.threadOf(second, software)
	p.delivered(id, "changes, posted", "first digest, posted")
}

// fiveWeeks walks the path that the sandbox recommends at its start, beside a digest of everything, and on for five weeks:
// each digest comes once, in order, on time, and is the first but once.
func fiveWeeks(p *tab) {
	const all, one = "all Microsoft software", "microsoft-_-windows_11"
	p.ask("digest add " + one)
	p.answer("Digest ")
	p.ask("digest add all")
	p.answer("Digest ")
	for range 5 {
		p.nextWeek()
		p.see("the week to be over", `(s) => !document.querySelector(s)`, hook("travelling"))
	}
	type posted struct{ Title, Time, Text string }
	got := read[[]posted](p, "ten digests", `() => {
		const all = [...document.querySelectorAll("[data-testid=message][data-kind=app][data-ephemeral=false]")];
		return all.length >= 10 && all.map((m) => ({
			Title: m.querySelector("[role=heading]").textContent,
			Time: m.querySelector("time").dateTime,
			Text: m.querySelector(".message-body").textContent,
		}));
	}`)
	counts := map[string]int{}
	for i, m := range got {
		at, err := time.Parse(time.RFC3339, m.Time)
		if err != nil {
			p.t.Fatal(err)
		}
		due := time.Date(2026, 11, 30, 8, 0, 0, 0, time.UTC).Add(time.Duration(i/2) * week) // Monday 09:00 in Stockholm
		if late := at.Sub(due); late < 0 || late > time.Minute {
			p.t.Errorf("digest %d, %q, was posted at %v, want it at %v", i, m.Title, at, due)
		}
		if first := strings.Contains(m.Text, "first digest"); first != (i < 2) {
			p.t.Errorf("digest %d, %q, calls itself the first: %v", i, m.Title, first)
		}
		if strings.Contains(m.Title, "late") {
			p.t.Errorf("digest %d says it is late: %q", i, m.Title)
		}
		for _, scope := range []string{all, called(one)} {
			if strings.Contains(m.Title, scope) {
				counts[scope]++
			}
		}
	}
	if len(got) != 10 || counts[all] != 5 || counts[called(one)] != 5 {
		p.t.Errorf("%d digests, %v, want five of each", len(got), counts)
	}
}

// digestSilent subscribes to the software of which nothing ever changes, once silently and once with a heartbeat.
func digestSilent(p *tab) {
	const software = "microsoft-_-edge"
	p.enter(sandbox.Patching)
	silent := p.subscribe(software+` --at "mon 10:00"`, "nothing is posted (silent)")
	heartbeat := p.subscribe(software+` --at "mon 09:59" --quiet heartbeat`, "one line (heartbeat)")
	p.nextWeek()
	for _, id := range []string{silent, heartbeat} {
		p.delivered(id, "first digest, posted")
	}
	if n := p.public(); n != 2 {
		p.t.Errorf("%d messages for everybody, want the two first digests", n)
	}

	p.nextWeek()
	m := p.answer(edgeLate + called(software))
	p.says(m, false, "Nothing has changed since Mon 30 Nov 2026 09:59 CET")
	p.delivered(heartbeat, "nothing changed, posted", "first digest, posted")
	p.delivered(silent, "nothing changed, not posted", "first digest, posted")
	if n := p.public(); n != 3 {
		p.t.Errorf("%d messages for everybody, want the two first digests and one heartbeat", n)
	}
}

// digestFails has Defender ask for pauses while a digest is made. Where that is what fails, a digest which is late as it
// is tells so once the client has given up, and not after the minutes that other failures are tried again.
func digestFails(p *tab) {
	const software = "microsoft-_-windows_10"
	p.enter(sandbox.Patching)
	id := p.subscribe(software+` --at "mon 06:00"`, "Mon 30 Nov 2026 06:00 CET")
	p.fault("defender_throttled", true)
	p.skipWeek()
	p.panel("wire")
	for calls := 2; calls <= 4; calls++ { // ten seconds after one another
		p.see("Defender to be asked again", `(call, n) => [...document.querySelectorAll("[data-testid=wire-entry][data-kind=defender]")].filter((e) => e.innerText.includes(call)).length >= n`, software+"/getmissingkbs", calls)
	}
	failed := p.answer("Could not tell: " + called(software))
	p.says(failed, false, "This digest is delayed", "The digest follows as soon as enough is read", "Mon 30 Nov 2026 06:00 CET")
	p.see("no numbers in it", `(ts) => !document.querySelector("[data-ts='" + ts + "'] [data-testid=data-table]")`, failed.TS)
	p.delivered(id, "nothing could be read, posted")
	if n := p.public(); n != 1 {
		p.t.Errorf("%d messages for everybody, want the failure once", n)
	}
}

// digestByButtons goes through all that can be done with a digest by its buttons, which only the person who presses them
// sees.
func digestByButtons(p *tab) {
	const software = "microsoft-_-windows_11"
	p.enter(sandbox.Patching)
	p.ask("digest list")
	p.says(p.answer("No digests here"), true, "Add one")
	id := p.subscribe(software, "Mon 30 Nov 2026 09:00 CET") // Mondays at nine unless said otherwise
	title := "Digest " + id

	p.ask("digest list")
	listed := p.table(p.answer("Digests of this channel"))
	if diff := cmp.Diff([]string{id}, listed.column("Digest")); diff != "" {
		p.t.Errorf("listed (-want +got):\n%s", diff)
	}
	p.pressed("Show", title+": "+called(software), "It has not run yet")
	p.pressed("Pause for a week", title+" is paused", "until Mon 30 Nov 2026 10:")
	p.pressed("Resume", title+" resumed", "Mon 30 Nov 2026 09:00 CET")

	p.fault("defender_forbidden", true)
	p.pressed("Preview", "Preview: Could not tell: "+called(software), "This bot lacks a permission in Defender")
	p.heal("defender_forbidden")
	p.pressed("Settings", title+": "+called(software), "It has not run yet")
	p.pressed("Preview", "Preview: "+exploited+called(software), "Only you see this")

	p.pressed("Settings", title+": "+called(software), "It has not run yet") // a preview is no delivery
	p.pressed("Remove", "Remove "+strings.ToLower(title)+"?", "its history is deleted")
	p.pressed("Keep it", title+": "+called(software), "Mon 30 Nov 2026 09:00 CET")
	p.pressed("Remove", "Remove "+strings.ToLower(title)+"?", called(software))
	p.pressed("Remove for good", title+" is removed", "Nothing more is posted about "+called(software))
	p.pressed("List", "No digests here", "Add one")
	if n := p.public(); n != 0 {
		p.t.Errorf("%d messages for everybody, want none", n)
	}
}

// digestPeople has others look at a digest, which is late, and those try to change it who may not.
func digestPeople(p *tab) {
	const software = "microsoft-_-edge"
	p.enter(sandbox.Patching)
	id := p.subscribe(software+" --at mon 06:00", "Mon 30 Nov 2026 06:00 CET") // the clock will stand at ten
	p.skipWeek()
	seen := p.answer(edgeLate + called(software) + " (late)")
	p.says(seen, false, "due 30 Nov 06:00, sent 4 h later")

	p.be(sandbox.Bob)
	p.enter(sandbox.Patching)
	if m := p.answer(edgeLate + called(software)); m.TS != seen.TS || m.Only {
		p.t.Errorf("Bob sees message %s (for him alone: %v), want the digest %s", m.TS, m.Only, seen.TS)
	}
	p.pressed("Settings", "Digest "+id, "Subscribed by")

	p.be(sandbox.Guest)
	p.enter(sandbox.Patching)
	p.answer(edgeLate + called(software))
	p.pressed("Pause", "Not for guests", "guests do not change what channels are told")
	for _, words := range []string{"digest add google-_-chrome", "digest remove " + id + " --yes"} {
		p.ask(words)
		p.says(p.answer("Not for guests"), true, "guests do not change what channels are told")
	}

	p.be(sandbox.Alice)
	p.enter(sandbox.Patching)
	p.ask("digest list")
	if listed := p.table(p.answer("Digests of this channel")); len(listed.Rows) != 1 || strings.Contains(listed.Rows[0][3], "paused") {
		p.t.Errorf("after the guest there is %q, want the one digest, not paused", listed.Rows)
	}

	p.enter(sandbox.SharedChannel)
	p.ask("digest add " + software)
	p.says(p.answer("Not posted here"), true, "shared with another organisation")
	p.be(sandbox.External)
	p.see("nothing of it for Eve", nobodyAnswers)
}

// enter opens a channel.
func (p *tab) enter(channel string) {
	p.t.Helper()
	p.click("channel-"+channel, "")
	p.see("the channel", `(s) => document.querySelector(s)?.ariaCurrent === "page"`, hook("channel-"+channel))
}

// subscribe adds a digest to the channel and returns its number from the confirmation, which says all the given.
func (p *tab) subscribe(words string, says ...string) string {
	p.t.Helper()
	p.ask("digest add " + words)
	id := read[string](p, "the confirmation", `(...args) => (`+findMessage+`)(...args)?.Text.match(/^Digest (\d+) is set up/)?.[1]`, p.last, "app", "Digest ")
	p.says(p.answer("Digest "+id+" is set up"), true, says...)
	return id
}

// nextWeek moves the clock a week on. What is asked for afterwards is what came because of it.
func (p *tab) nextWeek() { p.moveClock("advance-week") }

// skipWeek is a week in which the bot was off: what was due comes late.
func (p *tab) skipWeek() { p.moveClock("skip-week") }

func (p *tab) moveClock(button string) {
	p.t.Helper()
	p.last = read[string](p, "messages", `() => [...document.querySelectorAll("[data-testid=message]")].map((m) => m.dataset.ts).sort().at(-1) ?? "0"`)
	p.panel("time")
	clock := read[string](p, "the clock", `(s) => document.querySelector(s)?.dateTime`, hook("clock"))
	p.click(button, "")
	p.see("the clock to move", `(s, was, by) => Date.parse(document.querySelector(s).dateTime) - Date.parse(was) >= by`, hook("clock"), clock, week.Milliseconds())
}

// says checks who sees a message and what it says.
func (p *tab) says(m message, only bool, words ...string) {
	p.t.Helper()
	if m.Only != only {
		p.t.Errorf("only one person sees it: %v, want %v: %q", m.Only, only, m.Text)
	}
	for _, w := range words {
		if !strings.Contains(m.Text, w) {
			p.t.Errorf("the message says %q, want %q in it", m.Text, w)
		}
	}
}

// pressed presses the last button with a label and reads the answer, which is for that person alone. It comes last, in
// place of the message with the button or after it.
func (p *tab) pressed(label, title, says string) {
	p.t.Helper()
	p.click("button", label)
	m := read[message](p, "the answer "+title, `(title) => {
		const m = [...document.querySelectorAll("[data-testid=message][data-kind=app]")].at(-1);
		const text = m?.querySelector(".message-body").innerText.trim();
		return text?.startsWith(title) && { TS: m.dataset.ts, Text: text, Only: m.dataset.ephemeral === "true" };
	}`, title)
	p.says(m, true, says)
}

// delivered waits until the settings of a digest list these deliveries, the newest first. They do not change while one
// looks at them, and so are asked for anew.
func (p *tab) delivered(id string, want ...string) {
	p.t.Helper()
	var got []string
	for range 40 {
		p.ask("digest show " + id)
		if m := p.answer("Digest " + id); strings.Contains(m.Text, "The last digests") {
			got = p.table(m).column("What")
			for i, what := range got { // two digests of one software may share a reading
				got[i], _, _ = strings.Cut(what, "; the reading of ")
			}
			if slices.Equal(got, want) {
				return
			}
		}
	}
	p.t.Fatalf("digest %s was delivered as %q, want %q", id, got, want)
}

// public counts the messages of the bot that everybody in the channel sees, without those in threads.
func (p *tab) public() int {
	p.t.Helper()
	return read[int](p, "messages", `() => 1 + [...document.querySelectorAll("[data-testid=message][data-kind=app][data-ephemeral=false]")]
		.filter((m) => !m.parentElement.closest("[data-testid=thread]")).length`) - 1
}

// catalogLinks checks that each row of a digest leads to the catalog.
func (p *tab) catalogLinks(m message) {
	p.t.Helper()
	rows := p.table(m).Rows
	links := read[[]string](p, "catalog buttons", `(ts) => [...document.querySelectorAll("[data-ts='" + ts + "'] [data-testid=row] a[data-testid=button]")].map((a) => a.href)`, m.TS)
	if len(rows) == 0 || len(links) != len(rows) {
		p.t.Fatalf("%d rows have %d catalog buttons", len(rows), len(links))
	}
	for i, link := range links {
		want := "https://catalog.update.microsoft.com/v7/site/Search.aspx?q=" + rows[i][0]
		if link != want {
			p.t.Errorf("the button leads to %s, want %s", link, want)
		}
	}
}

// threadOf opens the thread of a digest, which has all rows.
func (p *tab) threadOf(m message, software string) {
	p.t.Helper()
	p.clickOn("[data-ts='"+m.TS+"'] "+hook("thread-toggle"), "")
	details := p.answer("Details: " + called(software))
	if details.TS <= m.TS {
		p.t.Errorf("the details are message %s, want one in the thread of %s", details.TS, m.TS)
	}
	p.says(details, false, "Missing updates of "+called(software))
	p.see("the details in its thread", `(parent, reply) => {
		const thread = document.querySelector("[data-testid=thread]");
		const beside = thread?.getBoundingClientRect().left >= document.querySelector("main").getBoundingClientRect().right;
		return beside && [parent, reply].every((ts) => thread.querySelector("[data-ts='" + ts + "']"));
	}`, m.TS, details.TS)
	if few, all := len(p.table(m).Rows), len(p.table(details).Rows); all < few {
		p.t.Errorf("the details have %d rows, the digest %d", all, few)
	}
	p.click("close-thread", "")
}

// chartOf reads the chart of a digest as a screen reader does, and checks that it is drawn as well.
func (p *tab) chartOf(m message, days ...string) {
	p.t.Helper()
	type chart struct {
		Role, Name string
		Drawn      bool
		Days       []string
		Values     []string
	}
	got := read[chart](p, "the chart", `(ts) => {
		const figure = document.querySelector("[data-ts='" + ts + "'] [data-testid=chart]");
		if (!figure) return null;
		const drawing = figure.querySelector("svg");
		const words = (s) => [...figure.querySelectorAll(s)].map((e) => e.textContent);
		return {
			Role: figure.tagName,
			Name: document.getElementById(figure.getAttribute("aria-labelledby")).innerText,
			Drawn: drawing.getBoundingClientRect().width > 200 && [...drawing.querySelectorAll("path, polyline, rect")].some((e) => e.getBoundingClientRect().width > 10),
			Days: words("tbody th"),
			Values: words("tbody td"),
		};
	}`, m.TS)
	want := chart{"FIGURE", "Open installs", true, days, got.Values}
	if diff := cmp.Diff(want, got); diff != "" {
		p.t.Errorf("the chart (-want +got):\n%s", diff)
	}
	if values := numbers(p.t, got.Values); len(values) != len(days) || values[0] <= values[len(values)-1] || values[len(values)-1] == 0 {
		p.t.Errorf("the chart has the values %v, want one for each of %q, falling", values, days)
	}
}

// showDigest shows a digest with changes and its chart.
func showDigest(p *tab) {
	const software = "microsoft-_-windows_11"
	p.enter(sandbox.Patching)
	id := p.subscribe(software + ` --at "mon 10:00"`)
	p.nextWeek()
	p.answer(exploited + called(software))
	p.delivered(id, "first digest, posted")
	p.nextWeek()
	m := p.answer("Action required (3 exploited, 2 overdue): " + called(software))
	p.closePanel()
	p.chartOf(m, "30 Nov", "7 Dec")
	p.see("its thread", `(selector) => document.querySelector(selector)`, "[data-ts='"+m.TS+"'] "+hook("thread-toggle"))
	p.see("the digest", `(ts) => { document.querySelector("[data-ts='" + ts + "']").scrollIntoView({ block: "start" }); return true; }`, m.TS)
}
