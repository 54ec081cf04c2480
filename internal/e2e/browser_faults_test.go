package e2e

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// shownFailure is a fault of Defender and what people are told of it.
type shownFailure struct{ fault, title, says string }

// quickFailures switches the faults on that show at once, one after the other, reads what people are told, and heals
// them again. Each is tried on a software of its own, for answers are kept.
func quickFailures(p *tab) {
	for _, c := range []struct {
		software string
		failure  shownFailure
	}{
		{"microsoft-_-windows_11", shownFailure{"defender_forbidden", "This bot lacks a permission in Defender", "Software.Read.All"}},
		{"microsoft-_-edge", shownFailure{"defender_bad_secret", "Sign-in to Defender failed", ""}}, // after a token was there
		{"google-_-chrome", shownFailure{"defender_lying", "Defender's answer could not be read", "a proxy"}},
	} {
		p.fault(c.failure.fault, true)
		p.ask(c.software)
		p.told(c.failure)
		p.heal(c.failure.fault)
		p.ask(c.software)
		p.answer("Missing updates: " + called(c.software))
	}
	// Healing this one takes its time: the bot keeps the pause that Defender asked for.
	throttled := shownFailure{"defender_throttled", "Defender asks for a pause", "Try again in "}
	p.fault(throttled.fault, true)
	p.ask("microsoft-_-windows_10")
	p.told(throttled)
	p.heal(throttled.fault)
}

// slowFailures does the same with the faults that the bot tries to outlast for seconds, all at the same time and each
// in a sandbox of its own.
func slowFailures(p *tab) {
	const software = "microsoft-_-windows_11"
	failures := []shownFailure{
		{"defender_failing", "Defender cannot be reached", "even after several tries"},
		{"defender_cut", "Defender cannot be reached", "even after several tries"},
		{"defender_slow", "Missing updates: " + called(software), "fetched just now"}, // slow is no failure yet
	}
	tabs := []*tab{p, p.browser.open(p.t), p.browser.open(p.t)}
	for i, f := range failures {
		tabs[i].fault(f.fault, true)
		tabs[i].ask(software)
	}
	for i, f := range failures {
		tabs[i].told(f)
		tabs[i].heal(f.fault)
		tabs[i].ask(software)
		tabs[i].answer("Missing updates: " + called(software))
	}
}

// told waits for the page about a failure, which is for the person who asked alone.
func (p *tab) told(f shownFailure) {
	p.t.Helper()
	if m := p.answer(f.title); !m.Only || !strings.Contains(m.Text, f.says) {
		p.t.Errorf("%s: the answer (for Alice alone: %v) says %q, want %q", f.fault, m.Only, m.Text, f.says)
	}
}

// heal switches all faults off.
func (p *tab) heal(fault string) {
	p.t.Helper()
	p.click("faults-off", "")
	p.see(fault+" to be healed", `(s) => !document.querySelector(s).checked`, hook("fault-"+fault))
}

// moveTheClock moves a week on and asks again.
func moveTheClock(p *tab) {
	p.ask("microsoft-_-windows_10")
	m := p.answer("Missing updates: Windows 10")
	before, asOf := p.table(m), p.asOf(m)
	p.panel("time")
	clock := read[string](p, "the clock", `(s) => document.querySelector(s)?.dateTime`, hook("clock"))
	p.click("advance-week", "")
	p.see("the clock to move", `(s, was) => Date.parse(document.querySelector(s).dateTime) - Date.parse(was) >= 7 * 24 * 3600 * 1000`, hook("clock"), clock)

	p.click("button", "Refresh")
	p.see("the answer to be replaced", hasText, m.TS, "(edited)")
	p.see("another time in it", `(ts, was) => Date.parse(document.querySelector("[data-ts='" + ts + "'] .message-body time").dateTime) !== was`, m.TS, asOf.UnixMilli())
	if moved := p.asOf(m).Sub(asOf).Round(time.Hour); moved != 7*24*time.Hour {
		p.t.Errorf("the answer's time moved by %v, want a week", moved)
	}
	if after := p.table(m); slices.EqualFunc(before.Rows, after.Rows, slices.Equal) {
		p.t.Errorf("a week later the numbers are the same: %q", after.Rows)
	}
}

// asOf is the time that an answer says its numbers are of.
func (p *tab) asOf(m message) time.Time {
	p.t.Helper()
	text := read[string](p, "as of", `(ts) => document.querySelector("[data-ts='" + ts + "'] .message-body time")?.dateTime`, m.TS)
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		p.t.Fatal(err)
	}
	return at
}

// connectionBreaks ends the socket while answers are on their way, once with Slack's notice and once without.
func connectionBreaks(p *tab) {
	p.fault("defender_slow", true)
	asked := []string{"microsoft-_-windows_11", "microsoft-_-windows_10"}
	since := ""
	for i, fault := range []string{"slack_disconnect", "slack_drop"} {
		p.ask(asked[i])
		since = cmp.Or(since, p.last)
		p.panel("wire")
		p.see("the question to reach the app", sentToApp, asked[i], 1)
		p.panel("time")
		p.click("fault-"+fault, "")
		p.panel("wire")
		p.see("the app to connect again", helloSince, fault)
	}
	p.last = since
	for _, software := range asked {
		p.answer("Missing updates: " + called(software))
	}
	p.fault("defender_slow", false)
	p.see("the app to be connected", `(s) => /^[1-9]/.test(document.querySelector(s).innerText)`, hook("connections"))
	p.ask("microsoft-_-edge")
	p.answer("Missing updates: Edge")
}

// helloSince looks for a connection that was opened after a fault was switched on.
const helloSince = `(fault) => {
	const all = [...document.querySelectorAll("[data-testid=wire-entry]")];
	const at = all.findLastIndex((e) => e.innerText.includes("fault " + fault));
	return at >= 0 && all.slice(at).some((e) => e.dataset.kind === "socket-out" && e.innerText.includes("hello"));
}`

const sentToApp = `(text, times) => [...document.querySelectorAll("[data-testid=wire-entry][data-kind=socket-out]")]
	.filter((e) => e.innerText.includes(text)).length >= times`

// silentApp shows what Slack shows when nothing acknowledges a command in three seconds.
func silentApp(p *tab) {
	p.fault("slack_drop_acks", true)
	p.ask("microsoft-_-edge")
	m := read[message](p, "Slack's complaint", findMessage, p.last, "error", "/missingkbs failed because the app did not respond")
	if !m.Only {
		p.t.Error("everybody sees that Alice's command failed")
	}
	p.see("the composer to say so", `(s) => document.querySelector(s).innerText.startsWith("Sent, but ")`, hook("delivery"))
}

// deliveredTwice has Slack send everything again. The question is still answered once.
func deliveredTwice(p *tab) {
	p.fault("slack_redeliver", true)
	p.panel("wire")
	p.ask("microsoft-_-edge")
	p.answer("Missing updates: Edge")
	p.see("two deliveries", sentToApp, "microsoft-_-edge", 2)
	// One acknowledgement may stand for both: Slack tells envelopes apart by their id.
	p.see("an acknowledgement", `() => document.querySelector("[data-testid=wire-entry][data-kind=socket-in]")`)
	if n := read[int](p, "answers", `() => document.querySelectorAll("[data-testid=message][data-kind=app]").length`); n != 1 {
		p.t.Errorf("%d answers, want one", n)
	}
}
