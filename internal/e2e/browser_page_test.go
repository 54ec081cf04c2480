package e2e

import (
	"strings"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/missingkbs/missingkbs/internal/sandbox"
)

// wire opens what went over the wires for one question.
func wire(p *tab) {
	p.ask("microsoft-_-edge")
	p.answer("Missing updates: Edge")
	p.panel("wire")
	p.see("the way of the question", `() => {
		const kinds = [...document.querySelectorAll("[data-testid=wire-entry]")].map((e) => e.dataset.kind);
		return ["ui", "socket-out", "socket-in", "defender", "response-url"].every((k) => kinds.includes(k));
	}`)
	p.click("wire-search", "")
	p.press("getmissingkbs")
	p.see("one entry", `() => document.querySelectorAll("[data-testid=wire-entry]").length === 1`)
	p.clickOn(hook("wire-entry")+" button", "")
	p.see("its JSON", `() => document.querySelector(".entry-body")?.innerText.includes("KB4540673") || document.querySelector(".entry-body")?.innerText.includes("status")`)
	for _, secret := range []string{"xoxb-", "xapp-"} {
		p.see("no secret on the page", `(secret) => !document.body.innerText.includes(secret)`, secret)
	}
}

// narrow does it on the screen of a phone, where the columns hide behind buttons.
func narrow(p *tab) {
	p.do("make the window narrow", chromedp.EmulateViewport(390, 844))
	p.click("toggle-sidebar", "")
	p.click("channel-C0PATCHES", "")
	p.see("the channel", `() => document.querySelector("h1").innerText === "#patching"`)
	p.ask("microsoft-_-edge")
	p.answer("Missing updates: Edge")
	p.click("button", "Share to channel")
	p.see("the shared answer", `() => document.querySelector("[data-testid=message][data-kind=app][data-ephemeral=false]")`)
	p.click("toggle-panel", "")
	p.see("the panel", `(s) => document.querySelector(s)`, hook("close-panel"))
	p.press(kb.Escape)
	p.see("the panel to close", `(s) => !document.querySelector(s)`, hook("close-panel"))
	if wide := read[int](p, "the page's width", `() => document.documentElement.scrollWidth`); wide > 390 {
		p.t.Errorf("the page is %d wide on a screen of 390", wide)
	}
}

// plainText copies what the bot says: ids with underscores, in titles, help and small print, letter by letter.
func plainText(p *tab) {
	p.ask("help")
	p.says(p.answer("What you can ask"), true, "For example: microsoft-_-windows_11, or just")
	p.ask("microsoft-_-windows_11")
	p.says(p.answer("Missing updates: Windows 11"), true, "microsoft-_-windows_11")
	p.ask("digest preview microsoft-_-edge microsoft-_-windows_11")
	if m := p.answer(""); strings.Contains(m.Text, "*") {
		p.t.Errorf("markup was read in plain text: %q", m.Text)
	}
}

// newMessages reads on above while an answer arrives below.
func newMessages(p *tab) {
	for range 2 {
		p.ask("microsoft-_-windows_11")
		p.answer("Missing updates: Windows 11")
	}
	p.fault("defender_slow", true)
	p.ask("microsoft-_-windows_10")
	p.see("the messages to scroll up", `(s) => {
		const list = document.querySelector(s);
		list.scrollTop = 0;
		return list.scrollHeight > 1.5 * list.clientHeight && list.scrollTop === 0;
	}`, hook("messages"))
	p.answer("Missing updates: Windows 10")
	p.see("word of it", `(s) => document.querySelector(s)?.innerText.includes("New messages")`, hook("new-messages"))
	p.click("new-messages", "")
	p.see("the newest message", `(s) => {
		const list = document.querySelector(s);
		return list.scrollHeight - list.scrollTop - list.clientHeight < 5 && !document.querySelector("[data-testid=new-messages]");
	}`, hook("messages"))
}

// workspaceTimes reads times in Alice's zone, which Slack knows; the computer is in another.
func workspaceTimes(p *tab) {
	p.ask("microsoft-_-edge")
	m := p.answer("Missing updates: Edge")
	p.says(m, true, "As of 10:00 AM, Nov 23, 2026") // the tenant's clock begins at 09:00 UTC
	p.see("when it came", `(ts) => document.querySelector("[data-ts='" + ts + "'] time").innerText.startsWith("10:0")`, m.TS)
	p.panel("time")
	p.see("the clock", `() => document.querySelector(".clock").innerText.includes("10:0")`)
}

// columnsInSight measures on the screens of phones and desks that nobody has to scroll sideways for what matters of a row:
// the KB, the devices, the CVEs and the catalog button, in an answer and in a digest.
func columnsInSight(p *tab) {
	p.enter(sandbox.Patching)
	p.subscribe(`microsoft-_-windows_11 --at "mon 10:00"`)
	p.nextWeek()
	posted := p.answer(exploited)
	p.ask("microsoft-_-windows_11")
	answered := p.answer("Missing updates: Windows 11")
	for _, screen := range []struct {
		size
		panel, dark bool
	}{
		{size{390, 844}, false, false},
		{size{400, 860}, false, false},
		{size{400, 860}, false, true},
		{size{1400, 900}, false, false},
		{size{1400, 900}, true, false},
		{size{1400, 900}, true, true},
	} {
		p.dress(screen.size, screen.dark)
		if screen.panel {
			p.panel("time")
		} else {
			p.closePanel()
		}
		for _, m := range []message{answered, posted} {
			var hidden []string
			p.see("a table to stand", `(ts) => { document.querySelector("[data-ts='" + ts + "'] [data-testid=data-table]").scrollIntoView({ block: "nearest" }); return true; }`, m.TS)
			hidden = read[[]string](p, "what is out of sight", `(ts) => {
				const table = document.querySelector("[data-ts='" + ts + "'] [data-testid=data-table]");
				const right = Math.min(table.querySelector(".table-scroll").getBoundingClientRect().right, innerWidth) + 1;
				const heads = [...table.querySelectorAll("thead th")].filter((h) => ["KB", "Devices", "CVEs"].includes(h.innerText.split(/\s/)[0]));
				const buttons = [...table.querySelectorAll("[data-testid=row] a[data-testid=button]")];
				const far = [...heads, ...buttons].filter((e) => e.getBoundingClientRect().right > right || e.getBoundingClientRect().left < 0);
				return ["" + heads.length + (buttons.length > 0 ? " and buttons" : ""), ...far.map((e) => e.innerText)];
			}`, m.TS)
			if len(hidden) != 1 || hidden[0] != "3 and buttons" {
				p.t.Errorf("on %+v, %q: %q", screen, strings.SplitN(m.Text, "\n", 2)[0], hidden)
			}
		}
	}
}
